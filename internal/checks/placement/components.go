package placement

import (
	"fmt"
	"path"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/placement"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// tiers/components
//
// Statement: the control plane's components run on nodes that are kept for them.
// Looks at: pods of kube-system that run kube-apiserver, kube-controller-manager,
// kube-scheduler or etcd, by the command of a container or the label component,
// and are bound to a node. Control planes of other clusters that are hosted in
// this one lie in other namespaces.
// Passes when: the node has the role control-plane, or a taint reserves it.
// Fails when: neither holds: to the scheduler it is a node for applications.
// Cannot tell when: pods or nodes could not be read.
//
// https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/
var components = &check.Check{
	ID:          "placement/tiers/components",
	Item:        checklist.PlacementTiers,
	Title:       "The control plane's components run on nodes that are kept for them",
	Noun:        "component",
	Severity:    report.Medium,
	Why:         "Where the API server or etcd runs on a node that takes applications, an escape from any of them reaches the keys of the cluster.",
	Remediation: "Label and taint the node as a control-plane node, or move the component to one.",
	Refs:        []report.Reference{tainting},
	Needs:       workload.With(inventory.Nodes.Need()),
	Run: func(e *check.Eval) {
		nodes := map[string]*placement.Node{}
		for _, n := range placement.Cluster.Of(e) {
			nodes[n.Name] = n
		}
		for w := range workload.Running(e) {
			name := component(w)
			if name == "" {
				continue
			}
			for _, on := range w.Nodes {
				n := nodes[on]
				switch {
				case n == nil: // the node is a gap, or has gone
					e.Unknown(w.Subject, fmt.Sprintf("%s runs on node %q, of which no object was seen", name, on), w.PodEvidence("spec.nodeName", on, ""))
				case n.ControlPlane || len(n.Reserved) > 0:
					e.Pass(w.Subject)
				default:
					w.Counted(e.Fail(w.Subject, fmt.Sprintf("%s runs on node %q, which is no control-plane node and takes applications", name, on),
						w.PodEvidence("spec.nodeName", on, ""), n.Evidence("spec.taints", none, "node-role.kubernetes.io/control-plane:NoSchedule")))
				}
			}
		}
	},
}

var componentNames = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"}

// component is the part of the control plane that a workload is, if any.
func component(w *workload.Workload) string {
	if w.Namespace != "kube-system" {
		return ""
	}
	for c := range w.Containers() {
		if c.Role == workload.Regular && len(c.Command) > 0 && slices.Contains(componentNames, path.Base(c.Command[0])) {
			return path.Base(c.Command[0])
		}
	}
	label := w.PodLabels()["component"]
	if owner := w.Value.Owner; owner != nil && owner.Kind == "Node" && slices.Contains(componentNames, label) {
		return label // a static pod that starts it by a script
	}
	return ""
}
