package inventory

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SigstorePolicies are the policies of sigstore's policy-controller.
var SigstorePolicies = Kind[SigstorePolicy]{"policy.sigstore.dev/ClusterImagePolicy"}

var sigstoreKinds = []Custom{
	customKind(SigstorePolicies, "clusterimagepolicies", false, "v1beta1", "v1alpha1"),
}

// SigstorePolicy is a ClusterImagePolicy: what images that match must show.
//
// https://github.com/sigstore/policy-controller/blob/main/pkg/apis/policy/v1beta1/clusterimagepolicy_types.go
type SigstorePolicy struct {
	Meta `json:"-"`
	Spec struct {
		// Images are globs; one that matches is enough.
		Images []struct {
			Glob string `json:"glob"`
		} `json:"images"`
		// Authorities are alternatives: an image passes with any of them.
		Authorities []SigstoreAuthority `json:"authorities"`
		// Mode is enforce (default) or warn.
		Mode string `json:"mode"`
		// Match are resources that the policy is about; without any, all are.
		Match []SigstoreMatch `json:"match"`
		// Policy is code about what the authorities found.
		Policy *SigstoreCode `json:"policy"`
	} `json:"spec"`
}

// SigstoreAuthority has one of Key, Keyless and Static.
type SigstoreAuthority struct {
	Key     *SigstoreKey `json:"key"`
	Keyless *struct {
		URL          string             `json:"url"`
		Identities   []SigstoreIdentity `json:"identities"`
		CACert       *SigstoreKey       `json:"ca-cert"`
		TrustRootRef string             `json:"trustRootRef"`
	} `json:"keyless"`
	// Static passes or fails an image without looking at it.
	Static *struct {
		Action string `json:"action"`
	} `json:"static"`
	// Attestations are statements about the image that have to be signed, too.
	Attestations []struct {
		Name          string        `json:"name"`
		PredicateType string        `json:"predicateType"`
		Policy        *SigstoreCode `json:"policy"`
	} `json:"attestations"`
}

// SigstoreCode is code in CUE or Rego, of which the language is kept.
type SigstoreCode struct {
	Type string `json:"type"`
}

// SigstoreKey is a public key, written down in one of three ways.
type SigstoreKey struct {
	SecretRef *struct {
		Name string `json:"name"`
	} `json:"secretRef"`
	Data          string `json:"data"`
	KMS           string `json:"kms"`
	HashAlgorithm string `json:"hashAlgorithm"`
}

// SigstoreIdentity is who may have signed.
type SigstoreIdentity struct {
	Issuer        string `json:"issuer"`
	Subject       string `json:"subject"`
	IssuerRegExp  string `json:"issuerRegExp"`
	SubjectRegExp string `json:"subjectRegExp"`
}

// SigstoreMatch is one resource, "*" or nothing being any, and a selector of
// its labels.
type SigstoreMatch struct {
	Group    string                `json:"group"`
	Version  string                `json:"version"`
	Resource string                `json:"resource"`
	Selector *metav1.LabelSelector `json:"selector"`
}
