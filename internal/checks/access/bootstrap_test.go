package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// cluster is what a cluster of a minor holds of RBAC after its first start.
type cluster struct {
	roles    []inventory.Object[inventory.Role]
	bindings []inventory.Object[inventory.RoleBinding]
}

func started(minor int) cluster {
	c := cluster{bootstrap.Roles(minor), bootstrap.Bindings(minor)}
	manifests := access.Grants.Of(c.seal().View(access.Needs))
	for i := range c.roles {
		r := &c.roles[i]
		if r.Value.Aggregation != nil { // a controller fills it in
			for _, rule := range manifests.Role(r.Kind, r.Namespace, r.Name).Rules {
				r.Value.Rules = append(r.Value.Rules, *rule.PolicyRule)
			}
		}
		r.Value.UID = "r"
	}
	for i := range c.bindings {
		c.bindings[i].Value.UID = "b"
	}
	return c
}

func (c cluster) seal() *inventory.Inventory {
	b := &inventory.Builder{}
	for _, r := range inventory.Resources {
		b.Collected(r.Kind)
	}
	b.Collected(inventory.Settings.ID)
	for _, o := range c.roles {
		k := inventory.Roles
		if o.Kind == "ClusterRole" {
			k = inventory.ClusterRoles
		}
		inventory.Put(b, k, o.Subject, inventory.Origin{Source: "kubeapi", Place: "live:" + o.Name}, o.Value)
	}
	for _, o := range c.bindings {
		k := inventory.RoleBindings
		if o.Kind == "ClusterRoleBinding" {
			k = inventory.ClusterRoleBindings
		}
		inventory.Put(b, k, o.Subject, inventory.Origin{Source: "kubeapi", Place: "live:" + o.Name}, o.Value)
	}
	return b.Seal(time.Unix(0, 0))
}

// findings runs the checks of item 1.6, and those of 1.1 about objects.
func (c cluster) findings() []string {
	inv, out := c.seal(), []string{}
	for _, rule := range Suite {
		if rule.Item != checklist.RBAC && rule != mastersBindings && rule != mastersImpersonation {
			continue
		}
		for _, f := range check.Evaluate(rule, inv).Findings {
			out = append(out, fmt.Sprintf("%s: %s %s: %s", rule.ID, f.Verdict, strings.TrimSpace(f.Subject.Kind+" "+f.Subject.Name), f.Message))
		}
	}
	return out
}

// TestFreshCluster: what Kubernetes itself grants is no finding, in any version.
func TestFreshCluster(t *testing.T) {
	for minor := bootstrap.Oldest; minor <= bootstrap.Newest; minor++ {
		for _, f := range started(minor).findings() {
			t.Errorf("v1.%d: %s", minor, f)
		}
	}
}

// TestModified: each role and each binding is a finding once it grants more.
func TestModified(t *testing.T) {
	fresh := started(bootstrap.Newest)
	says := func(c cluster, s report.Subject) {
		t.Helper()
		r := check.Evaluate(bootstrapModified, c.seal())
		if len(r.Findings) != 1 || r.Findings[0].Subject != s || r.Findings[0].Verdict != report.Fail {
			t.Errorf("%s %s: %+v", s.Kind, s.Name, r.Findings)
		}
	}
	for i := range fresh.roles {
		if fresh.roles[i].Value.Aggregation != nil || fresh.roles[i].Name == "cluster-admin" {
			continue // its rules are not its own; there is nothing that it lacks
		}
		c := cluster{slices.Clone(fresh.roles), fresh.bindings}
		r := &c.roles[i]
		r.Value.Rules = append(slices.Clone(r.Value.Rules), rbacv1.PolicyRule{Verbs: []string{"create"}, APIGroups: []string{"shop.example"}, Resources: []string{"orders"}})
		says(c, r.Subject)
	}
	for i := range fresh.bindings {
		c := cluster{fresh.roles, slices.Clone(fresh.bindings)}
		b := &c.bindings[i]
		b.Value.Subjects = append(slices.Clone(b.Value.Subjects), rbacv1.Subject{Kind: rbacv1.UserKind, Name: "mallory"})
		says(c, b.Subject)
		b.Value.Subjects, b.Value.RoleRef.Name = fresh.bindings[i].Value.Subjects, "edit"
		says(c, b.Subject)
	}
}

// TestMany: a hundred bindings of one role are one finding in each check that
// has something to say of it, however many there are.
func TestMany(t *testing.T) {
	c := started(bootstrap.Newest)
	role := report.Subject{Kind: "ClusterRole", APIVersion: "rbac.authorization.k8s.io/v1", Name: "operator"}
	c.roles = append(c.roles, inventory.Object[inventory.Role]{Subject: role, Value: inventory.Role{
		Meta:  inventory.Meta{UID: "r"},
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"secrets"}}},
	}})
	for i := range 100 {
		c.bindings = append(c.bindings, inventory.Object[inventory.RoleBinding]{
			Subject: report.Subject{Kind: "ClusterRoleBinding", APIVersion: "rbac.authorization.k8s.io/v1", Name: fmt.Sprint("b", i)},
			Value: inventory.RoleBinding{
				Meta: inventory.Meta{UID: "b"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "operator"},
				Subjects: []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: fmt.Sprint("u", i)}},
			},
		})
	}
	got := c.findings()
	if want := `access/rbac/secrets-read: fail ClusterRole operator: lets "User u0", "User u1", "User u10" and 97 more read Secrets in the whole cluster`; len(got) != 1 || got[0] != want {
		t.Errorf("%q", got)
	}
}
