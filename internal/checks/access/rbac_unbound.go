package access

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/unbound-role
//
// Statement: no role that nobody holds gives more than it should.
// Looks at: roles that somebody made, that no binding gives to anybody and that
// are not part of another role.
// Passes when: it gives none of the rights that the other checks warn of, and has
// no wildcard.
// Fails when: it does. Manifests often hold roles whose bindings are elsewhere.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#periodic-review
var unboundRole = &check.Check{
	ID:          "access/rbac/unbound-role",
	Item:        checklist.RBAC,
	Title:       "No role that nobody holds gives more than it should",
	Noun:        "unbound role",
	Severity:    report.Low,
	Why:         "A role that is not bound gives nothing to anybody yet. Whoever binds it for one of its rights hands out the others with it.",
	Remediation: "Delete the role if nothing needs it. Otherwise list what is needed in it, before it is bound.",
	Refs:        sources,
	Needs:       grantNeeds,
	Run: func(e *check.Eval) {
		v := look(e, "access/rbac/unbound-role")
		parts := map[*access.Role]bool{}
		for r := range v.Engine.ClusterRoles() {
			for part := range v.Engine.Parts(r) {
				parts[part] = true
			}
		}
		for _, k := range []inventory.Kind[inventory.Role]{inventory.ClusterRoles, inventory.Roles} {
			for o := range inventory.All(e, k) {
				r := v.Engine.Role(o.Kind, o.Namespace, o.Name)
				if bound(r) || parts[r] || o.Copy > 0 || !v.OwnRole(r.Objects[0]) {
					continue
				}
				v.judgeUnbound(r)
			}
		}
	},
}

func bound(r *access.Role) bool {
	for range r.Grants() {
		return true
	}
	return false
}

func (v *review) judgeUnbound(r *access.Role) {
	s, bindings := r.Objects[0].Subject, []report.KindID{inventory.ClusterRoleBindings.ID, inventory.RoleBindings.ID}
	fail := func(would string, rule access.Rule) {
		v.FailAbsent(s, bindings, r.Namespace, "would let whoever it is bound to "+would, cause.RuleEvidence(rule))
	}
	if rule, ok := r.Allows(all); ok {
		fail("do everything", rule)
		return
	}
	var first *access.Rule
	var would []string
	for _, x := range rights {
		if rule, ok := x.gives(v.Index, r); ok {
			would = append(would, x.does)
			if first == nil {
				first = &rule
			}
		}
	}
	if first != nil {
		fail(strings.Join(would, ", "), *first)
		return
	}
	for _, rule := range r.Rules {
		if wildcard(rule) {
			fail(fmt.Sprintf("do %q", cause.RuleText(rule)), rule)
			return
		}
	}
	v.Pass(s)
}
