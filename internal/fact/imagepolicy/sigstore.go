package imagepolicy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// sigstoreConfig is the ConfigMap of policy-controller.
const sigstoreConfig = "config-policy-controller"

// unmatched is what policy-controller does with images that no policy matches.
//
// https://docs.sigstore.dev/policy-controller/overview/#configuring-image-validation-behavior (default deny)
func unmatched(v inventory.View) string {
	for c := range inventory.All(v, inventory.ConfigMaps) {
		if c.Name == sigstoreConfig && c.Value.Data["no-match-policy"] != "" {
			return c.Value.Data["no-match-policy"]
		}
	}
	return "deny"
}

func (p *Policies) sigstore(v inventory.View) []verdicts {
	var rules []*sigstorePolicy
	for o := range inventory.All(v, inventory.SigstorePolicies) {
		r := &sigstorePolicy{Object: o, name: named("sigstore", o.Subject), wrong: p.check(o)}
		for _, image := range o.Value.Spec.Images {
			if glob := sigstoreGlob(image.Glob); glob != nil {
				r.globs = append(r.globs, glob)
			}
		}
		rules = append(rules, r)
	}
	otherwise := unmatched(v)
	return []verdicts{func(im *Image, ns namespace, say func(opinion)) {
		matched, names := false, sigstoreNames(im)
		for _, r := range rules {
			o := r.judge(im, names)
			matched = matched || o.answer != no || o.why != ""
			say(p.gate(o, sigstoreEngine, r.Value.UID != "", im, ns))
		}
		if len(rules) > 0 && !matched && otherwise != "deny" {
			say(opinion{no, "policy-controller", "lets images pass that no ClusterImagePolicy matches (no-match-policy " + otherwise + ")"})
		}
	}}
}

// sigstorePolicy is a ClusterImagePolicy, ready to match.
type sigstorePolicy struct {
	inventory.Object[inventory.SigstorePolicy]
	name  string
	globs []*sigstorePattern
	wrong bool
}

// judge looks at one policy. All that match must hold, so that one is enough.
func (r *sigstorePolicy) judge(im *Image, names [2]string) opinion {
	o := opinion{policy: r.name}
	matched := r.images(names)
	if matched != no {
		matched = min(matched, r.resources(im))
	}
	if matched == no {
		return o
	}
	spec := &r.Value.Spec
	switch {
	case r.wrong:
		o.why = "matches it, but is not valid"
	case spec.Mode == "warn":
		o.why = "matches it, but only warns"
	case slices.ContainsFunc(spec.Authorities, passes):
		o.why = "matches it, and lets it pass unverified (static pass)"
	case slices.ContainsFunc(spec.Authorities, anybody):
		o.why = "matches it, and takes the signature of anybody"
	case slices.ContainsFunc(spec.Authorities, func(a inventory.SigstoreAuthority) bool { return a.Key != nil || a.Keyless != nil }):
		o.answer = matched
		if matched == maybe {
			o.why = "may not match it: policy-controller puts the digest in the place of the tag, or the policy is about some resources only"
		}
	default:
		o.why = "matches it, and refuses it (static fail)"
	}
	return o
}

// sigstoreNames are the image as it is written, and with a digest in the place
// of the tag, as policy-controller's mutating webhook rewrites it before it is
// verified.
//
// https://github.com/sigstore/policy-controller/blob/main/pkg/webhook/validator.go (resolvePodSpec)
func sigstoreNames(im *Image) [2]string {
	name := im.Registry
	if name == "docker.io" {
		name = "index.docker.io" // as go-containerregistry has it
	}
	name += "/" + im.Repository
	return [2]string{name + ":" + im.tag(), name + "@sha256:" + strings.Repeat("0", 64)}
}

// images reports whether a glob matches both names of an image.
func (r *sigstorePolicy) images(names [2]string) answer {
	matches := func(s string) bool {
		return slices.ContainsFunc(r.globs, func(g *sigstorePattern) bool { return g.matches(s) })
	}
	byTag, byDigest := matches(names[0]), matches(names[1])
	switch {
	case byTag && byDigest:
		return yes
	case byTag || byDigest:
		return maybe
	}
	return no
}

// resources reports whether the policy is about the workload or its pods.
func (r *sigstorePolicy) resources(im *Image) answer {
	if len(r.Value.Spec.Match) == 0 {
		return yes
	}
	out := no
	for _, m := range r.Value.Spec.Match {
		for _, o := range im.objects() {
			one := selects(m.Selector, o.labels)
			switch {
			case m.Resource == "" || m.Resource == "*" || m.Group == "" && o.group != "":
				one = min(one, maybe)
			case m.Resource != o.resource(), m.Group != o.group && m.Group != "*":
				one = no
			}
			out = max(out, one)
		}
	}
	return out
}

// sigstorePattern is a glob. What stands before its first asterisk is compared
// first, which is enough for most images.
type sigstorePattern struct {
	prefix string
	expr   *regexp.Regexp
}

func (p *sigstorePattern) matches(s string) bool {
	return strings.HasPrefix(s, p.prefix) && p.expr.MatchString(s)
}

var sigstoreGlobChars = regexp.MustCompile(`^[a-zA-Z0-9_:/*.-]+$`)

// sigstoreGlob compiles a glob, in which "**" stands for any text and "*" for
// any without a slash; nil for one that is not valid.
//
// https://github.com/sigstore/policy-controller/blob/main/pkg/apis/glob/glob.go
func sigstoreGlob(glob string) *sigstorePattern {
	if !sigstoreGlobChars.MatchString(glob) {
		return nil
	}
	switch glob {
	case "*":
		glob = "index.docker.io/library/*"
	case "*/*":
		glob = "index.docker.io/*/*"
	}
	prefix, _, _ := strings.Cut(glob, "*")
	expr := regexp.QuoteMeta(glob)
	expr = strings.ReplaceAll(expr, `\*\*`, `.*`)
	expr = strings.ReplaceAll(expr, `\*`, `[^/]*`)
	return &sigstorePattern{prefix, regexp.MustCompile("^" + expr + "$")}
}

// passes reports whether an authority takes every image. Authorities are
// alternatives: one that does voids the others.
func passes(a inventory.SigstoreAuthority) bool { return a.Static != nil && a.Static.Action == "pass" }

// anybody reports whether a keyless authority takes the signature of whoever signs.
func anybody(a inventory.SigstoreAuthority) bool {
	return a.Keyless != nil && slices.ContainsFunc(a.Keyless.Identities, unbound)
}

// unbound reports whether an identity is one that everybody has.
func unbound(id inventory.SigstoreIdentity) bool {
	return identity{id.Issuer, id.IssuerRegExp, id.Subject, id.SubjectRegExp}.anybody()
}
