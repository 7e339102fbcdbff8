package admission

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// guard is what can refuse a request for the sake of a policy, and what it
// leaves out: the webhooks of known security products, ValidatingAdmissionPolicies
// that a binding has deny, and those bindings.
type guard struct {
	report.Subject
	quote func(field, got, want string) report.Evidence
	// match is the path before its selectors, spec the one before its conditions.
	match, spec string
	// rules are what it asks about: none in most bindings, which inherit them.
	rules               []admissionv1.RuleWithOperations
	namespaces, objects *metav1.LabelSelector
	exact               bool // it compares API versions exactly
	conditions          []admissionv1.MatchCondition
}

// guardNeeds are the kinds that guards come from.
func guardNeeds(more ...inventory.Need) []inventory.Need {
	return webhook.With(append(more, inventory.ValidatingAdmissionPolicies.Need(), inventory.ValidatingAdmissionPolicyBindings.Need())...)
}

// guards lists the guards.
func guards(e *check.Eval) []guard {
	var all []guard
	for _, w := range webhook.All.Of(e) {
		if w.Idle() || !enforcing(w) {
			continue
		}
		all = append(all, guard{
			Subject: w.Part(), quote: w.Quote, rules: w.Spec.Rules, namespaces: w.Spec.NamespaceSelector, objects: w.Spec.ObjectSelector,
			exact: w.MatchPolicy() == admissionv1.Exact, conditions: w.Spec.MatchConditions,
		})
	}
	denied := map[string]bool{}
	for b := range inventory.All(e, inventory.ValidatingAdmissionPolicyBindings) {
		if denies(b.Value.Spec.ValidationActions) {
			denied[b.Value.Spec.PolicyName] = true
			all = append(all, guarding(b.Subject, b.Evidence, "spec.matchResources.", b.Value.Spec.MatchResources))
		}
	}
	for p := range inventory.All(e, inventory.ValidatingAdmissionPolicies) {
		if denied[p.Name] {
			g := guarding(p.Subject, p.Evidence, "spec.matchConstraints.", p.Value.Spec.MatchConstraints)
			g.spec, g.conditions = "spec.", p.Value.Spec.MatchConditions
			all = append(all, g)
		}
	}
	return all
}

func guarding(s report.Subject, quote func(field, got, want string) report.Evidence, match string, m *admissionv1.MatchResources) guard {
	g := guard{Subject: s, quote: quote, match: match}
	if m == nil {
		return g
	}
	g.namespaces, g.objects = m.NamespaceSelector, m.ObjectSelector
	g.exact = m.MatchPolicy != nil && *m.MatchPolicy == admissionv1.Exact
	for _, r := range m.ResourceRules {
		g.rules = append(g.rules, r.RuleWithOperations)
	}
	return g
}

// namespaced reports whether it can be asked about objects in namespaces.
func (g guard) namespaced() bool {
	return len(g.rules) == 0 || slices.ContainsFunc(g.rules, webhook.Namespaced)
}

func denies(actions []admissionv1.ValidationAction) bool {
	return slices.Contains(actions, admissionv1.Deny)
}
