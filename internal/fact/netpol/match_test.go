package netpol_test

import (
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/fact/netpol"
)

func TestMatch(t *testing.T) {
	labels := map[string]string{"app": "db"}
	kind := func(kind, name string) netpol.Pods { return netpol.Pods{Kind: kind, Name: name, Labels: labels} }
	for _, tt := range []struct {
		name, selector string
		pods           netpol.Pods
		want           netpol.Answer
	}{
		{"own label", "matchLabels: {app: db}", kind("Deployment", "db"), netpol.Yes},
		{"other value", "matchLabels: {app: web}", kind("Deployment", "db"), netpol.No},
		{"all pods", "{}", kind("Deployment", "db"), netpol.Yes},
		{"invalid", "matchExpressions: [{key: app, operator: In}]", kind("Deployment", "db"), netpol.May},
		{"hash", "matchLabels: {app: db, pod-template-hash: 6d4}", kind("Deployment", "db"), netpol.May},
		{"hash, another app", "matchLabels: {app: web, pod-template-hash: 6d4}", kind("Deployment", "db"), netpol.No},
		{"hash exists", "matchExpressions: [{key: pod-template-hash, operator: Exists}]", kind("Deployment", "db"), netpol.Yes},
		{"hash does not exist", "matchExpressions: [{key: pod-template-hash, operator: DoesNotExist}]", kind("Deployment", "db"), netpol.No},
		{"hash not in", "matchExpressions: [{key: pod-template-hash, operator: NotIn, values: [a]}]", kind("Deployment", "db"), netpol.May},
		{"hash of no Deployment", "matchLabels: {pod-template-hash: 6d4}", kind("StatefulSet", "db"), netpol.No},
		{"hash of a pod is what it is", "matchLabels: {pod-template-hash: 6d4}", netpol.Pods{Kind: "Pod", Labels: map[string]string{"pod-template-hash": "6d4"}}, netpol.Yes},
		{"job by name", "matchLabels: {job-name: load}", kind("Job", "load"), netpol.Yes},
		{"job by prefixed name", "matchLabels: {batch.kubernetes.io/job-name: load}", kind("Job", "load"), netpol.Yes},
		{"another job", "matchLabels: {job-name: dump}", kind("Job", "load"), netpol.No},
		{"any job but one", "matchExpressions: [{key: job-name, operator: NotIn, values: [dump]}]", kind("Job", "load"), netpol.Yes},
		{"not this job", "matchExpressions: [{key: job-name, operator: NotIn, values: [dump, load]}]", kind("Job", "load"), netpol.No},
		{"job whose name is generated", "matchLabels: {job-name: load-x7k2p}", kind("Job", "load-*"), netpol.May},
		{"another job whose name is generated", "matchLabels: {job-name: dump-x7k2p}", kind("Job", "load-*"), netpol.No},
		{"job of a CronJob", "matchLabels: {job-name: load-29000000}", kind("CronJob", "load"), netpol.May},
		{"job of another CronJob", "matchLabels: {job-name: dump-29000000}", kind("CronJob", "load"), netpol.No},
		{"controller-uid", "matchLabels: {controller-uid: 0c}", kind("Job", "load"), netpol.May},
		{"completion index", "matchLabels: {batch.kubernetes.io/job-completion-index: \"0\"}", kind("Job", "load"), netpol.May},
		{"any completion index", "matchExpressions: [{key: batch.kubernetes.io/job-completion-index, operator: Exists}]", kind("Job", "load"), netpol.May},
		{"no completion index", "matchLabels: {batch.kubernetes.io/job-completion-index: first}", kind("Job", "load"), netpol.No},
		{"one pod of a StatefulSet", "matchLabels: {statefulset.kubernetes.io/pod-name: db-0}", kind("StatefulSet", "db"), netpol.May},
		{"pod of another StatefulSet", "matchLabels: {statefulset.kubernetes.io/pod-name: db-main-0}", kind("StatefulSet", "db"), netpol.No},
		{"every pod of a StatefulSet", "matchExpressions: [{key: statefulset.kubernetes.io/pod-name, operator: Exists}]", kind("StatefulSet", "db"), netpol.Yes},
		{"pod index", "matchLabels: {apps.kubernetes.io/pod-index: \"0\"}", kind("StatefulSet", "db"), netpol.May},
		{"no pod index", "matchLabels: {apps.kubernetes.io/pod-index: \"00\"}", kind("StatefulSet", "db"), netpol.No},
		{"revision of a DaemonSet", "matchLabels: {controller-revision-hash: 5f, pod-template-generation: \"1\"}", kind("DaemonSet", "db"), netpol.May},
		{"deploymentconfig", "matchLabels: {deploymentconfig: db}", kind("DeploymentConfig", "db"), netpol.Yes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := policy(t, "podSelector: {"+flow(tt.selector)+"}").Match(tt.pods); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

// flow is a selector without its braces.
func flow(s string) string {
	if s == "{}" {
		return ""
	}
	return s
}
