// Package network holds the checks of the "Network security" section.
package network

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Suite lists the checks of the section in the order of its items.
var Suite = []*check.Check{
	// 2.2
	coverageIngress,
	coverageEgress,
	coverageHostNetwork,
	coverageSystemHostNetwork,
	coverageEmptySelection,
	coverageAllowAll,
	// 2.3
	defaultDenyIngress,
	defaultDenyEgress,
	defaultDenySystem,
}

// foreign are the families of policies that isolate pods as NetworkPolicies
// do, and that are not read yet.
var foreign = []inventory.Foreign{
	inventory.AdminNetworkPolicies,
	inventory.CiliumNetworkPolicies,
	inventory.CalicoNetworkPolicies,
	inventory.CalicoStoredPolicies,
}

// withForeign lists needs together with those of the foreign families.
func withForeign(needs ...inventory.Need) []inventory.Need {
	for _, f := range foreign {
		needs = append(needs, f.Need())
	}
	return needs
}

// isolating are the kinds whose absence is what "not isolated" rests on.
func isolating() []report.KindID {
	kinds := []report.KindID{inventory.NetworkPolicies.ID}
	for _, f := range foreign {
		kinds = append(kinds, f.ID())
	}
	return kinds
}

var references = []report.Reference{
	{Name: "CIS Kubernetes Benchmark 5.3.2", URL: "https://www.cisecurity.org/benchmark/kubernetes"},
	{Name: "NSA/CISA Kubernetes Hardening Guide, network separation", URL: "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF"},
	{Name: "Network Policies", URL: "https://kubernetes.io/docs/concepts/services-networking/network-policies/"},
}
