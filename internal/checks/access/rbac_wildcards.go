package access

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/wildcard-resources
//
// Statement: no wildcard for resources gives a right that leads to more.
// Looks at: every rule with the resource "*" or "*/subresource" in roles that
// somebody made and bound, and which of the rights that the other checks warn of
// follow from it where it is bound.
// Passes when: no such rule gives any of them.
// Fails when: one does. Those rights are named here, and not told again.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
var wildcardResources = &check.Check{
	ID:          "access/rbac/wildcard-resources",
	Item:        checklist.RBAC,
	Title:       "No wildcard for resources gives a right that leads to more",
	Noun:        "grant",
	Severity:    report.High,
	Why:         "A wildcard gives rights to every kind of object that there is, and to those that are installed later. Nobody who wrote it thought of each.",
	Remediation: "List the resources that are used. The API server's audit log, or the client's source, says which.",
	Refs:        append(sources, wildcardCIS),
	Needs:       grantNeeds,
	Run:         func(e *check.Eval) { judgeWildcards(e, "access/rbac/wildcard-resources", everyResource) },
}

// rbac/wildcard-verbs
//
// Statement: no wildcard for verbs gives a right that leads to more.
// Looks at: every rule with the verb "*" and named resources in roles that
// somebody made and bound, and which of the rights that the other checks warn of
// follow from it where it is bound.
// Passes when: no such rule gives any of them.
// Fails when: one does. Those rights are named here, and not told again.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
var wildcardVerbs = &check.Check{
	ID:          "access/rbac/wildcard-verbs",
	Item:        checklist.RBAC,
	Title:       "No wildcard for verbs gives a right that leads to more",
	Noun:        "grant",
	Severity:    report.High,
	Why:         "The verb `*` means more than reading and writing: impersonate, bind, escalate, approve, and whatever is added later.",
	Remediation: "List the verbs that are used: mostly `get`, `list`, `watch`, and some of `create`, `update`, `patch`, `delete`.",
	Refs:        append(sources, wildcardCIS),
	Needs:       grantNeeds,
	Run: func(e *check.Eval) {
		judgeWildcards(e, "access/rbac/wildcard-verbs", func(r access.Rule) bool { return everyVerb(r) && !everyResource(r) })
	},
}

var wildcardCIS = report.Reference{Name: "CIS Kubernetes Benchmark 5.1.3", URL: "https://www.cisecurity.org/benchmark/kubernetes"}

func judgeWildcards(e *check.Eval, id string, of func(access.Rule) bool) {
	v, follows := look(e, id), worstWildcards.Of(e)
	for _, c := range v.Causes(v.ordinary(implied(v.Index, of))) {
		v.fail(c, fmt.Sprintf("%s %s by a wildcard", strings.Join(follows[c.Rule.Object], ", "), c.Scope()))
	}
	v.pass()
}

// worstWildcards says which rights follow from wildcards in roles that somebody
// made.
var worstWildcards = &inventory.Fact[map[*inventory.Object[inventory.Role]][]string]{
	Needs: access.Needs,
	Build: func(v inventory.View) map[*inventory.Object[inventory.Role]][]string {
		follows := map[*inventory.Object[inventory.Role]][]string{}
		for _, r := range worst {
			for a := range impliedBy(cause.Made.Of(v), r, func(r access.Rule) bool { return everyVerb(r) || everyResource(r) }) {
				if o := a.Rule.Object; !slices.Contains(follows[o], r.does) {
					follows[o] = append(follows[o], r.does)
				}
			}
		}
		return follows
	},
}

// worst are the rights that are not mild.
var worst = slices.DeleteFunc(slices.Clone(rights), func(r *right) bool { return r.mild })

// implied yields the ways to the worst rights by rules of some sort in roles
// that somebody made.
func implied(x *cause.Index, of func(access.Rule) bool) iter.Seq[access.Access] {
	return func(yield func(access.Access) bool) {
		for _, r := range worst {
			for a := range impliedBy(x, r, of) {
				if !yield(a) {
					return
				}
			}
		}
	}
}

func impliedBy(x *cause.Index, r *right, of func(access.Rule) bool) iter.Seq[access.Access] {
	return func(yield func(access.Access) bool) {
		for a := range r.ways(x) {
			if !admin(a.Grant) && x.OwnRule(a) && of(a.Rule) && !yield(a) {
				return
			}
		}
	}
}

// rbac/narrow-wildcards
//
// Statement: rules name what they are about.
// Looks at: every rule with a wildcard for verbs, resources or API groups in
// roles that somebody made and bound.
// Passes when: there is none; or what it gives is told by another check.
// Fails when: there is one: in a namespace, over one API group, or for a few
// verbs. It gives no right today that leads to more.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
var narrowWildcards = &check.Check{
	ID:          "access/rbac/narrow-wildcards",
	Item:        checklist.RBAC,
	Title:       "Rules name what they are about",
	Noun:        "grant",
	Severity:    report.Low,
	Why:         "A wildcard over a few things today is one over more tomorrow: every resource that is added to the API group, every verb that gets a meaning.",
	Remediation: "List verbs, resources and API groups.",
	Refs:        append(sources, wildcardCIS),
	Needs:       grantNeeds,
	Run: func(e *check.Eval) {
		v := look(e, "access/rbac/narrow-wildcards")
		for _, c := range v.Causes(v.ordinary(v.wildcards())) {
			v.fail(c, fmt.Sprintf("do %q %s", cause.RuleText(c.Rule), c.Scope()))
		}
		v.pass()
	},
}

// wildcards yields the holders of rules with any wildcard, in roles whose
// wildcards no other check tells of.
func (v *review) wildcards() iter.Seq[access.Access] {
	return func(yield func(access.Access) bool) {
		for _, g := range v.Grants() {
			if g.Role == nil || admin(g) {
				continue
			}
			i := slices.IndexFunc(g.Role.Rules, func(r access.Rule) bool {
				return wildcard(r) && v.OwnRule(access.Access{Grant: g, Rule: r}) && worstWildcards.Of(v)[r.Object] == nil
			})
			if i < 0 {
				continue
			}
			for s := range g.Subjects() {
				if !yield(access.Access{Subject: s, Grant: g, Rule: g.Role.Rules[i]}) {
					return
				}
			}
		}
	}
}

func wildcard(r access.Rule) bool {
	return len(r.Resources) > 0 && (everyVerb(r) || everyResource(r) || slices.Contains(r.APIGroups, "*"))
}
