package application

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/resources"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// resources/requests
//
// Statement: every container requests CPU and memory. (That there is a memory
// limit is 3.3.)
// Looks at: init containers, sidecars and regular containers (an ephemeral one
// cannot have resources); a request of the pod as a whole holds for all of
// them; a request defaults to the limit, and the LimitRanges of the namespace
// are applied as the API server does it. A pod that the API server has created
// already is taken as it is.
// Passes when: both are requested.
// Fails when: one is not, or is 0, which reserves nothing.
// Cannot tell when: one is not and LimitRanges could not be read.
//
// https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
var requests = &check.Check{
	ID:       "application/resources/requests",
	Item:     checklist.ApplicationResources,
	Title:    "Every container requests CPU and memory",
	Noun:     "container",
	Severity: report.Low,
	Why: "The scheduler places pods by what they request. What is not requested is not reserved: the node fills up with others, " +
		"and a pod that requests nothing (class BestEffort) is the first to be evicted, which makes it easy to push out of the way.",
	Remediation: "Set `resources.requests` to what the container needs, or `spec.resources` for the pod as a whole. A LimitRange gives a default to containers of the namespace that have none.",
	Refs:        []report.Reference{{Name: "Pod Quality of Service Classes", URL: "https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/"}},
	Needs:       workload.With(inventory.LimitRanges.Optional()),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			judgeResources(e, w, "request", func(c, pod corev1.ResourceRequirements) (missing []corev1.ResourceName) {
				for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
					if zero(c.Requests, name) && zero(pod.Requests, name) {
						missing = append(missing, name)
					}
				}
				return missing
			})
		}
	},
}

// resources/ephemeral-storage
//
// Statement: every container's use of the node's disk is limited.
// Looks at: the same containers as requests, with the same defaults.
// Passes when: there is a limit of ephemeral storage: its own files, its logs,
// and emptyDir volumes of the pod.
// Fails when: there is none, or it is 0.
// Cannot tell when: there is none and LimitRanges could not be read.
//
// https://kubernetes.io/docs/concepts/storage/ephemeral-storage/
var ephemeralStorage = &check.Check{
	ID:       "application/resources/ephemeral-storage",
	Item:     checklist.ApplicationResources,
	Title:    "Every container has a limit of ephemeral storage",
	Noun:     "container",
	Severity: report.Info,
	Why: "A container that fills the disk of its node with files or logs makes the kubelet evict pods, others than its own among them. " +
		"Few applications set this limit; what lacks it is listed and does not fail the item.",
	Remediation: "Set `resources.limits.ephemeral-storage`, or a default for the namespace in a LimitRange.",
	Refs:        []report.Reference{{Name: "Local ephemeral storage", URL: "https://kubernetes.io/docs/concepts/storage/ephemeral-storage/"}},
	Needs:       workload.With(inventory.LimitRanges.Optional()),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			judgeResources(e, w, "limit", func(c, _ corev1.ResourceRequirements) []corev1.ResourceName {
				if zero(c.Limits, corev1.ResourceEphemeralStorage) {
					return []corev1.ResourceName{corev1.ResourceEphemeralStorage}
				}
				return nil
			})
		}
	},
}

func zero(list corev1.ResourceList, name corev1.ResourceName) bool {
	q := list[name]
	return q.IsZero()
}

// judgeResources reports for each container which of its resources have no
// request, or no limit. What a container and its pod really have is as the API
// server would store it.
func judgeResources(e *check.Eval, w *workload.Workload, what string, lacks func(c, pod corev1.ResourceRequirements) []corev1.ResourceName) {
	var ranges [][]corev1.LimitRangeItem
	if !w.Admitted() {
		for lr := range inventory.In(e, inventory.LimitRanges, w.Namespace) {
			ranges = append(ranges, lr.Value.Limits)
		}
	}
	spec := resources.Effective(w.Spec(), ranges...)
	var pod corev1.ResourceRequirements
	if spec.Resources != nil {
		pod = *spec.Resources
	}
	effective := append(spec.InitContainers[:len(spec.InitContainers):len(spec.InitContainers)], spec.Containers...)
	for c := range w.Containers() {
		if c.Role == workload.Ephemeral {
			continue
		}
		missing := lacks(effective[0].Resources, pod)
		effective = effective[1:]
		if len(missing) == 0 {
			e.Pass(w.Part(c.Name))
			continue
		}
		var names []string
		var at []report.Evidence
		for _, name := range missing {
			names = append(names, string(name))
			at = append(at, w.PodEvidence(fmt.Sprintf("%s.resources.%ss.%s", c.Field, what, name), written(c, what, name), "a "+what))
		}
		msg := fmt.Sprintf("no %s %s", strings.Join(names, " or "), what)
		if w.Admitted() {
			w.Counted(e.Fail(w.Part(c.Name), msg, at...))
		} else {
			w.Counted(e.FailAbsent(w.Part(c.Name), []report.KindID{inventory.LimitRanges.ID}, w.Namespace, msg, at...))
		}
	}
}

// written quotes a request or limit as the container has it.
func written(c workload.Container, what string, name corev1.ResourceName) string {
	list := c.Resources.Requests
	if what == "limit" {
		list = c.Resources.Limits
	}
	if q, ok := list[name]; ok {
		return q.String()
	}
	return notSet
}
