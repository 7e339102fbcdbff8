package access

import (
	"cmp"
	"slices"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Reach is a grant that reaches a subject.
type Reach struct {
	*Grant
	// Via is the subject that the binding names: the one asked for, or a group
	// that it is in.
	Via Subject
	// ByName is true where only the names of two ServiceAccounts agree, because
	// the namespace of one is not known; or where Via is the group of the
	// accounts of a namespace, and that of the account is not known.
	ByName bool
}

// GrantsOf lists the grants that reach a subject, those through the groups that
// it is certain to be in included; see [Subject.Groups].
func (e *Engine) GrantsOf(s Subject) []Reach {
	reaches := e.reaches(s, s, false)
	if s.Kind == rbacv1.ServiceAccountKind {
		for _, other := range e.names[s.Name] {
			if other != s && (other.Namespace == "" || s.Namespace == "") {
				reaches = append(reaches, e.reaches(s, other, true)...)
			}
		}
		if s.Namespace == "" {
			for _, group := range e.groups {
				reaches = append(reaches, e.reaches(s, group, true)...)
			}
		}
	}
	for _, group := range s.Groups() {
		reaches = append(reaches, e.reaches(s, Group(group), false)...)
	}
	return reaches
}

func (e *Engine) reaches(s, via Subject, byName bool) []Reach {
	var reaches []Reach
	for _, g := range e.bySubject[via] {
		reaches = append(reaches, Reach{g, via, byName})
	}
	return reaches
}

func compareGrants(a, b *Grant) int {
	return cmp.Or(report.CompareSubjects(a.Binding.Subject, b.Binding.Subject), cmp.Compare(a.Binding.Copy, b.Binding.Copy))
}

// Effect is what a grant adds to what every ServiceAccount may do.
type Effect string

// The effects.
const (
	Nothing   Effect = "nothing"
	Something Effect = "something"
	Unclear   Effect = "unclear" // the role is not in the input, or its rules are not
)

// Effect says what the grant adds to what the API server grants every
// ServiceAccount and every authenticated user: discovery, reviews of oneself,
// the keys that verify tokens and certificates.
func (e *Engine) Effect(g *Grant) Effect {
	if !g.known() {
		if e.Whole {
			return Nothing
		}
		return Unclear
	}
	for _, r := range g.Role.Rules { // one by one: the first that is more decides
		if !g.means(r.Object) {
			continue
		}
		rule := *r.PolicyRule
		if !g.ClusterWide() {
			rule.NonResourceURLs = nil // a RoleBinding grants nothing outside of its namespace
		}
		if ok, _ := validation.Covers(everybody(), []rbacv1.PolicyRule{rule}); !ok {
			return Something
		}
	}
	return Nothing
}

// known reports whether the rules of the role are in the input: those of an
// aggregated one may be elsewhere with its parts.
func (g *Grant) known() bool {
	return g.Role != nil && (len(g.Role.Rules) > 0 || g.Role.filled()) && slices.ContainsFunc(g.Role.Objects, g.means)
}

// means reports whether the binding names the role that an object defines. In
// manifests without namespaces, a Role of another directory may be another one.
func (g *Grant) means(o *inventory.Object[inventory.Role]) bool {
	return o.Kind == "ClusterRole" || inventory.Beside(*o, g.Binding)
}

// everybody holds the rules of the bootstrap policy for every ServiceAccount.
var everybody = sync.OnceValue(func() []rbacv1.PolicyRule {
	rules := map[string][]rbacv1.PolicyRule{}
	for _, o := range bootstrap.Roles(bootstrap.Newest) {
		rules[o.Name] = o.Value.Rules
	}
	var all []rbacv1.PolicyRule
	for _, o := range bootstrap.Bindings(bootstrap.Newest) {
		if o.Kind == "ClusterRoleBinding" && slices.ContainsFunc(o.Value.Subjects, func(s rbacv1.Subject) bool {
			return s.Kind == rbacv1.GroupKind && (s.Name == Authenticated || s.Name == AllAccounts)
		}) {
			all = append(all, rules[o.Value.RoleRef.Name]...)
		}
	}
	return all
})
