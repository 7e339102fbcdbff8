package workload

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// web is a Deployment, its current and its retired ReplicaSet, and n pods as
// the API server stores them.
func web(n int, change func(i int, p *corev1.Pod)) []any {
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: "web", Image: "web:1", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
				Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}},
			}},
			HostNetwork:     true,
			SecurityContext: &corev1.PodSecurityContext{},
		},
	}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "d"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32), Template: template}}
	*d.Spec.Replicas = int32(n)
	rs := &appsv1.ReplicaSet{ObjectMeta: owned("web-6d4", "rs", "Deployment", "web", "d"), Spec: appsv1.ReplicaSetSpec{Replicas: d.Spec.Replicas, Template: *template.DeepCopy()}}
	rs.Spec.Template.Labels["pod-template-hash"] = "6d4"
	old := &appsv1.ReplicaSet{ObjectMeta: owned("web-111", "old", "Deployment", "web", "d"), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32), Template: *template.DeepCopy()}}
	old.Spec.Template.Spec.Containers[0].Image = "web:0"
	objects := []any{d, rs, old}
	for i := range n {
		name := fmt.Sprintf("web-6d4-%d", i)
		p := &corev1.Pod{ObjectMeta: owned(name, types.UID(name), "ReplicaSet", "web-6d4", "rs"), Spec: *rs.Spec.Template.Spec.DeepCopy()}
		p.Labels = map[string]string{"app": "web", "pod-template-hash": "6d4"}
		p.GenerateName = "web-6d4-"
		asAdmitted(&p.Spec, fmt.Sprintf("node-%d", i%2), i)
		if change != nil {
			change(i, p)
		}
		objects = append(objects, p)
	}
	return objects
}

// asAdmitted writes what the API server's plugins and the scheduler write.
func asAdmitted(s *corev1.PodSpec, node string, i int) {
	s.NodeName = node
	s.ServiceAccountName, s.DeprecatedServiceAccount = "default", "default"
	s.EnableServiceLinks = new(bool)
	*s.EnableServiceLinks = true
	s.Containers[0].Resources.Requests = s.Containers[0].Resources.Limits.DeepCopy()
	s.Containers[0].Ports[0].HostPort = 80
	s.Priority, s.PreemptionPolicy = new(int32), new(corev1.PreemptionPolicy)
	seconds := int64(300)
	s.Tolerations = []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: &seconds}}
	volume := fmt.Sprintf("kube-api-access-%05d", i)
	s.Volumes = append(s.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}})
	for j := range s.Containers {
		s.Containers[j].VolumeMounts = append(s.Containers[j].VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"})
	}
}

func owned(name string, uid types.UID, kind, owner string, ownerUID types.UID) metav1.ObjectMeta {
	yes := true
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: uid, OwnerReferences: []metav1.OwnerReference{{Kind: kind, Name: owner, UID: ownerUID, Controller: &yes}}}
}

// resolved lists the workloads of objects as "Kind name pods".
func resolved(t *testing.T, objects []any) []string {
	t.Helper()
	b := &inventory.Builder{}
	for _, k := range inventory.PodBearers {
		b.Collected(k.ID)
	}
	for _, o := range objects {
		if !inventory.PutObject(b, o, inventory.Origin{Source: "kubeapi", Place: "live"}) {
			t.Fatalf("%T has no table", o)
		}
	}
	inv := b.Seal(time.Unix(0, 0))
	var out []string
	for _, w := range All.Of(inv.View(Needs())) {
		line := fmt.Sprintf("%s %s %d", w.Kind, w.Name, w.Pods)
		if w.Controller.Name != "" {
			line += " of " + w.Controller.Kind + " " + w.Controller.Name
		}
		out = append(out, line)
	}
	return out
}

