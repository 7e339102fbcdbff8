// Package bootstrap tells apart what Kubernetes itself grants, what somebody
// changed of it, and what is somebody's own.
//
// At its start the API server makes roles and bindings, and on each later start
// adds to them what is missing: nothing is ever taken away from them, so a
// cluster may still hold what an older minor granted. The policy of each minor
// is data, from the test data with which upstream pins it; test/bootstrap
// writes policy.json (Apache-2.0, the Kubernetes authors).
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
package bootstrap

import (
	"cmp"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Maker says who made a role or binding.
type Maker string

// The makers. The label kubernetes.io/bootstrapping proves nothing: anybody can
// write it.
const (
	// Somebody is whoever runs the cluster, or what they installed.
	Somebody Maker = ""
	// Upstream is the API server.
	Upstream Maker = "Kubernetes"
	// Kubeadm is kubeadm, whose objects are known with their content.
	Kubeadm Maker = "kubeadm"
)

// Verdict says what an object is.
type Verdict struct {
	// Maker is Somebody, Upstream, Kubeadm, or a distribution.
	Maker Maker
	// ByName is true where the name is all that speaks for a distribution, as
	// its content is not known. Anybody could have chosen that name.
	ByName bool
	// Changes lists how the object differs from what its maker makes.
	Changes []Change
}

// Original reports whether the object is as Kubernetes or kubeadm made it.
func (v Verdict) Original() bool { return v.Maker != Somebody && !v.ByName && len(v.Changes) == 0 }

// Grants reports whether somebody made the object grant more than its maker
// does, or to more subjects.
func (v Verdict) Grants() bool {
	return slices.ContainsFunc(v.Changes, func(c Change) bool { return c.What != Removed && c.What != Frozen })
}

// Difference is a kind of change.
type Difference string

// The differences.
const (
	Added       Difference = "added"            // rights or subjects that no version has
	Removed     Difference = "removed"          // rights or subjects that every version has
	RoleRef     Difference = "roleRef"          // the binding grants another role
	Aggregation Difference = "aggregationRule"  // the role takes its rules from other roles
	Aggregated  Difference = "aggregate-to"     // the role became part of another one
	Frozen      Difference = "autoupdate=false" // the API server does not repair the object
)

// Change is one difference of an object from what its maker makes.
type Change struct {
	What Difference
	// Field is where, in the API server's notation: "rules", "subjects", …
	Field string
	// Rules and Subjects are those that were added or removed; rights of one
	// resource are one rule.
	Rules    []rbacv1.PolicyRule
	Subjects []rbacv1.Subject
	// Value is what was found otherwise.
	Value string
}

// OfRole judges a Role or ClusterRole of a cluster whose API server has a minor
// version of Kubernetes 1; 0 where that is not known. What a minor after
// [Newest] adds counts as somebody's change.
//
// The rules of an aggregated role are written by a controller and not judged:
// look at the roles that are part of it.
func OfRole(o inventory.Object[inventory.Role], minor int) Verdict {
	e, maker := lookUp(o.Kind, o.Namespace, o.Name)
	if e == nil {
		return byName(o.Name)
	}
	v := Verdict{Maker: maker, Changes: frozen(o.Value.Meta)}
	for _, label := range aggregateLabels(o.Value.Labels) {
		if to, _ := strings.CutPrefix(label, AggregateLabel); !slices.Contains(e.AggregateTo, to) {
			v.Changes = append(v.Changes, Change{What: Aggregated, Field: "metadata.labels[" + label + "]", Value: to})
		}
	}
	if !equality.Semantic.DeepEqual(e.Aggregation, o.Value.Aggregation) {
		return v.with(Change{What: Aggregation, Field: "aggregationRule"})
	}
	if e.Aggregation != nil {
		return v
	}
	// Most roles are as they were made, and comparing right by right is slow.
	if equality.Semantic.DeepEqual(e.rulesIn(cmp.Or(minor, Newest)), o.Value.Rules) {
		return v
	}
	var known []rbacv1.PolicyRule
	for _, r := range e.Rules {
		known = append(known, r.PolicyRule)
	}
	if ok, added := validation.Covers(known, o.Value.Rules); !ok {
		v = v.with(Change{What: Added, Field: "rules", Rules: compact(added)})
	}
	if removed := e.missing(o.Value.Rules, minor); len(removed) > 0 {
		v = v.with(Change{What: Removed, Field: "rules", Rules: compact(removed)})
	}
	return v
}

// OfBinding judges a RoleBinding or ClusterRoleBinding; see [OfRole].
func OfBinding(o inventory.Object[inventory.RoleBinding], minor int) Verdict {
	e, maker := lookUp(o.Kind, o.Namespace, o.Name)
	if e == nil {
		return byName(o.Name)
	}
	v := Verdict{Maker: maker, Changes: frozen(o.Value.Meta)}
	if ref := o.Value.RoleRef; ref.Kind != e.RoleRef.Kind || ref.Name != e.RoleRef.Name {
		v = v.with(Change{What: RoleRef, Field: "roleRef", Value: ref.Kind + " " + ref.Name})
	}
	var added, removed []rbacv1.Subject
	for _, s := range o.Value.Subjects {
		if !slices.ContainsFunc(e.Subjects, func(x Subject) bool { return same(x.Subject, s, o.Namespace) }) {
			added = append(added, s)
		}
	}
	for _, x := range e.Subjects {
		if x.required(minor) && !slices.ContainsFunc(o.Value.Subjects, func(s rbacv1.Subject) bool { return same(x.Subject, s, o.Namespace) }) {
			removed = append(removed, x.Subject)
		}
	}
	if len(added) > 0 {
		v = v.with(Change{What: Added, Field: "subjects", Subjects: added})
	}
	if len(removed) > 0 {
		v = v.with(Change{What: Removed, Field: "subjects", Subjects: removed})
	}
	return v
}

func (v Verdict) with(c Change) Verdict {
	v.Changes = append(v.Changes, c)
	return v
}

// same compares subjects as the API server does: the API group follows from
// the kind, and an account's namespace may be left out in its own.
func same(a, b rbacv1.Subject, namespace string) bool {
	if a.Kind != b.Kind || a.Name != b.Name {
		return false
	}
	return a.Kind != rbacv1.ServiceAccountKind || cmp.Or(a.Namespace, namespace) == cmp.Or(b.Namespace, namespace)
}

// missing lists the rights that every version of the role since the last but
// one has, and rules have not.
func (e *Entry) missing(rules []rbacv1.PolicyRule, minor int) []rbacv1.PolicyRule {
	_, missing := validation.Covers(rules, e.rulesIn(cmp.Or(minor, Newest)))
	return slices.DeleteFunc(missing, func(right rbacv1.PolicyRule) bool {
		first, last := window(minor)
		for m := first; m <= last; m++ {
			if ok, _ := validation.Covers(e.rulesIn(m), []rbacv1.PolicyRule{right}); !ok {
				return true
			}
		}
		return false
	})
}

func frozen(m inventory.Meta) []Change {
	if m.Annotations[rbacv1.AutoUpdateAnnotationKey] != "false" {
		return nil
	}
	return []Change{{What: Frozen, Field: "metadata.annotations[" + rbacv1.AutoUpdateAnnotationKey + "]", Value: "false"}}
}

func aggregateLabels(labels map[string]string) []string {
	var found []string
	for k, v := range labels {
		if strings.HasPrefix(k, AggregateLabel) && v == "true" {
			found = append(found, k)
		}
	}
	slices.Sort(found)
	return found
}

// compact joins rights that differ by their verb alone into one rule, in
// their order.
func compact(rights []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	at := map[string]int{}
	for _, r := range rights {
		id := strings.Join(slices.Concat(r.APIGroups, []string{"\n"}, r.Resources, []string{"\n"}, r.ResourceNames, []string{"\n"}, r.NonResourceURLs), "\t")
		if i, ok := at[id]; ok {
			rules[i].Verbs = append(rules[i].Verbs, r.Verbs...)
			continue
		}
		at[id] = len(rules)
		rules = append(rules, r)
	}
	return rules
}
