// Package netpol says what the NetworkPolicies of networking.k8s.io mean: which
// pods they select, in which directions they isolate, and what they let through.
//
// Policies are additive and only ever allow: a pod that a policy selects for a
// direction is isolated in it, and every rule of every such policy opens
// something. https://kubernetes.io/docs/concepts/services-networking/network-policies/
package netpol

import (
	"fmt"
	"net/netip"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Direction is the way that traffic flows, seen from the pod.
type Direction = networkingv1.PolicyType

// The directions.
const (
	Ingress = networkingv1.PolicyTypeIngress
	Egress  = networkingv1.PolicyTypeEgress
)

// Directions lists both directions.
var Directions = []Direction{Ingress, Egress}

// Policies are all NetworkPolicies by namespace, as it is written.
var Policies = &inventory.Fact[map[string][]*Policy]{
	Needs: []inventory.Need{inventory.NetworkPolicies.Need()},
	Build: func(v inventory.View) map[string][]*Policy {
		byNamespace := map[string][]*Policy{}
		for o := range inventory.All(v, inventory.NetworkPolicies) {
			byNamespace[o.Namespace] = append(byNamespace[o.Namespace], compile(o))
		}
		return byNamespace
	},
}

// Policy is a NetworkPolicy with its pod selector compiled.
type Policy struct {
	inventory.Object[inventory.NetworkPolicy]
	// Invalid says why the pod selector cannot be evaluated; nil if it can. The
	// API server refuses such a policy, a manifest may still hold one.
	Invalid  error
	selector labels.Selector
}

func compile(o inventory.Object[inventory.NetworkPolicy]) *Policy {
	p := &Policy{Object: o, selector: labels.Nothing()}
	s, err := metav1.LabelSelectorAsSelector(&o.Value.Spec.PodSelector)
	if err != nil {
		p.Invalid = fmt.Errorf("reading spec.podSelector: %w", err)
		return p
	}
	p.selector = s
	return p
}

// Isolates reports whether the policy holds for the direction, with the
// defaults of the API server: without policyTypes it is ingress, and egress
// only where there are egress rules.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/networking/v1/defaults.go
func (p *Policy) Isolates(d Direction) bool {
	spec := &p.Value.Spec
	if len(spec.PolicyTypes) > 0 {
		return slices.Contains(spec.PolicyTypes, d)
	}
	return d == Ingress || len(spec.Egress) > 0
}

// Selects reports whether the policy selects pods with these labels. A policy
// whose selector is invalid selects nothing.
func (p *Policy) Selects(pod map[string]string) bool { return p.selector.Matches(labels.Set(pod)) }

// SelectsAll reports whether the policy selects every pod of its namespace,
// those of tomorrow included.
func (p *Policy) SelectsAll() bool { return p.Invalid == nil && p.selector.Empty() }

// Selector is the pod selector in the notation of kubectl.
func (p *Policy) Selector() string { return metav1.FormatLabelSelector(&p.Value.Spec.PodSelector) }

// DeniesByDefault reports whether the policy isolates every pod of its
// namespace in the direction and lets nothing through.
func (p *Policy) DeniesByDefault(d Direction) bool {
	return p.SelectsAll() && p.Isolates(d) && len(p.rules(d)) == 0
}

// AllowsAll quotes the rules that together let all traffic through in the
// direction: to or from everywhere, on every port. It is empty if something
// stays closed, or if the policy does not hold for the direction.
//
// A rule without peers and ports allows everything. So do the address blocks
// 0.0.0.0/0 and ::/0 together, without exceptions and ports. One of the two
// leaves the other address family closed, and an empty namespaceSelector
// means every pod, but nothing outside of the cluster.
func (p *Policy) AllowsAll(d Direction) []report.Evidence {
	if !p.Isolates(d) {
		return nil
	}
	var v4, v6 *report.Evidence
	for i, r := range p.rules(d) {
		if len(r.ports) > 0 {
			continue
		}
		field := fmt.Sprintf("spec.%s[%d]", r.list, i)
		if len(r.peers) == 0 {
			return []report.Evidence{p.Evidence(field, "no peers and no ports: everything", "the peers and ports that are needed")}
		}
		for j, peer := range r.peers {
			if peer.IPBlock == nil || len(peer.IPBlock.Except) > 0 {
				continue
			}
			block, err := netip.ParsePrefix(peer.IPBlock.CIDR)
			if err != nil || block.Bits() != 0 {
				continue
			}
			e := p.Evidence(fmt.Sprintf("%s.%s[%d].ipBlock.cidr", field, r.side, j), peer.IPBlock.CIDR, "the addresses that are needed")
			if block.Addr().Is4() {
				v4 = &e
			} else {
				v6 = &e
			}
		}
	}
	if v4 == nil || v6 == nil {
		return nil
	}
	return []report.Evidence{*v4, *v6}
}

// rule is an ingress or egress rule.
type rule struct {
	list, side string // the names of its fields: "ingress" and "from", "egress" and "to"
	peers      []networkingv1.NetworkPolicyPeer
	ports      []networkingv1.NetworkPolicyPort
}

func (p *Policy) rules(d Direction) []rule {
	var rs []rule
	if d == Ingress {
		for _, r := range p.Value.Spec.Ingress {
			rs = append(rs, rule{"ingress", "from", r.From, r.Ports})
		}
		return rs
	}
	for _, r := range p.Value.Spec.Egress {
		rs = append(rs, rule{"egress", "to", r.To, r.Ports})
	}
	return rs
}
