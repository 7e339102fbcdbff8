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
			c, ok := celClaim(name, spec.Validations, spec.Variables, version)
			if !ok {
				continue
			}
			if !inMatch(spec.MatchConstraints) || !inMatch(b.Value.Spec.MatchResources) {
				c.blind(noRule)
			}
			asked, bound := required(spec.MatchConstraints), matchResources(b.Value.Spec.MatchResources)
			actions := fmt.Sprintf("has the actions %q only", b.Value.Spec.ValidationActions)
			c.in = func(ns namespace) (reach, string) {
				matched := min(asked.in(ns), bound.in(ns))
				switch {
				case matched == none:
					return none, ""
				case !slices.Contains(b.Value.Spec.ValidationActions, admissionv1.Deny):
					return idle, actions
				case matched == some:
					return some, "is not about all pods (matchConstraints, matchResources)"
				case matched == unsure:
					return unsure, "has a selector that does not parse"
				case len(spec.MatchConditions) > 0:
					return unsure, "has matchConditions, which are not evaluated"
				case spec.FailurePolicy != nil && *spec.FailurePolicy == admissionv1.Ignore:
					return unsure, letsPass
				case spec.ParamKind != nil && passesWithout(b.Value.Spec.ParamRef):
					return unsure, "is passed by while its parameter is missing (parameterNotFoundAction)"
				}
				return whole, ""
			}
			out = append(out, c)
		}
	}
	return out
}

// letsPass is what becomes of a pod on which an expression cannot be evaluated:
// mostly one that lacks a field.
const letsPass = "lets pass what its expressions cannot be evaluated on (failurePolicy Ignore)"

// passesWithout reports whether a binding whose parameter is not there judges
// nothing. One that names no parameter is evaluated without.
//
// https://github.com/kubernetes/apiserver/blob/v0.37.2/pkg/admission/plugin/policy/generic/policy_dispatcher.go (CollectParams)
func passesWithout(p *admissionv1.ParamRef) bool {
	return p != nil && (p.ParameterNotFoundAction == nil || *p.ParameterNotFoundAction != admissionv1.DenyAction)
}

