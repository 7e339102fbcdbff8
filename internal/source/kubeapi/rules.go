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
	return out
}

// urlsFor lists the paths that are read beside resources.
func urlsFor(kinds []report.KindID) []string {
	urls := []string{"/version"}
	for _, f := range inventory.Foreigns {
		if slices.Contains(kinds, f.ID()) {
			return append([]string{"/apis"}, urls...)
		}
	}
	return urls
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
