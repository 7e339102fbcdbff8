package rbac

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// everyone holds the rules of the bindings that the API server makes at the
// start for all authenticated users and for all service accounts: discovery,
// reviews of oneself, and what is needed to verify tokens and certificates.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go
var everyone = []rbacv1.PolicyRule{
	{Verbs: []string{"create"}, APIGroups: []string{"authorization.k8s.io"}, Resources: []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"}},
	{Verbs: []string{"create"}, APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"selfsubjectreviews"}},
	{Verbs: []string{"get", "list", "watch"}, APIGroups: []string{"certificates.k8s.io"}, Resources: []string{"clustertrustbundles"}},
	{Verbs: []string{"get"}, NonResourceURLs: []string{
		"/livez", "/readyz", "/healthz", "/version", "/version/", "/openapi", "/openapi/*", "/api", "/api/*", "/apis", "/apis/*",
		"/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/",
	}},
}

// everyonesRoles are the ClusterRoles that hold those rules.
var everyonesRoles = map[string]bool{
	"system:basic-user":                       true,
	"system:discovery":                        true,
	"system:public-info-viewer":               true,
	"system:service-account-issuer-discovery": true,
	"system:cluster-trust-bundle-discovery":   true,
}

// builtIn reports whether every API server makes the role at the start.
func builtIn(kind, namespace, name string) bool {
	if kind == "Role" {
		return namespace == metav1.NamespaceSystem && (name == "extension-apiserver-authentication-reader" || strings.HasPrefix(name, "system:"))
	}
	switch name {
	case clusterAdmin, "admin", "edit", "view":
		return true
	}
	return strings.HasPrefix(name, "system:")
}

const clusterAdmin = "cluster-admin"

// Effect is what a grant adds to the rights of every service account.
type Effect string

// The effects.
const (
	Nothing   Effect = "nothing"
	Something Effect = "something"
	Unclear   Effect = "unclear" // the role is not in the inventory
)

// Effect says what the grant adds to the rights of every service account.
func (g Grant) Effect() Effect {
	if g.Missing {
		ref := g.Binding.Value.RoleRef
		switch {
		case everyonesRoles[ref.Name]:
			return Nothing
		case builtIn(ref.Kind, g.Binding.Namespace, ref.Name):
			return Something
		}
		return Unclear
	}
	for _, r := range g.Rules { // one by one: the first that is more decides
		if len(r.NonResourceURLs) > 0 && g.Binding.Kind == "RoleBinding" {
			continue // a RoleBinding grants nothing outside of its namespace
		}
		if covered, _ := validation.Covers(everyone, []rbacv1.PolicyRule{r}); !covered {
			return Something
		}
	}
	return Nothing
}

// roles holds the rules of all roles. A role that several files define has the
// rules of all of them.
type roles struct {
	local   map[Account][]inventory.Object[inventory.Role] // Roles by namespace and name
	cluster map[string][]rbacv1.PolicyRule
	// whole is true where the inventory holds the roles of a whole cluster, so
	// that a role which is missing does not exist.
	whole bool
}

func readRoles(v inventory.View) roles {
	rs := roles{local: map[Account][]inventory.Object[inventory.Role]{}, cluster: map[string][]rbacv1.PolicyRule{}}
	for o := range inventory.All(v, inventory.Roles) {
		id := Account{o.Namespace, o.Name}
		rs.local[id] = append(rs.local[id], o)
	}
	_, rs.whole = inventory.Get(v, inventory.ClusterRoles, "", clusterAdmin)
	for o := range inventory.All(v, inventory.ClusterRoles) {
		rules := o.Value.Rules
		if o.Value.Aggregation != nil && len(rules) == 0 && !rs.whole {
			// In a cluster the controller fills them in.
			if rules = aggregate(v, o.Value.Aggregation); len(rules) == 0 {
				continue // of roles that are not in the inventory either
			}
		}
		rs.cluster[o.Name] = append(rs.cluster[o.Name], rules...)
	}
	return rs
}

// aggregate collects the rules of the ClusterRoles that an aggregation rule selects.
func aggregate(v inventory.View, rule *rbacv1.AggregationRule) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, s := range rule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&s)
		if err != nil {
			continue // the API server refuses it
		}
		for o := range inventory.All(v, inventory.ClusterRoles) {
			if selector.Matches(labels.Set(o.Value.Labels)) {
				rules = append(rules, o.Value.Rules...)
			}
		}
	}
	return rules
}

// grant resolves the role of a binding. It is false where the role does not
// exist, so that nothing is granted.
func (rs roles) grant(b *inventory.Object[inventory.RoleBinding]) (Grant, bool) {
	ref := b.Value.RoleRef
	rules, ok := rs.cluster[ref.Name]
	if ref.Kind == "Role" {
		rules, ok = nil, false
		for _, role := range rs.local[Account{b.Namespace, ref.Name}] {
			if inventory.Beside(role, *b) {
				rules, ok = append(rules, role.Value.Rules...), true
			}
		}
	}
	return Grant{Binding: *b, Rules: rules, Missing: !ok}, ok || !rs.whole
}
