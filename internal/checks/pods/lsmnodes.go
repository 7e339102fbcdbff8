package pods

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/placement"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// confinement is what a node does with a container that asks for nothing. Of
// several nodes the first counts.
type confinement int

const (
	notKnown  confinement = iota
	permitted             // SELinux is there, and only logs
	labelled              // SELinux confines it
	profiled              // AppArmor confines it by the runtime's profile
	neither               // there is no such module: nothing to ask for
)

// host is an operating system by the beginning of the name that its kubelet
// reports, and what it does as it is installed.
type host struct {
	name string
	does confinement
}

// hosts are the operating systems that are known; the first that fits counts.
// Somebody may have set a node up otherwise: what is seen of it is its name.
// Not known are, among others, Red Hat's family with containerd, where SELinux
// enforces and whether the runtime labels containers (enable_selinux) is a
// setting; k3d and Docker Desktop, whose names say nothing of the kernel.
//
// Where the kernel has AppArmor on, containerd and CRI-O give containers their
// default profile (generateApparmorSpecOpts in containerd's CRI plugin).
var hosts = []host{
	{"Ubuntu", profiled},                          // https://documentation.ubuntu.com/server/how-to/security/apparmor/
	{"Debian GNU/Linux 8", notKnown},              // on since 10
	{"Debian GNU/Linux 9", notKnown},              // on since 10
	{"Debian GNU/Linux", profiled},                // https://www.debian.org/releases/buster/amd64/release-notes/ch-whats-new.html
	{"Container-Optimized OS", profiled},          // https://cloud.google.com/container-optimized-os/docs/how-to/secure-apparmor
	{"SUSE Linux Enterprise Server 15", profiled}, // https://documentation.suse.com/sles/15-SP7/html/SLES-all/part-apparmor.html
	{"openSUSE Leap 15", profiled},                // https://doc.opensuse.org/documentation/leap/archive/15.6/security/html/book-security/part-apparmor.html
	{"Red Hat Enterprise Linux CoreOS", labelled}, // https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/security_and_compliance/container-security-1
	{"Bottlerocket OS", labelled},                 // https://github.com/bottlerocket-os/bottlerocket/blob/develop/SECURITY_FEATURES.md
	{"Amazon Linux 2023", permitted},              // https://docs.aws.amazon.com/linux/al2023/ug/default-SELinux-modes-states.html
	{"Amazon Linux 2", neither},                   // https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html
	{"Flatcar Container Linux", permitted},        // https://www.flatcar.org/docs/latest/setup/security/selinux/
	{"Talos", permitted},                          // https://docs.siderolabs.com/talos/v1.13/security/selinux
}

// ofNode looks a node up. One that is a container itself (kind, minikube) has
// the kernel of a host that is not named.
func ofNode(n inventory.Node) confinement {
	if n.OS == string(corev1.Windows) {
		return neither
	}
	if _, minikube := n.Labels["minikube.k8s.io/name"]; minikube || strings.HasPrefix(n.ProviderID, "kind://") {
		return notKnown
	}
	i := slices.IndexFunc(hosts, func(h host) bool { return strings.HasPrefix(n.OSImage, h.name) })
	if i < 0 {
		return notKnown
	}
	return hosts[i].does
}

// answer is what some nodes do, and in words what decided.
type answer struct {
	does confinement
	why  string
}

// modules answers for workloads. Many may run on the same nodes.
type modules struct {
	cluster []*placement.Node
	byName  map[string]*placement.Node
	known   map[string]answer
	// unseen says why there may be other nodes; empty where all were read.
	unseen string
}

func modulesOf(e *check.Eval) *modules {
	m := &modules{cluster: placement.Cluster.Of(e), byName: map[string]*placement.Node{}, known: map[string]answer{}}
	if gaps := e.Missing(inventory.Nodes.ID, ""); len(gaps) > 0 {
		m.unseen = gaps[0].String()
	}
	for _, n := range m.cluster {
		m.byName[n.Name] = n
	}
	return m
}

// of says what the nodes do on which a workload's pods are bound or, where none
// is, may run.
func (m *modules) of(w *workload.Workload) answer {
	if len(m.cluster) == 0 {
		return answer{notKnown, "no node was seen"}
	}
	var nodes []*placement.Node
	for _, name := range w.Nodes {
		n := m.byName[name]
		if n == nil {
			return answer{notKnown, fmt.Sprintf("node %q, which it is bound to, was not seen", name)}
		}
		nodes = append(nodes, n)
	}
	if len(nodes) > 0 {
		return together(nodes)
	}
	if m.unseen != "" {
		return answer{notKnown, "not all nodes were read: " + m.unseen}
	}
	pod := placement.PodOf(w.Spec(), nil)
	key := pod.Key()
	if a, ok := m.known[key]; ok {
		return a
	}
	for _, n := range m.cluster {
		if fits, _ := pod.Fits(n); fits { // an affinity that cannot be evaluated leaves no node
			nodes = append(nodes, n)
		}
	}
	m.known[key] = together(nodes)
	return m.known[key]
}

func together(nodes []*placement.Node) answer {
	if len(nodes) == 0 {
		return answer{notKnown, "no node that was seen fits it"}
	}
	least := slices.MinFunc(nodes, func(a, b *placement.Node) int { return cmp.Compare(ofNode(a.Value), ofNode(b.Value)) })
	why := fmt.Sprintf("node %q runs %q", least.Name, least.Value.OSImage)
	if least.Value.OSImage == "" {
		why = fmt.Sprintf("node %q does not report its operating system", least.Name)
	}
	return answer{ofNode(least.Value), why}
}
