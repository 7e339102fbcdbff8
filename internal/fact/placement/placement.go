// Package placement says on which nodes a pod may run, as the scheduler
// decides it: by its node selector and required node affinity, and by the
// taints that it tolerates.
//
// https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
package placement

import (
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Node is a machine of the cluster, as the scheduler sees it.
type Node struct {
	inventory.Object[inventory.Node]
	// ControlPlane says that its labels give it the role: it runs, or may run,
	// the components of the control plane.
	ControlPlane bool
	// Reserved are the taints that keep away what does not tolerate them, but
	// for those that come and go with the state of the node.
	Reserved []corev1.Taint
	// OwnMachine says that it runs a single pod in a machine of its own
	// (Fargate), Virtual that it stands for a service outside of the cluster.
	OwnMachine, Virtual bool

	seen *corev1.Node // what selectors see
}

// Cluster is its nodes, ordered by name. A check that uses it declares Nodes.
var Cluster = &inventory.Fact[[]*Node]{Needs: []inventory.Need{inventory.Nodes.Need()}, Build: read}

// The labels that give a node the role. v1.24 took the older one from the
// nodes that kubeadm makes; other installers still write it.
//
// https://kubernetes.io/docs/reference/labels-annotations-taints/#node-role-kubernetes-io-control-plane
// https://kubernetes.io/docs/reference/labels-annotations-taints/#node-role-kubernetes-io-master
var controlPlaneRoles = []string{"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"}

// PlainControlPlane is a control-plane node as kubeadm makes it, for inputs
// that show no nodes.
//
// https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/#mark-the-node-as-control-plane
var PlainControlPlane = nodeOf(inventory.Object[inventory.Node]{
	Value: inventory.Node{
		Meta:   inventory.Meta{Labels: map[string]string{controlPlaneRoles[0]: "", corev1.LabelOSStable: string(corev1.Linux), corev1.LabelNodeExcludeBalancers: ""}},
		Taints: []corev1.Taint{{Key: controlPlaneRoles[0], Effect: corev1.TaintEffectNoSchedule}},
	},
})

func read(v inventory.View) []*Node {
	var out []*Node
	for o := range inventory.All(v, inventory.Nodes) {
		out = append(out, nodeOf(o))
	}
	return out
}

func nodeOf(o inventory.Object[inventory.Node]) *Node {
	n := &Node{Object: o, seen: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: o.Name, Labels: o.Value.Labels}}}
	n.ControlPlane = slices.ContainsFunc(controlPlaneRoles, func(role string) bool {
		_, ok := o.Value.Labels[role]
		return ok
	})
	for _, t := range o.Value.Taints {
		if (t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute) && !passing[t.Key] {
			n.Reserved = append(n.Reserved, t)
		}
	}
	n.OwnMachine = o.Value.Labels["eks.amazonaws.com/compute-type"] == "fargate" // https://docs.aws.amazon.com/eks/latest/userguide/fargate.html
	n.Virtual = o.Value.Labels["type"] == "virtual-kubelet"                      // https://virtual-kubelet.io/docs/usage/
	return n
}

// passing are the taints that controllers put on nodes and take away again.
//
// https://kubernetes.io/docs/reference/labels-annotations-taints/
var passing = map[string]bool{
	corev1.TaintNodeNotReady:                         true,
	corev1.TaintNodeUnreachable:                      true,
	corev1.TaintNodeUnschedulable:                    true,
	corev1.TaintNodeMemoryPressure:                   true,
	corev1.TaintNodeDiskPressure:                     true,
	corev1.TaintNodePIDPressure:                      true,
	corev1.TaintNodeNetworkUnavailable:               true,
	corev1.TaintNodeOutOfService:                     true,
	"node.cloudprovider.kubernetes.io/uninitialized": true,
	"node.cloudprovider.kubernetes.io/shutdown":      true,
	"ToBeDeletedByClusterAutoscaler":                 true, // https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
	"karpenter.sh/unregistered":                      true, // https://karpenter.sh/docs/concepts/nodepools/
	"karpenter.sh/disrupted":                         true, // https://karpenter.sh/docs/concepts/disruption/
	"node.cilium.io/agent-not-ready":                 true, // https://docs.cilium.io/en/stable/installation/taints/
	"cni.istio.io/not-ready":                         true, // https://istio.io/latest/docs/setup/additional-setup/cni/
	"ebs.csi.aws.com/agent-not-ready":                true, // https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/install.md
	"efs.csi.aws.com/agent-not-ready":                true, // https://github.com/kubernetes-sigs/aws-efs-csi-driver/blob/master/docs/README.md
}

