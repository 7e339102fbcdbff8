package netpol

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// Pods are the pods that an object makes, as far as they can be known before
// they exist: its kind and name, and the labels of its template. For a Pod,
// the labels are all there is.
type Pods struct {
	Kind, Name string
	Labels     map[string]string
}

// Answer says whether a policy selects pods.
type Answer int

// The answers. May is that of a selector by labels whose values controllers
// choose, or give to some of the pods only.
const (
	No Answer = iota
	May
	Yes
)

// Match reports whether the policy selects the pods. Unlike [Policy.Selects],
// it reckons with the labels that controllers add to those of the template. A
// policy whose selector is invalid may select anything.
func (p *Policy) Match(pods Pods) Answer {
	if p.Invalid != nil {
		return May
	}
	requirements, _ := p.selector.Requirements()
	answer := Yes
	for _, r := range requirements {
		answer = min(answer, pods.match(r))
	}
	return answer
}

func (x Pods) match(r labels.Requirement) Answer {
	_, written := x.Labels[r.Key()]
	i := slices.IndexFunc(addedLabels, func(a addedLabel) bool {
		return slices.Contains(a.keys, r.Key()) && slices.Contains(a.kinds, x.Kind)
	})
	if written || i < 0 {
		if r.Matches(labels.Set(x.Labels)) {
			return Yes
		}
		return No
	}
	possible := slices.ContainsFunc(r.Values().UnsortedList(), func(v string) bool {
		return addedLabels[i].value == nil || addedLabels[i].value(x.Name, v)
	})
	// A Job's name is known, and is what it gives to each of its pods.
	known := addedLabels[i].fixed && !strings.HasSuffix(x.Name, "*")
	switch r.Operator() {
	case selection.Exists:
		return choose(r.Key() == indexLabel, false, Yes, Yes)
	case selection.DoesNotExist:
		return choose(r.Key() == indexLabel, false, No, No)
	case selection.In, selection.Equals, selection.DoubleEquals:
		return choose(possible, known, No, Yes)
	case selection.NotIn, selection.NotEquals:
		return choose(possible, known, Yes, No)
	}
	return May
}

// choose is otherwise where none of the selector's values can be the label's,
// and match where one is known to be it.
func choose(possible, known bool, otherwise, match Answer) Answer {
	switch {
	case !possible:
		return otherwise
	case known:
		return match
	}
	return May
}

// addedLabel is a label that a controller gives to the pods that it makes.
type addedLabel struct {
	keys, kinds []string
	// value says whether the label may have a value in pods of the object of
	// that name; nil where any is possible.
	value func(name, value string) bool
	// fixed is true where all pods have the one value that is possible, unless
	// the object's name is still to be generated.
	fixed bool
}

// https://kubernetes.io/docs/reference/labels-annotations-taints/
var addedLabels = []addedLabel{
	{keys: []string{"pod-template-hash"}, kinds: []string{"Deployment"}},
	{keys: []string{"controller-revision-hash"}, kinds: []string{"StatefulSet", "DaemonSet"}},
	{keys: []string{"pod-template-generation"}, kinds: []string{"DaemonSet"}},
	{keys: []string{"statefulset.kubernetes.io/pod-name"}, kinds: []string{"StatefulSet"}, value: func(name, v string) bool {
		ordinal, ok := strings.CutPrefix(v, strings.TrimSuffix(name, "*"))
		return ok && (strings.HasSuffix(name, "*") || isOrdinal(strings.TrimPrefix(ordinal, "-")))
	}},
	{keys: []string{"apps.kubernetes.io/pod-index"}, kinds: []string{"StatefulSet"}, value: func(_, v string) bool { return isOrdinal(v) }},
	{keys: []string{"controller-uid", "batch.kubernetes.io/controller-uid"}, kinds: []string{"Job", "CronJob"}},
	{keys: []string{"job-name", "batch.kubernetes.io/job-name"}, kinds: []string{"Job"}, fixed: true, value: func(name, v string) bool {
		prefix, generated := strings.CutSuffix(name, "*")
		return v == name || generated && strings.HasPrefix(v, prefix)
	}},
	// A CronJob names its Jobs after itself and the time at which they are due.
	{keys: []string{"job-name", "batch.kubernetes.io/job-name"}, kinds: []string{"CronJob"}, value: func(name, v string) bool {
		return strings.HasPrefix(v, strings.TrimSuffix(name, "*"))
	}},
	// https://argo-rollouts.readthedocs.io/en/stable/features/specification/
	{keys: []string{"rollouts-pod-template-hash"}, kinds: []string{"Rollout"}},
	// https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/building_applications/deployments
	{keys: []string{"deploymentconfig"}, kinds: []string{"DeploymentConfig"}, fixed: true, value: func(name, v string) bool { return v == name }},
	{keys: []string{"deployment"}, kinds: []string{"DeploymentConfig"}, value: func(name, v string) bool { return strings.HasPrefix(v, name+"-") }},
	// Only Jobs whose completionMode is Indexed add it, which is not read.
	{keys: []string{indexLabel}, kinds: []string{"Job", "CronJob"}, value: func(_, v string) bool { return isOrdinal(v) }},
}

// indexLabel is there or not: no question about it has a sure answer.
const indexLabel = "batch.kubernetes.io/job-completion-index"

func isOrdinal(s string) bool {
	n, err := strconv.ParseUint(s, 10, 31)
	return err == nil && strconv.FormatUint(n, 10) == s
}
