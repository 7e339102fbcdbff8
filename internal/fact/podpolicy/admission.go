package podpolicy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// admissionPolicies reads ValidatingAdmissionPolicies: a claim for each
// binding that puts one to work.
func admissionPolicies(v inventory.View, version api.Version) []claim {
	var out []claim
	for b := range inventory.All(v, inventory.ValidatingAdmissionPolicyBindings) {
		for p := range inventory.All(v, inventory.ValidatingAdmissionPolicies) {
			if p.Name != b.Value.Spec.PolicyName {
				continue
			}
			spec := &p.Value.Spec
			name := fmt.Sprintf("ValidatingAdmissionPolicy %q", p.Name)
			if spec.FailurePolicy != nil && *spec.FailurePolicy == admissionv1.Ignore {
				name += " (failurePolicy Ignore)"
			}
			c, ok := celClaim(name, spec.Validations, spec.Variables, version, inMatch(spec.MatchConstraints) && inMatch(b.Value.Spec.MatchResources))
			if !ok {
				continue
			}
			c.in = func(ns namespace) (reach, string) {
				matched := min(required(spec.MatchConstraints, ns), matchResources(b.Value.Spec.MatchResources, ns))
				switch {
				case matched == none:
					return none, ""
				case !slices.Contains(b.Value.Spec.ValidationActions, admissionv1.Deny):
					return idle, fmt.Sprintf("has the actions %q only", b.Value.Spec.ValidationActions)
				case matched == some:
					return some, "is not about all pods (matchConstraints, matchResources)"
				case matched == unsure:
					return unsure, "has a selector that does not parse"
				case len(spec.MatchConditions) > 0:
					return unsure, "has matchConditions, which are not evaluated"
				}
				return whole, ""
			}
			out = append(out, c)
		}
	}
	return out
}

// kyvernoCEL reads ValidatingPolicies of Kyverno.
func kyvernoCEL(v inventory.View, version api.Version) []claim {
	hooks := webhooksOf(v, "Kyverno", "kyverno-resource-validating-webhook-cfg")
	exceptions := slices.Collect(inventory.All(v, inventory.KyvernoCELExceptions))
	missing := v.Missing(inventory.KyvernoCELExceptions.ID, "")
	var out []claim
	read := func(p inventory.Object[inventory.KyvernoValidatingPolicy]) {
		spec := &p.Value.Spec
		name := fmt.Sprintf("Kyverno %s %q", p.Kind, strings.TrimPrefix(p.Namespace+"/"+p.Name, "/"))
		if spec.FailurePolicy == "Ignore" {
			name += " (failurePolicy Ignore)"
		}
		c, ok := celClaim(name, spec.Validations, spec.Variables, version, inMatch(spec.MatchConstraints))
		if !ok || spec.Evaluation.Mode == "JSON" {
			return
		}
		c.in = func(ns namespace) (reach, string) {
			matched := required(spec.MatchConstraints, ns)
			switch {
			case matched == none || p.Namespace != "" && p.Namespace != ns.name:
				return none, ""
			case len(spec.Actions) > 0 && !slices.Contains(spec.Actions, admissionv1.Deny):
				return idle, fmt.Sprintf("has the actions %q only", spec.Actions)
			case spec.Evaluation.Admission.Enabled != nil && !*spec.Evaluation.Admission.Enabled:
				return idle, "does not run at admission"
			}
			if reach, why := hooks.take(ns, p.Value.UID != ""); reach != whole {
				return reach, why
			}
			switch {
			case matched == some:
				return some, "is not about all pods (matchConstraints)"
			case matched == unsure:
				return unsure, "has a selector that does not parse"
			case len(spec.MatchConditions) > 0:
				return unsure, "has matchConditions, which are not evaluated"
			case skippedByDefault(ns.name):
				return unsure, "may not run there: the resourceFilters of Kyverno leave the namespace out by default"
			case len(missing) > 0:
				return unsure, "may have exceptions, and " + missing[0].String()
			}
			for _, x := range exceptions {
				end, err := time.Parse(time.RFC3339, x.Value.Spec.ExpiresAt)
				if err == nil && end.Before(v.Observed()) {
					continue
				}
				for _, ref := range x.Value.Spec.PolicyRefs {
					if ref.Name == p.Name && ref.Kind == p.Kind {
						return unsure, fmt.Sprintf("may leave out pods that PolicyException %q names", x.Namespace+"/"+x.Name)
					}
				}
			}
			return whole, ""
		}
		out = append(out, c)
	}
	for p := range inventory.All(v, inventory.KyvernoValidatingPolicies) {
		read(p)
	}
	for p := range inventory.All(v, inventory.KyvernoNamespacedValidatingPolicies) {
		read(p)
	}
	return out
}