func TestPodsFoldIntoTheirTemplate(t *testing.T) {
	for _, tt := range []struct {
		name    string
		objects []any
		want    []string
	}{
		{"all equal", web(500, nil), []string{"Deployment web 500"}},
		{"one changed by hand", web(5, func(i int, p *corev1.Pod) {
			if i == 3 {
				p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debugger", Image: "busybox"}}}
			}
		}), []string{"Deployment web 4", "Pod web-6d4-3 1 of Deployment web"}},
		{"all changed by a webhook", web(500, func(_ int, p *corev1.Pod) {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "proxy", Image: "mesh"})
		}), []string{"Deployment web 0", "Pod web-6d4-0 500 of Deployment web"}},
		{"changed alike, one admitted without a token", web(3, func(i int, p *corev1.Pod) {
			p.Spec.Containers[0].Image = "web:2"
			if i == 1 {
				p.Spec.Volumes, p.Spec.Containers[0].VolumeMounts = nil, nil
			}
		}), []string{"Deployment web 0", "Pod web-6d4-0 2 of Deployment web", "Pod web-6d4-1 1 of Deployment web"}},
		{"a label that selectors may see", web(2, func(i int, p *corev1.Pod) {
			if i == 1 {
				p.Labels["debug"] = "true"
			}
		}), []string{"Deployment web 1", "Pod web-6d4-1 1 of Deployment web"}},
		{"resources by LimitRanger", web(3, func(_ int, p *corev1.Pod) {
			p.Annotations = map[string]string{limitRangerAnnotation: "LimitRanger plugin set: memory limit for container web"}
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}
		}), []string{"Deployment web 3"}},
		{"resources by somebody else", web(1, func(_ int, p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}
		}), []string{"Deployment web 0", "Pod web-6d4-0 1 of Deployment web"}},
		{"a finished pod of an older template", web(1, func(_ int, p *corev1.Pod) {
			p.Spec.Containers[0].Image = "web:0"
			p.Status.Phase = corev1.PodFailed
		}), []string{"Deployment web 0"}},
		{"the controller was not read", web(4, nil)[3:], []string{"Pod web-6d4-0 4"}},
		{"the controller was not read, one pod is finished", web(4, func(i int, p *corev1.Pod) {
			if i == 0 {
				p.Status.Phase = corev1.PodFailed
			}
		})[3:], []string{"Pod web-6d4-0 1", "Pod web-6d4-1 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, resolved(t, tt.objects)); d != "" {
				t.Error(d)
			}
			slices.Reverse(tt.objects)
			if d := cmp.Diff(tt.want, resolved(t, tt.objects)); d != "" {
				t.Errorf("in reverse order:\n%s", d)
			}
		})
	}
}

// Pods that fold are kept apart by what admission made of them, so that one
// stands for all that it made alike.
func TestFoldedByAdmission(t *testing.T) {
	memory := func(p *corev1.Pod, limit string) {
		p.Annotations = map[string]string{limitRangerAnnotation: "LimitRanger plugin set: memory limit for container web"}
		p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(limit)}
	}
	withoutToken := func(p *corev1.Pod) { p.Spec.Volumes, p.Spec.Containers[0].VolumeMounts = nil, nil }
	for _, tt := range []struct {
		name   string
		change func(i int, p *corev1.Pod)
		want   []string
	}{
		{"all alike", nil, []string{"web-6d4-0 4"}},
		{"a LimitRange came, and was changed", func(i int, p *corev1.Pod) {
			switch i {
			case 1:
				memory(p, "1Gi")
			case 2, 3:
				memory(p, "2Gi")
			}
		}, []string{"web-6d4-0 1", "web-6d4-1 1", "web-6d4-2 2"}},
		{"the account has another word since", func(i int, p *corev1.Pod) {
			if i > 0 {
				withoutToken(p)
			}
		}, []string{"web-6d4-0 1", "web-6d4-1 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &inventory.Builder{}
			for _, o := range web(4, tt.change) {
				inventory.PutObject(b, o, inventory.Origin{Source: "kubeapi", Place: "live"})
			}
			all := All.Of(b.Seal(time.Unix(0, 0)).View(Needs()))
			if len(all) != 1 {
				t.Fatalf("%d workloads", len(all))
			}
			var got []string
			for _, w := range all[0].Folded {
				got = append(got, fmt.Sprintf("%s %d", w.Name, w.Pods))
				if w.Controller != all[0].Subject || w.Stable != "Deployment/web" || !w.Admitted() {
					t.Errorf("%+v", w.Subject)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUIDsTellNamesakesApart(t *testing.T) {
	objects := web(1, nil)
	objects[3].(*corev1.Pod).OwnerReferences[0].UID = "an older ReplicaSet of that name"
	want := []string{"Deployment web 0", "Pod web-6d4-0 1"}
	if d := cmp.Diff(want, resolved(t, objects)); d != "" {
		t.Error(d)
	}
}

func TestContainersVisitsEachOnce(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	w := &Workload{Object: inventory.Object[*inventory.PodBearer]{Value: &inventory.PodBearer{Path: "spec.template", Template: inventory.PodTemplate{Spec: &corev1.PodSpec{
		InitContainers:      []corev1.Container{{Name: "setup"}, {Name: "proxy", RestartPolicy: &always}},
		Containers:          []corev1.Container{{Name: "web"}},
		EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug"}}},
	}}}}}
	var got []string
	for c := range w.Containers() {
		got = append(got, fmt.Sprintf("%s %s %s", c.Role, c.Name, w.Field(c.Field)))
	}
	want := []string{
		"init setup spec.template.spec.initContainers[0]",
		"sidecar proxy spec.template.spec.initContainers[1]",
		"container web spec.template.spec.containers[0]",
		"ephemeral debug spec.template.spec.ephemeralContainers[0]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func BenchmarkResolve(b *testing.B) {
	build := &inventory.Builder{}
	for _, o := range web(20000, nil) {
		inventory.PutObject(build, o, inventory.Origin{})
	}
	inv := build.Seal(time.Unix(0, 0))
	b.ReportAllocs()
	for b.Loop() {
		resolve(inv.View(Needs()))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20000, "ns/pod")
}
