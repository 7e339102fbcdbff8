package holdings_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/holdings"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

func role(name string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
}

func rule(verbs, group, resources string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: strings.Fields(verbs), APIGroups: []string{group}, Resources: strings.Fields(resources)}
}

func bind(name, role string, subjects ...rbacv1.Subject) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: role}, Subjects: subjects,
	}
}

func user(name string) rbacv1.Subject  { return rbacv1.Subject{Kind: "User", Name: name} }
func group(name string) rbacv1.Subject { return rbacv1.Subject{Kind: "Group", Name: name} }

func list(objects ...any) *holdings.List {
	b := &inventory.Builder{}
	for _, o := range objects {
		inventory.PutObject(b, o, inventory.Origin{Source: "files", Place: "rbac.yaml"})
	}
	return holdings.All.Of(b.Seal(time.Time{}).View(holdings.All.Needs))
}

func names(hs []*holdings.Holding) (out []string) {
	for _, h := range hs {
		out = append(out, h.Subject.String()+" by "+h.BindingName())
	}
	return out
}

// The order of objects, rules, values and subjects, what is written twice, and
// metadata are nothing to the digest.
func TestDigest(t *testing.T) {
	base := list(
		role("reader", rule("get list", "", "pods services"), rule("get", "apps", "deployments")),
		bind("readers", "reader", user("ann"), group("ops")),
	).Digest
	labelled := bind("readers", "reader", group("ops"), user("ann"), group("ops"))
	labelled.Labels = map[string]string{"a": "b"}
	if got := list(labelled, role("reader", rule("get get", "apps", "deployments"), rule("list get", "", "services pods"), rule("get", "apps", "deployments"))).Digest; got != base {
		t.Errorf("the order changes the digest: %s, %s", got, base)
	}
	for what, other := range map[string]*holdings.List{
		"a verb more":    list(role("reader", rule("get list watch", "", "pods services"), rule("get", "apps", "deployments")), bind("readers", "reader", user("ann"), group("ops"))),
		"a subject less": list(role("reader", rule("get list", "", "pods services"), rule("get", "apps", "deployments")), bind("readers", "reader", group("ops"))),
		"an unused role": list(role("reader", rule("get list", "", "pods services"), rule("get", "apps", "deployments")), bind("readers", "reader", user("ann"), group("ops")), role("more")),
		"another kind":   list(role("reader", rule("get list", "", "pods services"), rule("get", "apps", "deployments")), bind("readers", "reader", group("ann"), group("ops"))),
	} {
		if other.Digest == base {
			t.Errorf("%s leaves the digest as it is", what)
		}
	}
}

// What Kubernetes itself made is apart from what somebody made of it.
func TestOriginals(t *testing.T) {
	var objects []any
	for _, o := range bootstrap.Roles(bootstrap.Newest) {
		if o.Kind == "ClusterRole" {
			objects = append(objects, &rbacv1.ClusterRole{
				ObjectMeta: metav1.ObjectMeta{Name: o.Name, Labels: o.Value.Labels}, Rules: o.Value.Rules, AggregationRule: o.Value.Aggregation,
			})
		}
	}
	n := 0
	for _, o := range bootstrap.Bindings(bootstrap.Newest) {
		if o.Kind == "ClusterRoleBinding" {
			objects = append(objects, bind(o.Name, o.Value.RoleRef.Name, o.Value.Subjects...))
			n += len(o.Value.Subjects)
		}
	}
	l := list(objects...)
	if len(l.Holdings) > 0 || len(l.Originals) != n {
		t.Errorf("%d of %d are original, and not %v", len(l.Originals), n, names(l.Holdings))
	}

	for _, o := range objects {
		switch x := o.(type) {
		case *rbacv1.ClusterRoleBinding:
			if x.Name == "cluster-admin" {
				x.Subjects = append(x.Subjects, user("eve"))
			}
		case *rbacv1.ClusterRole:
			if x.Name == "system:kube-scheduler" {
				x.Rules = append(x.Rules, rule("*", "", "secrets"))
			}
		}
	}
	want := []string{"User eve by ClusterRoleBinding cluster-admin", "User system:kube-scheduler by ClusterRoleBinding system:kube-scheduler"}
	if d := cmp.Diff(want, names(list(objects...).Holdings)); d != "" {
		t.Error(d)
	}
}

func TestSince(t *testing.T) {
	reader, readers := role("reader", rule("get", "", "pods")), bind("readers", "reader", user("ann"), user("bob"), user("cid"), user("dan"))
	before := list(reader, readers)
	var r inventory.AccessReview
	for i, h := range before.Holdings {
		r.Grants = append(r.Grants, inventory.ReviewedGrant{
			Binding: h.BindingName(), Subject: h.Subject.String(), Right: h.Right,
			Decision: []inventory.Decision{inventory.Keep, inventory.Revoke, inventory.Change, inventory.Keep}[i],
		})
	}
	for _, c := range []struct {
		name    string
		now     *holdings.List
		says    string
		open    int
		foreign bool
	}{
		{"the same", before, "no grant changed", 2, false},
		{"carried out", list(role("reader", rule("get", "", "pods")), bind("readers", "reader", user("ann"), user("dan"))), "1 grant was removed", 0, false},
		{"one more", list(role("reader", rule("get", "", "pods")), bind("readers", "reader", user("ann"), user("dan"), user("eve"), user("cid"))), "1 grant was added", 1, false},
		{"other rights", list(role("reader", rule("list", "", "pods")), bind("readers", "reader", user("ann"), user("bob"), user("cid"), user("dan"))), "4 grants were changed", 1, false},
		{"another role", list(bind("readers", "writer", user("ann"))), "1 grant was changed, 2 removed", 0, false},
		{"something else", list(bind("others", "reader", user("ann"))), "1 grant was added, 3 removed", 0, true},
		{"nothing", list(), "3 grants were removed", 0, false},
	} {
		got := c.now.Since(r)
		if got.String() != c.says || len(got.Open) != c.open || got.Foreign != c.foreign {
			t.Errorf("%s: %q, %d open, foreign %v; want %q, %d, %v", c.name, got, len(got.Open), got.Foreign, c.says, c.open, c.foreign)
		}
	}
}

func TestNewestAndDue(t *testing.T) {
	b := &inventory.Builder{}
	for _, date := range []string{"2024-02-29T10:00:00Z", "2020-01-01T00:00:00Z"} {
		if err := inventory.PutAccessReview(b, "", date, []byte(`{"apiVersion":"plimsoll.review/v1","kind":"AccessReview","date":"`+date+`","reviewer":"ann","digest":"x"}`), inventory.Origin{}); err != nil {
			t.Fatal(err)
		}
	}
	newest, ok := holdings.Newest(b.Seal(time.Time{}).View([]inventory.Need{inventory.AccessReviews.Need()}))
	if !ok || newest.Name != "2024-02-29T10:00:00Z" {
		t.Errorf("the newest is %q", newest.Name)
	}
	if got, want := holdings.Due(newest.Value), time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("due %s, want %s", got, want)
	}
}
