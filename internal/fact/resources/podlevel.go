package resources

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

// podLevel completes the resources of the pod as a whole (KEP-2837, on by
// default since v1.34) from those of its containers. A pod that sets none
// keeps none. The steps are those of DefaultPodLevelResources in the API
// server v1.37: huge page limits, then requests, then limits.
func podLevel(s *corev1.PodSpec) *corev1.ResourceRequirements {
	if s.Resources == nil || len(s.Resources.Limits)+len(s.Resources.Requests) == 0 {
		return s.Resources
	}
	r := s.Resources.DeepCopy()
	r.Limits, r.Requests = own(r.Limits), own(r.Requests)
	milli(r.Limits)
	milli(r.Requests)
	containersOnly := &corev1.Pod{Spec: corev1.PodSpec{InitContainers: s.InitContainers, Containers: s.Containers}}
	limits := resourcehelper.AggregateContainerLimits(containersOnly, resourcehelper.PodResourcesOptions{})
	requests := resourcehelper.AggregateContainerRequests(containersOnly, resourcehelper.PodResourcesOptions{})

	for name, limit := range limits {
		if _, requested := r.Requests[name]; hugePages(name) && !requested {
			fill(r.Limits, corev1.ResourceList{name: limit})
		}
	}
	for name, request := range requests {
		if resourcehelper.IsSupportedPodLevelResource(name) && !hugePages(name) {
			fill(r.Requests, corev1.ResourceList{name: request})
		}
	}
	for name, limit := range r.Limits {
		if resourcehelper.IsSupportedPodLevelResource(name) {
			fill(r.Requests, corev1.ResourceList{name: limit})
		}
	}
	for name, request := range r.Requests {
		if !resourcehelper.IsSupportedPodLevelResource(name) || !everyContainerLimits(s, name) {
			continue
		}
		if limit, ok := limits[name]; ok {
			if request.Cmp(limit) > 0 {
				limit = request // a limit below the request would be refused
			}
			fill(r.Limits, corev1.ResourceList{name: limit})
		}
	}
	return r
}

func hugePages(name corev1.ResourceName) bool {
	return strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}

func everyContainerLimits(s *corev1.PodSpec, name corev1.ResourceName) bool {
	for c := range containers(s) {
		if _, ok := c.Resources.Limits[name]; !ok {
			return false
		}
	}
	return true
}
