package access

import (
	"fmt"
	"iter"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var pathNeeds = needs(grantNeeds, escalation.Needs, podsecurity.Enforced.Needs)

// paths is the graph of what leads to what.
var paths = &inventory.Fact[*escalation.Graph]{
	Needs: pathNeeds,
	Build: func(v inventory.View) *escalation.Graph {
		enforced := podsecurity.Enforced.Of(v)
		return escalation.Build(v, access.Grants.Of(v), escalation.Options{HostAccess: func(namespace string) bool {
			policy, known := enforced.For(namespace)
			return !known || !policy.Enforces()
		}})
	},
}

// rbac/takeover-by-anybody
//
// Statement: nobody in particular can take over the cluster.
// Looks at: everything that the groups system:unauthenticated,
// system:authenticated and system:serviceaccounts, and the default
// ServiceAccounts, can come to be by their rights, step by step.
// Passes when: none of them reaches all rights in the cluster, or the nodes.
// Fails when: one does. The chain is shown with the grant of each step.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
var takeover = &check.Check{
	ID:          "access/rbac/takeover-by-anybody",
	Item:        checklist.RBAC,
	Title:       "Nobody in particular can take over the cluster",
	Noun:        "grant",
	Severity:    report.Critical,
	Why:         "Whoever reaches the API server, or breaks into any pod, owns the cluster: it takes no credential that was stolen from anybody.",
	Remediation: "Delete the binding that the chain begins with. Give the right to the one account that needs it.",
	Refs:        sources,
	Needs:       pathNeeds,
	Run: func(e *check.Eval) {
		v := look(e, "access/rbac/takeover-by-anybody")
		for _, g := range v.Grants() {
			for s := range g.Subjects() {
				if v.failed[g] || v.allowed(s) || !v.takesOver(g, s) {
					continue
				}
				v.failed[g] = true
				to := "the cluster"
				steps := v.shortest(s)
				if steps[len(steps)-1].To == escalation.Node {
					to = "the nodes"
				}
				v.Fail(g.Binding.Subject, fmt.Sprintf("lets %q take over %s: %s", s, to, chain(steps)), v.trail(steps)...)
			}
		}
		v.pass()
	},
}

// shortest is the way of a subject to everything, or else to the nodes.
func (v *review) shortest(s access.Subject) []escalation.Step {
	steps := paths.Of(v).Path(s, escalation.Admin)
	if steps == nil {
		steps = paths.Of(v).Path(s, escalation.Node)
	}
	return steps
}

// takesOver reports whether the way of a subject that is nobody in particular
// begins with a grant.
func (v *review) takesOver(g *access.Grant, s access.Subject) bool {
	return cause.Broad(s) && slices.ContainsFunc(first(v.shortest(s)).By, func(a access.Access) bool { return a.Grant == g })
}

// first is the first step that takes a right.
func first(steps []escalation.Step) escalation.Step {
	for _, s := range steps {
		if len(s.By) > 0 {
			return s
		}
	}
	return escalation.Step{}
}

// rbac/escalation-path
//
// Statement: nobody comes to have all rights by a detour.
// Looks at: what every user, group and ServiceAccount that somebody grants
// anything can come to be by its rights, step by step: the accounts of pods
// that it may create or enter, the tokens that it may read, and so on.
// Passes when: the shortest way to all rights begins with a right that another
// check tells of, with one that Kubernetes itself granted, or there is none.
// Fails when: rights that are limited to a namespace or to names lead there. One
// finding stands for all who take the same way by the same role.
// Cannot tell when: roles or bindings could not be read.
//
// The table lists the shortest ways of all subjects, those that other checks
// tell of included.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
var escalationPath = &check.Check{
	ID:       "access/rbac/escalation-path",
	Item:     checklist.RBAC,
	Title:    "Nobody comes to have all rights by a detour",
	Noun:     "subject",
	Severity: report.High,
	Why:      "A right in one namespace looks harmless, until an account lives there that may do more: whoever may create or enter its pods has its rights too.",
	Remediation: "Break the chain where it costs least: move the powerful account into a namespace of its own, take away what it does not need, " +
		"or enforce a Pod Security Standard where pods reach their node.",
	Refs:  sources,
	Needs: pathNeeds,
	Run: func(e *check.Eval) {
		v := look(e, "access/rbac/escalation-path")
		told := v.toldRules()
		found := map[report.Subject]*report.Finding{}
		ways := map[string]*way{}
		for _, s := range v.Engine.Subjects() {
			steps := paths.Of(v).Path(s, escalation.Admin)
			by := first(steps).By
			if cause.Broad(s) || cause.OfCluster(s) || !slices.ContainsFunc(by, func(a access.Access) bool { return v.Own(a.Grant) }) {
				e.Pass(report.Subject{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name})
				continue
			}
			if w := ways[rulesOf(steps)]; w != nil {
				w.more++
			} else {
				ways[rulesOf(steps)] = &way{s, steps, 0}
			}
			if v.allowed(s) || len(steps[0].By) == 0 || slices.ContainsFunc(by, func(a access.Access) bool { return told[given{a.Grant, a.Rule.Object, a.Rule.Index}] }) {
				e.Pass(report.Subject{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name})
				continue
			}
			role := by[0].Role.Objects[0].Subject
			if v.OwnRule(by[0]) {
				role = by[0].Rule.Object.Subject
			}
			role.Part = rulesOf(steps)
			if f := found[role]; f != nil {
				f.Count = max(f.Count, 1) + 1
				continue
			}
			at := v.trail(steps)
			if v.OwnRule(by[0]) {
				at[0], at[1] = at[1], at[0] // what the finding is about comes first
			}
			found[role] = v.Fail(role, fmt.Sprintf("lets %s become cluster-admin: %s", v.holders([]access.Subject{s}), chain(steps)), at...)
		}
		e.Show(pathTable(ways))
	},
}

// given is a rule as a grant gives it.
type given struct {
	*access.Grant
	object *inventory.Object[inventory.Role]
	index  int
}

// toldRules are those of which a check of the same severity tells.
func (v *review) toldRules() map[given]bool {
	told := map[given]bool{}
	add := func(ways iter.Seq[access.Access]) {
		for a := range ways {
			told[given{a.Grant, a.Rule.Object, a.Rule.Index}] = true
		}
	}
	add(v.admins())
	for _, r := range worst {
		add(r.ways(v.Index))
	}
	return told
}
