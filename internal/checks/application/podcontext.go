package application

import (
	"fmt"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var podContext = report.Reference{Name: "Configure a Security Context", URL: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"}

// pod-context/root-group
//
// Statement: no pod asks for root's group.
// Looks at: runAsGroup of every container, else of the pod; the pod's fsGroup
// and supplementalGroups. Windows has none of them.
// Passes when: none of them is 0. Where runAsGroup is not set, the image
// decides: that is not what a pod asks for.
// Fails when: one is 0. A container that runs as user 0 gains nothing by the
// group: that it does is 7.2.
// Cannot tell when: workloads could not be read.
//
// https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
var rootGroup = &check.Check{
	ID:       "application/pod-context/root-group",
	Item:     checklist.PodContext,
	Title:    "No pod asks for root's group",
	Noun:     "workload",
	Severity: report.Low,
	Why: "Files of the group 0 are many: on volumes, in images that were built to run under any user, and on the node where a path of it is mounted. " +
		"An unprivileged user in that group can read, and often write, what belongs to root.",
	Remediation: "Set `runAsGroup` and `fsGroup` to a number other than 0, and have the image's files belong to it.",
	Refs:        []report.Reference{podContext},
	Needs:       workload.Needs(),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			if w.OnWindows() {
				continue
			}
			at := rootGroups(w)
			if len(at) == 0 {
				e.Pass(w.Subject)
				continue
			}
			w.Counted(e.Fail(w.Subject, "asks for group 0", at...))
		}
	},
}

// rootGroups quotes where a pod asks for the group 0 for what is not user 0.
func rootGroups(w *workload.Workload) (at []report.Evidence) {
	add := func(field string, group *int64) {
		if group == nil || *group != 0 {
			return
		}
		if evidence := w.PodEvidence(field, "0", "a group other than 0"); !slices.Contains(at, evidence) {
			at = append(at, evidence)
		}
	}
	const ofPod = "spec.securityContext."
	pod := w.Spec().SecurityContext
	unprivileged := false
	for c := range w.Containers() {
		var user, group *int64
		field := ofPod
		if pod != nil {
			user, group = pod.RunAsUser, pod.RunAsGroup
		}
		if own := c.SecurityContext; own != nil && own.RunAsUser != nil {
			user = own.RunAsUser
		}
		if own := c.SecurityContext; own != nil && own.RunAsGroup != nil {
			group, field = own.RunAsGroup, c.Field+".securityContext."
		}
		if user == nil || *user != 0 {
			unprivileged = true
			add(field+"runAsGroup", group)
		}
	}
	if pod == nil || !unprivileged {
		return at
	}
	add(ofPod+"fsGroup", pod.FSGroup)
	for i := range pod.SupplementalGroups {
		add(fmt.Sprintf("%ssupplementalGroups[%d]", ofPod, i), &pod.SupplementalGroups[i])
	}
	return at
}

// pod-context/shared-processes
//
// Statement: containers of a pod do not see each other's processes.
// Looks at: shareProcessNamespace. (hostPID, which shows the node's, is 3.2.)
// Passes when: it is not set, or false.
// Fails when: it is true.
// Cannot tell when: workloads could not be read.
//
// https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/
var sharedProcesses = &check.Check{
	ID:       "application/pod-context/shared-processes",
	Item:     checklist.PodContext,
	Title:    "Containers of a pod do not see each other's processes",
	Noun:     "workload",
	Severity: report.Low,
	Why: "With a shared process namespace each container sees the others' processes, their command lines, environment and, " +
		"under /proc, their files, as far as users agree. The weakest container of the pod is then the strength of all.",
	Remediation: "Remove `shareProcessNamespace: true`. To debug, attach an ephemeral container with a target instead.",
	Refs:        []report.Reference{{Name: "Share Process Namespace between Containers in a Pod", URL: "https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/"}},
	Needs:       workload.Needs(),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			if shared := w.Spec().ShareProcessNamespace; shared == nil || !*shared {
				e.Pass(w.Subject)
				continue
			}
			w.Counted(e.Fail(w.Subject, "its containers share their processes", w.PodEvidence("spec.shareProcessNamespace", "true", "false")))
		}
	},
}
