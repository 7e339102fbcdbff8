package imagepolicy

import (
	"reflect"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// ruleMatches reports whether a rule is about the workload, or about its pods.
func ruleMatches(r *inventory.KyvernoRule, im *Image, ns namespace) answer {
	out := no
	for _, o := range im.objects() {
		out = max(out, min(filtersObject(&r.Match, o, ns), filtersObject(&r.Exclude, o, ns).not()))
	}
	return out
}

// filters reports whether the workload or its pods pass.
func filters(m *inventory.KyvernoMatch, im *Image, ns namespace) answer {
	out := no
	for _, o := range im.objects() {
		out = max(out, filtersObject(m, o, ns))
	}
	return out
}

// filtersObject reports whether an object passes any filter, all of them, or
// the one of the old form.
//
// https://github.com/kyverno/kyverno/blob/main/pkg/engine/utils/match.go
func filtersObject(m *inventory.KyvernoMatch, o object, ns namespace) answer {
	out := no
	switch {
	case len(m.Any) > 0:
		for i := range m.Any {
			out = max(out, passesFilter(&m.Any[i], o, ns))
		}
	case len(m.All) > 0:
		out = yes
		for i := range m.All {
			out = min(out, passesFilter(&m.All[i], o, ns))
		}
	default:
		out = passesFilter(&m.KyvernoFilter, o, ns)
	}
	return out
}

// passesFilter reports whether an object that is created passes one filter.
// One without any condition passes nothing.
func passesFilter(f *inventory.KyvernoFilter, o object, ns namespace) answer {
	x := &f.Resources
	names := x.Names
	if x.Name != "" {
		names = append(slices.Clone(names), x.Name)
	}
	switch {
	case reflect.ValueOf(*f).IsZero(),
		len(x.Kinds) > 0 && !slices.ContainsFunc(x.Kinds, func(k string) bool { return isKind(k, o) }),
		len(x.Operations) > 0 && !slices.Contains(x.Operations, "CREATE"),
		len(x.Namespaces) > 0 && !inventory.Globs(x.Namespaces, ns.name),
		len(names) > 0 && o.name != "" && !inventory.Globs(names, o.name):
		return no
	}
	out := yes
	if x.NamespaceSelector != nil {
		out = min(out, ns.selected(x.NamespaceSelector))
	}
	if x.Selector != nil {
		out = min(out, selects(x.Selector, o.labels))
	}
	for k, v := range x.Annotations {
		switch got, ok := o.annotations[k]; {
		case strings.ContainsAny(k, "*?"):
			out = min(out, maybe)
		case !ok || !inventory.Glob(v, got):
			out = no
		}
	}
	// The name of a pod that is still to be made, and who makes it, are not known.
	if len(names) > 0 && o.name == "" && !slices.Contains(names, "*") || len(f.Roles)+len(f.ClusterRoles)+len(f.Subjects) > 0 {
		out = min(out, maybe)
	}
	return out
}

// isKind reports whether a kind as Kyverno writes it, "Pod", "v1/Pod",
// "apps/v1/Deployment" or with wildcards, is that of the object.
func isKind(kind string, o object) bool {
	words := strings.Split(kind, "/")
	group := "*"
	if len(words) == 3 {
		group = words[0]
	}
	return len(words) <= 3 && inventory.Glob(words[len(words)-1], o.kind) && inventory.Glob(group, o.group)
}
