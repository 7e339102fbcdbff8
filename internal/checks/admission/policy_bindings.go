package admission

import (
	"fmt"
	"reflect"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/policy-binding
//
// Statement: every admission policy is bound, and every binding has its policy.
// Looks at: ValidatingAdmissionPolicies, MutatingAdmissionPolicies and their
// bindings.
// Passes when: a binding names the policy; the policy that a binding names is
// there.
// Fails when: not: a policy without a binding is never evaluated, and a binding
// without a policy does nothing.
// Cannot tell when: policies or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
var policyBound = &check.Check{
	ID:          "admission/webhooks/policy-binding",
	Item:        checklist.AdmissionWebhooks,
	Title:       "Every admission policy is bound, and every binding has its policy",
	Noun:        "object",
	Severity:    report.Medium,
	Why:         "A policy by itself does nothing: a binding puts it to work. One that was forgotten, or that names the policy wrongly, leaves a rule that everybody believes in and nobody is held to.",
	Remediation: "Add a binding whose `policyName` is the name of the policy, with `validationActions: [Deny]`; delete what is no longer meant.",
	Refs:        []report.Reference{celPolicies},
	Needs:       policyNeeds,
	Run: func(e *check.Eval) {
		for _, f := range []policyFamily{mutatingPolicies(e), validatingPolicies(e)} {
			for _, p := range f.policies {
				if len(p.bindings) > 0 {
					e.Pass(p.Subject)
					continue
				}
				e.FailAbsent(p.Subject, []report.KindID{f.bindingKind}, "", "no binding names it: it is never evaluated",
					p.quote("metadata.name", p.Name, "a binding with this policyName"))
			}
			for _, b := range f.loose {
				e.FailAbsent(b.Subject, []report.KindID{f.policyKind}, "", fmt.Sprintf("names the policy %q, which does not exist", b.policy),
					b.quote("spec.policyName", b.policy, "a policy that is there"))
			}
		}
	},
}

// webhooks/policy-actions
//
// Statement: what violates a ValidatingAdmissionPolicy is refused.
// Looks at: validationActions of every ValidatingAdmissionPolicyBinding whose
// policy is there.
// Passes when: they include Deny; or another binding of the policy denies for
// the same parameters, and everywhere or for the same resources.
// Fails when: they are only Warn or Audit: everything is admitted.
// Cannot tell when: policies or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
var policyActions = &check.Check{
	ID:          "admission/webhooks/policy-actions",
	Item:        checklist.AdmissionWebhooks,
	Title:       "Every binding of a validating policy denies",
	Noun:        "binding",
	Severity:    report.Low,
	Why:         "`Warn` tells the client, `Audit` the log; neither stops the request. As a first step that is right. What stays there is not enforced.",
	Remediation: "When the warnings have ceased, set `validationActions: [Deny]`, with `Audit` beside it if the log is wanted.",
	Refs:        []report.Reference{celPolicies},
	Needs:       validatingNeeds,
	Run: func(e *check.Eval) {
		for _, p := range validatingPolicies(e).policies {
			for _, b := range p.bindings {
				if denies(b.actions) || deniesBeside(b, p.bindings) {
					e.Pass(b.Subject)
					continue
				}
				at := b.quote("spec.validationActions", actionList(b.actions), "Deny")
				if len(b.actions) == 0 {
					e.Fail(b.Subject, fmt.Sprintf("says nothing of what becomes of violations of %q, which the API server refuses", p.Name), at)
					continue
				}
				e.Fail(b.Subject, fmt.Sprintf("admits what violates %q: its actions are only %s", p.Name, actionList(b.actions)), at)
			}
		}
	},
}

// deniesBeside reports whether another binding denies what this one only
// reports.
func deniesBeside(b policyBinding, all []policyBinding) bool {
	for _, other := range all {
		if denies(other.actions) && reflect.DeepEqual(other.params, b.params) && (unlimited(other.match) || reflect.DeepEqual(other.match, b.match)) {
			return true
		}
	}
	return false
}

// unlimited reports whether a binding holds wherever its policy does.
func unlimited(m *admissionv1.MatchResources) bool {
	return m == nil || len(m.ResourceRules)+len(m.ExcludeResourceRules)+
		len(webhook.Requirements(m.NamespaceSelector))+len(webhook.Requirements(m.ObjectSelector)) == 0
}

func actionList(actions []admissionv1.ValidationAction) string {
	var out []string
	for _, a := range actions {
		out = append(out, string(a))
	}
	if len(out) == 0 {
		return "(none)"
	}
	return strings.Join(out, ", ")
}

// webhooks/policy-failure
//
// Statement: a ValidatingAdmissionPolicy refuses a request that it cannot judge.
// Looks at: failurePolicy of every ValidatingAdmissionPolicy.
// Passes when: it is Fail, which silence means.
// Fails when: it is Ignore: an expression that fails to evaluate, or a parameter
// that cannot be had, admits the request.
// Cannot tell when: policies could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#failure-policy
var policyFailure = &check.Check{
	ID:       "admission/webhooks/policy-failure",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Every validating policy fails closed",
	Noun:     "policy",
	Severity: report.Medium,
	Why: "The author of an object has a hand in whether an expression evaluates: a field that is missing, or of another kind than expected, is an error. " +
		"With `Ignore`, an error is a way through.",
	Remediation: "Set `failurePolicy: Fail`, and write expressions that hold for objects without the field (`has(…)`, `?.`).",
	Refs:        []report.Reference{celPolicies},
	Needs:       []inventory.Need{inventory.ValidatingAdmissionPolicies.Need()},
	Run: func(e *check.Eval) {
		for p := range inventory.All(e, inventory.ValidatingAdmissionPolicies) {
			if f := p.Value.Spec.FailurePolicy; f != nil && *f == admissionv1.Ignore {
				e.Fail(p.Subject, "admits requests that it cannot judge", p.Evidence("spec.failurePolicy", "Ignore", "Fail"))
			} else {
				e.Pass(p.Subject)
			}
		}
	},
}
