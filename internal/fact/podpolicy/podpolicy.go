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
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Enforced is what the policies enforce. All of its needs are optional: what
// is missing of those that [Decisive] lists can change what a namespace lacks;
// what is missing of the others keeps a policy from counting.
var Enforced = &inventory.Fact[*Policies]{
	Needs: append(Decisive(),
		inventory.KyvernoExceptions.Optional(), inventory.KyvernoCELExceptions.Optional(),
		inventory.GatekeeperTemplates.Optional(), inventory.GatekeeperConfigs.Optional(),
		inventory.ValidatingWebhookConfigurations.Optional(), inventory.ConfigMaps.Optional(), inventory.Nodes.Optional(),
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

	held      sync.Map // by the subject of the Namespace: func() Held
	selectors sync.Map // *metav1.LabelSelector: parsed
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

// blind takes out what the claim holds containers to: it does not see
// ephemeral ones, which may be anything.
func (c *claim) blind(why string) {
	if held := c.parts.ofPods(); len(held) < len(c.parts) {
		c.parts, c.note = held, "does not see ephemeral containers ("+why+")"
	}
}

// noRule is why most claims are blind.
const noRule = "it has no rule for " + ephemeralContainers

// around says whether a policy is about a namespace at all: one of a kind that
// lies in namespaces is about its own.
func around(policy report.Subject, clusterWide bool, ns namespace) reach {
	switch {
	case clusterWide, policy.Namespace == ns.name:
		return whole
	case policy.Namespace == "":
		return unsure
	}
	return none
}

const noNamespace = "may be of another namespace: it does not name its own"

// namespace is a Namespace with its labels.
type namespace struct {
	name   string
	labels labels.Set
	// parsed are selectors in the form that matches: all claims are held
	// against every namespace, and to parse one takes far longer than to match it.
	parsed *sync.Map
	called map[string]reach // what the webhooks of a project take, by its name
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
	// may hold them to more than was understood: the first three of each.
	By, Weak, Unread             []string
	moreBy, moreWeak, moreUnread int // beside these
	parts                        parts
	version                      api.Version
}

// remark is what is said of a policy.
type remark struct{ name, why string }

// Any reports whether there is any policy that may be about the security of pods.
func (p *Policies) Any() bool { return len(p.claims) > 0 }

// In is what holds in a namespace of the inventory. It is found once: several
// checks ask.
func (p *Policies) In(ns inventory.Object[inventory.Meta]) Held {
	held, _ := p.held.LoadOrStore(ns.Subject, sync.OnceValue(func() Held { return p.judge(ns) }))
	return held.(func() Held)()
}

func (p *Policies) judge(ns inventory.Object[inventory.Meta]) Held {
	n := namespace{ns.Name, labels.Set{corev1.LabelMetadataName: ns.Name}, &p.selectors, map[string]reach{}}
	maps.Copy(n.labels, ns.Value.Labels)
	h := Held{parts: parts{}, version: p.Version}
	var by, weak, unread []remark
	for i := range p.claims {
		c := &p.claims[i]
		reach, why := c.in(n)
		switch {
		case reach == none:
		case reach == idle, reach == some:
			weak = append(weak, remark{c.name, why})
		case reach == unsure:
			unread = append(unread, remark{c.name, why})
		default:
			if len(c.parts) > 0 {
				maps.Copy(h.parts, c.parts)
				by = append(by, remark{name: c.name})
			}
			if c.note != "" {
				weak = append(weak, remark{c.name, c.note})
			}
			if c.unread != "" {
				unread = append(unread, remark{c.name, c.unread})
			}
		}
	}
	h.By, h.moreBy = first3(by)
	h.Weak, h.moreWeak = first3(weak)
	h.Unread, h.moreUnread = first3(unread)
	return h
}

// first3 renders the first three of some remarks, and counts the others.
func first3(all []remark) (first []string, more int) {
	slices.SortFunc(all, func(a, b remark) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.why, b.why)) })
	all = slices.Compact(all)
	for _, r := range all[:min(len(all), 3)] {
		first = append(first, strings.TrimSuffix(r.name+" "+r.why, " "))
	}
	return first, len(all) - len(first)
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

// parsed is a selector, nil where it does not parse.
type parsed struct{ labels.Selector }

// selected reports whether a selector, which is one of the inventory's, matches
// the namespace; ok is false where that cannot be told.
func (ns namespace) selected(s *metav1.LabelSelector) (match, ok bool) {
	if s == nil {
		return true, true
	}
	selector, known := ns.parsed.Load(s)
	if !known {
		x, err := metav1.LabelSelectorAsSelector(s)
		if err != nil {
			x = nil
		}
		selector, _ = ns.parsed.LoadOrStore(s, parsed{x})
	}
	if x := selector.(parsed); x.Selector != nil {
		return x.Matches(ns.labels), true
	}
	return false, false
}
