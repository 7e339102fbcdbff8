package imagepolicy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// kyverno reads verifyImages of ClusterPolicies and Policies.
func (p *Policies) kyverno(v inventory.View) []verdicts {
	exceptions := slices.Collect(inventory.All(v, inventory.KyvernoExceptions))
	unread := len(v.Missing(inventory.KyvernoExceptions.ID, "")) > 0
	var all []*kyvernoPolicy
	for _, k := range []inventory.Kind[inventory.KyvernoPolicy]{inventory.KyvernoClusterPolicies, inventory.KyvernoPolicies} {
		for o := range inventory.All(v, k) {
			if slices.ContainsFunc(o.Value.Spec.Rules, func(r inventory.KyvernoRule) bool { return len(r.VerifyImages) > 0 }) {
				k := &kyvernoPolicy{Object: o, name: named("Kyverno", o.Subject), unread: unread}
				for _, x := range exceptions {
					for _, e := range x.Value.Spec.Exceptions {
						if k.namedBy(e.PolicyName) {
							k.exceptions = append(k.exceptions, x)
							break
						}
					}
				}
				all = append(all, k)
				p.checkKyverno(o)
			}
		}
	}
	return []verdicts{func(im *Image, ns namespace, say func(opinion)) {
		for _, k := range all {
			if there := ns.of(k.Subject, k.Kind == "ClusterPolicy"); there != no {
				say(p.gate(k.judge(im, ns).through(there, ofNoNamespace), kyvernoEngine, k.Value.UID != "", im, ns))
			}
		}
	}}
}

// kyvernoPolicy is a policy with what may take images out of it.
type kyvernoPolicy struct {
	inventory.Object[inventory.KyvernoPolicy]
	name       string
	exceptions []inventory.Object[inventory.KyvernoException] // that name it
	unread     bool                                           // some exceptions were not
}

func (k *kyvernoPolicy) judge(im *Image, ns namespace) opinion {
	var parts []opinion
	for i := range k.Value.Spec.Rules {
		rule := &k.Value.Spec.Rules[i]
		for j := range rule.VerifyImages {
			entry := &rule.VerifyImages[j]
			if about(entry, im) == no { // which most policies are for most images
				continue
			}
			matched := ruleMatches(rule, im, ns)
			if matched == no {
				break
			}
			o := k.entry(entry, im, ns)
			if o.answer == yes {
				o = o.through(k.open(i, rule, matched, im, ns))
			}
			parts = append(parts, o)
		}
	}
	return best(k.name, parts)
}

// about matches an image with the references of an entry.
func about(x *inventory.KyvernoImageVerification, im *Image) answer {
	return max(referred(x.ImageReferences, im), referred([]string{x.Image}, im))
}

// entry is what one entry of verifyImages does with an image that it and its
// rule are about.
func (k *kyvernoPolicy) entry(x *inventory.KyvernoImageVerification, im *Image, ns namespace) opinion {
	spec := &k.Value.Spec
	failure := cmp.Or(spec.Webhook.FailurePolicy, spec.FailurePolicy)
	off := func(b *bool) bool { return b != nil && !*b }
	switch strength := verifies(x); {
	case referred(x.SkipImageReferences, im) == yes:
		return opinion{why: "skips it (skipImageReferences)"}
	case strength == no:
		return opinion{why: "matches it, and verifies nothing: it has no attestors, or anybody's signature will do"}
	case k.action(x, ns) == no:
		return opinion{why: "matches it, but only audits"}
	case off(spec.Admission):
		return opinion{why: "matches it, but does not run at admission"}
	case failure == "Ignore": // errors of the registry, too, let the image pass
		return opinion{why: "matches it, but lets it pass where it cannot be verified (failurePolicy Ignore)"}
	case off(x.MutateDigest) && off(x.VerifyDigest):
		return opinion{why: "verifies it, but leaves the tag (mutateDigest and verifyDigest are false): what is pulled later may be another image"}
	case about(x, im) == maybe || referred(x.SkipImageReferences, im) == maybe:
		return opinion{maybe, "", "may not match it: its image references depend on variables, or on how the version of Kyverno names images of Docker Hub"}
	case strength == maybe:
		return opinion{maybe, "", "has nested attestors, which are not read"}
	case k.action(x, ns) == maybe:
		return opinion{maybe, "", "matches it, but whether it enforces or audits in the namespace is not known"}
	case off(x.Required):
		return opinion{maybe, "", "matches it, but does not require that it is verified (required is false)"}
	}
	return opinion{answer: yes}
}

