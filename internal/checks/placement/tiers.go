package placement

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/tiers"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// tiers/shared-nodes
//
// Statement: no two tiers share a node.
// Looks at: the nodes that the pods of each declared tier are bound to. Tiers
// are those of the configuration and of the label plimsoll.dev/tier. DaemonSets
// and static pods, which are on every node, count only where their own label
// names a tier; nodes that stand for a machine of each pod's own do not count.
// Passes when: the tiers have no node in common.
// Fails when: they have.
// Cannot tell when: pods or nodes could not be read. Where no tier is declared,
// a person has to say what is sensitive.
//
// https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-isolation-restriction
var sharedNodes = &check.Check{
	ID:       "placement/tiers/shared-nodes",
	Item:     checklist.PlacementTiers,
	Title:    "No two tiers share a node",
	Noun:     "tier pair",
	Severity: report.Medium,
	Why: "Pods of one node share its kernel and the kubelet's credentials. " +
		"Where tiers of different sensitivity run side by side, the least protected workload is the way to the most sensitive one.",
	Remediation: "Give each tier nodes of its own: a label and a taint on the nodes, a node selector or required node affinity and the toleration on the workloads. " +
		"Declare tiers in the configuration, or label workloads or namespaces with `plimsoll.dev/tier`.",
	Refs:  []report.Reference{assigning, tainting},
	Needs: needs(),
	Run: func(e *check.Eval) {
		on, counts := byTier{}, onNodes{} // who runs on each node, and how many
		single := singles(e)
		for _, m := range tiered(e, "which pods must not share a node is not known") {
			if m.agent() || m.tier.Name == "" && m.system() {
				continue
			}
			for _, node := range m.Nodes {
				if single[node] {
					continue
				}
				counts.add(m, node)
				if m.tier.Name != "" {
					on.add(m, node)
				}
			}
		}
		e.Show(counts.table())
		for a, b := range on.pairs() {
			shared := on.shared(a, b)
			if len(shared) == 0 {
				e.Pass(pair(e, a, b))
				continue
			}
			first, second := on[a][shared[0]], on[b][shared[0]]
			e.FailAbsent(pair(e, a, b), []report.KindID{inventory.Nodes.ID}, "", fmt.Sprintf("tiers %q and %q share %s: %s; on %q run %s and %s", a, b, report.Plural(len(shared), "node"), listing(shared), shared[0], first.title(), second.title()),
				first.PodEvidence("spec.nodeName", shared[0], ""), second.PodEvidence("spec.nodeName", shared[0], ""))
		}
	},
}

// tiers/enforcement
//
// Statement: something keeps each pair of tiers on different nodes.
// Looks at: the nodes that the scheduler may choose for the workloads of each
// declared tier: by node selector, required node affinity and the taints that
// they tolerate, with what their RuntimeClass adds. DaemonSets and static pods
// are left out as in shared-nodes.
// Passes when: no node fits workloads of both tiers.
// Fails when: one does. Tiers that share a node now are the matter of
// shared-nodes.
// Cannot tell when: nodes could not be read; or the workload's namespace has an
// annotation that the admission plugin PodNodeSelector or
// PodTolerationRestriction reads: whether they are on is not seen here.
//
// https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podnodeselector
var enforcement = &check.Check{
	ID:       "placement/tiers/enforcement",
	Item:     checklist.PlacementTiers,
	Title:    "Something keeps each pair of tiers on different nodes",
	Noun:     "tier pair",
	Severity: report.Medium,
	Why:      "That two tiers run on different nodes today says little if nothing holds them there: the next restart may bring them together.",
	Remediation: "Reserve the nodes of a tier by a taint, and give its workloads the toleration and a node selector or required node affinity. " +
		"A selector alone keeps others out of nothing; a toleration alone keeps nobody in.",
	Refs:  []report.Reference{assigning, tainting},
	Needs: needs(),
	Run: func(e *check.Eval) {
		members := tiered(e, "which pods must not share a node is not known")
		if len(members) == 0 || inventory.Len(e, inventory.Nodes) == 0 {
			return
		}
		fit := newFitter(e)
		now, sure, maybe := byTier{}, byTier{}, byTier{} // who is, may be, or may be for all that is seen, on each node
		for _, m := range members {
			if m.tier.Name == "" || m.agent() {
				continue
			}
			for _, node := range m.Nodes {
				now.add(m, node)
			}
			elsewhere := admitsElsewhere(e, m.Namespace)
			if !fit.once(m, elsewhere) {
				continue
			}
			nodes, err := fit.nodes(m)
			if err != nil {
				e.Unknown(m.Subject, fmt.Sprintf("its node affinity cannot be evaluated: %v", err), m.PodEvidence("spec.affinity.nodeAffinity", "", ""))
				continue
			}
			for _, n := range nodes {
				maybe.add(m, n.Name)
				if elsewhere == "" {
					sure.add(m, n.Name)
				}
			}
		}
		for a, b := range maybe.pairs() {
			if len(now.shared(a, b)) > 0 {
				continue
			}
			if nodes := sure.shared(a, b); len(nodes) > 0 {
				first, second := sure[a][nodes[0]], sure[b][nodes[0]]
				e.Fail(pair(e, a, b), fmt.Sprintf("nothing keeps tiers %q and %q apart: %s and %s may both run on %s", a, b, first.title(), second.title(), listing(nodes)),
					first.PodEvidence("spec.nodeSelector", "", "nodes of its tier"), second.PodEvidence("spec.nodeSelector", "", "nodes of its tier"))
			} else if nodes := maybe.shared(a, b); len(nodes) > 0 {
				first, second := maybe[a][nodes[0]], maybe[b][nodes[0]]
				e.Unknown(pair(e, a, b), fmt.Sprintf("%s and %s may both run on %s, unless an admission plugin reads the annotations of their namespaces", first.title(), second.title(), listing(nodes)),
					first.PodEvidence("spec.nodeSelector", "", "nodes of its tier"), second.PodEvidence("spec.nodeSelector", "", "nodes of its tier"))
			} else {
				e.Pass(pair(e, a, b))
			}
		}
	},
}

// byTier has, for each tier and node, a workload of the tier on it: the first.
type byTier map[string]map[string]member

func (t byTier) add(m member, node string) {
	if t[m.tier.Name] == nil {
		t[m.tier.Name] = map[string]member{}
	}
	if _, ok := t[m.tier.Name][node]; !ok {
		t[m.tier.Name][node] = m
	}
}

// pairs yields the tiers two by two, in order.
func (t byTier) pairs() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		names := slices.Sorted(maps.Keys(t))
		for i, a := range names {
			for _, b := range names[i+1:] {
				if !yield(a, b) {
					return
				}
			}
		}
	}
}

// shared lists the nodes that two tiers have in common, sorted.
func (t byTier) shared(a, b string) []string {
	var out []string
	for node := range t[a] {
		if _, ok := t[b][node]; ok {
			out = append(out, node)
		}
	}
	slices.Sort(out)
	return out
}

// pair is what is judged of two tiers: a part of their declaration.
func pair(e *check.Eval, a, b string) report.Subject {
	s := tiers.Declared.Of(e).Subject
	s.Part = a + " and " + b
	return s
}
