package placement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/placement"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// tiers/control-plane
//
// Statement: no application runs on a control-plane node.
// Looks at: workloads that are no DaemonSets, no static pods and do not run the
// cluster itself: those of the namespaces of Kubernetes, those with a priority
// class system-…, and those of the tier "control-plane" are left out. Where
// their pods are bound, and which nodes the scheduler may choose for them: by
// nodeSelector, required node affinity and tolerations, with what their
// RuntimeClass adds. Where the input shows no nodes, a control-plane node as
// kubeadm makes it stands for them.
// Passes when: none of its pods is on a control-plane node that is reserved by
// a taint, nor may be. Nodes without one are the matter of control-plane-taint.
// Fails when: one is, or may be.
// Cannot tell when: nodes could not be read; or the workload tolerates the
// taint and asks for nodes that the input does not show.
//
// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
var controlPlane = &check.Check{
	ID:       "placement/tiers/control-plane",
	Item:     checklist.PlacementTiers,
	Title:    "No application runs on a control-plane node",
	Noun:     "workload",
	Severity: report.Medium,
	Why: "Control-plane nodes hold the keys of the cluster: the CA, etcd with all Secrets, the credentials of the controllers. " +
		"Whoever breaks out of a container there has the whole cluster.",
	Remediation: "Take the toleration for `node-role.kubernetes.io/control-plane`, or for all taints, from the workload. " +
		"Label what belongs to the cluster itself with `plimsoll.dev/tier: control-plane`.",
	Refs:  []report.Reference{tainting},
	Needs: needs(),
	Run: func(e *check.Eval) {
		all, _, ok := members(e)
		if !ok {
			return
		}
		var kept []*placement.Node // what a taint reserves
		for _, n := range placement.Cluster.Of(e) {
			if n.ControlPlane && len(n.Reserved) > 0 {
				kept = append(kept, n)
			}
		}
		for _, m := range all {
			if !m.agent() && !m.system() {
				judgeControlPlane(e, m, kept)
			}
		}
	},
}

func judgeControlPlane(e *check.Eval, m member, kept []*placement.Node) {
	pod := m.pod(e)
	at := m.PodEvidence("spec.tolerations", tolerated(m), "no toleration of the taints of control-plane nodes")
	var may *placement.Node
	for _, n := range kept {
		if slices.Contains(m.Nodes, n.Name) {
			m.Counted(e.Fail(m.Subject, fmt.Sprintf("runs on the control-plane node %q", n.Name), at))
			return
		}
		fits, err := pod.Fits(n)
		if err != nil {
			e.Unknown(m.Subject, fmt.Sprintf("its node affinity cannot be evaluated: %v", err), m.PodEvidence("spec.affinity.nodeAffinity", "", ""))
			return
		}
		if fits && may == nil {
			may = n
		}
	}
	if may != nil {
		m.Counted(e.Fail(m.Subject, fmt.Sprintf("may run on the control-plane node %q: it tolerates the taint %q", may.Name, may.Reserved[0].ToString()), at))
		return
	}
	if inventory.Len(e, inventory.Nodes) == 0 {
		taint := placement.PlainControlPlane.Reserved[0]
		fits, err := pod.Fits(placement.PlainControlPlane)
		switch {
		case err != nil:
			e.Unknown(m.Subject, fmt.Sprintf("its node affinity cannot be evaluated: %v", err), m.PodEvidence("spec.affinity.nodeAffinity", "", ""))
			return
		case fits:
			m.Counted(e.Fail(m.Subject, fmt.Sprintf("may run on control-plane nodes: it tolerates the taint %q", taint.ToString()), at))
			return
		case pod.Tolerates(taint) && !m.Windows():
			e.Unknown(m.Subject, "tolerates the taint of control-plane nodes; whether they are among the nodes that it asks for cannot be told without the nodes", at)
			return
		}
	}
	e.Pass(m.Subject)
}

// tolerated lists what the workload tolerates, for evidence.
func tolerated(m member) string {
	var out []string
	for _, t := range m.Spec().Tolerations {
		key := t.Key
		if key == "" {
			key = "every taint"
		}
		out = append(out, strings.TrimSuffix(key+":"+string(t.Effect), ":"))
	}
	if len(out) == 0 {
		return none
	}
	return strings.Join(out, ", ")
}

// tiers/control-plane-taint
//
// Statement: every control-plane node has a taint that keeps applications away.
// Looks at: nodes with the role control-plane (or master) in their labels. A
// taint is one with the effect NoSchedule or NoExecute, whatever its key, that
// does not come and go with the state of the node. A cluster that shows no such
// nodes (a managed control plane) has nothing to judge.
// Passes when: there is one.
// Fails when: there is none, on clusters of a single node too: what runs there
// shares the node with the control plane.
// Cannot tell when: nodes could not be read.
//
// https://kubernetes.io/docs/reference/labels-annotations-taints/#node-role-kubernetes-io-control-plane-taint
var controlPlaneTaint = &check.Check{
	ID:       "placement/tiers/control-plane-taint",
	Item:     checklist.PlacementTiers,
	Title:    "Every control-plane node has a taint that keeps applications away",
	Noun:     "control-plane node",
	Severity: report.Medium,
	Why:      "Without a taint the scheduler treats a control-plane node as any other, and applications come to run beside etcd and the keys of the cluster.",
	Remediation: "Run `kubectl taint nodes NAME node-role.kubernetes.io/control-plane:NoSchedule`. " +
		"A cluster of one node cannot separate the two: accept the finding, or add nodes.",
	Refs:  []report.Reference{tainting},
	Needs: append(inventory.Optional(workload.Needs()), inventory.Nodes.Need()),
	Run: func(e *check.Eval) {
		cluster := placement.Cluster.Of(e)
		others := slices.ContainsFunc(cluster, func(n *placement.Node) bool { return !n.ControlPlane })
		for _, n := range cluster {
			if !n.ControlPlane {
				continue
			}
			if len(n.Reserved) > 0 {
				e.Pass(n.Subject)
				continue
			}
			msg := "no taint keeps applications away"
			switch {
			case len(cluster) == 1:
				msg += "; it is the only node"
			case !others:
				msg += "; every node is a control-plane node"
			}
			if apps := applications(e, n.Name); apps > 0 {
				msg += fmt.Sprintf("; workloads beside the control plane: %d", apps)
			}
			e.Fail(n.Subject, msg, n.Evidence("spec.taints", none, "node-role.kubernetes.io/control-plane:NoSchedule"))
		}
	},
}

// applications counts the workloads on a node that are no agents and not of
// the namespaces of Kubernetes.
func applications(e *check.Eval, node string) int {
	count := 0
	for w := range workload.Running(e) {
		if !(member{Workload: w}).agent() && !inventory.SystemNamespace(w.Namespace) && slices.Contains(w.Nodes, node) {
			count++
		}
	}
	return count
}