// open is what leaves open whether a rule that verifies an image is applied.
func (k *kyvernoPolicy) open(index int, rule *inventory.KyvernoRule, matched answer, im *Image, ns namespace) (answer, string) {
	spec := &k.Value.Spec
	switch {
	case matched == maybe:
		return maybe, fmt.Sprintf("may verify it: whether the rule %q is about the workload is not known (match, exclude)", rule.Name)
	case hasConditions(rule.Preconditions) || len(rule.CELPreconditions)+len(spec.Webhook.MatchConditions) > 0:
		return maybe, fmt.Sprintf("may verify it: the rule %q has conditions, which are not evaluated", rule.Name)
	case spec.ApplyRules == "One" && index > 0:
		return maybe, fmt.Sprintf("may verify it: an earlier rule than %q may be the one that is applied (applyRules)", rule.Name)
	case inventory.SystemNamespace(ns.name) || ns.name == "kyverno":
		// https://kyverno.io/docs/installation/customization/#resource-filters
		return maybe, "may verify it: the resourceFilters of Kyverno leave the namespace out by default"
	case k.unread:
		return maybe, "may verify it, but the exceptions to it were not read"
	}
	for _, x := range k.exceptions {
		if k.excepted(x, rule, im, ns) != no {
			return maybe, fmt.Sprintf("may not verify it: PolicyException %q is about it", x.Namespace+"/"+x.Name)
		}
	}
	return yes, ""
}

// action reports whether the entry enforces: its own word, else an override
// for the namespace, else the policy's. The default is to audit.
func (k *kyvernoPolicy) action(x *inventory.KyvernoImageVerification, ns namespace) answer {
	enforces := func(action string) answer { return is(strings.EqualFold(action, "Enforce")) }
	spec := &k.Value.Spec
	base := enforces(cmp.Or(x.Action, spec.Action))
	for _, o := range spec.Overrides {
		hit := ns.selected(o.NamespaceSelector)
		if len(o.Namespaces) > 0 {
			hit = min(hit, is(inventory.Globs(o.Namespaces, ns.name)))
		}
		switch action := enforces(o.Action); {
		case hit == no, hit == maybe && action == base:
		case action != base && (hit == maybe || x.Action != ""):
			return maybe
		default:
			return action
		}
	}
	return base
}

// namedBy reports whether an exception names the policy.
func (k *kyvernoPolicy) namedBy(policy string) bool {
	return inventory.Glob(policy, strings.TrimPrefix(k.Namespace+"/"+k.Name, "/"))
}

func (k *kyvernoPolicy) excepted(x inventory.Object[inventory.KyvernoException], rule *inventory.KyvernoRule, im *Image, ns namespace) answer {
	for _, e := range x.Value.Spec.Exceptions {
		// Rules that Kyverno makes for the controllers of pods have a prefix.
		ruled := slices.ContainsFunc(e.RuleNames, func(r string) bool { return inventory.Glob(strings.TrimPrefix(r, "autogen-"), rule.Name) })
		if k.namedBy(e.PolicyName) && ruled {
			return filters(&x.Value.Spec.Match, im, ns)
		}
	}
	return no
}

// referred matches an image with references. Versions of Kyverno differ in
// whether official images of Docker Hub are "docker.io/library/nginx" or
// "docker.io/nginx"; a reference may hold variables.
//
// https://github.com/kyverno/kyverno/blob/main/pkg/utils/image/infos.go
func referred(references []string, im *Image) answer {
	rest, official := strings.CutPrefix(im.full, "docker.io/library/")
	out := no
	for _, r := range references {
		one := is(inventory.Glob(r, im.full))
		if official && is(inventory.Glob(r, "docker.io/"+rest)) != one || strings.Contains(r, "{{") {
			one = maybe
		}
		out = max(out, one)
	}
	return out
}

// verifies reports whether the entry asks for a signature of somebody in
// particular, of the image or of an attestation about it.
func verifies(x *inventory.KyvernoImageVerification) answer {
	out := is(x.Key != "" || x.Roots != "" || !(identity{issuer: x.Issuer, subject: x.Subject}).anybody())
	for _, set := range x.Attestors {
		out = max(out, strength(set))
	}
	for _, a := range x.Attestations {
		for _, set := range a.Attestors {
			out = max(out, strength(set))
		}
	}
	return out
}

// strength reports whether a set of attestors can only be met with the
// signature of somebody in particular: fewer of its entries than it asks for
// take anybody's.
func strength(set inventory.KyvernoAttestorSet) answer {
	count := len(set.Entries)
	if set.Count != nil && *set.Count > 0 {
		count = *set.Count
	}
	weak, nested := 0, 0
	for _, e := range set.Entries {
		switch {
		case len(e.Attestor) > 0:
			nested++
		case e.Keys != nil && (e.Keys.PublicKeys != "" || e.Keys.KMS != "" || len(e.Keys.Secret) > 0),
			e.Certificates != nil && (e.Certificates.Certificate != "" || e.Certificates.Chain != ""),
			e.Keyless != nil && (e.Keyless.Roots != "" || !anyoneKeyless(e)):
		default:
			weak++
		}
	}
	switch {
	case len(set.Entries) == 0 || weak >= count:
		return no
	case weak+nested >= count:
		return maybe
	}
	return yes
}

func anyoneKeyless(e inventory.KyvernoAttestor) bool {
	k := e.Keyless
	return identity{k.Issuer, k.IssuerRegExp, k.Subject, k.SubjectRegExp}.anybody()
}

// hasConditions reports whether preconditions hold any.
func hasConditions(raw []byte) bool {
	var list []any
	var lists map[string][]any
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return false
	case json.Unmarshal(raw, &list) == nil:
		return len(list) > 0
	case json.Unmarshal(raw, &lists) == nil:
		return len(lists["any"])+len(lists["all"]) > 0
	}
	return true
}
