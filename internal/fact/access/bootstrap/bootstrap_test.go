package bootstrap_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// TestPolicyIsItself proves that what each minor makes is original in a cluster
// of that minor, of a later one to which it was upgraded, and of one that is
// not known.
func TestPolicyIsItself(t *testing.T) {
	for minor := bootstrap.Oldest; minor <= bootstrap.Newest; minor++ {
		roles, bindings := bootstrap.Roles(minor), bootstrap.Bindings(minor)
		if len(roles) < 60 || len(bindings) < 50 {
			t.Fatalf("minor %d: %d roles, %d bindings", minor, len(roles), len(bindings))
		}
		for _, scanned := range []int{minor, 0} {
			for _, o := range roles {
				if v := bootstrap.OfRole(o, scanned); !v.Original() || v.Maker != bootstrap.Upstream {
					t.Errorf("minor %d as %d: %s %s: %+v", minor, scanned, o.Kind, o.Name, v)
				}
			}
			for _, o := range bindings {
				if v := bootstrap.OfBinding(o, scanned); !v.Original() || v.Maker != bootstrap.Upstream {
					t.Errorf("minor %d as %d: %s %s: %+v", minor, scanned, o.Kind, o.Name, v)
				}
			}
		}
		for _, o := range bootstrap.Roles(20) {
			if v := bootstrap.OfRole(o, minor); v.Maker != bootstrap.Upstream || v.Grants() {
				t.Errorf("v1.20 upgraded to %d: %s %s: %+v", minor, o.Kind, o.Name, v)
			}
		}
	}
}

// TestEveryAdditionIsSeen changes every object of every minor in each way that
// grants more.
func TestEveryAdditionIsSeen(t *testing.T) {
	added := rbacv1.PolicyRule{Verbs: []string{"use"}, APIGroups: []string{"other.example.com"}, Resources: []string{"things"}}
	for minor := bootstrap.Oldest; minor <= bootstrap.Newest; minor++ {
		for _, o := range bootstrap.Roles(minor) {
			if o.Name == "cluster-admin" {
				continue // nothing can be added
			}
			was := o.Value
			if was.Aggregation == nil {
				o.Value.Rules = append(append([]rbacv1.PolicyRule(nil), was.Rules...), added)
				if v := bootstrap.OfRole(o, minor); !v.Grants() || v.Original() {
					t.Errorf("minor %d: a rule added to %s: %+v", minor, o.Name, v)
				}
			}
			o.Value = was
			o.Value.Aggregation = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{}}}
			if v := bootstrap.OfRole(o, minor); !v.Grants() {
				t.Errorf("minor %d: an aggregation rule set in %s: %+v", minor, o.Name, v)
			}
			o.Value = was
			o.Value.Labels = map[string]string{bootstrap.AggregateLabel + "other": "true"}
			if v := bootstrap.OfRole(o, minor); !v.Grants() {
				t.Errorf("minor %d: a label set on %s: %+v", minor, o.Name, v)
			}
		}
		for _, o := range bootstrap.Bindings(minor) {
			was := o.Value
			o.Value.Subjects = append(append([]rbacv1.Subject(nil), was.Subjects...), rbacv1.Subject{Kind: "User", Name: "ann"})
			if v := bootstrap.OfBinding(o, minor); !v.Grants() {
				t.Errorf("minor %d: a subject added to %s: %+v", minor, o.Name, v)
			}
			o.Value = was
			o.Value.RoleRef.Name = "other"
			if v := bootstrap.OfBinding(o, minor); !v.Grants() {
				t.Errorf("minor %d: another role in %s: %+v", minor, o.Name, v)
			}
		}
	}
}

func role(kind, namespace, name string, r inventory.Role) inventory.Object[inventory.Role] {
	return inventory.Object[inventory.Role]{Subject: report.Subject{Kind: kind, Namespace: namespace, Name: name}, Value: r}
}

func binding(kind, namespace, name, roleName string, subjects ...rbacv1.Subject) inventory.Object[inventory.RoleBinding] {
	return inventory.Object[inventory.RoleBinding]{
		Subject: report.Subject{Kind: kind, Namespace: namespace, Name: name},
		Value:   inventory.RoleBinding{RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: roleName}, Subjects: subjects},
	}
}

