package pods

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/resources"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// realPod is what a workload's pods really have: as written, with what the API
// server adds.
type realPod struct {
	pod        *corev1.ResourceRequirements // of the pod as a whole; nil if it has none
	containers []realContainer
	ranges     []inventory.Object[inventory.LimitRange] // that were applied, in this order
}

// realContainer is a container that can have resources, with those it has.
type realContainer struct {
	workload.Container
	effective corev1.ResourceRequirements
}

func effective(e *check.Eval, w *workload.Workload) realPod {
	var real realPod
	var items [][]corev1.LimitRangeItem
	if !admitted(w) {
		for lr := range inventory.In(e, inventory.LimitRanges, w.Namespace) {
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
// written: the first that has one to give.
func (r *realPod) limiter(c realContainer, name corev1.ResourceName) *inventory.Object[inventory.LimitRange] {
	if _, written := c.Resources.Limits[name]; written {
		return nil
	}
	for i := range r.ranges {
		bare := &corev1.PodSpec{Containers: make([]corev1.Container, 1)}
		if _, gives := resources.Effective(bare, r.ranges[i].Value.Limits).Containers[0].Resources.Limits[name]; gives {
			return &r.ranges[i]
		}
	}
	return nil
}

// admitted reports whether the workload is a pod that an API server has
// created: admission is over for it.
func admitted(w *workload.Workload) bool { return w.Kind == "Pod" && w.Value.UID != "" }
