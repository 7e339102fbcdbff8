package abac_test

import (
	"strings"
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/abac"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// policy reads a line of version v1beta1 by its spec.
func policy(t testing.TB, spec string) inventory.ABACPolicy {
	t.Helper()
	p, err := inventory.ReadABACPolicy([]byte(`{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":{` + spec + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAllows(t *testing.T) {
	ann := access.Identity{User: "ann", Groups: []string{"ops", "system:authenticated"}}
	nobody := access.Identity{User: "system:anonymous", Groups: []string{"system:unauthenticated"}}
	get := access.Request{Verb: "get", Resource: "pods", Namespace: "shop", Name: "web"}
	with := func(change func(*access.Request)) access.Request { r := get; change(&r); return r }
	path := func(verb, p string) access.Request { return access.Request{Verb: verb, Path: p} }
	const all = `,"namespace":"*","resource":"*","apiGroup":"*"`
	tests := []struct {
		name, spec string
		id         access.Identity
		r          access.Request
		want       bool
	}{
		{"exact", `"user":"ann","namespace":"shop","resource":"pods"`, ann, get, true},
		{"another user", `"user":"bob"` + all, ann, get, false},
		{"a group", `"group":"ops"` + all, ann, get, true},
		{"another group", `"group":"dev"` + all, ann, get, false},
		{"user and group", `"user":"ann","group":"ops"` + all, ann, get, true},
		{"user, not group", `"user":"ann","group":"dev"` + all, ann, get, false},
		{"group, not user", `"user":"bob","group":"ops"` + all, ann, get, false},
		{"nobody in particular", strings.TrimPrefix(all, ","), ann, get, false},
		{"every user", `"user":"*"` + all, ann, get, true},
		{"every user is not the anonymous one", `"user":"*"` + all, nobody, get, false},
		{"the anonymous one", `"user":"system:anonymous"` + all, nobody, get, true},
		{"a glob is a name", `"user":"a*"` + all, ann, get, false},

		{"get is reading", `"user":"ann","readonly":true` + all, ann, get, true},
		{"so is watch", `"user":"ann","readonly":true` + all, ann, with(func(r *access.Request) { r.Verb = "watch" }), true},
		{"delete is not", `"user":"ann","readonly":true` + all, ann, with(func(r *access.Request) { r.Verb = "delete" }), false},
		{"nor is a verb of one's own", `"user":"ann","readonly":true` + all, ann, with(func(r *access.Request) { r.Verb = "impersonate" }), false},
		{"which all verbs hold", `"user":"ann"` + all, ann, with(func(r *access.Request) { r.Verb = "impersonate" }), true},

		{"subresources go with the resource", `"user":"ann","namespace":"*","resource":"pods"`, ann, with(func(r *access.Request) { r.Verb, r.Subresource = "create", "exec" }), true},
		{"a subresource is no resource", `"user":"ann","namespace":"*","resource":"pods/exec"`, ann, with(func(r *access.Request) { r.Verb, r.Subresource = "create", "exec" }), false},
		{"another resource", `"user":"ann","namespace":"*","resource":"secrets","apiGroup":"*"`, ann, get, false},
		{"no group is the core group", `"user":"ann","namespace":"*","resource":"*"`, ann, with(func(r *access.Request) { r.Group = "apps" }), false},
		{"a group of the API", `"user":"ann","namespace":"*","resource":"*","apiGroup":"apps"`, ann, with(func(r *access.Request) { r.Group = "apps" }), true},
		{"which is not the core group", `"user":"ann","namespace":"*","resource":"*","apiGroup":"apps"`, ann, get, false},
		{"without a resource", `"user":"ann","namespace":"*","apiGroup":"*"`, ann, get, false},

		{"another namespace", `"user":"ann","namespace":"dev","resource":"*"`, ann, get, false},
		{"no namespace", `"user":"ann","resource":"*"`, ann, get, false},
		{"what lies in none", `"user":"ann","resource":"nodes"`, ann, access.Request{Verb: "get", Resource: "nodes"}, true},
		{"which a namespace does not hold", `"user":"ann","namespace":"shop","resource":"nodes"`, ann, access.Request{Verb: "get", Resource: "nodes"}, false},
		{"all namespaces hold it", `"user":"ann","namespace":"*","resource":"nodes"`, ann, access.Request{Verb: "get", Resource: "nodes"}, true},
		{"any namespace", `"user":"ann","namespace":"dev","resource":"pods"`, ann, with(func(r *access.Request) { r.Namespace = access.Any }), true},
		{"any namespace, not none", `"user":"ann","resource":"pods"`, ann, with(func(r *access.Request) { r.Namespace = access.Any }), false},
		{"any namespace by a list of all", `"user":"ann","resource":"pods"`, ann, with(func(r *access.Request) { r.Verb, r.Namespace = "list", access.Any }), true},

		{"a path", `"user":"ann","nonResourcePath":"/metrics"`, ann, path("get", "/metrics"), true},
		{"not what is below", `"user":"ann","nonResourcePath":"/metrics"`, ann, path("get", "/metrics/slis"), false},
		{"below", `"user":"ann","nonResourcePath":"/debug/*"`, ann, path("get", "/debug/pprof/heap"), true},
		{"the folder itself is not below", `"user":"ann","nonResourcePath":"/debug/*"`, ann, path("get", "/debug"), false},
		{"every path", `"user":"ann","nonResourcePath":"*"`, ann, path("post", "/x"), true},
		{"a star in the middle is none", `"user":"ann","nonResourcePath":"/a*/b"`, ann, path("get", "/ax/b"), false},
		{"two stars are one", `"user":"ann","nonResourcePath":"/a**"`, ann, path("get", "/ab"), true},
		{"reading a path", `"user":"ann","nonResourcePath":"*","readonly":true`, ann, path("post", "/x"), false},
		{"head is not reading", `"user":"ann","nonResourcePath":"*","readonly":true`, ann, path("head", "/x"), false},
		{"resources are no paths", `"user":"ann"` + all, ann, path("get", "/metrics"), false},
		{"paths are no resources", `"user":"ann","nonResourcePath":"*"`, ann, get, false},
	}
	for _, tt := range tests {
		if got := abac.Allows(policy(t, tt.spec), tt.id, tt.r); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestText(t *testing.T) {
	for spec, want := range map[string]string{
		`"user":"ann","namespace":"shop","resource":"pods","readonly":true`:                     "User ann: read pods in namespace shop",
		`"user":"ann","group":"ops","namespace":"*","resource":"*","apiGroup":"*"`:              "User ann in Group ops: do everything with all resources in the whole cluster",
		`"group":"*","resource":"*","apiGroup":"apps"`:                                          "Group system:authenticated: do everything with all resources of apps in no namespace",
		`"user":"system:serviceaccount:a:b","namespace":"*","resource":"*"`:                     "ServiceAccount a/b: do everything with all resources of the core group in the whole cluster",
		`"user":"ann","nonResourcePath":"*","readonly":true`:                                    "User ann: read all paths that are no resources",
		`"user":"ann","resource":"roles","apiGroup":"a","namespace":"*","nonResourcePath":"/x"`: "User ann: do everything with roles.a in the whole cluster, do everything with /x",
		`"user":"ann","resource":"roles","apiGroup":"*","namespace":"*"`:                        "User ann: do everything with roles of all API groups in the whole cluster",
		`"user":"ann"`: "User ann: do nothing",
	} {
		p := policy(t, spec)
		if got := abac.Holder(p) + ": " + abac.Right(p); got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
	}
}

// FuzzAllows holds that reading is less than everything, that a policy without a
// subject is for nobody, and that what is allowed somewhere is allowed in some
// namespace.
func FuzzAllows(f *testing.F) {
	f.Add("ann", "", "shop", "pods", "", "", "get", "shop", "pods", "", "")
	f.Add("*", "", "*", "*", "*", "/x*", "post", "", "", "", "/x/y")
	f.Fuzz(func(t *testing.T, user, group, namespace, resource, apiGroup, path, verb, inNamespace, ofResource, ofGroup, toPath string) {
		p := inventory.ABACPolicy{User: user, Group: group, Namespace: namespace, Resource: resource, APIGroup: apiGroup, NonResourcePath: path, Readonly: true}
		id := access.Identity{User: user, Groups: []string{group}}
		r := access.Request{Verb: verb, Group: ofGroup, Resource: ofResource, Namespace: inNamespace, Path: toPath}
		writes := p
		writes.Readonly = false
		if abac.Allows(p, id, r) && !abac.Allows(writes, id, r) {
			t.Errorf("%+v allows %+v, but not where it may write, too", p, r)
		}
		if user == "" && group == "" && abac.Allows(writes, id, r) {
			t.Errorf("%+v names nobody", p)
		}
		anywhere := r
		anywhere.Namespace = access.Any
		if r.Path == "" && r.Namespace != "" && namespace != "" && abac.Allows(p, id, r) && !abac.Allows(p, id, anywhere) {
			t.Errorf("%+v allows %+v, and nowhere", p, r)
		}
	})
}
