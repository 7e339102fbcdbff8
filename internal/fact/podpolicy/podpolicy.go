// Package podpolicy says which controls of the Pod Security Standards policies
// of other projects enforce when pods are created, namespace by namespace:
// Kyverno, Gatekeeper, Kubewarden, ValidatingAdmissionPolicies. What a policy
// asks is taken only where its shape is known; a webhook that is merely there
// proves nothing.
//
// https://kubernetes.io/docs/concepts/security/pod-security-standards/#alternatives
package podpolicy

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Enforced is what the policies enforce. All of its needs are optional: what
// is missing of those that [Decisive] lists can change what a namespace lacks;
// what is missing of the others keeps a policy from counting.
var Enforced = &inventory.Fact[*Policies]{
	Needs: append(Decisive(),
		inventory.KyvernoExceptions.Optional(), inventory.KyvernoCELExceptions.Optional(),
		inventory.GatekeeperTemplates.Optional(), inventory.GatekeeperConfigs.Optional(),
		inventory.ValidatingWebhookConfigurations.Optional(), inventory.Nodes.Optional(),
	),
	Build: build,
}

// Decisive are the policies: where one kind of them was not read, that a
// namespace holds pods to nothing is not certain.
func Decisive() []inventory.Need {
	return []inventory.Need{
		inventory.KyvernoClusterPolicies.Optional(), inventory.KyvernoPolicies.Optional(),
		inventory.KyvernoValidatingPolicies.Optional(), inventory.KyvernoNamespacedValidatingPolicies.Optional(),
		inventory.GatekeeperConstraints.Optional(),
		inventory.KubewardenClusterPolicies.Optional(), inventory.KubewardenPolicies.Optional(),
		inventory.KubewardenClusterGroups.Optional(), inventory.KubewardenGroups.Optional(),
		inventory.ValidatingAdmissionPolicies.Optional(), inventory.ValidatingAdmissionPolicyBindings.Optional(),
	}
}

// Policies are all policies on pods.
type Policies struct {
	claims []claim
	// Version is that of the standards to hold against: the newest kubelet's,
	// which is the API server's or older; the latest where no node was read.
	Version api.Version
}

// claim is one policy, or one rule of it, that is about pods.
type claim struct {
	name  string // `Kyverno ClusterPolicy "x"`
	parts parts  // what it holds pods to
	// unread says why it may ask for more than parts, note why it holds some
	// pods to less; empty where it is neither.
	unread, note string
	// in says how many pods of a namespace the claim is about, and why not all.
	in func(namespace) (reach, string)
}

// namespace is a Namespace with its labels.
type namespace struct {
	name   string
	labels labels.Set
}

// reach is how many of the pods that are created in a namespace a policy is about.
type reach int

const (
	none   reach = iota
	idle         // matched, and nothing is refused: it audits, or does not run
	some         // pods can be made that it is not about
	unsure       // cannot be told
	whole
)

// Held is what policies hold pods to in one namespace.
type Held struct {
	// By names the policies that refuse pods, Weak those that match pods and
	// do not hold all of them to anything, with the reason, Unread those that
	// may hold them to more than was understood.
	By, Weak, Unread []string
	parts            parts
	version          api.Version
}

// Any reports whether there is any policy that may be about the security of pods.
func (p *Policies) Any() bool { return len(p.claims) > 0 }

// In is what holds in the namespace of an object.
func (p *Policies) In(ns inventory.Object[inventory.Meta]) Held {
	n := namespace{ns.Name, labels.Set{corev1.LabelMetadataName: ns.Name}}
	maps.Copy(n.labels, ns.Value.Labels)
	h := Held{parts: parts{}, version: p.Version}
	for _, c := range p.claims {
		reach, why := c.in(n)
		switch {
		case reach == none:
		case reach == idle, reach == some:
			h.Weak = append(h.Weak, c.name+" "+why)
		case reach == unsure:
			h.Unread = append(h.Unread, c.name+" "+why)
		default:
			if len(c.parts) > 0 {
				maps.Copy(h.parts, c.parts)
				h.By = append(h.By, c.name)
			}
			if c.note != "" {
				h.Weak = append(h.Weak, c.name+" "+c.note)
			}
			if c.unread != "" {
				h.Unread = append(h.Unread, c.name+" "+c.unread)
			}
		}
	}
	for _, list := range []*[]string{&h.By, &h.Weak, &h.Unread} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return h
}

// Level is the strictest standard of which every control is enforced.
func (h Held) Level() api.Level {
	for _, level := range []api.Level{api.LevelRestricted, api.LevelBaseline} {
		if _, missing := h.Controls(level); len(missing) == 0 {
			return level
		}
	}
	return api.LevelPrivileged
}

// Controls are the controls of a standard that are enforced, and those that
// are not, by their upstream IDs.
func (h Held) Controls(level api.Level) (held, missing []string) {
	for _, control := range controlsOf(level, h.version) {
		if h.parts.hold(control, h.version) {
			held = append(held, control)
		} else {
			missing = append(missing, control)
		}
	}
	return held, missing
}

func build(v inventory.View) *Policies {
	p := &Policies{Version: newest(v)}
	p.claims = slices.Concat(kyverno(v, p.Version), kyvernoCEL(v, p.Version), gatekeeper(v, p.Version), kubewarden(v, p.Version), admissionPolicies(v, p.Version))
	slices.SortStableFunc(p.claims, func(a, b claim) int { return cmp.Compare(a.name, b.name) })
	return p
}

// newest is the version of the newest kubelet.
func newest(v inventory.View) api.Version {
	var max api.Version
	found := false
	for n := range inventory.All(v, inventory.Nodes) {
		major, rest, _ := strings.Cut(n.Value.KubeletVersion, ".")
		minor, _, _ := strings.Cut(rest, ".")
		kubelet, err := api.ParseVersion(major + "." + minor)
		if err == nil && (!found || max.Older(kubelet)) {
			max, found = kubelet, true
		}
	}
	if !found {
		return api.LatestVersion()
	}
	return max
}

// selects reports whether labels match; ok is false where that cannot be told.
func selects(s *metav1.LabelSelector, set labels.Set) (match, ok bool) {
	if s == nil {
		return true, true
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return false, false
	}
	return selector.Matches(set), true
}
