package podpolicy

import (
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// filters says how many of the pods created in a namespace pass: any of some
// filters, all of them, or the one of the old form. What is matched must name
// kinds; what is excluded need not, and no filter excludes nothing.
func filters(m *inventory.KyvernoMatch, ns namespace, kinds bool) reach {
	out := none
	switch {
	case len(m.Any) > 0:
		for i := range m.Any {
			out = max(out, filtered(&m.Any[i], ns, kinds))
		}
	case len(m.All) > 0:
		out = whole
		for i := range m.All {
			out = min(out, filtered(&m.All[i], ns, kinds))
		}
	case kinds || !empty(&m.KyvernoFilter):
		out = filtered(&m.KyvernoFilter, ns, kinds)
	}
	return out
}

// opposite is the reach of what is left when so much is excluded.
func opposite(r reach) reach {
	switch r {
	case none:
		return whole
	case whole:
		return none
	}
	return r
}

func empty(f *inventory.KyvernoFilter) bool {
	x := &f.Resources
	return len(f.Roles)+len(f.ClusterRoles)+len(f.Subjects)+len(x.Kinds)+len(x.Names)+len(x.Namespaces)+len(x.Annotations)+len(x.Operations) == 0 &&
		x.Name == "" && x.Selector == nil && x.NamespaceSelector == nil
}

// filtered says how many of the pods created in a namespace pass a filter.
// Where kinds must be named, a filter without them passes none.
func filtered(f *inventory.KyvernoFilter, ns namespace, kinds bool) reach {
	x := &f.Resources
	switch {
	case (kinds || len(x.Kinds) > 0) && !slices.ContainsFunc(x.Kinds, aboutPods),
		len(x.Operations) > 0 && !slices.Contains(x.Operations, "CREATE"),
		len(x.Namespaces) > 0 && !inventory.Globs(x.Namespaces, ns.name):
		return none
	}
	if s := x.NamespaceSelector; s != nil {
		if wildcards(s) {
			return unsure
		}
		switch match, ok := ns.selected(s); {
		case !ok:
			return unsure
		case !match:
			return none
		}
	}
	named := x.Name != "" && x.Name != "*" || len(x.Names) > 0 && !slices.Contains(x.Names, "*")
	if named || len(f.Roles)+len(f.ClusterRoles)+len(f.Subjects)+len(x.Annotations) > 0 ||
		x.Selector != nil && len(x.Selector.MatchLabels)+len(x.Selector.MatchExpressions) > 0 {
		return some
	}
	return whole
}

// notOnUpdate reports whether a rule that is about new pods may leave out
// updates, by which ephemeral containers come.
func notOnUpdate(r *inventory.KyvernoRule) bool {
	has := func(m *inventory.KyvernoMatch, update bool) bool {
		return slices.ContainsFunc(slices.Concat(m.Any, m.All, []inventory.KyvernoFilter{m.KyvernoFilter}), func(f inventory.KyvernoFilter) bool {
			return len(f.Resources.Operations) > 0 && slices.Contains(f.Resources.Operations, "UPDATE") == update
		})
	}
	return has(&r.Match, false) || has(&r.Exclude, true)
}

// aboutPods reports whether a kind, "Pod", "v1/Pod", "*", takes pods in.
//
// https://kyverno.io/docs/policy-types/cluster-policy/match-exclude/#match-kinds-using-wildcards
func aboutPods(kind string) bool {
	before, last := "", kind
	if i := strings.LastIndexByte(kind, '/'); i >= 0 {
		before, last = kind[:i], kind[i+1:]
	}
	if !inventory.Glob(last, "Pod") {
		return false
	}
	for word := range strings.SplitSeq(before, "/") { // the group, or the version
		if !inventory.Glob(word, "v1") && word != "" {
			return false
		}
	}
	return true
}

// wildcards reports whether a selector has the wildcards that Kyverno knows,
// and Kubernetes does not.
func wildcards(s *metav1.LabelSelector) bool {
	for k, v := range s.MatchLabels {
		if strings.ContainsAny(k+v, "*?") {
			return true
		}
	}
	return false
}

// condition is one of preconditions, or of deny.
type condition struct {
	Key      any    `json:"key"`
	Operator string `json:"operator"`
	Value    any    `json:"value"`
}

// conditions decodes a list, or one under any or all.
func conditions(raw []byte) (all, any []condition, ok bool) {
	if json.Unmarshal(raw, &all) == nil {
		return all, nil, true
	}
	var x struct{ All, Any []condition }
	err := json.Unmarshal(raw, &x)
	return x.All, x.Any, err == nil
}

// onCreate reports whether preconditions are met whenever a pod is created:
// there are none, or they only leave out deletions, as those of Kyverno's own
// policies do.
func onCreate(raw []byte) bool {
	if len(raw) == 0 || string(raw) == "null" {
		return true
	}
	all, any, ok := conditions(raw)
	met := func(c condition) bool {
		key, _ := c.Key.(string)
		return strings.Contains(key, "request.operation") && c.Operator == "NotEquals" && c.Value == "DELETE"
	}
	return ok && !slices.ContainsFunc(all, func(c condition) bool { return !met(c) }) && (len(any) == 0 || slices.ContainsFunc(any, met))
}
