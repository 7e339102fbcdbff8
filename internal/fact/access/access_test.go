package access_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/auth/rbac/validation"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// engine reads RBAC objects through the inventory. Each document begins with
// its kind and name, "Role shop/reader", and where it stands if that matters. A
// leading "live" gives them UIDs.
func engine(t testing.TB, docs string) *access.Engine {
	t.Helper()
	docs, live := strings.CutPrefix(docs, "live\n")
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
			SetUID(types.UID)
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
		if live {
			obj.SetUID("1")
		}
		inventory.PutObject(b, obj, inventory.Origin{Source: "files", Place: place + ".yaml"})
	}
	return access.Grants.Of(b.Seal(time.Time{}).View(access.Needs))
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

func TestAllows(t *testing.T) {
	rule := func(verbs, groups, resources, names string) *rbacv1.PolicyRule {
		r := &rbacv1.PolicyRule{Verbs: strings.Split(verbs, ","), APIGroups: strings.Split(groups, ","), Resources: strings.Split(resources, ",")}
		if names != "" {
			r.ResourceNames = strings.Split(names, ",")
		}
		return r
	}
	paths := func(urls ...string) *rbacv1.PolicyRule {
		return &rbacv1.PolicyRule{Verbs: []string{"get"}, NonResourceURLs: urls}
	}
	get := access.Request{Verb: "get", Resource: "pods", Namespace: "shop"}
	with := func(r access.Request, change func(*access.Request)) access.Request { change(&r); return r }
	scale := access.Request{Verb: "get", Group: "apps", Resource: "deployments", Subresource: "scale"}
	tests := []struct {
		name string
		rule *rbacv1.PolicyRule
		req  access.Request
		want bool
	}{
		{"exact", rule("get", "", "pods", ""), get, true},
		{"other verb", rule("list", "", "pods", ""), get, false},
		{"other group", rule("get", "apps", "pods", ""), get, false},
		{"all verbs", rule("*", "", "pods", ""), get, true},
		{"all groups", rule("get", "*", "pods", ""), get, true},
		{"all resources", rule("get", "", "*", ""), get, true},
		{"all resources hold subresources", rule("get", "apps", "*", ""), scale, true},
		{"a resource does not hold its subresources", rule("get", "apps", "deployments", ""), scale, false},
		{"subresource of all", rule("get", "apps", "*/scale", ""), scale, true},
		{"other subresource of all", rule("get", "apps", "*/status", ""), scale, false},
		{"all subresources of one is no wildcard", rule("get", "apps", "deployments/*", ""), scale, false},
		{"all of all is no wildcard", rule("get", "apps", "*/*", ""), scale, false},
		{"subresource of all is not the resource", rule("get", "", "*/scale", ""), get, false},
		{"named", rule("get", "", "pods", "a"), with(get, func(r *access.Request) { r.Name = "a" }), true},
		{"other name", rule("get", "", "pods", "a"), with(get, func(r *access.Request) { r.Name = "b" }), false},
		{"names for a request without one", rule("get", "", "pods", "a"), get, false},
		{"asterisk is a name", rule("get", "", "pods", "*"), with(get, func(r *access.Request) { r.Name = "a" }), false},
		{"some name", rule("get", "", "pods", "a"), with(get, func(r *access.Request) { r.Name = access.Any }), true},
		{"create has no name", rule("create", "", "pods", "a"), with(get, func(r *access.Request) { r.Verb, r.Name = "create", access.Any }), false},
		{"create of a subresource has one", rule("create", "", "pods/exec", "a"),
			with(get, func(r *access.Request) { r.Verb, r.Subresource, r.Name = "create", "exec", access.Any }), true},
		{"path", paths("/metrics"), access.Request{Verb: "get", Path: "/metrics"}, true},
		{"path below", paths("/metrics"), access.Request{Verb: "get", Path: "/metrics/slis"}, false},
		{"path prefix", paths("/metrics/*"), access.Request{Verb: "get", Path: "/metrics/slis"}, true},
		{"path prefix is not the path", paths("/metrics/*"), access.Request{Verb: "get", Path: "/metrics"}, false},
		{"asterisks in the middle are none", paths("/a/*/b"), access.Request{Verb: "get", Path: "/a/x/b"}, false},
		{"all paths", paths("*"), access.Request{Verb: "get", Path: "/x"}, true},
		{"a resource rule holds no path", rule("*", "*", "*", ""), access.Request{Verb: "get", Path: "/x"}, false},
		{"a path rule holds no resource", paths("*"), get, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := access.Allows(tt.rule, tt.req); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// FuzzAllows compares with upstream's own comparison of rules, which says the
// same where a request is taken as a rule for exactly one right.
func FuzzAllows(f *testing.F) {
	f.Add("get", "", "pods", "exec", "a", "get", "", "pods/exec", "a")
	f.Add("*", "*", "*/scale", "", "", "get", "apps", "deployments/scale", "")
	f.Add("get", "", "/metrics/*", "", "", "get", "", "/metrics/x", "")
	f.Fuzz(func(t *testing.T, verb, group, resource, other, name, askVerb, askGroup, ask, askName string) {
		rule := rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{resource, other}}
		if name != "" {
			rule.ResourceNames = []string{name}
		}
		right := rbacv1.PolicyRule{Verbs: []string{askVerb}, APIGroups: []string{askGroup}, Resources: []string{ask}}
		req := access.Request{Verb: askVerb, Group: askGroup, Name: askName}
		req.Resource, req.Subresource, _ = strings.Cut(ask, "/")
		if askName != "" {
			right.ResourceNames = []string{askName}
		}
		if strings.HasSuffix(ask, "/") || ask == "" {
			return // not a request
		}
		if strings.HasPrefix(ask, "/") {
			rule.NonResourceURLs, rule.APIGroups, rule.Resources, rule.ResourceNames = rule.Resources, nil, nil, nil
			right = rbacv1.PolicyRule{Verbs: right.Verbs, NonResourceURLs: []string{ask}}
			req = access.Request{Verb: askVerb, Path: ask}
		}
		want, _ := validation.Covers([]rbacv1.PolicyRule{rule}, []rbacv1.PolicyRule{right})
		if got := access.Allows(&rule, req); got != want {
			t.Errorf("%+v allows %+v: %v, upstream %v", rule, req, got, want)
		}
	})
}

func TestWhoCan(t *testing.T) {
	const docs = `ClusterRole /sum
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
rules: [{apiGroups: [""], resources: [nodes], verbs: [get]}]
---
ClusterRole /middle
metadata: {labels: {part: "yes"}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {deep: "yes"}}, {matchLabels: {part: "yes"}}]}
---
ClusterRole /part
metadata: {labels: {deep: "yes"}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}, {nonResourceURLs: [/metrics], verbs: [get]}]
---
ClusterRole /more-view
metadata: {labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{apiGroups: [example.com], resources: [widgets], verbs: [get]}]
---
Role shop/one
rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list], resourceNames: [a]}]
---
ClusterRoleBinding /everywhere
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: Group, name: dev}]
---
RoleBinding shop/here
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, namespace: pay, name: web}]
---
RoleBinding shop/named
roleRef: {kind: Role, name: one}
subjects: [{kind: User, name: ann}]
---
RoleBinding pay/elsewhere
roleRef: {kind: Role, name: one}
subjects: [{kind: User, name: bob}]
---
ClusterRoleBinding /no-role
roleRef: {kind: Role, name: one}
subjects: [{kind: User, name: eve}]
---
RoleBinding shop/viewer
roleRef: {kind: ClusterRole, name: edit}
subjects: [{kind: User, name: vic}]`
	list := access.Request{Verb: "list", Resource: "secrets"}
	in := func(namespace, name string) access.Request {
		r := list
		r.Namespace, r.Name = namespace, name
		return r
	}
	tests := []struct {
		name string
		req  access.Request
		want []string
	}{
		{"everywhere", list, []string{`Group dev by ClusterRole "sum" → ClusterRoleBinding everywhere`}},
		{"in the namespace", in("shop", ""), []string{
			`Group dev by ClusterRole "sum" → ClusterRoleBinding everywhere`,
			`ServiceAccount pay/web by ClusterRole "sum" → RoleBinding shop/here`,
			`User vic by ClusterRole "edit" → RoleBinding shop/viewer`,
		}},
		{"named", in("shop", "a"), []string{
			`Group dev by ClusterRole "sum" → ClusterRoleBinding everywhere`,
			`ServiceAccount pay/web by ClusterRole "sum" → RoleBinding shop/here`,
			`User ann by Role "one" → RoleBinding shop/named`,
			`User vic by ClusterRole "edit" → RoleBinding shop/viewer`,
		}},
		{"somewhere, something", in(access.Any, access.Any), []string{
			`Group dev by ClusterRole "sum" → ClusterRoleBinding everywhere`,
			`ServiceAccount pay/web by ClusterRole "sum" → RoleBinding shop/here`,
			`User ann by Role "one" → RoleBinding shop/named`,
			`User vic by ClusterRole "edit" → RoleBinding shop/viewer`,
		}},
		{"another namespace", in("pay", "a"), []string{`Group dev by ClusterRole "sum" → ClusterRoleBinding everywhere`}},
		{"path", access.Request{Verb: "get", Path: "/metrics"}, []string{`Group dev by ClusterRole "sum" → ClusterRoleBinding everywhere`}},
		{"what aggregation overwrites", access.Request{Verb: "get", Resource: "nodes"}, nil},
		{"part of a built-in role", access.Request{Verb: "get", Group: "example.com", Resource: "widgets", Namespace: "shop"}, []string{
			`User vic by ClusterRole "edit" → RoleBinding shop/viewer`,
		}},
	}
	e := engine(t, docs)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, a := range e.WhoCan(tt.req) {
				if !a.Implied {
					got = append(got, fmt.Sprint(a.Subject, " by ", a))
				}
				if len(e.Can(a.Subject.Identity(), tt.req)) == 0 && tt.req.Namespace != access.Any {
					t.Errorf("Can does not agree about %s", a.Subject)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	if e.Live {
		t.Error("manifests are taken for a cluster")
	}
	var subjects []string
	for _, s := range e.Subjects() {
		subjects = append(subjects, s.String())
	}
	if d := cmp.Diff([]string{"Group dev", "ServiceAccount pay/web", "User ann", "User bob", "User eve", "User vic"}, subjects); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// large is a cluster of 100,000 RBAC objects with 20,000 subjects.
func large() *inventory.Inventory {
	b := &inventory.Builder{}
	put := func(o any) { inventory.PutObject(b, o, inventory.Origin{Source: "kubeapi", Place: "live"}) }
	for i := range 20_000 {
		ns, name := fmt.Sprintf("ns-%d", i/5), fmt.Sprintf("app-%d", i)
		meta := metav1.ObjectMeta{Namespace: ns, Name: name, UID: types.UID(name)}
		put(&rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
			{Verbs: []string{"get", "list", "watch"}, APIGroups: []string{""}, Resources: []string{"configmaps", "pods"}},
			{Verbs: []string{"create"}, APIGroups: []string{""}, Resources: []string{"events"}},
			{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{name}},
		}})
		for j := range 4 {
			m := meta
			m.Name = fmt.Sprintf("%s-%d", name, j)
			ref := rbacv1.RoleRef{Kind: "Role", Name: name}
			if j == 3 {
				ref = rbacv1.RoleRef{Kind: "ClusterRole", Name: "edit"}
			}
			put(&rbacv1.RoleBinding{ObjectMeta: m, RoleRef: ref, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns, Name: name}}})
		}
	}
	put(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "edit", UID: "edit"}, Rules: []rbacv1.PolicyRule{
		{Verbs: []string{"*"}, APIGroups: []string{"", "apps"}, Resources: []string{"pods", "deployments", "secrets"}},
	}})
	return b.Seal(time.Time{})
}

func BenchmarkBuild(b *testing.B) {
	inv := large()
	for b.Loop() {
		access.Grants.Build(inv.View(access.Needs))
	}
}

func BenchmarkWhoCan(b *testing.B) {
	e := access.Grants.Of(large().View(access.Needs))
	for b.Loop() {
		if n := len(e.WhoCan(access.Request{Verb: "list", Resource: "secrets", Namespace: access.Any})); n != 20_000 {
			b.Fatal(n)
		}
	}
}
