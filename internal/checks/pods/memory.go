package pods

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var manageMemory = report.Reference{Name: "Assign memory resources", URL: "https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/"}

// memory-limits/limit
//
// Statement: every container has a memory limit.
// Looks at: init containers, sidecars and regular containers (an ephemeral one
// cannot have resources); the limit of the pod as a whole holds for all of
// them; the LimitRanges of the namespace are applied as the API server does it
// when a pod is created. A pod that the API server has created already is taken
// as it is: a LimitRange does not change it any more.
// Passes when: a limit is there.
// Fails when: there is none, or it is 0, which the kubelet reads as none; or it
// is below a megabyte, so that no container can start: a mistyped unit, such as
// 128m, which is 0.128 bytes.
// Pods that are older than the LimitRange which limits their template now are
// a finding of their own.
// Cannot tell when: there is no limit and LimitRanges could not be read, or one
// of another directory may be of the namespace, which neither names.
//
// https://kubernetes.io/docs/concepts/policy/limit-range/
var memoryLimit = &check.Check{
	ID:       "pods/memory-limits/limit",
	Item:     checklist.MemoryLimits,
	Title:    "Every container has a memory limit",
	Noun:     "container",
	Severity: report.Medium,
	Why: "A container without a limit can use up the memory of its node. The kernel and the kubelet then kill and evict others, " +
		"so that one leak, or one intruder, takes down what runs beside it.",
	Remediation: "Set `resources.limits.memory`, with a unit such as `Mi`, or `spec.resources` for the pod as a whole. A LimitRange gives a default to containers of the namespace that have none.",
	Refs:        []report.Reference{manageMemory},
	Needs:       workload.With(inventory.LimitRanges.Optional()),
	Run: func(e *check.Eval) {
		judgeLimits(e, corev1.ResourceMemory, func(*workload.Workload) bool { return true })
	},
}

// memory-limits/request
//
// Statement: no memory limit is above its request.
// Looks at: containers with a memory limit, and pods with one as a whole: there
// the pod's two values count, since the node reserves memory by them. Defaults
// and LimitRanges are applied as for limit: a request that is not set is the
// limit.
// Passes when: the limit is the request. (The API server refuses a limit below
// its request, so that "equal or inferior" comes down to equal.)
// Fails when: the limit is above the request.
// Cannot tell when: the limit could come from a LimitRange that was not read, or
// from one of another directory, where neither names a namespace.
var memoryRequest = &check.Check{
	ID:       "pods/memory-limits/request",
	Item:     checklist.MemoryLimits,
	Title:    "No memory limit is above its request",
	Noun:     "container",
	Severity: report.Low,
	Why: "The scheduler reserves what is requested. What lies between request and limit is promised to several pods at once: " +
		"when they all want it, the node runs out of memory, and it is not the greedy one alone that is killed.",
	Remediation: "Set `resources.requests.memory` to the limit, or leave it out: it then defaults to the limit.",
	Refs:        []report.Reference{manageMemory},
	Needs:       workload.With(inventory.LimitRanges.Optional()),
	Run: func(e *check.Eval) {
		for w := range workload.Running(e) {
			judgeAsAdmitted(e, w, func(w *workload.Workload) []outcome { return requests(e, w) })
		}
	},
}

