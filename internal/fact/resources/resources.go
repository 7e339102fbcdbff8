// Package resources computes the requests and limits that a pod really has:
// what is written, defaulted as the API server does it, then filled in from
// the LimitRanges of its namespace.
package resources

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Effective is the pod as the API server would store it: a container's request
// defaults to its limit, LimitRanges fill in what is still missing, and
// pod-level resources are completed from the containers. Each of ranges holds
// the items of one LimitRange object; they are applied in the given order (the
// API server's own order is random, and matters only where two objects default
// the same resource). Only resources differ from spec, which is not changed.
//
// Ephemeral containers cannot have resources and get none.
//
// The order of steps is that of the API server v1.37: SetDefaults_Pod in
// pkg/apis/core/v1/defaults.go, the plugin in
// plugin/pkg/admission/limitranger/admission.go, and DefaultPodLevelResources
// in pkg/api/pod/util.go.
func Effective(spec *corev1.PodSpec, ranges ...[]corev1.LimitRangeItem) *corev1.PodSpec {
	s := *spec
	s.Containers = copied(spec.Containers)
	s.InitContainers = copied(spec.InitContainers)
	for c := range containers(&s) {
		milli(c.Resources.Limits)
		milli(c.Resources.Requests)
		fill(c.Resources.Requests, c.Resources.Limits)
	}
	for _, items := range ranges {
		limits, requests := defaults(items)
		for c := range containers(&s) {
			fill(c.Resources.Limits, limits)
			fill(c.Resources.Requests, requests)
		}
	}
	s.Resources = podLevel(&s)
	return &s
}

// containers yields the containers that can have resources.
func containers(s *corev1.PodSpec) func(yield func(*corev1.Container) bool) {
	return func(yield func(*corev1.Container) bool) {
		for _, cs := range [][]corev1.Container{s.InitContainers, s.Containers} {
			for i := range cs {
				if !yield(&cs[i]) {
					return
				}
			}
		}
	}
}

// copied makes containers whose resource lists can be written to.
func copied(cs []corev1.Container) []corev1.Container {
	cs = slices.Clone(cs)
	for i := range cs {
		cs[i].Resources.Limits = own(cs[i].Resources.Limits)
		cs[i].Resources.Requests = own(cs[i].Resources.Requests)
	}
	return cs
}

func own(l corev1.ResourceList) corev1.ResourceList {
	if l == nil {
		return corev1.ResourceList{}
	}
	return maps.Clone(l) // quantities are replaced as a whole, never changed in place
}

// fill adds what is missing in list.
func fill(list, from corev1.ResourceList) {
	for name, quantity := range from {
		if _, ok := list[name]; !ok {
			list[name] = quantity
		}
	}
}

// milli rounds quantities up to a thousandth, as SetDefaults_ResourceList does.
func milli(list corev1.ResourceList) {
	for name, quantity := range list {
		quantity = quantity.DeepCopy()
		quantity.RoundUp(resource.Milli)
		list[name] = quantity
	}
}

// defaults are the limits and requests that one LimitRange gives to containers
// without their own. Within an item the default limit is the maximum if unset,
// the default request is the default limit or else the minimum
// (SetDefaults_LimitRangeItem); of several items the last one wins.
func defaults(items []corev1.LimitRangeItem) (limits, requests corev1.ResourceList) {
	limits, requests = corev1.ResourceList{}, corev1.ResourceList{}
	for _, it := range items {
		if it.Type != corev1.LimitTypeContainer {
			continue
		}
		limit, request := own(it.Default), own(it.DefaultRequest)
		fill(limit, it.Max)
		fill(request, limit)
		fill(request, it.Min)
		milli(limit)
		milli(request)
		maps.Copy(limits, limit)
		maps.Copy(requests, request)
	}
	return limits, requests
}
