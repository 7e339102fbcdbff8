package inventory

import (
	"github.com/go-json-experiment/json/jsontext"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kyverno's policies, and the exceptions to them.
var (
	KyvernoClusterPolicies              = Kind[KyvernoPolicy]{"kyverno.io/ClusterPolicy"}
	KyvernoPolicies                     = Kind[KyvernoPolicy]{"kyverno.io/Policy"}
	KyvernoExceptions                   = Kind[KyvernoException]{"kyverno.io/PolicyException"}
	KyvernoValidatingPolicies           = Kind[KyvernoValidatingPolicy]{"policies.kyverno.io/ValidatingPolicy"}
	KyvernoNamespacedValidatingPolicies = Kind[KyvernoValidatingPolicy]{"policies.kyverno.io/NamespacedValidatingPolicy"}
	KyvernoCELExceptions                = Kind[KyvernoCELException]{"policies.kyverno.io/PolicyException"}
)

// KyvernoConfigMap is the name of Kyverno's own configuration.
//
// https://kyverno.io/docs/installation/customization/#configmap-keys
const KyvernoConfigMap = "kyverno"

var kyvernoKinds = []Custom{
	customKind(KyvernoClusterPolicies, "clusterpolicies", false, "v1", "v2beta1"),
	customKind(KyvernoPolicies, "policies", true, "v1", "v2beta1"),
	customKind(KyvernoExceptions, "policyexceptions", true, "v2", "v2beta1", "v2alpha1"),
	customKind(KyvernoValidatingPolicies, "validatingpolicies", false, "v1", "v1beta1", "v1alpha1"),
	customKind(KyvernoNamespacedValidatingPolicies, "namespacedvalidatingpolicies", true, "v1", "v1beta1"),
	customKind(KyvernoCELExceptions, "policyexceptions", true, "v1", "v1beta1", "v1alpha1"),
}

// KyvernoPolicy is a ClusterPolicy or a Policy. What may hold anything (patterns,
// conditions) is kept as it is written.
//
// https://github.com/kyverno/kyverno/tree/main/api/kyverno/v1
// (spec_types.go, rule_types.go, common_types.go)
type KyvernoPolicy struct {
	Meta `json:"-"`
	Spec struct {
		Rules []KyvernoRule `json:"rules"`
		// ApplyRules is All (default), or One: the first rule that matches.
		ApplyRules string `json:"applyRules"`
		// Action is Audit (default) or Enforce, in lower case too.
		Action    string            `json:"validationFailureAction"`
		Overrides []KyvernoOverride `json:"validationFailureActionOverrides"`
		// Admission is true unless it is false.
		Admission *bool `json:"admission"`
		// FailurePolicy is Fail (default) or Ignore; that of Webhook counts first.
		FailurePolicy string `json:"failurePolicy"`
		Webhook       struct {
			FailurePolicy   string                       `json:"failurePolicy"`
			MatchConditions []admissionv1.MatchCondition `json:"matchConditions"`
		} `json:"webhookConfiguration"`
	} `json:"spec"`
}

// KyvernoRule is one rule of a policy.
type KyvernoRule struct {
	Name             string                       `json:"name"`
	Match            KyvernoMatch                 `json:"match"`
	Exclude          KyvernoMatch                 `json:"exclude"`
	Preconditions    jsontext.Value               `json:"preconditions"`
	CELPreconditions []admissionv1.MatchCondition `json:"celPreconditions"`
	Validate         *KyvernoValidation           `json:"validate"`
	VerifyImages     []KyvernoImageVerification   `json:"verifyImages"`
}

// KyvernoValidation is what a rule asks for. Action and Overrides, where set,
// count instead of those of the policy.
type KyvernoValidation struct {
	Action      string              `json:"failureAction"`
	Overrides   []KyvernoOverride   `json:"failureActionOverrides"`
	Pattern     jsontext.Value      `json:"pattern"`
	AnyPattern  []jsontext.Value    `json:"anyPattern"`
	Deny        jsontext.Value      `json:"deny"`
	ForEach     []KyvernoForEach    `json:"foreach"`
	PodSecurity *KyvernoPodSecurity `json:"podSecurity"`
	CEL         *struct {
		Expressions []admissionv1.Validation `json:"expressions"`
		Variables   []admissionv1.Variable   `json:"variables"`
		ParamKind   jsontext.Value           `json:"paramKind"`
	} `json:"cel"`
	// Assert is an assertion tree, which is not read.
	Assert jsontext.Value `json:"assert"`
	// Manifests is signature verification of manifests.
	Manifests jsontext.Value `json:"manifests"`
}

// KyvernoForEach asks something of each element of a list.
type KyvernoForEach struct {
	List          string         `json:"list"`
	Preconditions jsontext.Value `json:"preconditions"`
	Deny          jsontext.Value `json:"deny"`
	Pattern       jsontext.Value `json:"pattern"`
	AnyPattern    jsontext.Value `json:"anyPattern"`
	ForEach       jsontext.Value `json:"foreach"`
}

// KyvernoPodSecurity holds pods to a level of the Pod Security Standards.
type KyvernoPodSecurity struct {
	Level   string                   `json:"level"`
	Version string                   `json:"version"`
	Exclude []KyvernoControlExcluded `json:"exclude"`
}

// KyvernoControlExcluded takes a control out, for some images or fields perhaps.
type KyvernoControlExcluded struct {
	ControlName string `json:"controlName"`
}

// KyvernoOverride is another action in some namespaces.
type KyvernoOverride struct {
	Action            string                `json:"action"`
	Namespaces        []string              `json:"namespaces"`
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector"`
}

// KyvernoMatch says what a rule is about: any of some filters, all of them, or
// (the old form) one filter.
//
// https://github.com/kyverno/kyverno/blob/main/api/kyverno/v1/match_resources_types.go
type KyvernoMatch struct {
	Any []KyvernoFilter `json:"any"`
	All []KyvernoFilter `json:"all"`
	KyvernoFilter
}

// KyvernoFilter is one filter. What is empty filters nothing.
type KyvernoFilter struct {
	Roles        []string         `json:"roles"`
	ClusterRoles []string         `json:"clusterRoles"`
	Subjects     []rbacv1.Subject `json:"subjects"`
	Resources    struct {
		Kinds             []string              `json:"kinds"`
		Name              string                `json:"name"`
		Names             []string              `json:"names"`
		Namespaces        []string              `json:"namespaces"`
		Annotations       map[string]string     `json:"annotations"`
		Selector          *metav1.LabelSelector `json:"selector"`
		NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector"`
		Operations        []string              `json:"operations"`
	} `json:"resources"`
}

// KyvernoException takes resources out of rules of Kyverno policies, or out of
// some controls of their podSecurity.
//
// https://github.com/kyverno/kyverno/blob/main/api/kyverno/v2/policy_exception_types.go
type KyvernoException struct {
	Meta `json:"-"`
	Spec struct {
		Match      KyvernoMatch `json:"match"`
		Exceptions []struct {
			// PolicyName is a glob, "namespace/name" for a Policy.
			PolicyName string   `json:"policyName"`
			RuleNames  []string `json:"ruleNames"` // globs
		} `json:"exceptions"`
	} `json:"spec"`
}

// KyvernoValidatingPolicy is a ValidatingPolicy or NamespacedValidatingPolicy:
// CEL that Kyverno evaluates.
//
// https://github.com/kyverno/kyverno/blob/main/api/policies.kyverno.io/v1alpha1/validating_policy.go
type KyvernoValidatingPolicy struct {
	Meta `json:"-"`
	Spec struct {
		MatchConstraints *admissionv1.MatchResources  `json:"matchConstraints"`
		MatchConditions  []admissionv1.MatchCondition `json:"matchConditions"`
		Variables        []admissionv1.Variable       `json:"variables"`
		Validations      []admissionv1.Validation     `json:"validations"`
		// Actions are Deny where there are none.
		Actions       []admissionv1.ValidationAction `json:"validationActions"`
		FailurePolicy string                         `json:"failurePolicy"`
		Evaluation    KyvernoEvaluation              `json:"evaluation"`
	} `json:"spec"`
}

// KyvernoEvaluation says when a policy of policies.kyverno.io is evaluated.
type KyvernoEvaluation struct {
	// Mode is Kubernetes (default) or JSON.
	Mode      string `json:"mode"`
	Admission struct {
		// Enabled is true unless it is false.
		Enabled *bool `json:"enabled"`
	} `json:"admission"`
}

// KyvernoCELException takes resources out of policies of policies.kyverno.io.
//
// https://github.com/kyverno/kyverno/blob/main/api/policies.kyverno.io/v1/policy_exception.go
type KyvernoCELException struct {
	Meta `json:"-"`
	Spec struct {
		PolicyRefs []struct {
			Name string `json:"name"`
			Kind string `json:"kind"`
		} `json:"policyRefs"`
		MatchConditions []admissionv1.MatchCondition `json:"matchConditions"`
		// ExpiresAt is in RFC 3339; after it the exception does nothing.
		ExpiresAt string `json:"expiresAt"`
	} `json:"spec"`
}
