package access

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/bootstrap-modified
//
// Statement: what Kubernetes grants by itself grants no more than it should.
// Looks at: the roles and bindings that the API server and kubeadm make, against
// what every version of them holds.
// Passes when: they hold no rights and name no subjects beyond that.
// Fails when: one does; binds another role; takes its rules from other roles; or
// was made part of admin, edit or view.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
var bootstrapModified = &check.Check{
	ID:       "access/rbac/bootstrap-modified",
	Item:     checklist.RBAC,
	Title:    "What Kubernetes grants by itself grants no more than it should",
	Noun:     "built-in role or binding",
	Severity: report.High,
	Why: "Nobody reviews what Kubernetes brings with it. A right that is added there stays: at its start the API server adds what is missing, and takes nothing away. " +
		"It is a good place to hide one.",
	Remediation: "Delete the object and restart the API server, or run `kubectl auth reconcile --remove-extra-permissions --remove-extra-subjects` with the original. Put what is needed into a role and a binding of your own.",
	Refs:        sources,
	Needs:       access.Needs,
	Run:         func(e *check.Eval) { judgeBootstrap(e, true) },
}

// rbac/bootstrap-reduced
//
// Statement: what Kubernetes grants by itself is all there.
// Looks at: the roles and bindings that the API server and kubeadm make.
// Passes when: none lacks rights or subjects that every version of it has, and the
// API server keeps each up to date.
// Fails when: one does. Taking rights away is a way to harden a cluster; it may
// also stop a component from working. The check never decides.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
var bootstrapReduced = &check.Check{
	ID:          "access/rbac/bootstrap-reduced",
	Item:        checklist.RBAC,
	Title:       "What Kubernetes grants by itself is all there",
	Noun:        "built-in role or binding",
	Severity:    report.Info,
	Why:         "Somebody hardened the cluster, or broke it. With `rbac.authorization.kubernetes.io/autoupdate: \"false\"` a role also misses what later versions add.",
	Remediation: "Nothing, if it was meant. Otherwise take the annotation away, and the API server repairs the object at its next start.",
	Refs:        sources,
	Needs:       access.Needs,
	Run:         func(e *check.Eval) { judgeBootstrap(e, false) },
}

// judgeBootstrap judges what grants more than its maker's, or less.
func judgeBootstrap(e *check.Eval, more bool) {
	x := cause.Made.Of(e)
	judge := func(s report.Subject, v bootstrap.Verdict, at func(field, got, want string) report.Evidence) {
		if v.Maker == bootstrap.Somebody || v.ByName {
			return
		}
		var said []string
		var evidence []report.Evidence
		for _, c := range v.Changes {
			if less := c.What == bootstrap.Removed || c.What == bootstrap.Frozen; less != more {
				said = append(said, describe(c))
				evidence = append(evidence, at(c.Field, c.Value, ""))
			}
		}
		if said == nil {
			e.Pass(s)
			return
		}
		e.Fail(s, fmt.Sprintf("differs from what %s makes: %s", v.Maker, strings.Join(said, "; ")), evidence...)
	}
	for _, k := range []inventory.Kind[inventory.Role]{inventory.ClusterRoles, inventory.Roles} {
		for o := range inventory.All(e, k) {
			judge(o.Subject, bootstrap.OfRole(o, 0), o.Evidence)
		}
	}
	for g := range x.Engine.All() {
		if !g.Implied {
			judge(g.Binding.Subject, x.Binding(g), g.Binding.Evidence)
		}
	}
}

func describe(c bootstrap.Change) string {
	var what []string
	for i := range c.Rules {
		what = append(what, fmt.Sprintf("%q", cause.RuleText(access.Rule{PolicyRule: &c.Rules[i]})))
	}
	for _, s := range c.Subjects {
		what = append(what, fmt.Sprintf("%q", access.Subject{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name}))
	}
	if c.Value != "" {
		what = append(what, fmt.Sprintf("%q", c.Value))
	}
	switch c.What {
	case bootstrap.Added:
		return "adds " + report.Some(what)
	case bootstrap.Removed:
		return "lacks " + report.Some(what)
	case bootstrap.RoleRef:
		return "binds " + report.Some(what)
	case bootstrap.Aggregation:
		return "takes its rules from other roles than it does"
	case bootstrap.Aggregated:
		return "is part of " + report.Some(what)
	}
	return "is not kept up to date"
}

// rbac/distribution
//
// Statement: what bears the name of a distribution's component is one.
// Looks at: bindings, and the roles that they bind, whose names are those under
// which a known distribution keeps its own, and which give a right that the
// other checks warn of.
// Passes when: there is none.
// Fails when: there is one. Its content depends on the distribution's version and
// is not compared: anybody could have chosen the name. The check never decides.
// Cannot tell when: roles or bindings could not be read.
//
// https://docs.aws.amazon.com/eks/latest/userguide/default-roles-users.html
var distribution = &check.Check{
	ID:          "access/rbac/distribution",
	Item:        checklist.RBAC,
	Title:       "What bears the name of a distribution's component is one",
	Noun:        "grant",
	Severity:    report.Info,
	Why:         "Managed clusters come with grants of their own, which nobody but the provider changes. The other checks leave them out, by their names alone.",
	Remediation: "Compare them with what the provider documents.",
	Refs:        sources,
	Needs:       access.Needs,
	Run: func(e *check.Eval) {
		x := cause.Made.Of(e)
		for g := range x.Engine.All() {
			by := x.Binding(g)
			if g.Implied || g.Role == nil || !by.ByName {
				continue
			}
			var does []string
			if admin(g) {
				does = []string{"do everything"}
			} else {
				for _, r := range rights {
					if _, ok := r.gives(x, g.Role); ok {
						does = append(does, r.does)
					}
				}
			}
			if does == nil {
				e.Pass(g.Binding.Subject)
				continue
			}
			e.Fail(g.Binding.Subject, fmt.Sprintf("is taken by its name for a binding of %s, and lets its subjects %s", by.Maker, strings.Join(does, ", ")),
				g.Binding.Evidence("metadata.name", g.Binding.Name, ""))
		}
	},
}