func TestVerdicts(t *testing.T) {
	rule := func(verbs []string, group, resource string, names ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: verbs, APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: names}
	}
	var dns inventory.Role // system:kube-dns: list and watch of endpoints and services
	dns.Rules = []rbacv1.PolicyRule{{Verbs: []string{"list", "watch"}, APIGroups: []string{""}, Resources: []string{"services", "endpoints"}}}
	wider := dns
	wider.Rules = append(wider.Rules[:1:1], rule([]string{"get", "list"}, "", "secrets"))
	narrower := inventory.Role{Rules: []rbacv1.PolicyRule{rule([]string{"list", "watch"}, "", "services")}}
	split := inventory.Role{Rules: []rbacv1.PolicyRule{rule([]string{"list", "watch"}, "", "services"), rule([]string{"watch", "list"}, "", "endpoints")}}
	kept := dns
	kept.Annotations = map[string]string{"rbac.authorization.kubernetes.io/autoupdate": "false"}

	tests := []struct {
		name string
		got  bootstrap.Verdict
		want bootstrap.Verdict
	}{
		{"as made", bootstrap.OfRole(role("ClusterRole", "", "system:kube-dns", dns), 37), bootstrap.Verdict{Maker: bootstrap.Upstream}},
		{"the same in other words", bootstrap.OfRole(role("ClusterRole", "", "system:kube-dns", split), 37), bootstrap.Verdict{Maker: bootstrap.Upstream}},
		{"rights added", bootstrap.OfRole(role("ClusterRole", "", "system:kube-dns", wider), 37), bootstrap.Verdict{Maker: bootstrap.Upstream, Changes: []bootstrap.Change{
			{What: bootstrap.Added, Field: "rules", Rules: []rbacv1.PolicyRule{rule([]string{"get", "list"}, "", "secrets")}},
		}}},
		{"rights removed", bootstrap.OfRole(role("ClusterRole", "", "system:kube-dns", narrower), 0), bootstrap.Verdict{Maker: bootstrap.Upstream, Changes: []bootstrap.Change{
			{What: bootstrap.Removed, Field: "rules", Rules: []rbacv1.PolicyRule{rule([]string{"list", "watch"}, "", "endpoints")}},
		}}},
		{"kept from being repaired", bootstrap.OfRole(role("ClusterRole", "", "system:kube-dns", kept), 37), bootstrap.Verdict{Maker: bootstrap.Upstream, Changes: []bootstrap.Change{
			{What: bootstrap.Frozen, Field: "metadata.annotations[rbac.authorization.kubernetes.io/autoupdate]", Value: "false"},
		}}},
		{"a Role of the name", bootstrap.OfRole(role("Role", "shop", "system:kube-dns", dns), 37), bootstrap.Verdict{}},
		{"the label alone", bootstrap.OfRole(role("ClusterRole", "", "mine", inventory.Role{
			Meta: inventory.Meta{Labels: map[string]string{"kubernetes.io/bootstrapping": "rbac-defaults"}},
		}), 37), bootstrap.Verdict{}},
		{"a subject removed", bootstrap.OfBinding(binding("ClusterRoleBinding", "", "system:public-info-viewer", "system:public-info-viewer",
			rbacv1.Subject{Kind: "Group", Name: "system:authenticated"}), 37), bootstrap.Verdict{Maker: bootstrap.Upstream, Changes: []bootstrap.Change{
			{What: bootstrap.Removed, Field: "subjects", Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "system:unauthenticated"}}},
		}}},
		{"a subject added", bootstrap.OfBinding(binding("ClusterRoleBinding", "", "cluster-admin", "cluster-admin",
			rbacv1.Subject{Kind: "Group", Name: "system:masters"}, rbacv1.Subject{Kind: "User", Name: "ann"}), 0), bootstrap.Verdict{Maker: bootstrap.Upstream, Changes: []bootstrap.Change{
			{What: bootstrap.Added, Field: "subjects", Subjects: []rbacv1.Subject{{Kind: "User", Name: "ann"}}},
		}}},
		{"of kubeadm", bootstrap.OfBinding(binding("ClusterRoleBinding", "", "kubeadm:cluster-admins", "cluster-admin",
			rbacv1.Subject{Kind: "Group", Name: "kubeadm:cluster-admins"}), 37), bootstrap.Verdict{Maker: bootstrap.Kubeadm}},
		{"of kubeadm, with a guest", bootstrap.OfBinding(binding("ClusterRoleBinding", "", "kubeadm:get-nodes", "kubeadm:get-nodes",
			rbacv1.Subject{Kind: "Group", Name: "system:bootstrappers:kubeadm:default-node-token"}, rbacv1.Subject{Kind: "User", Name: "ann"}), 37),
			bootstrap.Verdict{Maker: bootstrap.Kubeadm, Changes: []bootstrap.Change{
				{What: bootstrap.Added, Field: "subjects", Subjects: []rbacv1.Subject{{Kind: "User", Name: "ann"}}},
			}}},
		{"of a distribution, says its name", bootstrap.OfBinding(binding("ClusterRoleBinding", "", "eks:node-manager", "cluster-admin"), 37),
			bootstrap.Verdict{Maker: "EKS", ByName: true}},
		{"somebody's", bootstrap.OfBinding(binding("ClusterRoleBinding", "", "admins", "cluster-admin"), 37), bootstrap.Verdict{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, tt.got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestMinors(t *testing.T) {
	for _, text := range []string{"20-33,36", "37", "20,22-23"} {
		var m bootstrap.Minors
		if err := m.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, _ := m.MarshalText(); string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	var m bootstrap.Minors
	for _, text := range []string{"x", "1-x", "1-99", ""} {
		if err := m.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
