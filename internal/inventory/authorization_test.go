package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadABACPolicy(t *testing.T) {
	const v1beta1 = `{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":`
	everything := ABACPolicy{Group: "system:authenticated", Namespace: "*", Resource: "*", APIGroup: "*", NonResourcePath: "*"}
	with := func(change func(*ABACPolicy)) ABACPolicy { p := everything; change(&p); return p }
	tests := []struct {
		name, line string
		want       ABACPolicy
	}{
		{"as written", v1beta1 + `{"user":"ann","namespace":"shop","resource":"pods","apiGroup":"","readonly":true}}`,
			ABACPolicy{User: "ann", Namespace: "shop", Resource: "pods", Readonly: true}},
		{"nothing grants nothing", v1beta1 + `{}}`, ABACPolicy{}},
		{"every user", v1beta1 + `{"user":"*","resource":"pods"}}`, ABACPolicy{Group: "system:authenticated", Resource: "pods"}},
		{"every group, and a user", v1beta1 + `{"user":"ann","group":"*"}}`, ABACPolicy{Group: "system:authenticated"}},
		{"names by their case", v1beta1 + `{"User":"ann"}}`, ABACPolicy{}},
		{"a key twice", v1beta1 + `{"user":"ann","user":"bob"}}`, ABACPolicy{User: "bob"}},
		{"unknown fields", v1beta1 + `{"user":"ann","expires":"2030"}}`, ABACPolicy{User: "ann"}},
		{"first version, empty", `{}`, everything},
		{"first version, a user", `{"user":"ann"}`, with(func(p *ABACPolicy) { p.User, p.Group = "ann", "" })},
		{"first version, a group", `{"group":"ops"}`, with(func(p *ABACPolicy) { p.Group = "ops" })},
		{"first version, every user", `{"user":"*"}`, everything},
		{"first version, a namespace", `{"namespace":"shop"}`, with(func(p *ABACPolicy) { p.Namespace, p.NonResourcePath = "shop", "" })},
		{"first version, a resource", `{"resource":"pods","readonly":true}`, with(func(p *ABACPolicy) { p.Resource, p.NonResourcePath, p.Readonly = "pods", "", true })},
		{"first version by name", `{"apiVersion":"abac.authorization.kubernetes.io/v0","kind":"Policy","user":"ann"}`, with(func(p *ABACPolicy) { p.User, p.Group = "ann", "" })},
		{"first version without a kind", `{"apiVersion":"abac.authorization.kubernetes.io/v0","user":"ann"}`, with(func(p *ABACPolicy) { p.User, p.Group = "ann", "" })},
		{"first version with a group of its own", `{"user":"ann","apiGroup":"apps"}`, with(func(p *ABACPolicy) { p.User, p.Group = "ann", "" })},
	}
	for _, tt := range tests {
		got, err := ReadABACPolicy([]byte(tt.line))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s:\n%s", tt.name, d)
		}
	}
	for _, line := range []string{
		"", "{", "[]", `"user"`, `{"user":5}`, v1beta1 + `{"readonly":"true"}}`, v1beta1 + `{}} # trailing`,
		`{"apiVersion":"abac.authorization.kubernetes.io/v9","kind":"Policy"}`,
		`{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","spec":{}}`,
		`{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"PolicyList"}`,
		`{"apiVersion":"v1","kind":"Policy"}`, `{"kind":"Pod"}`,
	} {
		if p, err := ReadABACPolicy([]byte(line)); err == nil {
			t.Errorf("%s: %+v", line, p)
		}
	}
}

func FuzzReadABACPolicy(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":{"user":"*"}}`))
	f.Add([]byte(`{"user":"ann","namespace":"shop"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		p, err := ReadABACPolicy(line)
		if err != nil && p != (ABACPolicy{}) {
			t.Errorf("%q: an error, and %+v", line, p)
		}
		if p.User == "*" || p.Group == "*" {
			t.Errorf("%q: %+v is not resolved", line, p)
		}
	})
}
