package kubeapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// TestCustomKinds reads objects of other projects: of the version that is
// served and known, by pages, and never as absent where they could not be read.
func TestCustomKinds(t *testing.T) {
	const path = "/apis/kyverno.io/v1/clusterpolicies"
	k := inventory.KyvernoClusterPolicies
	policy := func(name, spec string) string {
		return fmt.Sprintf(`{"apiVersion":"kyverno.io/v1","kind":"ClusterPolicy","metadata":{"name":%q,"resourceVersion":"7"},"spec":%s,"status":{"ready":true}}`, name, spec)
	}
	page := func(next string, items ...string) string {
		return fmt.Sprintf(`{"apiVersion":"kyverno.io/v1","kind":"ClusterPolicyList","metadata":{"continue":%q},"items":[%s]}`, next, strings.Join(items, ","))
	}
	for _, tc := range []struct {
		name   string
		groups []any
		answer func(w http.ResponseWriter, token string)
		want   string // names, or the gap
	}{
		{"not served", nil, nil, ""},
		{"another kind of the group", []any{group("kyverno.io", "v1", "Current", "Foo")}, nil, ""},
		{"another version", []any{group("kyverno.io", "v9", "Current", "ClusterPolicy")}, nil,
			"unsupported: the API server serves clusterpolicies.kyverno.io in v9"},
		{"group down", []any{group("kyverno.io", "v1", "Stale")}, nil, "failed: the server behind kyverno.io/v1 does not answer"},
		{"two pages", []any{group("kyverno.io", "v1", "Current", "ClusterPolicy")}, func(w http.ResponseWriter, token string) {
			if token == "" {
				fmt.Fprint(w, page("more", policy("a", `{"validationFailureAction":"Enforce","future":{"x":1}}`)))
				return
			}
			fmt.Fprint(w, page("", policy("b", `{}`)))
		}, "a Enforce, b "},
		{"forbidden", []any{group("kyverno.io", "v1", "Current", "ClusterPolicy")}, func(w http.ResponseWriter, _ string) {
			writeStatus(w, http.StatusForbidden, "no", "")
		}, "forbidden: the server answered 403 Forbidden: no"},
		{"gone after discovery", []any{group("kyverno.io", "v1", "Current", "ClusterPolicy")}, func(w http.ResponseWriter, _ string) {
			writeStatus(w, http.StatusNotFound, "the server could not find the requested resource", "")
		}, "not-served: the server does not serve clusterpolicies in /apis/kyverno.io/v1"},
		{"a field of another type", []any{group("kyverno.io", "v1", "Current", "ClusterPolicy")}, func(w http.ResponseWriter, _ string) {
			fmt.Fprint(w, page("", policy("a", `{"validationFailureAction":["hunter2"]}`), policy("b", `{}`)))
		}, "unreadable: 1 of 2 objects cannot be decoded, the first: /a: a field of ClusterPolicy has another type than the API says"},
		{"another list", []any{group("kyverno.io", "v1", "Current", "ClusterPolicy")}, func(w http.ResponseWriter, _ string) {
			fmt.Fprint(w, `{"apiVersion":"v1","kind":"Status"}`)
		}, `unreadable: the answer is a "Status" of "v1", not a List`},
		{"a page that breaks off", []any{group("kyverno.io", "v1", "Current", "ClusterPolicy")}, func(w http.ResponseWriter, _ string) {
			fmt.Fprint(w, page("", policy("a", `{}`))[:80])
		}, "unreadable: the answer is not a list in JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.groups = tc.groups
			f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.URL.Path != path || tc.answer == nil {
					return false
				}
				if accept := r.Header.Get("Accept"); accept != acceptJSON {
					t.Errorf("asked for %q: custom resources have no protobuf", accept)
				}
				w.Header().Set("Content-Type", acceptJSON)
				tc.answer(w, r.URL.Query().Get("continue"))
				return true
			}
			inv, _, _ := f.read(Options{Kinds: []report.KindID{k.ID}})
			if gaps := inv.Gaps(k.ID, ""); len(gaps) > 0 {
				if got := string(gaps[0].Cause) + ": " + gaps[0].Detail; got != tc.want {
					t.Errorf("gap %q, want %q", got, tc.want)
				}
				return
			}
			var got []string
			for o := range inventory.All(inv.View([]inventory.Need{k.Need()}), k) {
				got = append(got, o.Name+" "+o.Value.Spec.Action)
			}
			if names := strings.Join(got, ", "); names != tc.want {
				t.Errorf("read %q, want %q", names, tc.want)
			}
		})
	}
}

// TestEveryKindOfAGroup reads a group whose kinds are not known beforehand.
func TestEveryKindOfAGroup(t *testing.T) {
	f := newFakeAPI(t)
	f.groups = []any{group("constraints.gatekeeper.sh", "v1beta1", "Current", "NoHostPath", "NoRoot")}
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		resource, ok := strings.CutPrefix(r.URL.Path, "/apis/constraints.gatekeeper.sh/v1beta1/")
		if !ok {
			return false
		}
		if resource == "noroots" {
			writeStatus(w, http.StatusForbidden, "no", "")
			return true
		}
		w.Header().Set("Content-Type", acceptJSON)
		fmt.Fprint(w, `{"apiVersion":"constraints.gatekeeper.sh/v1beta1","kind":"NoHostPathList","metadata":{},"items":[
			{"apiVersion":"constraints.gatekeeper.sh/v1beta1","kind":"NoHostPath","metadata":{"name":"a"}}]}`)
		return true
	}
	k := inventory.GatekeeperConstraints
	inv, _, _ := f.read(Options{Kinds: []report.KindID{k.ID}})
	for o := range inventory.All(inv.View([]inventory.Need{k.Need()}), k) {
		if o.Kind != "NoHostPath" || o.Name != "a" {
			t.Errorf("read %s %s", o.Kind, o.Name)
		}
	}
	if n := inventory.Len(inv.View([]inventory.Need{k.Need()}), k); n != 1 {
		t.Errorf("%d constraints, want 1", n)
	}
	if gaps := inv.Gaps(k.ID, ""); len(gaps) != 1 || gaps[0].Cause != report.Forbidden {
		t.Errorf("gaps %v, want that noroots is forbidden", gaps)
	}
}
