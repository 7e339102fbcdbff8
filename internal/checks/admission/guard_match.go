package admission

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/match-policy
//
// Statement: a policy holds for an object whatever the API version in which it
// is sent.
// Looks at: matchPolicy of the webhooks of known security products, of
// ValidatingAdmissionPolicies that deny, and of the bindings that have them
// deny.
// Passes when: it is Equivalent, which v1 takes silence for; or the rules name
// every version ("*"), or only groups all of whose resources have one version
// (core, apps, batch, policy and rbac.authorization.k8s.io, from v1.25).
// Fails when: it is Exact, and the rules name some versions of another group.
// Cannot tell when: webhook configurations, policies or bindings could not be
// read.
//
// https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/#match-all-versions
var matchPolicy = &check.Check{
	ID:       "admission/webhooks/match-policy",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Policies hold for objects in every API version",
	Noun:     "policy",
	Severity: report.Low,
	Why: "With `Exact`, an object that is sent in another version than the rules name is not looked at. " +
		"An upgrade that adds a version opens the way, and nobody changed the policy.",
	Remediation: "Set `matchPolicy: Equivalent`, or drop the field.",
	Refs:        securitySources,
	Needs:       guardNeeds(),
	Run: func(e *check.Eval) {
		rs := collect(e)
		for _, g := range guards(e) {
			var r *result
			if i := webhook.Slips(g.rules); g.exact && i >= 0 {
				r = fails(fmt.Sprintf("compares API versions exactly, and names %q of %q", strings.Join(g.rules[i].APIVersions, ","), strings.Join(g.rules[i].APIGroups, ",")),
					g.quote(g.match+"matchPolicy", "Exact", "Equivalent"))
			}
			rs.add(g.Subject, r)
		}
	},
}

// webhooks/match-conditions
//
// Statement: the conditions of a policy leave out nobody whom it should judge.
// Looks at: matchConditions of the webhooks of known security products and of
// ValidatingAdmissionPolicies that deny.
// Passes when: there are none, or they look at nothing but the operation and
// the resource.
// Fails when: never. Conditions that look at who asks, at the namespace or at
// the object are shown to a person, who has to say whether they are meant. The
// check never decides.
// Cannot tell when: webhook configurations, policies or bindings could not be
// read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions
var matchConditions = &check.Check{
	ID:       "admission/webhooks/match-conditions",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Conditions of policies exempt only whom they should",
	Noun:     "policy",
	Severity: report.Info,
	Why: "A request for which a condition is false is not judged. Exempting an account exempts everybody who can get its token or run a pod with it; " +
		"a condition on labels or annotations exempts whoever writes them.",
	Remediation: "Read each condition. Exempt single accounts, not groups of them, and never by what the author of an object can write.",
	Refs:        securitySources,
	Needs:       guardNeeds(),
	Run: func(e *check.Eval) {
		rs := collect(e)
		for _, g := range guards(e) {
			rs.add(g.Subject, judgeConditions(g))
		}
	},
}

// looksAt are the parts of a request that an exemption can rest on, as a
// condition spells them, the most telling first.
var looksAt = []struct{ expression, what string }{
	{"request.userInfo", "who asks"},
	{"authorizer", "who asks"},
	{"request.namespace", "the namespace"},
	{"namespaceObject", "the namespace"},
	{"object.", "the object"},
	{"Object.", "the object"}, // oldObject
	{"object[", "the object"},
}

func judgeConditions(g guard) *result {
	r := &result{verdict: report.Manual}
	var said []string
	for i, c := range g.conditions {
		for _, l := range looksAt {
			if strings.Contains(c.Expression, l.expression) {
				said = append(said, fmt.Sprintf("%q by %s", c.Name, l.what))
				r.at = append(r.at, g.quote(fmt.Sprintf("%smatchConditions[%d].expression", g.spec, i), c.Expression, ""))
				break
			}
		}
	}
	if len(said) == 0 {
		return nil
	}
	r.message = "judges no request that one of its conditions leaves out: " + report.Some(said)
	return r
}
