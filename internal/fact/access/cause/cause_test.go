package cause_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func seal(setting inventory.Setting, objects ...any) inventory.View {
	b := &inventory.Builder{}
	for i, o := range objects {
		inventory.PutObject(b, o, inventory.Origin{Source: "files", Place: fmt.Sprintf("%d.yaml", i), Line: 1})
	}
	inventory.Put(b, inventory.Settings, report.Subject{Kind: "Config"}, inventory.Origin{}, setting)
	return b.Seal(time.Time{}).View(append([]inventory.Need{inventory.Settings.Need()}, access.Needs...))
}

func role(name string, labels map[string]string, aggregate map[string]string, resources ...string) *rbacv1.ClusterRole {
	r := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	if len(resources) > 0 {
		r.Rules = []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: resources}}
	}
	if aggregate != nil {
		r.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: aggregate}}}
	}
	return r
}

func everywhere(name, role string, subjects ...rbacv1.Subject) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: role}, Subjects: subjects}
}

func in(namespace, name, role string, subjects ...rbacv1.Subject) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: role}, Subjects: subjects}
}

func user(name string) rbacv1.Subject { return rbacv1.Subject{Kind: rbacv1.UserKind, Name: name} }

// TestCauses: what gives a right to whom, and where.
func TestCauses(t *testing.T) {
	mark := map[string]string{"to": "reader"}
	for _, tt := range []struct {
		name    string
		objects []any
		want    []string
	}{
		{"one role, many bindings",
			[]any{role("reader", nil, nil, "secrets"), everywhere("a", "reader", user("ann"), user("bob")), in("shop", "b", "reader", user("ann"))},
			[]string{"ClusterRole reader at 0.yaml:1, in the whole cluster: User ann, User bob, by 2"}},
		{"in namespaces",
			[]any{role("reader", nil, nil, "secrets"), in("shop", "b", "reader", user("ann")), in("pay", "b", "reader", user("ann"))},
			[]string{"ClusterRole reader at 0.yaml:1, in 2 namespaces: User ann, by 2"}},
		{"a role of Kubernetes' own",
			[]any{everywhere("a", "edit", user("ann")), everywhere("b", "edit", user("bob"))},
			[]string{"ClusterRoleBinding a at 0.yaml:1, in the whole cluster: User ann, by 1", "ClusterRoleBinding b at 1.yaml:1, in the whole cluster: User bob, by 1"}},
		{"the part of an aggregated role",
			[]any{role("whole", nil, mark), role("part", mark, nil, "secrets"), everywhere("a", "whole", user("ann"))},
			[]string{"ClusterRole part at 1.yaml:1, in the whole cluster: User ann, by 1"}},
		{"the part of a role of Kubernetes' own",
			[]any{role("part", map[string]string{"rbac.authorization.k8s.io/aggregate-to-view": "true"}, nil, "secrets"), everywhere("a", "view", user("ann"))},
			[]string{"ClusterRoleBinding a at 1.yaml:1, in the whole cluster: User ann, by 1"}},
		{"bindings of Kubernetes' own and of distributions",
			[]any{everywhere("cluster-admin", "cluster-admin", user("mallory")), everywhere("eks:x", "cluster-admin", user("eks:x"))},
			nil},
		{"two files define one role",
			[]any{role("reader", nil, nil, "secrets"), role("reader", nil, nil, "secrets", "pods"), everywhere("a", "reader", user("ann"))},
			[]string{"ClusterRole reader at 0.yaml:1, in the whole cluster: User ann, by 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := cause.Made.Of(seal(inventory.Setting{}, tt.objects...))
			var got []string
			for _, c := range x.Causes(x.Engine.Ways(access.Request{Verb: "get", Resource: "secrets", Namespace: access.Any})) {
				var holders []string
				for _, s := range c.Holders {
					holders = append(holders, s.String())
				}
				got = append(got, fmt.Sprintf("%s %s at %s, %s: %s, by %d", c.Kind, c.Name, c.At.At, c.Scope(), strings.Join(holders, ", "), len(c.Grants)))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAllowed(t *testing.T) {
	v := seal(inventory.Setting{AllowedSubjects: []inventory.AllowedSubject{
		{Checks: []string{"a/b/c"}, Kind: "ServiceAccount", Name: "ci-*", Namespace: "team-?"},
		{Checks: []string{"a/b/c"}, Kind: "Group", Name: "oidc:/*"},
		{Checks: []string{"a/b/d"}, Kind: "User", Name: "*"},
	}})
	allowed := cause.Allowed(v, "a/b/c")
	for s, want := range map[access.Subject]bool{
		access.Account("team-a", "ci-web"):  true,
		access.Account("team-aa", "ci-web"): false,
		access.Account("", "ci-web"):        false,
		access.Group("oidc:/ops/eu"):        true,
		access.Group("ops"):                 false,
		access.NewUser("ann"):               false,
		access.NewUser("oidc:/ann"):         false,
	} {
		if got := allowed(s); got != want {
			t.Errorf("%s: %t", s, got)
		}
	}
}

func TestSubjects(t *testing.T) {
	for s, want := range map[access.Subject]string{
		access.Group("system:unauthenticated"):               "anonymous broad",
		access.NewUser("system:anonymous"):                   "anonymous broad",
		access.Group("system:anonymous"):                     "cluster", // no group: nobody is in it
		access.Group("system:authenticated"):                 "everybody broad",
		access.Group("system:serviceaccounts"):               "everybody broad",
		access.Group("system:serviceaccounts:shop"):          "default broad",
		access.Account("shop", "default"):                    "default broad",
		access.NewUser("system:serviceaccount:shop:default"): "default broad",
		access.NewUser("default"):                            "",
		access.NewUser("system:kube-scheduler"):              "cluster",
		access.Account("kube-system", "system:odd"):          "",
		access.Group("kubeadm:cluster-admins"):               "",
	} {
		var got []string
		for _, x := range []struct {
			is   func(access.Subject) bool
			name string
		}{{cause.Anonymous, "anonymous"}, {cause.Everybody, "everybody"}, {cause.Default, "default"}, {cause.Broad, "broad"}, {cause.OfCluster, "cluster"}} {
			if x.is(s) {
				got = append(got, x.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", s, got)
		}
	}
}

func TestRuleText(t *testing.T) {
	for want, r := range map[string]rbacv1.PolicyRule{
		"get, list on secrets":                  {Verbs: []string{"get", "list"}, APIGroups: []string{""}, Resources: []string{"secrets"}},
		"* on * of apps named web":              {Verbs: []string{"*"}, APIGroups: []string{"", "apps"}, Resources: []string{"*"}, ResourceNames: []string{"web"}},
		"get on /metrics":                       {Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics"}},
		"get on a, b, c, d, e, f, g and 2 more": {Verbs: []string{"get"}, Resources: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}},
	} {
		if got := cause.RuleText(access.Rule{PolicyRule: &r}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
