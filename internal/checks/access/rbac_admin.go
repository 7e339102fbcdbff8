package access

import (
	"iter"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/cluster-admin-binding
//
// Statement: nobody but Kubernetes itself may do everything.
// Looks at: every binding of cluster-admin, and of any role with all verbs on all
// resources of all groups, in the whole cluster or in a namespace.
// Passes when: nobody has it but system:masters by the binding that Kubernetes
// makes, kubeadm:cluster-admins by that of kubeadm, and subjects that
// allowedSubjects names.
// Fails when: anybody else has it. What else follows from it is not told again.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
var clusterAdminBinding = &check.Check{
	ID:       "access/rbac/cluster-admin-binding",
	Item:     checklist.RBAC,
	Title:    "Nobody but Kubernetes itself may do everything",
	Noun:     "grant",
	Severity: report.High,
	Why: "An account that may do everything makes every mistake and every stolen credential one of the whole cluster. Hardly any program needs it: " +
		"it was the quickest way to make something work.",
	Remediation: "Bind a role that lists what is needed. For people, grant the right to impersonate an administrator, which they use on purpose, and list those who stay in `allowedSubjects`.",
	Refs:        append(sources, report.Reference{Name: "CIS Kubernetes Benchmark 5.1.1", URL: "https://www.cisecurity.org/benchmark/kubernetes"}),
	Needs:       grantNeeds,
	Run: func(e *check.Eval) {
		v := look(e, "access/rbac/cluster-admin-binding")
		for _, c := range v.Causes(v.ordinary(v.admins())) {
			v.fail(c, "do everything "+c.Scope())
		}
		v.pass()
	},
}

// admins yields who may do everything in a namespace or in the whole cluster.
func (v *review) admins() iter.Seq[access.Access] {
	return func(yield func(access.Access) bool) {
		for _, g := range v.Grants() {
			if g.Role == nil || len(g.Role.Rules) == 0 || !admin(g) {
				continue
			}
			rule, ok := g.Role.Allows(all)
			if !ok {
				rule = g.Role.Rules[0]
			}
			for s := range g.Subjects() {
				if !yield(access.Access{Subject: s, Grant: g, Rule: rule}) {
					return
				}
			}
		}
	}
}
