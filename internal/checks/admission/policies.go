package admission

import (
	"regexp"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// policy is a ValidatingAdmissionPolicy or MutatingAdmissionPolicy.
type policy struct {
	report.Subject
	quote   func(field, got, want string) report.Evidence
	failure *admissionv1.FailurePolicyType
	params  *admissionv1.ParamKind
	// expressions are all in which parameters can be read.
	expressions []string
	// bindings put it to work.
	bindings []policyBinding
}

// policyBinding is a binding of a policy, which need not be there.
type policyBinding struct {
	report.Subject
	quote   func(field, got, want string) report.Evidence
	policy  string
	params  *admissionv1.ParamRef
	match   *admissionv1.MatchResources
	actions []admissionv1.ValidationAction // of a validating one
}

// policyFamily is one of the two kinds of policies with its bindings.
type policyFamily struct {
	policies []policy
	// loose are the bindings whose policy is not in the inventory.
	loose []policyBinding
	// policyKind and bindingKind are the tables that they come from.
	policyKind, bindingKind report.KindID
}

var (
	validatingNeeds = []inventory.Need{inventory.ValidatingAdmissionPolicies.Need(), inventory.ValidatingAdmissionPolicyBindings.Need()}
	policyNeeds     = append([]inventory.Need{inventory.MutatingAdmissionPolicies.Need(), inventory.MutatingAdmissionPolicyBindings.Need()}, validatingNeeds...)
)

func validatingPolicies(e *check.Eval) policyFamily {
	f := policyFamily{policyKind: inventory.ValidatingAdmissionPolicies.ID, bindingKind: inventory.ValidatingAdmissionPolicyBindings.ID}
	for p := range inventory.All(e, inventory.ValidatingAdmissionPolicies) {
		s := &p.Value.Spec
		x := policy{Subject: p.Subject, quote: p.Evidence, failure: s.FailurePolicy, params: s.ParamKind, expressions: shared(s.Variables, s.MatchConditions)}
		for _, v := range s.Validations {
			x.expressions = append(x.expressions, v.Expression, v.MessageExpression)
		}
		for _, a := range s.AuditAnnotations {
			x.expressions = append(x.expressions, a.ValueExpression)
		}
		f.policies = append(f.policies, x)
	}
	for b := range inventory.All(e, inventory.ValidatingAdmissionPolicyBindings) {
		s := &b.Value.Spec
		f.bind(policyBinding{b.Subject, b.Evidence, s.PolicyName, s.ParamRef, s.MatchResources, s.ValidationActions})
	}
	return f
}

func mutatingPolicies(e *check.Eval) policyFamily {
	f := policyFamily{policyKind: inventory.MutatingAdmissionPolicies.ID, bindingKind: inventory.MutatingAdmissionPolicyBindings.ID}
	for p := range inventory.All(e, inventory.MutatingAdmissionPolicies) {
		s := &p.Value.Spec
		x := policy{Subject: p.Subject, quote: p.Evidence, failure: s.FailurePolicy, params: s.ParamKind, expressions: shared(s.Variables, s.MatchConditions)}
		for _, m := range s.Mutations {
			if m.ApplyConfiguration != nil {
				x.expressions = append(x.expressions, m.ApplyConfiguration.Expression)
			}
			if m.JSONPatch != nil {
				x.expressions = append(x.expressions, m.JSONPatch.Expression)
			}
		}
		f.policies = append(f.policies, x)
	}
	for b := range inventory.All(e, inventory.MutatingAdmissionPolicyBindings) {
		s := &b.Value.Spec
		f.bind(policyBinding{b.Subject, b.Evidence, s.PolicyName, s.ParamRef, s.MatchResources, nil})
	}
	return f
}

// shared are the expressions that both kinds of policies have.
func shared(variables []admissionv1.Variable, conditions []admissionv1.MatchCondition) []string {
	var out []string
	for _, v := range variables {
		out = append(out, v.Expression)
	}
	for _, c := range conditions {
		out = append(out, c.Expression)
	}
	return out
}

var paramsVariable = regexp.MustCompile(`\bparams\b`)

// readsParams reports whether an expression names the variable that holds the
// parameter.
func (p policy) readsParams() bool {
	return slices.ContainsFunc(p.expressions, paramsVariable.MatchString)
}

// bind gives a binding to its policy, to each where several files define it.
func (f *policyFamily) bind(b policyBinding) {
	found := false
	for i := range f.policies {
		if f.policies[i].Name == b.policy {
			f.policies[i].bindings, found = append(f.policies[i].bindings, b), true
		}
	}
	if !found {
		f.loose = append(f.loose, b)
	}
}
