package admission

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// labellers are who may change the labels of some Namespace, administrators
// and the control plane left out.
type labellers struct {
	people   []string // users and groups
	accounts []string // service accounts
	at       []report.Evidence
	// whole is true where the roles are those of a whole cluster.
	whole bool
}

func readLabellers(e *check.Eval) labellers {
	grants := access.Grants.Of(e)
	_, known := inventory.Get(e, inventory.ClusterRoles, "", "cluster-admin")
	l := labellers{whole: known && wholeCluster(e)}
	// Whoever may do everything is an administrator.
	trusted, homes := map[access.Subject]bool{}, map[string]bool{metav1.NamespaceSystem: true}
	for _, a := range grants.WhoCan(access.Request{Verb: "*", Group: "*", Resource: "*"}) {
		trusted[a.Subject] = true
	}
	for _, w := range webhook.All.Of(e) {
		if enforcing(w) && hasService(w) {
			homes[w.Spec.ClientConfig.Service.Namespace] = true // a product may do with itself as it likes
		}
	}
	for _, verb := range []string{"update", "patch"} {
		// A RoleBinding gives it for the namespace that it is in: the API server
		// takes a Namespace to lie in itself.
		// https://github.com/kubernetes/apiserver/blob/v0.37.2/pkg/endpoints/request/requestinfo.go
		for _, a := range grants.WhoCan(access.Request{Verb: verb, Resource: "namespaces", Namespace: access.Any, Name: access.Any}) {
			if trusted[a.Subject] || controlPlane(a.Subject) || a.Subject.Kind == rbacv1.ServiceAccountKind && homes[a.Subject.Namespace] {
				continue
			}
			if a.Subject.Kind == rbacv1.ServiceAccountKind {
				l.accounts = append(l.accounts, a.Subject.String())
			} else {
				l.people = append(l.people, a.Subject.String())
			}
			if at := a.Binding.Evidence("roleRef.name", a.Binding.Value.RoleRef.Name, "a role that may not change namespaces"); !slices.Contains(l.at, at) {
				l.at = append(l.at, at)
			}
		}
	}
	for _, list := range []*[]string{&l.people, &l.accounts} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return l
}

// controlPlane reports whether a user or group is one of the control plane's:
// they begin with "system:", as do the groups of everybody.
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#core-component-roles
func controlPlane(s access.Subject) bool {
	switch s.Name {
	case access.Anonymous, access.Authenticated, access.Unauthenticated:
		return false
	}
	return s.Kind != rbacv1.ServiceAccountKind && strings.HasPrefix(s.Name, "system:") && !strings.HasPrefix(s.Name, access.AllAccounts)
}
