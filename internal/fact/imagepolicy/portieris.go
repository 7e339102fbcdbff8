package imagepolicy

import (
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// portieris reads ImagePolicies and ClusterImagePolicies. Of those of the
// namespace, else of the cluster, the repository counts that matches best.
//
// https://github.com/IBM/portieris/blob/main/pkg/policy/policy.go
func (p *Policies) portieris(v inventory.View) []verdicts {
	cluster := slices.Collect(inventory.All(v, inventory.PortierisClusterPolicies))
	byNamespace := map[string][]inventory.Object[inventory.PortierisPolicy]{}
	for o := range inventory.All(v, inventory.PortierisPolicies) {
		byNamespace[o.Namespace] = append(byNamespace[o.Namespace], o)
	}
	unread := len(v.Missing(inventory.PortierisPolicies.ID, ""))+len(v.Missing(inventory.PortierisClusterPolicies.ID, "")) > 0
	return []verdicts{func(im *Image, ns namespace, say func(opinion)) {
		policies := byNamespace[ns.name]
		if len(policies) == 0 {
			policies = cluster
		}
		if len(policies) == 0 {
			return
		}
		o, saved := judgePortieris(policies, im)
		if unread {
			o = o.through(maybe, "may verify it, but other policies, one of which may match better, were not read")
		}
		say(p.gate(o, portierisEngine, saved, im, ns))
	}}
}

// judgePortieris is the opinion of the repository that matches best.
func judgePortieris(policies []inventory.Object[inventory.PortierisPolicy], im *Image) (o opinion, saved bool) {
	var match *inventory.PortierisRepository
	var by report.Subject
	quality := -1
	for i := range policies {
		p := &policies[i]
		for i := range p.Value.Spec.Repositories {
			r := &p.Value.Spec.Repositories[i]
			q := len(strings.ReplaceAll(r.Name, "*", ""))
			if !strings.Contains(r.Name, "*") && r.Name == im.Reference {
				q = len(im.Reference) + 1
			}
			if q > quality && ofRepository(r.Name, im.Reference) {
				match, by, saved, quality = r, p.Subject, p.Value.UID != "", q
			}
		}
	}
	if match == nil {
		return opinion{policy: named("Portieris", policies[0].Subject)}, false
	}
	o = opinion{policy: named("Portieris", by)}
	has := func(kind string) bool {
		return slices.ContainsFunc(match.Policy.Simple.Requirements, func(r struct {
			Type string `json:"type"`
		}) bool {
			return r.Type == kind
		})
	}
	switch mutate := match.Policy.MutateImage; {
	case im.Ephemeral:
		o.why = "matches it, but does not look at ephemeral containers"
	case has("reject"):
		o.why = "matches it, and refuses it (reject)"
	case !match.Policy.Trust.Enabled && !has("signedBy"):
		o.why = "matches it, and verifies nothing"
	case mutate != nil && !*mutate:
		o.why = "verifies it, but leaves the tag (mutateImage is false): what is pulled later may be another image"
	default:
		o.answer = yes
	}
	return o, saved
}

// ofRepository reports whether a name of a repository, in which an asterisk
// stands for any text, matches an image as it is written: with any tag if it
// has none, the host apart from the path.
//
// https://github.com/IBM/portieris/blob/main/helpers/wildcard/wildcard.go
func ofRepository(name, image string) bool {
	anyTag := func(pattern, s string) bool {
		return inventory.Globs([]string{pattern, pattern + ":*", pattern + "@*"}, s)
	}
	host, path, split := strings.Cut(name, "/")
	if !split {
		return anyTag(name, image)
	}
	imageHost, imagePath, split := strings.Cut(image, "/")
	return split && inventory.Glob(host, imageHost) && anyTag(path, imagePath)
}