// kyvernoCEL reads ValidatingPolicies of Kyverno.
func kyvernoCEL(v inventory.View, version api.Version) []claim {
	hooks := webhooksOf(v, "Kyverno", "kyverno-resource-validating-webhook-cfg")
	leftOut := filteredOut(v)
	exceptions := slices.Collect(inventory.All(v, inventory.KyvernoCELExceptions))
	missing := v.Missing(inventory.KyvernoCELExceptions.ID, "")
	var out []claim
	read := func(p inventory.Object[inventory.KyvernoValidatingPolicy]) {
		spec := &p.Value.Spec
		name := fmt.Sprintf("Kyverno %s %q", p.Kind, strings.TrimPrefix(p.Namespace+"/"+p.Name, "/"))
		if spec.FailurePolicy == "Ignore" {
			name += " (failurePolicy Ignore)"
		}
		c, ok := celClaim(name, spec.Validations, spec.Variables, version)
		if !ok || spec.Evaluation.Mode == "JSON" {
			return
		}
		if !inMatch(spec.MatchConstraints) {
			c.blind(noRule)
		}
		hooks.limit(&c)
		asked := required(spec.MatchConstraints)
		c.in = func(ns namespace) (reach, string) {
			matched := asked.in(ns)
			place := around(p.Subject, p.Kind == "ValidatingPolicy", ns)
			switch {
			case matched == none || place == none:
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
			case place == unsure:
				return unsure, noNamespace
			case len(spec.MatchConditions) > 0:
				return unsure, "has matchConditions, which are not evaluated"
			case spec.FailurePolicy == "Ignore":
				return unsure, letsPass
			case leftOut.why(ns.name) != "":
				return unsure, leftOut.why(ns.name)
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
// about the security of pods.
func celClaim(name string, validations []admissionv1.Validation, variables []admissionv1.Variable, version api.Version) (c claim, ok bool) {
	d := demands{}
	understood := d.cel(validations, variables, version)
	c = claim{name: name, parts: d.parts(version)}
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
	return c, len(c.parts) > 0 || c.unread != ""
}

// constraints say which of the pods that are created match.
type constraints struct {
	rules               reach // by the rules, which are the same everywhere
	namespaces, objects *metav1.LabelSelector
}

// required is matchResources for constraints that must be there, with rules.
func required(m *admissionv1.MatchResources) constraints {
	if m == nil || len(m.ResourceRules) == 0 {
		return constraints{rules: none}
	}
	return matchResources(m)
}

// matchResources reads constraints. None, or no rules, match everything, as in
// a binding.
//
// https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/
func matchResources(m *admissionv1.MatchResources) constraints {
	if m == nil {
		return constraints{rules: whole}
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
	return constraints{out, m.NamespaceSelector, m.ObjectSelector}
}

// in says how many of the pods created in a namespace match.
func (c constraints) in(ns namespace) reach {
	return min(c.rules, selected(c.namespaces, c.objects, ns))
}

// selected says how many of the pods of a namespace two selectors leave.
func selected(namespaces, objects *metav1.LabelSelector, ns namespace) reach {
	match, ok := ns.selected(namespaces)
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

// onResource matches as the API server does: "pods/*" takes in the pods
// themselves.
//
// https://github.com/kubernetes/apiserver/blob/v0.37.2/pkg/admission/plugin/webhook/predicates/rules/rules.go
func onResource(r admissionv1.RuleWithOperations, resource string, op admissionv1.OperationType) bool {
	has := func(list []string, any ...string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(any, s) })
	}
	kind, sub, isSub := strings.Cut(resource, "/")
	resources := []string{"*/*", resource}
	if isSub {
		resources = append(resources, kind+"/*", "*/"+sub)
	} else {
		resources = append(resources, "*", kind+"/*")
	}
	return has(r.APIGroups, "*", "") && has(r.APIVersions, "*", "v1") && has(r.Resources, resources...) &&
		(r.Scope == nil || *r.Scope != admissionv1.ClusterScope) &&
		(slices.Contains(r.Operations, admissionv1.OperationAll) || slices.Contains(r.Operations, op))
}

const ephemeralContainers = "pods/ephemeralcontainers"

// inMatch reports whether requests that add ephemeral containers match. They
// come by a resource of their own.
func inMatch(m *admissionv1.MatchResources) bool {
	asked := func(least reach) func(admissionv1.NamedRuleWithOperations) bool {
		return func(r admissionv1.NamedRuleWithOperations) bool {
			return ruleOn(r, ephemeralContainers, admissionv1.Update) >= least
		}
	}
	return m == nil || (len(m.ResourceRules) == 0 || slices.ContainsFunc(m.ResourceRules, asked(whole))) && !slices.ContainsFunc(m.ExcludeResourceRules, asked(some))
}

// webhooks are the validating webhooks of one project.
type webhooks struct {
	project string
	found   bool                          // there are some
	onPods  []admissionv1.MutatingWebhook // those that are asked about pods
	// onEphemeral: some are asked about ephemeral containers.
	onEphemeral bool
	missing     []report.Gap
}

func webhooksOf(v inventory.View, project, configuration string) webhooks {
	w := webhooks{project: project, missing: v.Missing(inventory.ValidatingWebhookConfigurations.ID, "")}
	for c := range inventory.All(v, inventory.ValidatingWebhookConfigurations) {
		if strings.HasPrefix(c.Name, configuration) {
			w.found = w.found || len(c.Value.Webhooks) > 0
			for _, hook := range c.Value.Webhooks {
				w.onEphemeral = w.onEphemeral || slices.ContainsFunc(hook.Rules, func(r admissionv1.RuleWithOperations) bool {
					return onResource(r, ephemeralContainers, admissionv1.Update)
				})
				if slices.ContainsFunc(hook.Rules, func(r admissionv1.RuleWithOperations) bool { return onResource(r, "pods", admissionv1.Create) }) {
					w.onPods = append(w.onPods, hook)
				}
			}
		}
	}
	return w
}

// take says whether the project gets to see the pods of a namespace. A project
// makes its webhook when it runs: manifests need not have it, a cluster must.
func (w webhooks) take(ns namespace, observed bool) (reach, string) {
	out, known := ns.called[w.project]
	if !known {
		for _, hook := range w.onPods {
			reach := selected(hook.NamespaceSelector, hook.ObjectSelector, ns)
			if reach == whole && len(hook.MatchConditions) > 0 {
				reach = unsure
			}
			out = max(out, reach)
		}
		ns.called[w.project] = out
	}
	switch {
	case out == unsure:
		return unsure, "is called by a webhook with matchConditions, which are not evaluated, or a selector that does not parse"
	case out == some:
		return some, "is called for some pods only (objectSelector of the webhook)"
	case out == whole, !w.found && !observed:
		return whole, ""
	case len(w.missing) > 0:
		return unsure, "needs a webhook to be called, and " + w.missing[0].String()
	case !w.found:
		return idle, "is not called: no webhook of " + w.project + " is registered"
	}
	return idle, "is not called: no webhook of " + w.project + " takes pods of the namespace"
}

// limit takes out of a claim what the webhooks of its project do not get to
// see. Where none was seen, the project makes one that sees all.
//
// https://github.com/kyverno/kyverno/blob/main/pkg/controllers/webhook/utils.go
// https://github.com/open-policy-agent/gatekeeper/blob/master/deploy/gatekeeper.yaml
func (w webhooks) limit(c *claim) {
	if w.found && !w.onEphemeral {
		c.blind("no webhook of " + w.project + " has a rule for " + ephemeralContainers)
	}
}
