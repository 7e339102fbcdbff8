package podpolicy

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// resourceFilters are globs for the namespaces whose pods Kyverno does not look
// at, by its ConfigMap.
//
// https://kyverno.io/docs/installation/customization/#resource-filters
type resourceFilters []string

// resourceFilter is one entry: "[kind,namespace,name]".
var resourceFilter = regexp.MustCompile(`\[([^\[\]]*)\]`)

func filteredOut(v inventory.View) resourceFilters {
	var out resourceFilters
	for c := range inventory.All(v, inventory.ConfigMaps) {
		if c.Name != inventory.KyvernoConfigMap {
			continue
		}
		for _, m := range resourceFilter.FindAllStringSubmatch(c.Value.Data["resourceFilters"], -1) {
			kind, rest, _ := strings.Cut(m[1], ",")
			namespace, _, _ := strings.Cut(rest, ",")
			kind, subresource, _ := strings.Cut(strings.TrimSpace(kind), "/")
			namespace = strings.TrimSpace(namespace)
			if inventory.Glob(kind, "Pod") && (subresource == "" || subresource == "*") && namespace != "" {
				out = append(out, namespace)
			}
		}
	}
	return out
}

// why says why Kyverno may not look at the pods of a namespace: by a filter
// that was seen, or by those that it is installed with; empty if it does.
func (f resourceFilters) why(ns string) string {
	switch {
	case inventory.Globs(f, ns):
		return fmt.Sprintf("may not run there: the resourceFilters in ConfigMap %q leave the namespace out", inventory.KyvernoConfigMap)
	case inventory.SystemNamespace(ns) || ns == "kyverno":
		return "may not run there: the resourceFilters of Kyverno leave the namespace out by default"
	}
	return ""
}