// requests compares limits with requests, container by container, or of the
// pod as a whole.
func requests(e *check.Eval, w *workload.Workload) []outcome {
	real := effective(e, w)
	if real.pod != nil {
		if limit, ok := real.pod.Limits[corev1.ResourceMemory]; ok && !limit.IsZero() {
			return []outcome{compare(w, w.Subject, "spec.resources", limit, real.pod.Requests[corev1.ResourceMemory], nil)}
		}
	}
	var out []outcome
	for _, c := range real.containers {
		s := w.Part(c.Name)
		if limit, ok := c.effective.Limits[corev1.ResourceMemory]; ok && !limit.IsZero() {
			out = append(out, compare(w, s, c.Field+".resources", limit, c.effective.Requests[corev1.ResourceMemory], real.limiter(c, corev1.ResourceMemory)))
		} else if by := giver(real.apart, corev1.ResourceMemory); !ok && by != nil && !c.Resources.Requests.Memory().IsZero() {
			request := c.Resources.Requests.Memory().String()
			out = append(out, outcome{subject: s, verdict: report.Unknown,
				message:  fmt.Sprintf("LimitRange %q of another directory may set a limit above the request of %q: neither names a namespace", by.Name, request),
				evidence: []report.Evidence{w.PodEvidence(c.Field+".resources.requests.memory", request, "")}})
		} else if gaps := e.Missing(inventory.LimitRanges.ID, w.Namespace); !ok && len(gaps) > 0 && !w.Admitted() && !c.Resources.Requests.Memory().IsZero() {
			request := c.Resources.Requests.Memory().String()
			out = append(out, outcome{subject: s, verdict: report.Unknown,
				message:  fmt.Sprintf("a LimitRange may set a limit above the request of %q, but %s", request, gaps[0]),
				evidence: []report.Evidence{w.PodEvidence(c.Field+".resources.requests.memory", request, "")}})
		}
	}
	return out
}

// compare judges a limit, which by may have given.
func compare(w *workload.Workload, s report.Subject, field string, limit, request resource.Quantity, by *inventory.Object[inventory.LimitRange]) outcome {
	if limit.Cmp(request) <= 0 {
		return outcome{subject: s, verdict: report.Pass}
	}
	msg := fmt.Sprintf("the memory limit %q is above the request %q", limit.String(), request.String())
	at := []report.Evidence{
		w.PodEvidence(field+".limits.memory", limit.String(), request.String()),
		w.PodEvidence(field+".requests.memory", request.String(), limit.String()),
	}
	if by != nil {
		msg = fmt.Sprintf("LimitRange %q gives the memory limit %q, above the request %q", by.Name, limit.String(), request.String())
		at = append(at, by.Evidence("spec.limits", limit.String(), "a default limit that is the default request"))
	}
	return outcome{subject: s, verdict: report.Fail, message: msg, evidence: at}
}

// judgeLimits reports for each container whether it has a limit of the resource.
func judgeLimits(e *check.Eval, name corev1.ResourceName, of func(*workload.Workload) bool) {
	for w := range workload.Running(e) {
		if of(w) {
			judgeAsAdmitted(e, w, func(w *workload.Workload) []outcome { return limits(e, w, name) })
		}
	}
}

func limits(e *check.Eval, w *workload.Workload, name corev1.ResourceName) []outcome {
	var out []outcome
	real := effective(e, w)
	for _, c := range real.containers {
		limit, ok := c.effective.Limits[name]
		field := c.Field + ".resources.limits." + string(name)
		if (!ok || limit.IsZero()) && real.pod != nil {
			if whole, set := real.pod.Limits[name]; set && !whole.IsZero() {
				limit, ok, field = whole, true, "spec.resources.limits."+string(name)
			}
		}
		fail := func(got, want, message string) outcome {
			return outcome{subject: w.Part(c.Name), verdict: report.Fail, message: message, evidence: []report.Evidence{w.PodEvidence(field, got, want)}}
		}
		o := outcome{subject: w.Part(c.Name), verdict: report.Pass}
		switch {
		case !ok && giver(real.apart, name) != nil:
			by := giver(real.apart, name)
			o = fail(podsecurity.None, "a limit", fmt.Sprintf("no %s limit, unless LimitRange %q of another directory is of its namespace: neither names one", name, by.Name))
			o.verdict = report.Unknown
		case !ok:
			o = fail(podsecurity.None, "a limit", fmt.Sprintf("no %s limit", name))
			o.absent = true
		case limit.IsZero():
			o = fail(limit.String(), "a limit above 0", fmt.Sprintf("the %s limit is %q, which means none", name, limit.String()))
		case name == corev1.ResourceMemory && limit.Cmp(leastMemory) < 0:
			o = fail(limit.String(), "a limit with a unit, such as \"128Mi\"",
				fmt.Sprintf("the memory limit %q is %s bytes, too little to start a container", limit.String(), limit.AsDec()))
		}
		out = append(out, o)
	}
	return out
}

// leastMemory is what a limit must be to make sense at all: container runtimes
// themselves refuse limits of several megabytes.
var leastMemory = resource.MustParse("1M")
