package kubeapi

import (
	"cmp"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// resourcesFor lists what has to be readable for the kinds: PodSecurityDefaults
// are told from pods.
func resourcesFor(kinds []report.KindID) []inventory.Resource {
	var out []inventory.Resource
	for _, res := range inventory.Resources {
		if slices.Contains(kinds, res.Kind) ||
			res.Kind == inventory.Pods.ID && slices.Contains(kinds, inventory.PodSecurityDefaults.ID) {
			out = append(out, res)
		}
	}
	for _, c := range inventory.Customs {
		if slices.Contains(kinds, c.ID) {
			out = append(out, c.At(c.Versions[0]))
		}
	}
	return out
}

// urlsFor lists the paths that are read beside resources.
func urlsFor(kinds []report.KindID) []string {
	foreign := slices.ContainsFunc(inventory.Foreigns, func(f inventory.Foreign) bool { return slices.Contains(kinds, f.ID()) })
	custom := slices.ContainsFunc(inventory.Customs, func(c inventory.Custom) bool { return slices.Contains(kinds, c.ID) })
	if foreign || custom {
		return []string{"/apis", "/version"}
	}
	return []string{"/version"}
}

// Rules returns the least rights with which the kinds can be read of a whole
// cluster: one rule for each API group, sorted, and one for the paths that are
// no resources. The verbs are those that a scan with these rights really uses.
func Rules(kinds []report.KindID) []rbacv1.PolicyRule {
	byGroup := map[string][]string{}
	for _, res := range resourcesFor(kinds) {
		byGroup[res.Group] = append(byGroup[res.Group], res.Resource)
	}
	var rules []rbacv1.PolicyRule
	for group, resources := range byGroup {
		slices.Sort(resources)
		rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"list"}})
	}
	slices.SortFunc(rules, func(a, b rbacv1.PolicyRule) int { return cmp.Compare(a.APIGroups[0], b.APIGroups[0]) })
	return append(rules, rbacv1.PolicyRule{NonResourceURLs: urlsFor(kinds), Verbs: []string{"get"}})
}
