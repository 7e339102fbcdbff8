package imagepolicy

import (
	"encoding/pem"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Reviewed is a policy, and what is wrong with it, if anything is.
type Reviewed struct {
	Subject  report.Subject
	Problems []string
	Evidence []report.Evidence
}

func (r *Reviewed) add(problem string, at report.Evidence) {
	if !slices.Contains(r.Problems, problem) {
		r.Problems = append(r.Problems, problem)
	}
	r.Evidence = append(r.Evidence, at)
}

// check notes what is wrong with a ClusterImagePolicy, and reports whether
// anything is.
//
// https://github.com/sigstore/policy-controller/blob/main/pkg/apis/policy/v1beta1/clusterimagepolicy_validation.go
func (p *Policies) check(o inventory.Object[inventory.SigstorePolicy]) bool {
	r := Reviewed{Subject: o.Subject}
	wrong := func(field, got, problem string) { r.add(problem, o.Evidence(field, got, "")) }
	spec := &o.Value.Spec
	if len(spec.Images) == 0 {
		wrong("spec.images", "(none)", "names no images")
	}
	for i, image := range spec.Images {
		if sigstoreGlob(image.Glob) == nil {
			wrong(fmt.Sprintf("spec.images[%d].glob", i), image.Glob, fmt.Sprintf("has a glob %q, which is none", image.Glob))
		}
	}
	if !slices.Contains([]string{"", "enforce", "warn"}, spec.Mode) {
		wrong("spec.mode", spec.Mode, fmt.Sprintf("has the mode %q, which there is not", spec.Mode))
	}
	for i, m := range spec.Match {
		if m.Resource != "" && !slices.Contains(matchable, m.Resource) {
			wrong(fmt.Sprintf("spec.match[%d].resource", i), m.Resource, fmt.Sprintf("is about the resource %q, which is not looked at", m.Resource))
		}
		if m.Selector != nil && m.Resource+m.Version+m.Group == "" {
			wrong(fmt.Sprintf("spec.match[%d].selector", i), "", "has a selector of labels that is about no resource")
		}
	}
	if p := spec.Policy; p != nil && !slices.Contains(languages, p.Type) {
		wrong("spec.policy.type", p.Type, fmt.Sprintf("has a policy of the type %q, which there is not", p.Type))
	}
	if len(spec.Authorities) == 0 {
		wrong("spec.authorities", "(none)", "has no authorities")
	}
	for i, a := range spec.Authorities {
		if problem := authority(a); problem != "" {
			wrong(fmt.Sprintf("spec.authorities[%d]", i), "", "an authority "+problem)
		}
	}
	p.reviewed = append(p.reviewed, r)
	return len(r.Problems) > 0
}

// checkKyverno notes what is wrong with the image verification of a policy.
//
// https://github.com/kyverno/kyverno/blob/main/api/kyverno/v1/image_verification_types.go (Validate)
func (p *Policies) checkKyverno(o inventory.Object[inventory.KyvernoPolicy]) {
	r := Reviewed{Subject: o.Subject}
	wrong := func(field, got, problem string) { r.add(problem, o.Evidence(field, got, "")) }
	for i, rule := range o.Value.Spec.Rules {
		for j, x := range rule.VerifyImages {
			field := fmt.Sprintf("spec.rules[%d].verifyImages[%d]", i, j)
			sets := slices.Clone(x.Attestors)
			for _, a := range x.Attestations {
				sets = append(sets, a.Attestors...)
			}
			switch {
			case len(x.ImageReferences) == 0 && x.Image == "":
				wrong(field+".imageReferences", "(none)", "names no images")
			case slices.ContainsFunc(sets, func(s inventory.KyvernoAttestorSet) bool { return len(s.Entries) == 0 }):
				wrong(field+".attestors", "", "has attestors without entries")
			}
		}
	}
	p.reviewed = append(p.reviewed, r)
}

var matchable = []string{"replicasets", "deployments", "pods", "cronjobs", "jobs", "statefulsets", "daemonsets"}

// authority is what is wrong with one, if anything.
func authority(a inventory.SigstoreAuthority) string {
	kinds := 0
	for _, set := range []bool{a.Key != nil, a.Keyless != nil, a.Static != nil} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		return "has neither key nor keyless nor static"
	case kinds > 1:
		return "has more than one of key, keyless and static"
	case a.Static != nil && a.Static.Action != "pass" && a.Static.Action != "fail":
		return fmt.Sprintf("has the static action %q, which there is not", a.Static.Action)
	case a.Static != nil && len(a.Attestations) > 0:
		return "has both static and attestations"
	case a.Key != nil && key(a.Key) != "":
		return key(a.Key)
	case a.Keyless != nil && keyless(a) != "":
		return keyless(a)
	}
	for _, x := range a.Attestations {
		switch {
		case x.Name == "" || x.PredicateType == "":
			return "has an attestation without name or predicateType"
		case x.Policy != nil && !slices.Contains(languages, x.Policy.Type):
			return fmt.Sprintf("has an attestation with a policy of the type %q, which there is not", x.Policy.Type)
		}
	}
	return ""
}

// languages are those of policies.
var languages = []string{"cue", "rego"}

// digests are the algorithms that the controller knows.
//
// https://github.com/sigstore/policy-controller/blob/main/pkg/apis/signaturealgo/signature_digest.go
var digests = []string{"", "sha224", "sha256", "sha384", "sha512"}

// key is what is wrong with a key.
func key(k *inventory.SigstoreKey) string {
	places := 0
	for _, set := range []bool{k.SecretRef != nil, k.Data != "", k.KMS != ""} {
		if set {
			places++
		}
	}
	block, _ := pem.Decode([]byte(k.Data))
	switch {
	case places == 0:
		return "has a key without data, kms and secretRef"
	case places > 1:
		return "has a key with more than one of data, kms and secretRef"
	case k.Data != "" && block == nil:
		return "has a key that is not in PEM"
	case strings.HasPrefix(k.KMS, "awskms://") && !awsKey.MatchString(k.KMS):
		return "has a key of AWS KMS that is not named by an ARN"
	case !slices.Contains(digests, strings.ToLower(strings.TrimSpace(k.HashAlgorithm))):
		return fmt.Sprintf("has a key with the hash algorithm %q, which there is not", k.HashAlgorithm)
	}
	return ""
}

// awsKey is an endpoint and an ARN: six parts, the last of which begins with
// what it names.
var awsKey = regexp.MustCompile(`^awskms://[^/]*/arn:[^:]*:[^:]*:[^:]*:[^:]*:(key|alias)`)

// keyless is what is wrong with a keyless authority. Newer versions refuse
// identities without issuer or subject, older ones warn.
func keyless(a inventory.SigstoreAuthority) string {
	k := a.Keyless
	switch {
	case k.URL != "" && k.CACert != nil:
		return "has both url and ca-cert"
	case k.CACert != nil && key(k.CACert) != "":
		return key(k.CACert)
	case len(k.Identities) == 0:
		return "names no identities"
	}
	for _, id := range k.Identities {
		for _, pair := range []struct{ name, value, expr string }{{"issuer", id.Issuer, id.IssuerRegExp}, {"subject", id.Subject, id.SubjectRegExp}} {
			if pair.value != "" && pair.expr != "" {
				return "has both " + pair.name + " and " + pair.name + "RegExp"
			}
			if pair.value == "" && pair.expr == "" {
				return "has an identity without " + pair.name
			}
			if _, err := regexp.Compile(pair.expr); err != nil {
				return fmt.Sprintf("has the expression %q, which does not compile", pair.expr)
			}
		}
	}
	return ""
}
