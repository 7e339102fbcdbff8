package imagepolicy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// kyvernoCEL reads ImageValidatingPolicies and namespaced ones.
func (p *Policies) kyvernoCEL(v inventory.View) []verdicts {
	unread := len(v.Missing(inventory.KyvernoCELExceptions.ID, "")) > 0
	excepted := func(o inventory.Object[inventory.KyvernoImagePolicy]) (answer, string) {
		if unread {
			return maybe, "may verify it, but the exceptions to it were not read"
		}
		for x := range inventory.All(v, inventory.KyvernoCELExceptions) {
			for _, ref := range x.Value.Spec.PolicyRefs {
				if ref.Name == o.Name && ref.Kind == o.Kind {
					return maybe, fmt.Sprintf("may not verify it: PolicyException %q is about the policy", x.Namespace+"/"+x.Name)
				}
			}
		}
		return yes, ""
	}
	var all []*celPolicy
	for _, k := range []inventory.Kind[inventory.KyvernoImagePolicy]{inventory.KyvernoImagePolicies, inventory.KyvernoNamespacedImagePolicies} {
		for o := range inventory.All(v, k) {
			c := &celPolicy{Object: o, name: named("Kyverno", o.Subject), verifies: map[string]answer{}}
			for _, list := range []string{"containers", "initContainers", "ephemeralContainers"} {
				c.verifies[list] = celVerifies(&o.Value, list)
			}
			c.left, c.why = excepted(o)
			all = append(all, c)
		}
	}
	return []verdicts{func(im *Image, ns namespace, say func(opinion)) {
		for _, c := range all {
			if there := ns.of(c.Subject, c.Kind == "ImageValidatingPolicy"); there != no {
				say(p.gate(c.judge(im, ns).through(c.left, c.why).through(there, ofNoNamespace), kyvernoCELEngine, c.Value.UID != "", im, ns))
			}
		}
	}}
}

// celPolicy is a policy with what does not depend on the image.
type celPolicy struct {
	inventory.Object[inventory.KyvernoImagePolicy]
	name     string
	verifies map[string]answer // by the list that an image is in
	left     answer            // how far exceptions let it count, and why
	why      string
}

func (p *celPolicy) judge(im *Image, ns namespace) opinion {
	out := opinion{policy: p.name}
	spec := &p.Value.Spec
	matched := celReferred(&p.Value, im)
	if matched != no {
		matched = min(matched, constrained(spec.MatchConstraints, im, ns))
	}
	if matched == no || spec.Evaluation.Mode == "JSON" {
		return out
	}
	off := func(b *bool) bool { return b != nil && !*b }
	strength := p.verifies[im.list()]
	switch c := spec.Configurations; {
	case len(spec.Actions) > 0 && !slices.Contains(spec.Actions, admissionv1.Deny):
		out.why = "matches it, but only audits or warns"
	case off(spec.Evaluation.Admission.Enabled):
		out.why = "matches it, but does not run at admission"
	case spec.FailurePolicy == string(admissionv1.Ignore):
		out.why = "matches it, but lets it pass where it cannot be verified (failurePolicy Ignore)"
	case strength == no:
		out.why = "matches it, and verifies nothing: its attestors take anybody's signature"
	case off(c.MutateDigest) && off(c.VerifyDigest):
		out.why = "verifies it, but leaves the tag (mutateDigest and verifyDigest are false): what is pulled later may be another image"
	case matched == maybe:
		out.answer, out.why = maybe, "may not match it: its match, or an expression for images, is not evaluated"
	case len(spec.MatchConditions) > 0:
		out.answer, out.why = maybe, "matches it, but has matchConditions, which are not evaluated"
	case strength == maybe:
		out.answer, out.why = maybe, "matches it, but its validations are not understood"
	case off(c.Required):
		out.answer, out.why = maybe, "matches it, but does not require that it is verified (required is false)"
	default:
		out.answer = yes
	}
	return out
}

// constrained reports whether matchConstraints take in the workload or its pods
// when they are created.
func constrained(m *admissionv1.MatchResources, im *Image, ns namespace) answer {
	if m == nil {
		return maybe
	}
	inside := ns.selected(m.NamespaceSelector)
	if inside == no {
		return no
	}
	names := func(rules []admissionv1.NamedRuleWithOperations, o object) answer {
		out := no
		for _, r := range rules {
			h := hook{spec: &admissionv1.MutatingWebhook{Rules: []admissionv1.RuleWithOperations{r.RuleWithOperations}}}
			one := is(h.asked(o))
			if len(r.ResourceNames) > 0 {
				one = min(one, maybe)
			}
			out = max(out, one)
		}
		return out
	}
	out := no
	for _, o := range im.objects() {
		one := min(names(m.ResourceRules, o), names(m.ExcludeResourceRules, o).not(), selects(m.ObjectSelector, o.labels))
		out = max(out, one)
	}
	return min(out, inside)
}

