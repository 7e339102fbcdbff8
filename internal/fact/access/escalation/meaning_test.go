package escalation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

func TestMeanings(t *testing.T) {
	role := func(rules ...rbacv1.PolicyRule) *access.Role {
		r := &access.Role{Kind: "ClusterRole", Name: "x"}
		for i := range rules {
			r.Rules = append(r.Rules, access.Rule{PolicyRule: &rules[i], Object: &inventory.Object[inventory.Role]{}, Index: i})
		}
		return r
	}
	rule := func(verb, group, resource string, names ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: names}
	}
	const rbac = "rbac.authorization.k8s.io"
	for _, c := range []struct {
		name      string
		role      *access.Role
		namespace string
		want      []string
	}{
		{"no role", nil, "", nil},
		{"reads", role(rule("get", "", "pods")), "", nil},
		{"everything", role(rule("*", "*", "*")), "", []string{"all-rights"}},
		{"everything in a namespace", role(rule("*", "*", "*")), "shop", []string{"all-rights"}},
		{"token of one account", role(rule("create", "", "serviceaccounts/token", "web")), "shop", []string{"token-create"}},
		{"outside of the namespace", role(rule("get", "", "nodes/proxy")), "shop", nil},
		{"the same everywhere", role(rule("get", "", "nodes/proxy")), "", []string{"nodes-proxy"}},
		{"one half of two rights", role(rule("bind", rbac, "clusterroles")), "", nil},
		{"both halves", role(rule("bind", rbac, "clusterroles"), rule("create", rbac, "clusterrolebindings")), "", []string{"bind"}},
		{"over a websocket, version not known", role(rule("get", "", "pods/exec")), "", nil},
	} {
		var got []string
		for _, m := range escalation.Meanings(c.role, c.namespace, 0) {
			got = append(got, m.Rule)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
	if len(escalation.Meanings(role(rule("get", "", "pods/exec")), "", 34)) != 1 {
		t.Error("get of pods/exec means nothing up to v1.34")
	}
}
