package pods

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/resources"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// realPod is what a workload's pods really have: as written, with what the API
// server adds.
type realPod struct {
	pod        *corev1.ResourceRequirements // of the pod as a whole; nil if it has none
	containers []realContainer
	ranges     []inventory.Object[inventory.LimitRange] // that were applied, in this order
	apart      []inventory.Object[inventory.LimitRange] // that may be of the namespace, which nothing names
}

// realContainer is a container that can have resources, with those it has.
type realContainer struct {
	workload.Container
	effective corev1.ResourceRequirements
}

func effective(e *check.Eval, w *workload.Workload) realPod {
	var real realPod
	var items [][]corev1.LimitRangeItem
	if !w.Admitted() {
		for lr := range inventory.In(e, inventory.LimitRanges, w.Namespace) {
			if !inventory.Beside(lr, w.Object) {
				real.apart = append(real.apart, lr)
				continue
			}
			real.ranges, items = append(real.ranges, lr), append(items, lr.Value.Limits)
		}
	}
	spec := resources.Effective(w.Spec(), items...)
	real.pod = spec.Resources
	effective := append(spec.InitContainers[:len(spec.InitContainers):len(spec.InitContainers)], spec.Containers...)
	for c := range w.Containers() {
		if c.Role != workload.Ephemeral {
			real.containers = append(real.containers, realContainer{c, effective[len(real.containers)].Resources})
		}
	}
	return real
}

// limiter is the LimitRange that gives a container its limit, if none is
// written.
func (r *realPod) limiter(c realContainer, name corev1.ResourceName) *inventory.Object[inventory.LimitRange] {
	if _, written := c.Resources.Limits[name]; written {
		return nil
	}
	return giver(r.ranges, name)
}

// giver is the first LimitRange that has a limit to give.
func giver(ranges []inventory.Object[inventory.LimitRange], name corev1.ResourceName) *inventory.Object[inventory.LimitRange] {
	for i := range ranges {
		bare := &corev1.PodSpec{Containers: make([]corev1.Container, 1)}
		if _, gives := resources.Effective(bare, ranges[i].Value.Limits).Containers[0].Resources.Limits[name]; gives {
			return &ranges[i]
		}
	}
	return nil
}

// outcome is what a check finds of one container or pod: nothing where it
// passes.
type outcome struct {
	subject  report.Subject
	verdict  report.Verdict
	message  string
	absent   bool // the failure rests on there being no LimitRange
	evidence []report.Evidence
}

// same reports whether two outcomes say the same of one container.
func (o outcome) same(other outcome) bool {
	return o.subject.Part == other.subject.Part && o.verdict == other.verdict && o.message == other.message
}

// judgeAsAdmitted reports what judge finds of each workload, and of the pods
// that were admitted while a LimitRange was another: they are as they are, and
// a finding of their own where that is worse than what its template says now.
func judgeAsAdmitted(e *check.Eval, w *workload.Workload, judge func(*workload.Workload) []outcome) {
	outcomes := judge(w)
	pods := w.Pods
	for _, folded := range w.Folded {
		alike := true
		for _, o := range judge(folded) {
			if slices.ContainsFunc(outcomes, o.same) {
				continue
			}
			alike = false
			if o.verdict != report.Pass {
				tell(e, o, folded, folded.Pods)
			}
		}
		if !alike {
			pods -= folded.Pods
		}
	}
	for _, o := range outcomes {
		tell(e, o, w, pods)
	}
}

func tell(e *check.Eval, o outcome, w *workload.Workload, pods int) {
	var f *report.Finding
	switch {
	case o.verdict == report.Pass:
		e.Pass(o.subject)
		return
	case o.absent && !w.Admitted():
		f = e.FailAbsent(o.subject, []report.KindID{inventory.LimitRanges.ID}, w.Namespace, o.message, o.evidence...)
	case o.verdict == report.Unknown:
		f = e.Unknown(o.subject, o.message, o.evidence...)
	default:
		f = e.Fail(o.subject, o.message, o.evidence...)
	}
	if pods > 1 {
		f.Count = pods
	}
}