// celReferred matches an image with the policy's references, both as it is
// written and in full.
//
// https://github.com/kyverno/kyverno/blob/main/pkg/imageverification/match/match.go
func celReferred(p *inventory.KyvernoImagePolicy, im *Image) answer {
	if len(p.Spec.References) == 0 {
		return maybe
	}
	out := no
	for _, r := range p.Spec.References {
		if r.Glob == "" || strings.ContainsAny(r.Glob, `[]{}\`) {
			out = max(out, maybe)
			continue
		}
		out = max(out, (is(inventory.Glob(r.Glob, im.full))+is(inventory.Glob(r.Glob, im.Reference)))/2)
	}
	return out
}

// The shapes of a validation that has every image of a list verified, written
// without blanks; only these are understood.
//
// https://kyverno.io/docs/policy-types/image-validating-policy/
var (
	celMapped = regexp.MustCompile(`^(.+)\.map\((\w+),verifyImageSignatures\((\w+),\[((?:[^][]|\[[^][]*\])*)\]\)(>0)?\)\.all\((\w+),(\w+)(>0)?\)$`)
	celAll    = regexp.MustCompile(`^(.+)\.all\((\w+),verifyImageSignatures\((\w+),\[((?:[^][]|\[[^][]*\])*)\]\)>0\)$`)
	celName   = regexp.MustCompile(`^attestors(?:\.(\w+)|\['([^']+)'\]|\["([^"]+)"\])$`)
	celLists  = regexp.MustCompile(`^\(?images\.\??\w+(?:\.orValue\(\[\]\))?(?:\+images\.\??\w+(?:\.orValue\(\[\]\))?)*\)?$`)
	celList   = regexp.MustCompile(`images\.\??(\w+)`)
)

// celVerifies reports whether some validation, all of which must hold, has the
// signatures of a list of images verified by attestors that mean somebody in
// particular.
func celVerifies(p *inventory.KyvernoImagePolicy, list string) answer {
	out := no
	for _, v := range p.Spec.Validations {
		text := strings.Join(strings.Fields(v.Expression), "")
		if !strings.Contains(text, "verify") {
			continue
		}
		lists, names, understood := celShape(text)
		if !understood || !slices.Contains(lists, list) {
			out = max(out, maybe)
			continue
		}
		out = max(out, attested(p, names))
	}
	if len(p.Spec.Validations) == 0 {
		return maybe
	}
	return out
}

// celShape takes a validation apart: the lists of images, and the attestors.
func celShape(text string) (lists, attestors []string, ok bool) {
	var source, names string
	if m := celAll.FindStringSubmatch(text); m != nil && m[2] == m[3] {
		source, names = m[1], m[4]
	} else if m := celMapped.FindStringSubmatch(text); m != nil && m[2] == m[3] && m[6] == m[7] && m[5] != m[8] {
		source, names = m[1], m[4]
	}
	if !celLists.MatchString(source) {
		return nil, nil, false
	}
	for _, m := range celList.FindAllStringSubmatch(source, -1) {
		lists = append(lists, m[1])
	}
	for name := range strings.SplitSeq(names, ",") {
		m := celName.FindStringSubmatch(name)
		if m == nil {
			return nil, nil, false
		}
		attestors = append(attestors, m[1]+m[2]+m[3])
	}
	return lists, attestors, true
}

// list is what Kyverno calls the images of the container's kind.
func (im *Image) list() string {
	switch {
	case im.Ephemeral:
		return "ephemeralContainers"
	case im.Init:
		return "initContainers"
	}
	return "containers"
}

// attested reports whether each of the attestors, of which one is enough,
// means somebody in particular.
func attested(p *inventory.KyvernoImagePolicy, names []string) answer {
	for _, name := range names {
		i := slices.IndexFunc(p.Spec.Attestors, func(a inventory.KyvernoImageAttestor) bool { return a.Name == name })
		if i < 0 {
			return maybe
		}
		a := p.Spec.Attestors[i]
		switch c := a.Cosign; {
		case c == nil:
			if a.Notary == nil || len(a.Notary.Certs) == 0 {
				return no
			}
		case len(c.Key) > 0 || len(c.Certificate) > 0:
		case c.Keyless == nil, c.Keyless.Roots == "" && (len(c.Keyless.Identities) == 0 || slices.ContainsFunc(c.Keyless.Identities, unbound)):
			return no
		}
	}
	return yes
}
