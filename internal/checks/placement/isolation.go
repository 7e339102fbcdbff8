package placement

import (
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/placement"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// isolation/sensitive
//
// Statement: every sensitive workload has nodes of its tier's own, or a sandbox.
// Looks at: workloads of sensitive tiers, as the configuration or the label
// plimsoll.dev/tier says it. A sandbox is a RuntimeClass whose handler goes by
// the name of one that gives each pod a kernel of its own. Nodes are its own
// where every node that it may run on is reserved by a taint that it tolerates,
// and no workload of another tier or none is bound to them or may run there.
// DaemonSets, static pods and what runs the cluster do not count as neighbours.
// Passes when: either holds, or its pods are on nodes that are a machine for
// each of them (Fargate).
// Fails when: neither does; or the RuntimeClass does not exist.
// Cannot tell when: the handler is not known, the input has neither nodes nor a
// RuntimeClass and the workload names one, nodes could not be read and the
// workload asks for certain ones, an admission plugin may choose them, or the
// scan left out namespaces. Where no tier is declared, a person has to say what
// is sensitive.
//
// https://kubernetes.io/docs/concepts/containers/runtime-class/
var sensitive = &check.Check{
	ID:       "placement/isolation/sensitive",
	Item:     checklist.PlacementIsolation,
	Title:    "Every sensitive workload has nodes of its tier's own, or a sandbox",
	Noun:     "workload",
	Severity: report.Medium,
	Why: "Containers share the kernel of their node. One fault in it, or one container with too many rights, is enough to read the memory and the Secrets of every pod beside it. " +
		"What is most worth protecting should have no such neighbours, or a kernel of its own.",
	Remediation: "Taint nodes for the tier, and give its workloads the toleration and a node selector; or set `runtimeClassName` to a class for gVisor, Kata Containers or another sandbox.",
	Refs:        []report.Reference{{Name: "Runtime class", URL: "https://kubernetes.io/docs/concepts/containers/runtime-class/"}, tainting},
	Needs:       needs(),
	Run: func(e *check.Eval) {
		members := tiered(e, "which applications need nodes of their own or a sandbox is not known")
		around := newNeighbourhood(e, members)
		for _, m := range members {
			if m.tier.Sensitive && !m.agent() {
				judgeIsolation(e, m, around)
			}
		}
	},
}

func judgeIsolation(e *check.Eval, m member, around *neighbourhood) {
	class, handler := m.Spec().RuntimeClassName, sharedKernel
	asked := ""
	if class != nil && *class != "" {
		at := m.PodEvidence("spec.runtimeClassName", *class, "")
		rc, ok := inventory.Get(e, inventory.RuntimeClasses, "", *class)
		if !ok && len(e.Missing(inventory.RuntimeClasses.ID, "")) == 0 && inventory.Len(e, inventory.RuntimeClasses)+inventory.Len(e, inventory.Nodes) == 0 {
			e.Unknown(m.Subject, fmt.Sprintf("RuntimeClass %q is not in the input, which shows nothing of the cluster", *class), at)
			return
		}
		if !ok {
			m.Counted(e.FailAbsent(m.Subject, []report.KindID{inventory.RuntimeClasses.ID}, "", fmt.Sprintf("RuntimeClass %q does not exist", *class), at))
			return
		}
		asked, handler = rc.Value.Handler, isolationOf(rc.Value.Handler)
	}
	if handler == sandboxed || len(m.Nodes) > 0 && !slices.ContainsFunc(m.Nodes, func(n string) bool { return !around.ownMachine[n] }) {
		e.Pass(m.Subject)
		return
	}
	v := around.judge(m)
	at := m.PodEvidence(v.field, "", "a sandbox, or reserved nodes")
	switch {
	case v.why == "":
		e.Pass(m.Subject)
	case handler == notKnown:
		e.Unknown(m.Subject, fmt.Sprintf("whether the handler %q of RuntimeClass %q is a sandbox is not known; if it is none, %s", asked, *class, v.why), at)
	case v.unknown:
		e.Unknown(m.Subject, v.why, at)
	default:
		m.Counted(e.Fail(m.Subject, v.why, at))
	}
}

// neighbourhood is who runs, or may run, where.
type neighbourhood struct {
	*fitter
	bound      map[string][]member // by node
	ownMachine map[string]bool     // nodes that are one for a single pod
	may        byTier              // who may run on each node
}

func newNeighbourhood(e *check.Eval, members []member) *neighbourhood {
	h := &neighbourhood{newFitter(e), map[string][]member{}, map[string]bool{}, byTier{}}
	for _, m := range members {
		for _, n := range m.Nodes {
			h.bound[n] = append(h.bound[n], m)
		}
		if m.agent() || m.system() || !h.once(m, "") {
			continue
		}
		// An affinity that cannot be evaluated is reported for its own workload.
		nodes, _ := h.nodes(m)
		for _, n := range nodes {
			h.may.add(m, n.Name)
		}
	}
	for _, n := range placement.Cluster.Of(e) {
		h.ownMachine[n.Name] = n.OwnMachine
	}
	return h
}

// opinion is why a workload does not have nodes of its own; empty if it has.
type opinion struct {
	why, field string
	unknown    bool
}

func (h *neighbourhood) judge(m member) opinion {
	selects := m.pod(h.e).Selects()
	if gaps := h.e.Missing(inventory.Nodes.ID, ""); len(gaps) > 0 && (selects || len(m.Nodes) > 0) {
		return opinion{"whether its nodes are reserved cannot be told: " + gaps[0].String(), "spec.nodeSelector", true}
	}
	if other, node := h.beside(m); other != nil {
		return opinion{why: fmt.Sprintf("shares node %q with %s %s", node, other.title(), other.tierName()), field: "spec.nodeName"}
	}
	if annotation := admitsElsewhere(h.e, m.Namespace); !selects && annotation != "" && m.Value.UID == "" {
		return opinion{fmt.Sprintf("nothing in it asks for nodes of its own; the annotation %q of its namespace may, if its admission plugin is on", annotation), "spec.nodeSelector", true}
	}
	if !selects {
		return opinion{why: "nothing asks for nodes of its own", field: "spec.nodeSelector"}
	}
	nodes, err := h.nodes(m)
	switch {
	case err != nil:
		return opinion{fmt.Sprintf("its node affinity cannot be evaluated: %v", err), "spec.affinity.nodeAffinity", true}
	case len(nodes) == 0:
		return opinion{"none of the nodes that were seen fits it", "spec.nodeSelector", true}
	}
	for _, n := range nodes {
		if len(n.Reserved) == 0 {
			return opinion{why: fmt.Sprintf("may run on node %q, which no taint reserves", n.Name), field: "spec.nodeSelector"}
		}
	}
	for _, n := range nodes {
		for _, tier := range slices.Sorted(maps.Keys(h.may)) {
			if other, there := h.may[tier][n.Name]; there && tier != m.tier.Name {
				return opinion{why: fmt.Sprintf("may share node %q with %s %s", n.Name, other.title(), other.tierName()), field: "spec.nodeSelector"}
			}
		}
	}
	if h.e.Limited() {
		return opinion{"who else runs on its nodes, or may, is not known: the scan was limited to some namespaces", "spec.nodeSelector", true}
	}
	return opinion{}
}

// beside finds a workload that shares a node with m now.
func (h *neighbourhood) beside(m member) (*member, string) {
	for _, n := range m.Nodes {
		if i := slices.IndexFunc(h.bound[n], func(other member) bool { return h.counts(m, other) }); i >= 0 {
			return &h.bound[n][i], n
		}
	}
	return nil, ""
}

// counts reports whether a workload is a neighbour that m should not have.
func (h *neighbourhood) counts(m, other member) bool {
	return other.tier.Name != m.tier.Name && !other.agent() && !other.system()
}

// tierName follows the name of a neighbour.
func (m member) tierName() string {
	if m.tier.Name == "" {
		return "(no tier)"
	}
	return fmt.Sprintf("(tier %q)", m.tier.Name)
}
