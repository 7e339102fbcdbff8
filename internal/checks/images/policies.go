package images

import (
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/imagepolicy"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// provenance/policies
//
// Statement: policies that are to verify signatures can do so.
// Looks at: ClusterImagePolicies of sigstore's policy-controller, and rules of
// Kyverno's policies with verifyImages, whether or not an image needs them.
// Passes when: nothing is wrong with the policy as it is written. A policy that
// only warns, or lets images pass without a look, is valid.
// Fails when: the admission of its own project refuses it, or it could verify
// nothing: no images or authorities, a glob or a regular expression that does
// not compile, an authority with none or several of key, keyless and static, a
// key that is none, an identity without issuer or subject, an attestation
// without name or type, attestors without entries.
// Cannot tell when: the policies were not read.
//
// https://docs.sigstore.dev/policy-controller/overview/
// https://kyverno.io/docs/policy-types/cluster-policy/verify-images/
var imagePolicies = &check.Check{
	ID:       "images/provenance/policies",
	Item:     checklist.ImageProvenance,
	Title:    "Every policy for signatures of images is valid",
	Noun:     "policy",
	Severity: report.Info,
	Why: "A policy that its controller refuses or cannot apply protects nothing, and looks in a repository as if it did. " +
		"What that means for an image is the matter of `images/provenance/digest`.",
	Remediation: "Correct what the finding names, and apply the policy with `kubectl apply --dry-run=server`, which asks the controller.",
	Refs: []report.Reference{
		{Name: "policy-controller: admission of images", URL: "https://docs.sigstore.dev/policy-controller/overview/"},
		{Name: "Kyverno: verify images rules", URL: "https://kyverno.io/docs/policy-types/cluster-policy/verify-images/"},
	},
	Needs: policyNeeds(),
	Run: func(e *check.Eval) {
		for _, p := range imagepolicy.All.Of(e).Reviewed() {
			if len(p.Problems) == 0 {
				e.Pass(p.Subject)
				continue
			}
			e.Fail(p.Subject, strings.Join(p.Problems, "; "), p.Evidence...)
		}
	},
}

// policyNeeds are the kinds of the fact: those that are judged must be read.
func policyNeeds() []inventory.Need {
	judged := []report.KindID{inventory.SigstorePolicies.ID, inventory.KyvernoClusterPolicies.ID, inventory.KyvernoPolicies.ID}
	needs := imagepolicy.Needs()
	for i, n := range needs {
		needs[i].Optional = !slices.Contains(judged, n.Kind)
	}
	return needs
}
