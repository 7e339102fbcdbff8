// Package rbac says which roles reach a service account, with the semantics of
// the API server's RBAC authorizer.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/registry/rbac/validation/rule.go
package rbac

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Kinds are the kinds that grants are made of.
var Kinds = []inventory.Need{
	inventory.Roles.Need(), inventory.ClusterRoles.Need(), inventory.RoleBindings.Need(), inventory.ClusterRoleBindings.Need(),
}

// Grants indexes every binding by the service accounts that it reaches.
var Grants = &inventory.Fact[*Index]{Needs: Kinds, Build: build}

// Account names a ServiceAccount. An empty namespace is one that is not known.
type Account struct{ Namespace, Name string }

// Grant is one binding that reaches an account.
type Grant struct {
	Binding inventory.Object[inventory.RoleBinding]
	// Rules are those of the role, aggregation resolved.
	Rules []rbacv1.PolicyRule
	// Missing is true where the role is not in the inventory and has to come
	// from elsewhere.
	Missing bool
	// ByName is true where only the names of account and subject agree, because
	// one of their namespaces is not known.
	ByName bool
	// Unplaced is true where neither names a namespace: they are the same if
	// they stand together (see [inventory.Beside]).
	Unplaced bool
	// ByGroup is true where the subject is the group of the accounts of a
	// namespace, and that of the account is not known.
	ByGroup bool
}

// Index finds bindings by account.
type Index struct {
	accounts   map[Account][]*inventory.Object[inventory.RoleBinding]
	names      map[string][]reach // by the name of the account
	namespaces map[string][]*inventory.Object[inventory.RoleBinding]
	all        []*inventory.Object[inventory.RoleBinding]
	roles      roles
}

// reach is a binding and the namespace of the account that it names.
type reach struct {
	namespace string
	binding   *inventory.Object[inventory.RoleBinding]
}

func build(v inventory.View) *Index {
	x := &Index{
		accounts:   map[Account][]*inventory.Object[inventory.RoleBinding]{},
		names:      map[string][]reach{},
		namespaces: map[string][]*inventory.Object[inventory.RoleBinding]{},
		roles:      readRoles(v),
	}
	for o := range inventory.All(v, inventory.ClusterRoleBindings) {
		x.add(&o)
	}
	for o := range inventory.All(v, inventory.RoleBindings) {
		x.add(&o)
	}
	return x
}

// Groups of service accounts, and the prefixes that make a user or a group of one.
const (
	allAccounts   = "system:serviceaccounts"
	groupPrefix   = "system:serviceaccounts:"
	accountPrefix = "system:serviceaccount:"
)

func (x *Index) add(b *inventory.Object[inventory.RoleBinding]) {
	for _, s := range b.Value.Subjects {
		switch s.Kind {
		case rbacv1.ServiceAccountKind:
			// A RoleBinding may leave out its own namespace. A ClusterRoleBinding
			// may not: in a manifest, something is still to fill it in.
			x.reach(Account{cmp.Or(s.Namespace, b.Namespace), s.Name}, b)
		case rbacv1.UserKind:
			if rest, ok := strings.CutPrefix(s.Name, accountPrefix); ok {
				if namespace, name, ok := strings.Cut(rest, ":"); ok && namespace != "" {
					x.reach(Account{namespace, name}, b)
				}
			}
		case rbacv1.GroupKind:
			if namespace, ok := strings.CutPrefix(s.Name, groupPrefix); ok {
				x.namespaces[namespace] = append(x.namespaces[namespace], b)
			} else if s.Name == allAccounts {
				x.all = append(x.all, b)
			}
		}
	}
}

func (x *Index) reach(a Account, b *inventory.Object[inventory.RoleBinding]) {
	x.accounts[a] = append(x.accounts[a], b)
	x.names[a.Name] = append(x.names[a.Name], reach{a.Namespace, b})
}

// Of lists the grants of an account: by its name, as a user, and through the
// groups of service accounts. What every authenticated user is granted is not
// listed.
//
// Where a namespace is not known, as in manifests that are given one when they
// are applied, an account and a subject of one name are taken to be the same.
func (x *Index) Of(a Account) []Grant {
	var grants []Grant
	take := func(b *inventory.Object[inventory.RoleBinding], how Grant) {
		if g, ok := x.roles.grant(b); ok {
			g.ByName, g.Unplaced, g.ByGroup = how.ByName, how.Unplaced, how.ByGroup
			grants = append(grants, g)
		}
	}
	for _, b := range x.accounts[a] {
		take(b, Grant{Unplaced: a.Namespace == ""})
	}
	if a.Namespace != "" {
		for _, b := range x.namespaces[a.Namespace] {
			take(b, Grant{})
		}
	} else {
		for _, namespace := range slices.Sorted(maps.Keys(x.namespaces)) {
			for _, b := range x.namespaces[namespace] {
				take(b, Grant{ByGroup: true})
			}
		}
	}
	for _, b := range x.all {
		take(b, Grant{})
	}
	for _, r := range x.names[a.Name] {
		if r.namespace != a.Namespace && (r.namespace == "" || a.Namespace == "") {
			take(r.binding, Grant{ByName: true})
		}
	}
	return grants
}
