package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
)

func TestGrantsOf(t *testing.T) {
	web := access.Account("shop", "web")
	bind := func(subject string) string {
		return reader + "ClusterRoleBinding /b\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [" + subject + "]"
	}
	tests := []struct {
		name    string
		docs    string
		subject access.Subject
		want    []string // via, effect, "by name"
	}{
		{"account", bind("{kind: ServiceAccount, namespace: shop, name: web}"), web, []string{"ServiceAccount shop/web something"}},
		{"account of another namespace", bind("{kind: ServiceAccount, namespace: pay, name: web}"), web, nil},
		{"as a user", bind(`{kind: User, name: "system:serviceaccount:shop:web"}`), web, []string{"ServiceAccount shop/web something"}},
		{"a user is no account", bind(`{kind: User, name: web}`), web, nil},
		{"all accounts", bind(`{kind: Group, name: "system:serviceaccounts"}`), web, []string{"Group system:serviceaccounts something"}},
		{"accounts of the namespace", bind(`{kind: Group, name: "system:serviceaccounts:shop"}`), web, []string{"Group system:serviceaccounts:shop something"}},
		{"accounts of another namespace", bind(`{kind: Group, name: "system:serviceaccounts:shopping"}`), web, nil},
		{"everybody", bind(`{kind: Group, name: "system:authenticated"}`), web, []string{"Group system:authenticated something"}},
		{"everybody who is not known", bind(`{kind: Group, name: "system:unauthenticated"}`), web, nil},
		{"anonymous is not authenticated", bind(`{kind: Group, name: "system:authenticated"}`), access.NewUser("system:anonymous"), nil},
		{"anonymous", bind(`{kind: Group, name: "system:unauthenticated"}`), access.NewUser("system:anonymous"), []string{"Group system:unauthenticated something"}},
		{"group", bind(`{kind: Group, name: dev}`), access.Group("dev"), []string{"Group dev something"}},
		{"a user of the group's name", bind(`{kind: Group, name: dev}`), access.NewUser("dev"), nil},
		{"named twice", bind("{kind: User, name: ann}, {kind: User, name: ann}"), access.NewUser("ann"), []string{"User ann something"}},
		{"a kind that there is not", bind("{kind: Robot, name: ann}"), access.NewUser("ann"), nil},
		{"namespace still to come", bind("{kind: ServiceAccount, name: web}"), web, []string{"ServiceAccount /web something by name"}},
		{"account without a namespace", bind("{kind: ServiceAccount, namespace: shop, name: web}"), access.Account("", "web"), []string{"ServiceAccount shop/web something by name"}},
		{"RoleBinding leaves out its namespace", reader + "RoleBinding shop/b\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [{kind: ServiceAccount, name: web}]",
			web, []string{"ServiceAccount shop/web something"}},
		{"RoleBinding whose namespace is still to come", reader + "RoleBinding /b\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [{kind: ServiceAccount, name: web}]",
			web, []string{"ServiceAccount /web something by name"}},
		{"both without a namespace", reader + "RoleBinding /b\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [{kind: ServiceAccount, name: web}]",
			access.Account("", "web"), []string{"ServiceAccount /web something"}},
		{"accounts of a namespace, account without one", bind(`{kind: Group, name: "system:serviceaccounts:shop"}`), access.Account("", "web"),
			[]string{"Group system:serviceaccounts:shop something by name"}},
		{"accounts of a namespace that is still to come", bind(`{kind: Group, name: "system:serviceaccounts:"}`), access.Account("", "web"),
			[]string{"Group system:serviceaccounts: something by name"}},
		{"a cluster's object with a namespace", `ClusterRole kube-system/reader
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
ClusterRoleBinding kube-system/b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"ServiceAccount shop/web something"}},
		{"Role beside the binding", `Role /r shop/role
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
RoleBinding /b shop/binding
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, access.Account("", "web"), []string{"ServiceAccount /web something"}},
		{"Role of another directory", `Role /r pay/role
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
RoleBinding /b shop/binding
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, access.Account("", "web"), []string{"ServiceAccount /web unclear"}},
		{"Roles of both directories", `Role /r pay/role
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
Role /r shop/role
---
RoleBinding /b shop/binding
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, access.Account("", "web"), []string{"ServiceAccount /web nothing"}},
		{"Role of the binding's namespace", `Role shop/r pay/role
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
RoleBinding shop/b shop/binding
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, web, []string{"ServiceAccount shop/web something"}},
		{"Role of another namespace", `Role pay/r
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
RoleBinding shop/b
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, web, []string{"ServiceAccount shop/web unclear"}},
		{"role without rules", `ClusterRole /empty
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: empty}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"ServiceAccount shop/web nothing"}},
		{"keys that every account may read", `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: "system:service-account-issuer-discovery"}
subjects: [{kind: Group, name: "system:serviceaccounts"}]`, web, []string{"Group system:serviceaccounts nothing"}},
		{"RoleBinding of another namespace", reader + "RoleBinding pay/b\nroleRef: {kind: ClusterRole, name: reader}\nsubjects: [{kind: ServiceAccount, name: web}]", web, nil},
		{"role of what everybody may", `ClusterRole /self
rules: [{apiGroups: [authorization.k8s.io], resources: [selfsubjectaccessreviews], verbs: [create]}, {nonResourceURLs: [/version], verbs: [get]}]
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: self}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"ServiceAccount shop/web nothing"}},
		{"paths in a namespace", `ClusterRole /paths
rules: [{nonResourceURLs: [/metrics], verbs: [get]}]
---
RoleBinding shop/b
roleRef: {kind: ClusterRole, name: paths}
subjects: [{kind: ServiceAccount, name: web}]`, web, []string{"ServiceAccount shop/web nothing"}},
		{"built-in role", "ClusterRoleBinding /b\nroleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: ServiceAccount, namespace: shop, name: web}]",
			web, []string{"ServiceAccount shop/web something"}},
		{"role from elsewhere", "ClusterRoleBinding /b\nroleRef: {kind: ClusterRole, name: operator}\nsubjects: [{kind: ServiceAccount, namespace: shop, name: web}]",
			web, []string{"ServiceAccount shop/web unclear"}},
		{"role that the cluster does not have", "live\n" + whole + "ClusterRoleBinding /b\nroleRef: {kind: ClusterRole, name: operator}\nsubjects: [{kind: ServiceAccount, namespace: shop, name: web}]",
			web, []string{"ServiceAccount shop/web nothing"}},
		{"role that a cluster without UIDs does not have", whole + "ClusterRoleBinding /b\nroleRef: {kind: ClusterRole, name: operator}\nsubjects: [{kind: ServiceAccount, namespace: shop, name: web}]",
			web, []string{"ServiceAccount shop/web nothing"}},
		{"role of a cluster whose roles were not read", "live\n" + "ClusterRoleBinding /b\nroleRef: {kind: ClusterRole, name: operator}\nsubjects: [{kind: ServiceAccount, namespace: shop, name: web}]",
			web, []string{"ServiceAccount shop/web unclear"}},
		{"built-in role of a cluster whose roles were not read", "live\n" + "ClusterRoleBinding /b\nroleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: ServiceAccount, namespace: shop, name: web}]",
			web, []string{"ServiceAccount shop/web something"}},
		{"aggregated", `ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
ClusterRole /part
metadata: {labels: {part: "yes"}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"ServiceAccount shop/web something"}},
		{"parts that a cluster without UIDs does not have", whole + `ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"ServiceAccount shop/web nothing"}},
		{"parts from elsewhere", `ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"ServiceAccount shop/web unclear"}},
		{"parts from elsewhere, and rules that stay until then", `ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"ServiceAccount shop/web something"}},
		{"filled with nothing", `live
ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"ServiceAccount shop/web nothing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := engine(t, tt.docs)
			var got []string
			for _, r := range e.GrantsOf(tt.subject) {
				if r.Implied {
					continue
				}
				text := r.Via.String() + " " + string(e.Effect(r.Grant))
				if r.ByName {
					text += " by name"
				}
				got = append(got, text)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
