package pods

import (
	"maps"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// otherEnforcers are the families of policies that can hold pods to a standard.
func otherEnforcers() []inventory.Need {
	return []inventory.Need{
		inventory.KyvernoPolicies.Optional(),
		inventory.KyvernoValidatingPolicies.Optional(),
		inventory.GatekeeperTemplates.Optional(),
		inventory.KubewardenPolicies.Optional(),
	}
}

// denyingPolicy names a ValidatingAdmissionPolicy that can refuse pods of the
// namespace: it matches the creation of pods, and a binding with the action
// Deny puts it to work there. What it asks of pods is not read.
func denyingPolicy(e *check.Eval, ns inventory.Object[inventory.Meta]) string {
	for b := range inventory.All(e, inventory.ValidatingAdmissionPolicyBindings) {
		if !slices.Contains(b.Value.Spec.ValidationActions, admissionv1.Deny) || !mayMatchPods(b.Value.Spec.MatchResources, ns) {
			continue
		}
		for p := range inventory.All(e, inventory.ValidatingAdmissionPolicies) {
			match := p.Value.Spec.MatchConstraints
			if p.Name == b.Value.Spec.PolicyName && match != nil && len(match.ResourceRules) > 0 && mayMatchPods(match, ns) {
				return p.Name
			}
		}
	}
	return ""
}

// mayMatchPods reports whether some pod that is created in the namespace can
// match. No constraints, or no rules, match everything, as in a binding.
// Excluded resources and object selectors are not looked at: they take out some
// pods at most, or the answer is the careful one.
func mayMatchPods(m *admissionv1.MatchResources, ns inventory.Object[inventory.Meta]) bool {
	if m == nil {
		return true
	}
	if m.NamespaceSelector != nil {
		selector, err := metav1.LabelSelectorAsSelector(m.NamespaceSelector)
		// A selector that does not parse may match.
		if err == nil && !selector.Matches(namespaceLabels(ns)) {
			return false
		}
	}
	return len(m.ResourceRules) == 0 || slices.ContainsFunc(m.ResourceRules, func(r admissionv1.NamedRuleWithOperations) bool {
		return has(r.APIGroups, "*", "") && has(r.APIVersions, "*", "v1") && has(r.Resources, "*", "*/*", "pods") &&
			(slices.Contains(r.Operations, admissionv1.OperationAll) || slices.Contains(r.Operations, admissionv1.Create))
	})
}

func has(list []string, any ...string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(any, s) })
}

// namespaceLabels are the namespace's labels with the one that the API server
// sets on each.
func namespaceLabels(ns inventory.Object[inventory.Meta]) labels.Set {
	set := labels.Set{corev1.LabelMetadataName: ns.Name}
	maps.Copy(set, ns.Value.Labels)
	return set
}

// known reports whether Pod Security understands the value of one of its labels.
func known(label, value string) bool {
	var err error
	if label == api.EnforceLevelLabel {
		_, err = api.ParseLevel(value)
	} else {
		_, err = api.ParseVersion(value)
	}
	return err == nil
}
