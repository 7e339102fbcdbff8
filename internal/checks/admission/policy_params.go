package admission

import (
	"cmp"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/policy-params
//
// Statement: every parameter that an admission policy reads is there.
// Looks at: the bindings of policies that have a paramKind, and the ConfigMaps
// that they name or select in a fixed namespace.
// Passes when: the ConfigMap is there; or the binding names none, and no
// expression reads params; or a missing parameter cannot open
// anything, because the binding denies without it and the policy fails closed;
// or the parameter is looked up in the namespace of each request.
// Fails when: the binding names none, and an expression reads params, which is
// null then; or no such ConfigMap is there.
// Cannot tell when: the parameter is of another kind, which is not read.
//
// https://github.com/kubernetes/apiserver/blob/v0.37.2/pkg/admission/plugin/policy/generic/policy_dispatcher.go (CollectParams)
var policyParams = &check.Check{
	ID:       "admission/webhooks/policy-params",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Every parameter that an admission policy reads is there",
	Noun:     "binding",
	Severity: report.Medium,
	Why: "A policy with parameters judges by what stands in another object. Where that object is missing, the policy either judges nothing or refuses everything, " +
		"as the binding and its failurePolicy say.",
	Remediation: "Create the parameter before the binding, let only administrators change it, and set `parameterNotFoundAction: Deny`.",
	Refs:        []report.Reference{celPolicies},
	Needs:       append([]inventory.Need{inventory.ConfigMaps.Need()}, policyNeeds...),
	Run: func(e *check.Eval) {
		for _, p := range parametrised(e) {
			for _, b := range p.bindings {
				judgeParameter(e, p, b)
			}
		}
	},
}

func judgeParameter(e *check.Eval, p policy, b policyBinding) {
	kind := p.params.Kind
	if b.params == nil && !p.readsParams() {
		e.Pass(b.Subject)
		return
	}
	if b.params == nil {
		e.Fail(b.Subject, fmt.Sprintf("names no parameter, and the policy %q reads a %s", p.Name, kind),
			b.quote("spec", "no paramRef", "a paramRef"), p.quote("spec.paramKind.kind", kind, ""))
		return
	}
	at := b.quote("spec.paramRef", parameterText(b.params), "a "+kind+" that is there")
	switch {
	case p.params.APIVersion == "v1" && kind == "ConfigMap":
		if b.params.Namespace == "" || configMapThere(e, b.params) {
			e.Pass(b.Subject)
			return
		}
		e.FailAbsent(b.Subject, []report.KindID{inventory.ConfigMaps.ID}, b.params.Namespace,
			fmt.Sprintf("its parameter, ConfigMap %s, does not exist: %s", parameterText(b.params), without(p, b)), at)
	case closed(p, b):
		e.Pass(b.Subject)
	default:
		f := e.Unknown(b.Subject, fmt.Sprintf("its parameter, %s %s, is of a kind that is not read", kind, parameterText(b.params)), at)
		f.Remedy = "set parameterNotFoundAction and failurePolicy such that a missing parameter opens nothing"
	}
}

func configMapThere(e *check.Eval, ref *admissionv1.ParamRef) bool {
	if ref.Selector == nil {
		_, ok := inventory.Get(e, inventory.ConfigMaps, ref.Namespace, ref.Name)
		return ok
	}
	selector, err := metav1.LabelSelectorAsSelector(ref.Selector)
	if err != nil {
		return false
	}
	for c := range inventory.In(e, inventory.ConfigMaps, ref.Namespace) {
		if selector.Matches(labels.Set(c.Value.Labels)) {
			return true
		}
	}
	return false
}

// closed reports whether a request is refused when the parameter is missing.
func closed(p policy, b policyBinding) bool {
	return !allowsWithout(b) && (p.failure == nil || *p.failure == admissionv1.Fail)
}

// without says what becomes of requests when the parameter is missing.
func without(p policy, b policyBinding) string {
	if closed(p, b) {
		return "every request that it matches is refused"
	}
	return "every request is admitted"
}

func allowsWithout(b policyBinding) bool {
	return b.params.ParameterNotFoundAction != nil && *b.params.ParameterNotFoundAction == admissionv1.AllowAction
}

func parameterText(ref *admissionv1.ParamRef) string {
	text := ref.Name
	if ref.Selector != nil {
		text = "with " + metav1.FormatLabelSelector(ref.Selector)
	}
	if ref.Namespace != "" {
		text += " in " + ref.Namespace
	}
	return text
}

// parametrised lists the policies that read parameters.
func parametrised(e *check.Eval) []policy {
	var out []policy
	for _, f := range []policyFamily{mutatingPolicies(e), validatingPolicies(e)} {
		for _, p := range f.policies {
			if p.params != nil {
				out = append(out, p)
			}
		}
	}
	return out
}

// webhooks/policy-params-allow
//
// Statement: no admission policy is passed by when its parameter is missing.
// Looks at: parameterNotFoundAction of the bindings of policies that have a
// paramKind.
// Passes when: it is Deny.
// Fails when: it is Allow: deleting the parameter turns the policy off. Where
// the parameter is looked up in the namespace of each request, whoever may
// delete it there can.
// Cannot tell when: policies or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#parameter-resources
var policyParamsAllow = &check.Check{
	ID:       "admission/webhooks/policy-params-allow",
	Item:     checklist.AdmissionWebhooks,
	Title:    "No admission policy is passed by when its parameter is missing",
	Noun:     "binding",
	Severity: report.Low,
	Why: "With `Allow`, the policy holds only while its parameter is there: who may delete that object turns the policy off, " +
		"and nothing else shows that it is off.",
	Remediation: "Set `parameterNotFoundAction: Deny` in the `paramRef`. For namespaces that need no limits, make a parameter that says so.",
	Refs:        []report.Reference{celPolicies},
	Needs:       policyNeeds,
	Run: func(e *check.Eval) {
		for _, p := range parametrised(e) {
			for _, b := range p.bindings {
				if b.params == nil {
					continue // policy-params says so
				}
				if !allowsWithout(b) {
					e.Pass(b.Subject)
					continue
				}
				where := cmp.Or(b.params.Namespace, "the namespace of the request, where it has one")
				e.Fail(b.Subject, fmt.Sprintf("admits everything while the parameter of %q is missing: a %s in %s", p.Name, p.params.Kind, where),
					b.quote("spec.paramRef.parameterNotFoundAction", "Allow", "Deny"))
			}
		}
	},
}
