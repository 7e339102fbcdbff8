package network_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
	"github.com/plimsoll-sec/plimsoll/internal/checks/network"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// TestCount proves that one cause is one finding, however many pods it has.
func TestCount(t *testing.T) {
	b := &inventory.Builder{}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{HostNetwork: true, Containers: []corev1.Container{{Name: "web", Image: "web"}}},
	}
	inventory.PutObject(b, &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "1"},
		Spec:       appsv1.DaemonSetSpec{Template: template},
	}, inventory.Origin{Source: "kubeapi", Place: "live:daemonset"})
	controller := true
	for i := range 3 {
		inventory.PutObject(b, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Name: fmt.Sprintf("web-%d", i), Namespace: "shop", Labels: template.Labels,
				OwnerReferences: []metav1.OwnerReference{{Kind: "DaemonSet", Name: "web", UID: "1", Controller: &controller}},
			},
			Spec: template.Spec,
		}, inventory.Origin{Source: "kubeapi", Place: "live:pod"})
	}
	inv := b.Seal(checktest.Observed)
	for _, c := range network.Suite {
		if c.ID != "network/policy-coverage/host-network" {
			continue
		}
		got := check.Evaluate(c, inv)
		if len(got.Findings) != 1 || got.Findings[0].Subject.Kind != "DaemonSet" || got.Findings[0].Count != 3 {
			t.Errorf("three pods of a DaemonSet give %+v", got.Findings)
		}
		return
	}
	t.Error("the check is gone")
}

// BenchmarkSuite judges 1,000 namespaces with ten workloads and five policies
// each, none of which covers them.
func BenchmarkSuite(b *testing.B) {
	build := &inventory.Builder{}
	origin := inventory.Origin{Source: "kubeapi", Place: "live:"}
	for n := range 1000 {
		namespace := fmt.Sprintf("ns-%d", n)
		inventory.PutObject(build, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, origin)
		for i := range 10 {
			inventory.PutObject(build, &appsv1.Deployment{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("web-%d", i), Namespace: namespace},
				Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": fmt.Sprintf("web-%d", i), "tier": "front"}},
				}},
			}, origin)
		}
		for i := range 5 {
			inventory.PutObject(build, &networkingv1.NetworkPolicy{
				ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p-%d", i), Namespace: namespace},
				Spec: networkingv1.NetworkPolicySpec{
					PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": fmt.Sprintf("cart-%d", i)}},
				},
			}, origin)
		}
	}
	var kinds []report.KindID
	for _, c := range network.Suite {
		for _, n := range c.Needs {
			kinds = append(kinds, n.Kind)
		}
	}
	build.Collected(kinds...)
	inv := build.Seal(checktest.Observed)
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range network.Suite {
			check.Evaluate(c, inv)
		}
	}
}
