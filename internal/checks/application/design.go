package application

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// helmHook marks what a chart runs once, such as the pod of a test.
//
// https://helm.sh/docs/topics/charts_hooks/
const helmHook = "helm.sh/hook"

// design/naked-pod
//
// Statement: every pod has a controller.
// Looks at: workloads but pods that have finished.
// Passes when: the workload is a controller, or a pod that has one. A static
// pod belongs to its node: its mirror has an annotation and the Node as owner.
// A pod that is meant to run once (restartPolicy Never, a hook of a chart)
// needs none.
// Fails when: it is a pod of its own.
// Cannot tell when: workloads could not be read.
//
// https://kubernetes.io/docs/concepts/configuration/overview/#naked-pods-vs-replicasets-deployments-and-jobs
var nakedPod = &check.Check{
	ID:       "application/design/naked-pod",
	Item:     checklist.ApplicationDesign,
	Title:    "Every pod has a controller",
	Noun:     "workload",
	Severity: report.Low,
	Why: "Nothing brings back a pod without a controller when its node is drained or fails, and nothing replaces it: " +
		"it runs the image that it was made with until somebody deletes it, whatever has been patched since. Nodes are updated less gladly where such pods stand in the way.",
	Remediation: "Run it as a Deployment, StatefulSet, DaemonSet or Job. Give a pod that is meant to run once `restartPolicy: Never`.",
	Refs:        []report.Reference{{Name: "Configuration Best Practices: naked pods", URL: "https://kubernetes.io/docs/concepts/configuration/overview/#naked-pods-vs-replicasets-deployments-and-jobs"}},
	Needs:       workload.Needs(),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			_, mirror := w.Value.Annotations[corev1.MirrorPodAnnotationKey]
			_, hook := w.Value.Annotations[helmHook]
			once := w.Spec().RestartPolicy == corev1.RestartPolicyNever
			if w.Kind != "Pod" || w.Value.Owner != nil || mirror || hook || once {
				e.Pass(w.Subject)
				continue
			}
			e.Fail(w.Subject, "is a pod without a controller", w.Evidence("kind", "Pod", "a controller"))
		}
	},
}

// design/default-namespace
//
// Statement: no workload is in the namespace "default".
// Looks at: workloads whose namespace is known. Of a manifest without one it is
// not: it goes where it is applied to.
// Passes when: it is another namespace.
// Fails when: it is "default".
// Cannot tell when: workloads could not be read.
//
// https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
var defaultNamespace = &check.Check{
	ID:       "application/design/default-namespace",
	Item:     checklist.ApplicationDesign,
	Title:    "No workload is in the namespace \"default\"",
	Noun:     "workload",
	Severity: report.Low,
	Why: "Rights, network policies, quotas and Pod Security levels are given by namespace. What lies in `default` is there because nobody chose: " +
		"applications share it that have nothing to do with each other, and each gets the rights and openings of all.",
	Remediation: "Give each application a namespace of its own, with its own policies, and move it there.",
	Refs:        []report.Reference{{Name: "Namespaces: initial namespaces", URL: "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces"}},
	Needs:       workload.Needs(),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			switch w.Namespace {
			case "":
			case corev1.NamespaceDefault:
				w.Counted(e.Fail(w.Subject, "is in the namespace \"default\"", w.Evidence("metadata.namespace", w.Namespace, "a namespace of its own")))
			default:
				e.Pass(w.Subject)
			}
		}
	},
}
