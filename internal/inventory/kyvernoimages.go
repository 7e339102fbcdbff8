package inventory

import (
	"github.com/go-json-experiment/json/jsontext"
	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// Kyverno's policies for images, in CEL.
var (
	KyvernoImagePolicies           = Kind[KyvernoImagePolicy]{"policies.kyverno.io/ImageValidatingPolicy"}
	KyvernoNamespacedImagePolicies = Kind[KyvernoImagePolicy]{"policies.kyverno.io/NamespacedImageValidatingPolicy"}
)

var kyvernoImageKinds = []Custom{
	customKind(KyvernoImagePolicies, "imagevalidatingpolicies", false, "v1", "v1beta1", "v1alpha1"),
	customKind(KyvernoNamespacedImagePolicies, "namespacedimagevalidatingpolicies", true, "v1", "v1beta1"),
}

// KyvernoImageVerification is an entry of verifyImages in a rule.
//
// https://github.com/kyverno/kyverno/blob/main/api/kyverno/v1/image_verification_types.go
type KyvernoImageVerification struct {
	// Image is the old form of ImageReferences.
	Image               string   `json:"image"`
	ImageReferences     []string `json:"imageReferences"`
	SkipImageReferences []string `json:"skipImageReferences"`
	// Key, Subject, Issuer and Roots are the old form of Attestors.
	Key     string `json:"key"`
	Subject string `json:"subject"`
	Issuer  string `json:"issuer"`
	Roots   string `json:"roots"`
	// Attestors all must have signed the image.
	Attestors []KyvernoAttestorSet `json:"attestors"`
	// Attestations all must be there, signed by their attestors.
	Attestations []struct {
		Attestors []KyvernoAttestorSet `json:"attestors"`
	} `json:"attestations"`
	// Action, where set, counts instead of that of the policy.
	Action string `json:"failureAction"`
	// MutateDigest, VerifyDigest and Required are true unless they are false.
	MutateDigest *bool `json:"mutateDigest"`
	VerifyDigest *bool `json:"verifyDigest"`
	Required     *bool `json:"required"`
}

// KyvernoAttestorSet holds if Count of its entries do, or all without a count.
type KyvernoAttestorSet struct {
	Count   *int              `json:"count"`
	Entries []KyvernoAttestor `json:"entries"`
}

// KyvernoAttestor has one of its fields.
type KyvernoAttestor struct {
	Keys *struct {
		PublicKeys string         `json:"publicKeys"`
		KMS        string         `json:"kms"`
		Secret     jsontext.Value `json:"secret"`
	} `json:"keys"`
	Certificates *struct {
		Certificate string `json:"cert"`
		Chain       string `json:"certChain"`
	} `json:"certificates"`
	Keyless *struct {
		Subject       string `json:"subject"`
		SubjectRegExp string `json:"subjectRegExp"`
		Issuer        string `json:"issuer"`
		IssuerRegExp  string `json:"issuerRegExp"`
		Roots         string `json:"roots"`
	} `json:"keyless"`
	// Attestor is a set of its own.
	Attestor jsontext.Value `json:"attestor"`
}

// KyvernoImagePolicy is an ImageValidatingPolicy or a namespaced one.
//
// https://github.com/kyverno/kyverno/blob/main/api/policies.kyverno.io/v1beta1/imagevalidating_policy.go
type KyvernoImagePolicy struct {
	Meta `json:"-"`
	Spec struct {
		MatchConstraints *admissionv1.MatchResources  `json:"matchConstraints"`
		MatchConditions  []admissionv1.MatchCondition `json:"matchConditions"`
		// FailurePolicy is Fail (default) or Ignore.
		FailurePolicy string `json:"failurePolicy"`
		// Actions are Deny where there are none.
		Actions []admissionv1.ValidationAction `json:"validationActions"`
		// References are alternatives: images that none matches are not looked at.
		References []struct {
			Glob       string `json:"glob"`
			Expression string `json:"expression"`
		} `json:"matchImageReferences"`
		Configurations struct {
			// The three are true unless they are false.
			MutateDigest *bool `json:"mutateDigest"`
			VerifyDigest *bool `json:"verifyDigest"`
			Required     *bool `json:"required"`
		} `json:"validationConfigurations"`
		Attestors   []KyvernoImageAttestor   `json:"attestors"`
		Validations []admissionv1.Validation `json:"validations"`
		Evaluation  KyvernoEvaluation        `json:"evaluation"`
	} `json:"spec"`
}

// KyvernoImageAttestor is an authority that validations name.
type KyvernoImageAttestor struct {
	Name   string `json:"name"`
	Cosign *struct {
		Key         jsontext.Value `json:"key"`
		Certificate jsontext.Value `json:"certificate"`
		Keyless     *struct {
			Identities []SigstoreIdentity `json:"identities"`
			Roots      string             `json:"roots"`
		} `json:"keyless"`
	} `json:"cosign"`
	Notary *struct {
		Certs jsontext.Value `json:"certs"`
	} `json:"notary"`
}
