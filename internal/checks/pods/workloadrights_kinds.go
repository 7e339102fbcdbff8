package pods

import (
	"maps"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// workloadChanges are the ways to change what runs.
var workloadChanges = []struct {
	does     string
	requests []access.Request
}{
	{"create workloads", onWorkloads("create")},
	{"change workloads", onWorkloads("update", "patch")},
	{"delete workloads", onWorkloads("delete", "deletecollection")},
	// Up to v1.34 get was enough for websocket clients. Which minor it is, is not
	// known here, and roles that read everything would all be meant.
	{"run commands in pods", []access.Request{{Verb: "create", Resource: "pods", Subresource: "exec"}}},
	{"add containers to pods", []access.Request{
		{Verb: "update", Resource: "pods", Subresource: "ephemeralcontainers"}, {Verb: "patch", Resource: "pods", Subresource: "ephemeralcontainers"},
	}},
}

// workloadKinds are the resources that are pods or make them, by API group: of
// Kubernetes, and of projects whose objects are known to run pods.
//
// https://github.com/argoproj/argo-workflows/tree/main/manifests/base/crds
// https://github.com/tektoncd/pipeline/tree/main/config
// https://github.com/knative/serving/tree/main/config/core/300-resources
// https://github.com/ray-project/kuberay/tree/master/ray-operator/config/crd
// https://github.com/kubeflow/trainer/tree/release-1.9/manifests/base/crds
// https://github.com/kubeflow/spark-operator/tree/master/config/crd/bases
// https://github.com/volcano-sh/volcano/tree/master/config/crd
// https://github.com/kubernetes-sigs/jobset/tree/main/config/components/crd
// https://github.com/openshift/api/tree/master/apps/v1
var workloadKinds = map[string][]string{
	"":                         {"pods", "replicationcontrollers"},
	"apps":                     {"deployments", "daemonsets", "statefulsets", "replicasets"},
	"batch":                    {"jobs", "cronjobs"},
	"argoproj.io":              {"workflows", "cronworkflows", "rollouts"},
	"tekton.dev":               {"taskruns", "pipelineruns"},
	"serving.knative.dev":      {"services", "configurations"},
	"ray.io":                   {"rayclusters", "rayjobs", "rayservices"},
	"kubeflow.org":             {"notebooks", "pytorchjobs", "tfjobs", "mpijobs"},
	"sparkoperator.k8s.io":     {"sparkapplications", "scheduledsparkapplications"},
	"batch.volcano.sh":         {"jobs"},
	"jobset.x-k8s.io":          {"jobsets"},
	"apps.openshift.io":        {"deploymentconfigs"},
	"leaderworkerset.x-k8s.io": {"leaderworkersets"},
}

func onWorkloads(verbs ...string) []access.Request {
	var requests []access.Request
	for _, verb := range verbs {
		for _, group := range slices.Sorted(maps.Keys(workloadKinds)) {
			for _, resource := range workloadKinds[group] {
				requests = append(requests, access.Request{Verb: verb, Group: group, Resource: resource})
			}
		}
	}
	return requests
}

// reviewTable lists who may change workloads where, the whole cluster first.
func reviewTable(e *check.Eval) *report.Table {
	const shown, everywhere = 20, "(every namespace)"
	x, by := cause.Made.Of(e), map[string]map[string]bool{}
	for a := range changing(x, access.Any, func(a access.Access) bool { return x.Own(a.Grant) }) {
		where := a.Binding.Namespace
		if a.ClusterWide() {
			where = everywhere
		}
		if by[where] == nil {
			by[where] = map[string]bool{}
		}
		by[where][a.Subject.String()] = true
	}
	t := &report.Table{Title: "Who may change workloads", Columns: []string{"namespace", "subjects"}}
	for _, where := range slices.Sorted(maps.Keys(by)) { // "(" sorts before all names
		t.Rows = append(t.Rows, []string{where, report.Some(slices.Sorted(maps.Keys(by[where])))})
	}
	if t.Left = max(0, len(t.Rows)-shown); t.Left > 0 {
		t.Rows = t.Rows[:shown]
	}
	return t
}
