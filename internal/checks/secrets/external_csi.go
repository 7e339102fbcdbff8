package secrets

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// external-store/csi-drivers
//
// Statement: the CSI driver of a secret store is there wherever pods run.
// Looks at: the CSIDriver objects of secret stores, the volumes that name such
// a driver, and which drivers the kubelet of each node has registered. Nodes
// that ordinary pods do not go to do not count: those that are cordoned, that
// have a taint NoSchedule or NoExecute, or that run Windows.
// Passes when: every node has registered the driver.
// Fails when: one has not; or a volume names a driver that is not installed.
// Cannot tell when: nodes or what they registered were not observed.
//
// https://kubernetes-csi.github.io/docs/csi-node-object.html
var externalDrivers = &check.Check{
	ID:       "secrets/external-store/csi-drivers",
	Item:     checklist.ExternalStore,
	Title:    "The CSI drivers of external secret stores are registered on every node",
	Noun:     "driver",
	Severity: report.Medium,
	Why: "A pod that mounts secrets of an external store waits for ever on a node that does not have the driver. " +
		"It is noticed when the scheduler sends it there: in an outage, when other nodes are gone.",
	Remediation: "Compare `nodeSelector`, affinity and tolerations of the driver's DaemonSet with the nodes that are named.",
	Refs:        externalReferences,
	Needs:       workload.With(inventory.CSIDrivers.Need(), inventory.CSINodes.Optional(), inventory.Nodes.Optional()),
	Run: func(e *check.Eval) {
		installed := map[string]bool{}
		for d := range inventory.All(e, inventory.CSIDrivers) {
			if slices.Contains(storeDrivers, d.Name) {
				installed[d.Name] = true
				judgeDriver(e, d)
			}
		}
		users := map[string][]report.Evidence{}
		for _, w := range workload.All.Of(e) {
			for i, v := range storeVolumes(w) {
				if !installed[v.Driver] && !w.Finished() {
					users[v.Driver] = append(users[v.Driver], w.PodEvidence(fmt.Sprintf("spec.volumes[%d].csi.driver", i), v.Driver, ""))
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(users)) {
			f := e.FailAbsent(report.Subject{Kind: "CSIDriver", APIVersion: "storage.k8s.io/v1", Name: name}, []report.KindID{inventory.CSIDrivers.ID, inventory.CSINodes.ID}, "",
				"is not installed, and volumes name it", users[name][0])
			f.Count = len(users[name])
		}
	},
}

func judgeDriver(e *check.Eval, d inventory.Object[inventory.Meta]) {
	at := d.Evidence("metadata.name", d.Name, "")
	for _, k := range []report.KindID{inventory.Nodes.ID, inventory.CSINodes.ID} {
		if gaps := e.Missing(k, ""); len(gaps) > 0 {
			e.Unknown(d.Subject, fmt.Sprintf("which nodes have registered it is not known: %s", gaps[0]), at)
			return
		}
	}
	registered := map[string]bool{}
	for n := range inventory.All(e, inventory.CSINodes) {
		registered[n.Name] = slices.Contains(n.Value.Drivers, d.Name)
	}
	nodes := 0
	var without []string
	for n := range inventory.All(e, inventory.Nodes) {
		if !ordinary(n.Value) {
			continue
		}
		if nodes++; !registered[n.Name] {
			without = append(without, n.Name)
		}
	}
	switch {
	case len(without) > 0:
		e.Fail(d.Subject, fmt.Sprintf("nodes that have not registered it: %s (%d of %d)", report.Some(without), len(without), nodes), at)
	case nodes == 0:
		e.Unknown(d.Subject, "no node takes ordinary pods, so that none shows whether it works", at)
	default:
		e.Pass(d.Subject)
	}
}

// ordinary reports whether any pod may be sent to the node.
func ordinary(n inventory.Node) bool {
	return !n.Unschedulable && n.OS != string(corev1.Windows) &&
		!slices.ContainsFunc(n.Taints, func(t corev1.Taint) bool { return t.Effect != corev1.TaintEffectPreferNoSchedule })
}

// storeVolumes yields the volumes of a secret store, with their index.
func storeVolumes(w *workload.Workload) iter.Seq2[int, *corev1.CSIVolumeSource] {
	return func(yield func(int, *corev1.CSIVolumeSource) bool) {
		for i, v := range w.Spec().Volumes {
			if v.CSI != nil && slices.Contains(storeDrivers, v.CSI.Driver) && !yield(i, v.CSI) {
				return
			}
		}
	}
}
