package access

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// BenchmarkSuite judges 100,000 RBAC objects of 10,000 namespaces: in each a
// team with edit, readers, an operator, and a pipeline; and some that work on
// the whole cluster.
func BenchmarkSuite(b *testing.B) {
	build := func() *inventory.Inventory {
		in := &inventory.Builder{}
		for _, r := range inventory.Resources {
			in.Collected(r.Kind)
		}
		put := func(o any) { inventory.PutObject(in, o, inventory.Origin{Source: "kubeapi", Place: "live"}) }
		fresh := started(37)
		for _, o := range fresh.roles {
			put(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: o.Name, Labels: o.Value.Labels, UID: "u"}, Rules: o.Value.Rules, AggregationRule: o.Value.Aggregation})
		}
		for _, o := range fresh.bindings {
			put(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: o.Name, UID: "u"}, RoleRef: o.Value.RoleRef, Subjects: o.Value.Subjects})
		}
		for i := range 10_000 {
			ns := fmt.Sprintf("team-%05d", i)
			meta := func(name string) metav1.ObjectMeta {
				return metav1.ObjectMeta{Namespace: ns, Name: name, UID: "u"}
			}
			bind := func(name, kind, role string, s rbacv1.Subject) {
				put(&rbacv1.RoleBinding{ObjectMeta: meta(name), RoleRef: rbacv1.RoleRef{Kind: kind, Name: role}, Subjects: []rbacv1.Subject{s}})
			}
			group := rbacv1.Subject{Kind: "Group", Name: ns}
			bind("team", "ClusterRole", "edit", group)
			bind("readers", "ClusterRole", "view", rbacv1.Subject{Kind: "Group", Name: "everybody"})
			for _, who := range []string{"operator", "pipeline", "web"} {
				account := rbacv1.Subject{Kind: "ServiceAccount", Name: who, Namespace: ns}
				put(&rbacv1.Role{ObjectMeta: meta(who), Rules: []rbacv1.PolicyRule{
					{Verbs: []string{"get", "list", "watch"}, APIGroups: []string{""}, Resources: []string{"pods", "services"}},
					{Verbs: []string{"create", "patch"}, APIGroups: []string{"apps"}, Resources: []string{"deployments"}},
				}})
				bind(who, "Role", who, account)
				put(&corev1.ServiceAccount{ObjectMeta: meta(who)})
				put(&appsv1.Deployment{ObjectMeta: meta(who), Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
					ServiceAccountName: who, Containers: []corev1.Container{{Name: "main", Image: "x"}},
				}}}})
			}
			if i%5 == 0 {
				put(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: ns, UID: "u"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "view"}, Subjects: []rbacv1.Subject{group}})
			}
		}
		return in.Seal(time.Unix(0, 0))
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		inv := build()
		b.StartTimer()
		for _, c := range Suite {
			if c != accessReview {
				check.Evaluate(c, inv)
			}
		}
	}
}
