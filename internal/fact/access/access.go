// Package access answers who may do what in a cluster, exactly as the API
// server's RBAC authorizer decides it, and by which grants.
//
// A binding is a grant: it gives the rules of one role to its subjects, in one
// namespace or everywhere. [Grants] builds the [Engine] once per inventory:
//
//	e := access.Grants.Of(r)
//	list := access.Request{Verb: "list", Resource: "secrets", Namespace: "kube-system"}
//	for _, g := range e.WhoCan(list) {
//		fmt.Println(g.Subject, "by", g) // ServiceAccount shop/web by ClusterRole "reader" → ClusterRoleBinding "web"
//	}
//	e.Can(access.Subject{Kind: "User", Name: "ann"}.Identity(), list) // nil: she may not
//
// On a cluster, rules and bindings are those that were read. Manifests are
// taken as what they would be there: a role that is aggregated has the rules of
// its parts, and the grants that every API server makes at its start are there
// too, marked as implied. So are its roles where those of a cluster could not be
// read, or not all of them.
//
// What decides beside RBAC is not here: package abac knows ABAC policies, package
// authorizer which authorizers are asked at all. The group system:masters may do
// everything without any grant.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/plugin/pkg/auth/authorizer/rbac/rbac.go
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/registry/rbac/validation/rule.go
package access

import (
	"cmp"
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Needs are the kinds that grants are made of.
var Needs = []inventory.Need{
	inventory.Roles.Need(), inventory.ClusterRoles.Need(), inventory.RoleBindings.Need(), inventory.ClusterRoleBindings.Need(),
}

// Grants is the engine of an inventory.
var Grants = &inventory.Fact[*Engine]{Needs: Needs, Build: build}

// Groups that the API server puts users into, and names that it gives them.
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
const (
	Masters         = "system:masters"
	Authenticated   = "system:authenticated"
	Unauthenticated = "system:unauthenticated"
	Anonymous       = "system:anonymous"
	AllAccounts     = "system:serviceaccounts"
	Nodes           = "system:nodes"

	accountsPrefix = AllAccounts + ":"
	accountPrefix  = "system:serviceaccount:"
	nodePrefix     = "system:node:"
)

// Subject is one that bindings name: a User, Group or ServiceAccount. The user
// that a ServiceAccount is to the API server is that ServiceAccount here.
type Subject struct{ Kind, Namespace, Name string }

// String is the subject as people write it: "ServiceAccount shop/web".
func (s Subject) String() string {
	if s.Kind == rbacv1.ServiceAccountKind {
		return s.Kind + " " + s.Namespace + "/" + s.Name
	}
	return s.Kind + " " + s.Name
}

func (s Subject) compare(t Subject) int {
	return cmp.Or(cmp.Compare(s.Kind, t.Kind), cmp.Compare(s.Namespace, t.Namespace), cmp.Compare(s.Name, t.Name))
}

// NewUser is the subject of a user name, which may be that of a ServiceAccount.
func NewUser(name string) Subject {
	if rest, ok := strings.CutPrefix(name, accountPrefix); ok {
		if namespace, account, ok := strings.Cut(rest, ":"); ok && namespace != "" && account != "" {
			return Account(namespace, account)
		}
	}
	return Subject{Kind: rbacv1.UserKind, Name: name}
}

// Account is the subject of a ServiceAccount. An empty namespace is one that is
// not known, as in manifests that are given one when they are applied.
func Account(namespace, name string) Subject {
	return Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}
}

// Group is the subject of a group.
func Group(name string) Subject { return Subject{Kind: rbacv1.GroupKind, Name: name} }

// subjectOf reads a subject of a binding in a namespace; false where it is none
// that the API server knows.
func subjectOf(s rbacv1.Subject, namespace string) (Subject, bool) {
	switch s.Kind {
	case rbacv1.UserKind:
		return NewUser(s.Name), true
	case rbacv1.GroupKind:
		return Group(s.Name), true
	case rbacv1.ServiceAccountKind:
		return Account(cmp.Or(s.Namespace, namespace), s.Name), true
	}
	return Subject{}, false
}

// Groups lists the groups that whoever is the subject is in for certain. What
// further groups a user or a member of a group has, its credentials say.
func (s Subject) Groups() []string {
	switch {
	case s.Kind == rbacv1.ServiceAccountKind && s.Namespace == "":
		return []string{AllAccounts, Authenticated}
	case s.Kind == rbacv1.ServiceAccountKind:
		return []string{AllAccounts, accountsPrefix + s.Namespace, Authenticated}
	case s.Kind == rbacv1.GroupKind && strings.HasPrefix(s.Name, accountsPrefix):
		return []string{AllAccounts, Authenticated}
	case s == NewUser(Anonymous):
		return []string{Unauthenticated}
	case s == Group(Unauthenticated), s == Group(Authenticated):
		return nil
	case s.Kind == rbacv1.UserKind && strings.HasPrefix(s.Name, nodePrefix):
		return []string{Nodes, Authenticated}
	}
	return []string{Authenticated}
}

// Identity is who the API server takes a request to be from.
type Identity struct {
	User   string
	Groups []string
}

// Identity is the identity of the subject with the groups that are certain. A
// member of a group has no name of its own.
func (s Subject) Identity() Identity {
	id := Identity{User: s.Name, Groups: s.Groups()}
	switch s.Kind {
	case rbacv1.ServiceAccountKind:
		id.User = accountPrefix + s.Namespace + ":" + s.Name
	case rbacv1.GroupKind:
		id = Identity{Groups: append([]string{s.Name}, id.Groups...)}
	}
	return id
}

// Grant is a binding, and the role that it gives.
type Grant struct {
	Binding inventory.Object[inventory.RoleBinding]
	// Role is nil where the role that the binding names is not there.
	Role *Role
	// Implied is true where the input does not hold the binding: every API
	// server makes it at its start.
	Implied bool
}

// ClusterWide reports whether the grant holds in all namespaces and for what
// lies in none.
func (g *Grant) ClusterWide() bool { return g.Binding.Kind == "ClusterRoleBinding" }

// String is the chain of the grant, without the subject.
func (g *Grant) String() string {
	return fmt.Sprintf("%s %q → %s %s", g.Binding.Value.RoleRef.Kind, g.Binding.Value.RoleRef.Name, g.Binding.Kind,
		strings.TrimPrefix(types.NamespacedName{Namespace: g.Binding.Namespace, Name: g.Binding.Name}.String(), "/"))
}

// Access is one way in which a subject may do something.
type Access struct {
	// Subject is the one that the binding names.
	Subject Subject
	*Grant
	Rule Rule
}