// celClaim is what validations in CEL claim; ok is false where they are not
// about the security of pods. Ephemeral containers come by another resource:
// where a policy does not match it, they are not held to anything. Kyverno's
// webhook has the rules of its policies as they are.
//
// https://github.com/kyverno/kyverno/blob/main/pkg/controllers/webhook/validatingpolicy.go
func celClaim(name string, validations []admissionv1.Validation, variables []admissionv1.Variable, version api.Version, ephemeral bool) (c claim, ok bool) {
	d := demands{}
	understood := d.cel(validations, variables, version)
	c = claim{name: name, parts: d.parts(version)}
	if held := c.parts.ofPods(); !ephemeral && len(held) < len(c.parts) {
		c.parts, c.note = held, "does not see ephemeral containers (it has no rule for pods/ephemeralcontainers)"
	}
	var text strings.Builder
	for _, v := range validations {
		text.WriteString(v.Expression)
	}
	for _, v := range variables {
		text.WriteString(v.Expression)
	}
	if !understood && bears.MatchString(text.String()) {
		c.unread = "has expressions that are not understood"
	}
	return c, len(c.parts) > 0 || c.note != "" || c.unread != ""
}

// required is matchResources for constraints that must be there, with rules.
func required(m *admissionv1.MatchResources, ns namespace) reach {
	if m == nil || len(m.ResourceRules) == 0 {
		return none
	}
	return matchResources(m, ns)
}

// matchResources says how many of the pods created in a namespace match. No
// constraints, or no rules, match everything, as in a binding.
//
// https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/
func matchResources(m *admissionv1.MatchResources, ns namespace) reach {
	if m == nil {
		return whole
	}
	out := whole
	if len(m.ResourceRules) > 0 {
		out = none
		for _, r := range m.ResourceRules {
			out = max(out, ruleOn(r, "pods", admissionv1.Create))
		}
	}
	for _, r := range m.ExcludeResourceRules {
		out = min(out, opposite(ruleOn(r, "pods", admissionv1.Create)))
	}
	return min(out, selected(m.NamespaceSelector, m.ObjectSelector, ns))
}

// selected says how many of the pods of a namespace two selectors leave.
func selected(namespaces, objects *metav1.LabelSelector, ns namespace) reach {
	match, ok := selects(namespaces, ns.labels)
	switch {
	case !ok:
		return unsure
	case !match:
		return none
	case objects != nil && len(objects.MatchLabels)+len(objects.MatchExpressions) > 0:
		return some
	}
	return whole
}

// ruleOn says how many requests on a resource a rule is about.
func ruleOn(r admissionv1.NamedRuleWithOperations, resource string, op admissionv1.OperationType) reach {
	if !onResource(r.RuleWithOperations, resource, op) {
		return none
	}
	if len(r.ResourceNames) > 0 {
		return some
	}
	return whole
}

func onResource(r admissionv1.RuleWithOperations, resource string, op admissionv1.OperationType) bool {
	has := func(list []string, any ...string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(any, s) })
	}
	kind, sub, isSub := strings.Cut(resource, "/")
	resources := []string{"*/*", resource}
	if isSub {
		resources = append(resources, kind+"/*", "*/"+sub)
	} else {
		resources = append(resources, "*")
	}
	return has(r.APIGroups, "*", "") && has(r.APIVersions, "*", "v1") && has(r.Resources, resources...) &&
		(r.Scope == nil || *r.Scope != admissionv1.ClusterScope) &&
		(slices.Contains(r.Operations, admissionv1.OperationAll) || slices.Contains(r.Operations, op))
}

const ephemeralContainers = "pods/ephemeralcontainers"

// inMatch reports whether requests that add ephemeral containers match.
func inMatch(m *admissionv1.MatchResources) bool {
	return m == nil || len(m.ResourceRules) == 0 || slices.ContainsFunc(m.ResourceRules, func(r admissionv1.NamedRuleWithOperations) bool {
		return ruleOn(r, ephemeralContainers, admissionv1.Update) == whole
	})
}

// webhooks are the validating webhooks of one project.
type webhooks struct {
	project string
	found   []admissionv1.MutatingWebhook
	missing []report.Gap
}

func webhooksOf(v inventory.View, project, configuration string) webhooks {
	w := webhooks{project: project, missing: v.Missing(inventory.ValidatingWebhookConfigurations.ID, "")}
	for c := range inventory.All(v, inventory.ValidatingWebhookConfigurations) {
		if strings.HasPrefix(c.Name, configuration) {
			w.found = append(w.found, c.Value.Webhooks...)
		}
	}
	return w
}

// take says whether the project gets to see the pods of a namespace. A project
// makes its webhook when it runs: manifests need not have it, a cluster must.
func (w webhooks) take(ns namespace, observed bool) (reach, string) {
	out := none
	for _, hook := range w.found {
		if slices.ContainsFunc(hook.Rules, func(r admissionv1.RuleWithOperations) bool { return onResource(r, "pods", admissionv1.Create) }) {
			out = max(out, selected(hook.NamespaceSelector, hook.ObjectSelector, ns))
		}
	}
	switch {
	case out == unsure:
		return unsure, "is called by a webhook with a selector that does not parse"
	case out == some:
		return some, "is called for some pods only (objectSelector of the webhook)"
	case out == whole, len(w.found) == 0 && !observed:
		return whole, ""
	case len(w.missing) > 0:
		return unsure, "needs a webhook to be called, and " + w.missing[0].String()
	case len(w.found) == 0:
		return idle, "is not called: no webhook of " + w.project + " is registered"
	}
	return idle, "is not called: no webhook of " + w.project + " takes pods of the namespace"
}