// Pod is a pod as the scheduler sees it.
type Pod struct {
	node        string // the node that the pod names itself, past the scheduler
	os          corev1.OSName
	selector    map[string]string
	affinity    *corev1.Affinity
	required    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
}

// PodOf takes from a spec what decides where it runs. class is the scheduling
// of its RuntimeClass, which the API server adds to the pod; nil if there is none.
func PodOf(spec *corev1.PodSpec, class *nodev1.Scheduling) Pod {
	p := Pod{node: spec.NodeName, selector: spec.NodeSelector, affinity: spec.Affinity, tolerations: spec.Tolerations}
	if spec.OS != nil {
		p.os = spec.OS.Name
	}
	if class != nil {
		p.selector = map[string]string{}
		maps.Copy(p.selector, spec.NodeSelector)
		maps.Copy(p.selector, class.NodeSelector)
		p.tolerations = slices.Concat(p.tolerations, class.Tolerations)
	}
	p.required = nodeaffinity.NewRequiredNodeAffinity(p.selector, p.affinity)
	return p
}

// Fits reports whether the pod may run on the node. An error says that the
// API server would not take the pod's affinity.
func (p Pod) Fits(n *Node) (bool, error) {
	if p.node != "" {
		return p.node == n.Name, nil
	}
	if p.os != "" && n.Value.OS != "" && string(p.os) != n.Value.OS {
		return false, nil // the kubelet refuses it
	}
	if slices.ContainsFunc(n.Reserved, func(t corev1.Taint) bool { return !p.Tolerates(t) }) {
		return false, nil
	}
	return p.required.Match(n.seen)
}

// Tolerates reports whether the pod tolerates a taint. The operators Lt and Gt
// are alpha and off in v1.37: a toleration with them tolerates nothing.
func (p Pod) Tolerates(t corev1.Taint) bool {
	return slices.ContainsFunc(p.tolerations, func(tol corev1.Toleration) bool { return tol.ToleratesTaint(klog.Logger{}, &t, false) })
}

// Key is equal for pods that fit the same nodes.
func (p Pod) Key() string {
	text, err := json.Marshal([]any{p.node, p.os, p.selector, p.affinity, p.tolerations})
	if err != nil {
		panic(err) // API types always encode
	}
	return string(text)
}

// Selects reports whether the pod asks for certain nodes. That it needs an
// operating system or an architecture does not set nodes apart.
func (p Pod) Selects() bool {
	for key := range p.selector {
		if !ordinary[key] {
			return true
		}
	}
	if p.node != "" {
		return true
	}
	if p.affinity == nil || p.affinity.NodeAffinity == nil || p.affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return false
	}
	// The terms are alternatives: one that asks for nothing leaves all open.
	terms := p.affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	return !slices.ContainsFunc(terms, func(t corev1.NodeSelectorTerm) bool {
		return len(t.MatchFields) == 0 && !slices.ContainsFunc(t.MatchExpressions, func(r corev1.NodeSelectorRequirement) bool { return !ordinary[r.Key] })
	})
}

var ordinary = map[string]bool{
	corev1.LabelOSStable: true, corev1.LabelArchStable: true,
	"beta.kubernetes.io/os": true, "beta.kubernetes.io/arch": true,
}
