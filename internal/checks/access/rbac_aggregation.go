package access

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/aggregation-surprise
//
// Statement: what is added to admin, edit and view is of their kind.
// Looks at: ClusterRoles that somebody made part of admin, edit or view by a
// label.
// Passes when: they add rights to objects of other projects, and those to view
// only read.
// Fails when: one gives a right that the other checks warn of and that the role
// does not have by itself; a wildcard over all groups or all resources; or, to
// view, any verb that changes something, or Secrets.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
var aggregationSurprise = &check.Check{
	ID:       "access/rbac/aggregation-surprise",
	Item:     checklist.RBAC,
	Title:    "What is added to admin, edit and view is of their kind",
	Noun:     "part of a built-in role",
	Severity: report.Medium,
	Why: "Everybody who was ever given `view`, `edit` or `admin` has the right at once, in every namespace where they have the role. " +
		"Whoever bound it looked at what it held then.",
	Remediation: "Take the label away, and bind the role to those who need it.",
	Refs:        sources,
	Needs:       access.Needs,
	Run: func(e *check.Eval) {
		x := cause.Made.Of(e)
		for _, name := range []string{"admin", "edit", "view"} {
			whole := x.Engine.Role("ClusterRole", "", name)
			if whole == nil {
				continue
			}
			for part := range x.Engine.Parts(whole) {
				s := part.Objects[0].Subject
				s.Part = name
				if !x.OwnRole(part.Objects[0]) {
					continue
				}
				rule, what := surprise(x, name, part)
				if what == "" {
					e.Pass(s)
					continue
				}
				e.Fail(s, fmt.Sprintf("adds to everybody's %q: %s", name, what), cause.RuleEvidence(rule))
			}
		}
	},
}

// surprise is a rule that does not fit the role that it is added to.
func surprise(x *cause.Index, to string, part *access.Role) (access.Rule, string) {
	builtIn := fresh().Role("ClusterRole", "", to)
	for _, r := range rights {
		for _, request := range r.requests {
			_, has := builtIn.Allows(request)
			if rule, ok := part.Allows(request); ok && !has {
				return rule, r.does
			}
		}
	}
	for _, rule := range part.Rules {
		everyGroup := slices.Contains(rule.APIGroups, "*")
		switch {
		case everyGroup && everyResource(rule), everyResource(rule) && slices.Contains(rule.APIGroups, ""):
			return rule, fmt.Sprintf("%q", cause.RuleText(rule))
		case to == "view" && len(rule.Resources) > 0 && slices.ContainsFunc(rule.Verbs, changes):
			return rule, fmt.Sprintf("%q, which does not only read", cause.RuleText(rule))
		}
	}
	if rule, ok := part.Allows(access.Request{Verb: "get", Resource: "secrets", Namespace: access.Any, Name: access.Any}); ok && to == "view" {
		return rule, "Secrets"
	}
	return access.Rule{}, ""
}

func changes(verb string) bool {
	return !slices.Contains([]string{"get", "list", "watch"}, strings.ToLower(verb))
}

// fresh are the grants of a cluster that nobody changed.
var fresh = sync.OnceValue(func() *access.Engine {
	b := &inventory.Builder{}
	return access.Grants.Of(b.Seal(time.Time{}).View(access.Needs))
})
