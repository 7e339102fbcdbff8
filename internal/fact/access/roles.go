package access

import (
	"iter"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Role is a Role or ClusterRole with the rules that take effect.
type Role struct {
	Kind, Namespace, Name string
	// Objects define the role: one in a cluster; several where files of one
	// input do, whose rules all count.
	Objects []*inventory.Object[inventory.Role]
	// Rules are those of the role, or of the roles that are aggregated into it.
	Rules []Rule
	// Implied is true where the input does not hold the role: every API server
	// makes it at its start.
	Implied bool

	grants []*Grant
}

// Rule is a rule and the place that it stands at.
type Rule struct {
	*rbacv1.PolicyRule
	// Object holds the rule at rules[Index]. In manifests it is the part of an
	// aggregated role, in a cluster the role itself.
	Object *inventory.Object[inventory.Role]
	Index  int
}

type roleKey struct{ kind, namespace, name string }

// roles collects all roles, and resolves aggregation.
type roles struct {
	byKey map[roleKey]*Role
	all   []*Role
	// cluster are the ClusterRoles in their order.
	cluster []*Role
}

func (rs *roles) add(o *inventory.Object[inventory.Role], implied bool) {
	k := roleKey{o.Kind, o.Namespace, o.Name}
	r := rs.byKey[k]
	if r == nil {
		r = &Role{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Implied: implied}
		rs.byKey[k] = r
		rs.all = append(rs.all, r)
		if o.Kind == "ClusterRole" {
			rs.cluster = append(rs.cluster, r)
		}
	}
	r.Objects = append(r.Objects, o)
}

// resolve sets the rules of all roles.
func (rs *roles) resolve() {
	for _, r := range rs.all {
		rs.collect(r, r, map[*Role]bool{})
	}
}

// filled reports whether the rules of the role are the ones that it has. Those
// of an aggregated role are, once a controller has written them into the
// object of a cluster.
func (r *Role) filled() bool {
	return !slices.ContainsFunc(r.Objects, func(o *inventory.Object[inventory.Role]) bool {
		return o.Value.Aggregation != nil && o.Value.UID == ""
	})
}

func (r *Role) own() []Rule {
	var rules []Rule
	for _, o := range r.Objects {
		for i := range o.Value.Rules {
			rules = append(rules, Rule{&o.Value.Rules[i], o, i})
		}
	}
	return rules
}

// collect gives a role the rules of another one that is part of it: its own, or
// those of its parts, as the aggregation controller writes them over what the
// manifest says. Where the parts hold no rules, it leaves those that are there.
// It reports whether there were any; seen remembers that of roles.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go
func (rs *roles) collect(into, of *Role, seen map[*Role]bool) bool {
	if found, ok := seen[of]; ok {
		return found
	}
	found := false
	seen[of] = false // to itself, a role that is part of itself adds nothing
	if !of.filled() {
		for part := range rs.parts(of) {
			found = rs.collect(into, part, seen) || found
		}
	}
	if !found {
		own := of.own()
		into.Rules = append(into.Rules, own...)
		found = len(own) > 0
	}
	seen[of] = found
	return found
}

// parts yields the ClusterRoles that the aggregation rule of a role selects.
func (rs *roles) parts(of *Role) iter.Seq[*Role] {
	return func(yield func(*Role) bool) {
		for _, s := range of.selectors() {
			for _, r := range rs.cluster {
				selected := slices.ContainsFunc(r.Objects, func(o *inventory.Object[inventory.Role]) bool { return s.Matches(labels.Set(o.Value.Labels)) })
				if selected && r != of && !yield(r) {
					return
				}
			}
		}
	}
}

func (r *Role) selectors() []labels.Selector {
	var selectors []labels.Selector
	for _, o := range r.Objects {
		if o.Value.Aggregation == nil {
			continue
		}
		for _, s := range o.Value.Aggregation.ClusterRoleSelectors {
			if selector, err := metav1.LabelSelectorAsSelector(&s); err == nil { // the API server refuses others
				selectors = append(selectors, selector)
			}
		}
	}
	return selectors
}
