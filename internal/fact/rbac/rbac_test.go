package rbac_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/fact/rbac"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// index reads RBAC objects through the inventory. Each document begins with
// its kind: "Role shop/reader", and where it stands if that matters.
func index(t *testing.T, docs string) *rbac.Index {
	t.Helper()
	b := &inventory.Builder{}
	for doc := range strings.SplitSeq(docs, "---\n") {
		head, body, _ := strings.Cut(strings.TrimSpace(doc), "\n")
		kind, id, _ := strings.Cut(head, " ")
		id, place, _ := strings.Cut(id, " ")
		namespace, name, _ := strings.Cut(id, "/")
		var obj interface {
			runtime.Object
			SetNamespace(string)
			SetName(string)
		}
		switch kind {
		case "Role":
			obj = &rbacv1.Role{}
		case "ClusterRole":
			obj = &rbacv1.ClusterRole{}
		case "RoleBinding":
			obj = &rbacv1.RoleBinding{}
		case "ClusterRoleBinding":
			obj = &rbacv1.ClusterRoleBinding{}
		default:
			t.Fatalf("unexpected %q", head)
		}
		if err := yaml.UnmarshalStrict([]byte(body), obj); err != nil {
			t.Fatal(err)
		}
		obj.SetNamespace(namespace)
		obj.SetName(name)
		inventory.PutObject(b, obj, inventory.Origin{Source: "files", Place: place + ".yaml"})
	}
	inv := b.Seal(time.Time{})
	return rbac.Grants.Of(inv.View(rbac.Kinds))
}

const reader = `ClusterRole /reader
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
`

// whole makes the inventory one of a whole cluster.
const whole = `ClusterRole /cluster-admin
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
`

func TestGrants(t *testing.T) {
	web := rbac.Account{Namespace: "shop", Name: "web"}
	tests := []struct {
		name    string
		docs    string
		account rbac.Account
		want    []string // effects, "by name" where the namespace is not known
	}{
		{"account", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"something"}},
		{"other namespace", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, namespace: pay, name: web}]`, web, nil},
		{"RoleBinding in another namespace", reader + `RoleBinding pay/b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"something"}},
		{"RoleBinding leaves out its namespace", reader + `RoleBinding shop/b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: web}]`, web, []string{"something"}},
		{"ClusterRoleBinding whose namespace is still to come, by name", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: web}]`, web, []string{"something by name"}},
		{"as a user", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: User, name: "system:serviceaccount:shop:web"}]`, web, []string{"something"}},
		{"group of all accounts", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: Group, name: "system:serviceaccounts"}]`, web, []string{"something"}},
		{"group of the namespace", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: Group, name: "system:serviceaccounts:shop"}]`, web, []string{"something"}},
		{"group of another namespace", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: Group, name: "system:serviceaccounts:shopping"}]`, web, nil},
		{"everybody is not the account", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: Group, name: "system:authenticated"}]`, web, nil},
		{"account without a namespace, by name", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, rbac.Account{Name: "web"}, []string{"something by name"}},
		{"subject without a namespace, by name", reader + `RoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: web}]`, web, []string{"something by name"}},
		{"both without a namespace", reader + `RoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: web}]`, rbac.Account{Name: "web"}, []string{"something unplaced"}},
		{"group of a namespace, account without one", reader + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: reader}
subjects: [{kind: Group, name: "system:serviceaccounts:shop"}]`, rbac.Account{Name: "web"}, []string{"something by group"}},
		{"Role beside the binding, both without a namespace", `Role /r shop/role
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
RoleBinding /b shop/binding
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, rbac.Account{Name: "web"}, []string{"something unplaced"}},
		{"Role of another folder, without a namespace", `Role /r pay/role
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
RoleBinding /b shop/binding
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, rbac.Account{Name: "web"}, []string{"unclear unplaced"}},
		{"Role of the binding's namespace", `Role shop/r
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
RoleBinding shop/b
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, web, []string{"something"}},
		{"Role of another namespace", whole + `Role pay/r
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
RoleBinding shop/b
roleRef: {kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}]`, web, nil},
		{"role without rules", `ClusterRole /empty
rules: []
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: empty}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"nothing"}},
		{"role of what everyone may", `ClusterRole /self
rules: [{apiGroups: [authorization.k8s.io], resources: [selfsubjectaccessreviews], verbs: [create]}, {nonResourceURLs: [/version], verbs: [get]}]
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: self}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"nothing"}},
		{"the issuer discovery of every cluster", `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: "system:service-account-issuer-discovery"}
subjects: [{kind: Group, name: "system:serviceaccounts"}]`, web, []string{"nothing"}},
		{"built-in role that manifests do not hold", `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"something"}},
		{"role from elsewhere", `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: operator}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"unclear"}},
		{"role that the cluster does not have", whole + `ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: operator}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, nil},
		{"aggregated role in manifests", `ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
ClusterRole /part
metadata: {labels: {part: "yes"}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"something"}},
		{"aggregated role whose parts are elsewhere", `ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"unclear"}},
		{"aggregated role of a cluster, filled with nothing", whole + `ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
ClusterRoleBinding /b
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]`, web, []string{"nothing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, g := range index(t, tt.docs).Of(tt.account) {
				effect := string(g.Effect())
				if g.ByName {
					effect += " by name"
				}
				if g.Unplaced {
					effect += " unplaced"
				}
				if g.ByGroup {
					effect += " by group"
				}
				got = append(got, effect)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
