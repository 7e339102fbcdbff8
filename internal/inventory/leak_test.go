package inventory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestLeaks says in which fields credentials are looked for, and that those of
// a spec which pods share are found for each of them.
func TestLeaks(t *testing.T) {
	exec := func(args ...string) *corev1.ExecAction { return &corev1.ExecAction{Command: args} }
	get := &corev1.HTTPGetAction{HTTPHeaders: []corev1.HTTPHeader{{Name: "Accept"}, {Name: "Authorization", Value: "Bearer q8Zt3LmX0vB7nR2kWc5y"}}}
	spec := corev1.PodSpec{
		InitContainers: []corev1.Container{{Env: []corev1.EnvVar{{Name: "A"}, {Name: "DB_PASSWORD", Value: "hunter2"}}}},
		Containers: []corev1.Container{{
			Command:        []string{"redis-server", "--requirepass"},
			Args:           []string{"hunter2", "--api-token=q8Zt3LmX0vB7nR2kWc5y"},
			StartupProbe:   &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: exec("redis-cli", "-a", "hunter2")}},
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: get}},
			LivenessProbe:  &corev1.Probe{},
			Lifecycle: &corev1.Lifecycle{
				PostStart: &corev1.LifecycleHandler{HTTPGet: get},
				PreStop:   &corev1.LifecycleHandler{Exec: exec("mysqladmin", "-phunter2")},
			},
		}},
		EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Env: []corev1.EnvVar{{Name: "PGPASSWORD", Value: "hunter2"}},
		}}},
	}
	inSpec := []string{
		"spec.initContainers[0].env[1].value",
		"spec.containers[0].args[1]",
		"spec.containers[0].args[0]",
		"spec.containers[0].startupProbe.exec.command[2]",
		"spec.containers[0].readinessProbe.httpGet.httpHeaders[1].value",
		"spec.containers[0].lifecycle.postStart.httpGet.httpHeaders[1].value",
		"spec.containers[0].lifecycle.preStop.exec.command[1]",
		"spec.ephemeralContainers[0].env[0].value",
	}
	b := &Builder{}
	for _, name := range []string{"a", "b"} {
		m := metav1.ObjectMeta{Name: name, Annotations: map[string]string{name + "-password": "hunter2"}}
		PutPod(b, &m, &spec, "", "", Origin{})
	}
	PutObject(b, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{
			corev1.LastAppliedConfigAnnotation: `{"env":[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"OLD_PASSWORD","value":"another"},{"name":"OLDER_PASSWORD","value":"some-other"}]}`,
		}},
		Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"password": "hunter2"}},
			Spec:       corev1.PodSpec{Containers: spec.InitContainers},
		}},
	}, Origin{})
	v := b.Seal(time.Time{}).View([]Need{Pods.Need(), Deployments.Need()})
	for _, name := range []string{"a", "b"} {
		pod, _ := Get(v, Pods, "", name)
		if diff := cmp.Diff(append(inSpec[:len(inSpec):len(inSpec)], "metadata.annotations["+name+"-password]"), leakFields(pod.Value.Leaks)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	web, _ := Get(v, Deployments, "", "web")
	// "another" is as long as "hunter2", which is all that is known of both.
	want := []string{
		"spec.template.spec.containers[0].env[1].value",
		"spec.template.metadata.annotations[password]",
		"metadata.annotations[" + corev1.LastAppliedConfigAnnotation + "]",
	}
	if diff := cmp.Diff(want, leakFields(web.Value.Leaks)); diff != "" {
		t.Errorf("web: (-want +got)\n%s", diff)
	}
}

func leakFields(leaks []Leak) []string {
	var fields []string
	for _, l := range leaks {
		fields = append(fields, l.Field)
	}
	return fields
}
