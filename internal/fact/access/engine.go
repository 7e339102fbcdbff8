package access

import (
	"iter"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Engine holds all grants. It is immutable.
type Engine struct {
	// Live is true where the objects were read from a cluster.
	Live bool
	// Whole is true where the ClusterRoles are those of a whole cluster, as
	// cluster-admin is among them, which every one has: a role that is missing
	// does not exist, unless it could not be read.
	Whole bool

	grants    []*Grant
	bySubject map[Subject][]*Grant
	// names finds accounts by their name alone.
	names map[string][]Subject
	// groups are those of the accounts of one namespace.
	groups []Subject
	roles  roles
	// resources finds roles by the words for resources in their rules, paths
	// are the roles with rules for paths.
	resources map[string][]*Role
	paths     []*Role
}

func build(v inventory.View) *Engine {
	e := &Engine{
		bySubject: map[Subject][]*Grant{}, names: map[string][]Subject{},
		roles: roles{byKey: map[roleKey]*Role{}}, resources: map[string][]*Role{},
	}
	for _, k := range []inventory.Kind[inventory.Role]{inventory.ClusterRoles, inventory.Roles} {
		for o := range inventory.All(v, k) {
			e.Live = e.Live || o.Value.UID != ""
			e.roles.add(&o, false)
		}
	}
	bound := map[roleKey]bool{}
	for _, k := range []inventory.Kind[inventory.RoleBinding]{inventory.ClusterRoleBindings, inventory.RoleBindings} {
		for o := range inventory.All(v, k) {
			e.Live = e.Live || o.Value.UID != ""
			bound[roleKey{o.Kind, o.Namespace, o.Name}] = true
			e.grants = append(e.grants, &Grant{Binding: o})
		}
	}
	e.Whole = e.Role("ClusterRole", "", "cluster-admin") != nil
	e.imply(bound)
	e.roles.resolve()
	e.index()
	return e
}

// imply adds what every API server makes at its start to manifests that do not
// hold it, and its roles to a cluster whose roles were not all read.
func (e *Engine) imply(bound map[roleKey]bool) {
	if e.Live && e.Whole {
		return
	}
	for _, o := range bootstrap.Roles(bootstrap.Newest) {
		if e.roles.byKey[roleKey{o.Kind, o.Namespace, o.Name}] == nil {
			e.roles.add(&o, true)
		}
	}
	if e.Live {
		return
	}
	for _, o := range bootstrap.Bindings(bootstrap.Newest) {
		if !bound[roleKey{o.Kind, o.Namespace, o.Name}] {
			e.grants = append(e.grants, &Grant{Binding: o, Implied: true})
		}
	}
}

func (e *Engine) index() {
	for _, g := range e.grants {
		ref, namespace := g.Binding.Value.RoleRef, ""
		if ref.Kind == "Role" {
			// A ClusterRoleBinding cannot name one: there is none without a namespace.
			namespace = g.Binding.Namespace
			if g.ClusterWide() {
				ref.Kind = ""
			}
		}
		if g.Role = e.roles.byKey[roleKey{ref.Kind, namespace, ref.Name}]; g.Role != nil {
			g.Role.grants = append(g.Role.grants, g)
		}
		for s := range g.Subjects() {
			of := e.bySubject[s]
			switch {
			case len(of) > 0:
			case s.Kind == rbacv1.ServiceAccountKind:
				e.names[s.Name] = append(e.names[s.Name], s)
			case s.Kind == rbacv1.GroupKind && strings.HasPrefix(s.Name, accountsPrefix):
				e.groups = append(e.groups, s)
			}
			e.bySubject[s] = append(of, g)
		}
	}
	for _, r := range e.roles.all {
		if len(r.grants) == 0 {
			continue
		}
		words, paths := map[string]bool{}, false
		for _, rule := range r.Rules {
			for _, w := range rule.Resources {
				if !words[w] {
					words[w] = true
					e.resources[w] = append(e.resources[w], r)
				}
			}
			paths = paths || len(rule.NonResourceURLs) > 0
		}
		if paths {
			e.paths = append(e.paths, r)
		}
	}
}

// Subjects yields the subjects of the grant, each once.
func (g *Grant) Subjects() iter.Seq[Subject] {
	return func(yield func(Subject) bool) {
		var seen []Subject
		for _, s := range g.Binding.Value.Subjects {
			subject, ok := subjectOf(s, g.Binding.Namespace)
			if !ok || slices.Contains(seen, subject) {
				continue
			}
			if !yield(subject) {
				return
			}
			if len(g.Binding.Value.Subjects) > 1 {
				seen = append(seen, subject)
			}
		}
	}
}

// All yields every grant: those for the whole cluster first, implied ones last.
func (e *Engine) All() iter.Seq[*Grant] { return slices.Values(e.grants) }

// Role finds a role; the namespace of a ClusterRole is "". It is nil where
// there is none.
func (e *Engine) Role(kind, namespace, name string) *Role {
	return e.roles.byKey[roleKey{kind, namespace, name}]
}

// ClusterRoles yields the ClusterRoles, by name, implied ones last.
func (e *Engine) ClusterRoles() iter.Seq[*Role] { return slices.Values(e.roles.cluster) }

// Parts yields the ClusterRoles that are aggregated into a role, not their
// parts in turn.
func (e *Engine) Parts(of *Role) iter.Seq[*Role] { return e.roles.parts(of) }

// Grants yields the grants of a role.
func (r *Role) Grants() iter.Seq[*Grant] { return slices.Values(r.grants) }

// Subjects lists the subjects that bindings of the input name, ordered.
func (e *Engine) Subjects() []Subject {
	var subjects []Subject
	for s, grants := range e.bySubject {
		if slices.ContainsFunc(grants, func(g *Grant) bool { return !g.Implied }) {
			subjects = append(subjects, s)
		}
	}
	slices.SortFunc(subjects, Subject.compare)
	return subjects
}

// Can lists the grants by which somebody may make a request, the group
// [Masters] aside; there are none where the request is refused.
func (e *Engine) Can(id Identity, r Request) []Access {
	var ways []Access
	try := func(s Subject) {
		for _, g := range e.bySubject[s] {
			if !g.covers(r) {
				continue
			}
			if rule, ok := g.Role.Allows(r); ok {
				ways = append(ways, Access{s, g, rule})
			}
		}
	}
	try(NewUser(id.User))
	for _, group := range id.Groups {
		try(Group(group))
	}
	return ways
}

// WhoCan lists the subjects that may make a request, with every grant by which
// they may, ordered by subject. Who is in a group that may is not listed.
func (e *Engine) WhoCan(r Request) []Access {
	return slices.SortedFunc(e.Ways(r), compareAccess)
}

// Ways yields what WhoCan lists, in no order that means anything.
func (e *Engine) Ways(r Request) iter.Seq[Access] {
	return func(yield func(Access) bool) {
		for _, role := range e.candidates(r) {
			rule, ok := role.Allows(r)
			if !ok {
				continue
			}
			for _, g := range role.grants {
				if !g.covers(r) {
					continue
				}
				for s := range g.Subjects() {
					if !yield(Access{s, g, rule}) {
						return
					}
				}
			}
		}
	}
}

// candidates lists the roles that may have a rule for a request.
func (e *Engine) candidates(r Request) []*Role {
	if r.Path != "" {
		return e.paths
	}
	var roles []*Role
	seen := map[*Role]bool{}
	for _, word := range r.resources() {
		for _, role := range e.resources[word] {
			if !seen[role] {
				seen[role] = true
				roles = append(roles, role)
			}
		}
	}
	return roles
}

func compareAccess(a, b Access) int {
	if c := a.Subject.compare(b.Subject); c != 0 {
		return c
	}
	return compareGrants(a.Grant, b.Grant)
}
