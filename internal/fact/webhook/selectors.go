package webhook

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Requirement is one condition of a label selector.
type Requirement struct {
	Key string
	// Field is its path in the selector: "matchExpressions[0].key".
	Field string
	// Text is the condition in the notation of kubectl.
	Text string
}

// Requirements lists the conditions of a selector, all of which must hold, in
// the order of their keys; none for a selector that matches everything.
func Requirements(s *metav1.LabelSelector) []Requirement {
	if s == nil {
		return nil
	}
	var out []Requirement
	for _, k := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		out = append(out, Requirement{k, "matchLabels[" + k + "]", k + "=" + s.MatchLabels[k]})
	}
	for i, x := range s.MatchExpressions {
		text := metav1.FormatLabelSelector(&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{x}})
		out = append(out, Requirement{x.Key, fmt.Sprintf("matchExpressions[%d].key", i), text})
	}
	return out
}

// SelectsNamespace reports whether a namespace selector matches a namespace.
// set holds the labels of its Namespace object, nil where there is none in the
// inventory: known is then false, unless the name, which the API server makes
// a label of every namespace, decides. So it is where the selector is not valid.
//
// https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
func SelectsNamespace(s *metav1.LabelSelector, name string, set map[string]string) (yes, known bool) {
	if s == nil {
		return true, true
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return false, false
	}
	all := labels.Set{corev1.LabelMetadataName: name}
	if set != nil {
		maps.Copy(all, set)
		return selector.Matches(all), true
	}
	conditions, _ := selector.Requirements()
	byName, others := true, false
	for _, r := range conditions {
		if r.Key() == corev1.LabelMetadataName {
			byName = byName && r.Matches(all)
		} else {
			others = true
		}
	}
	return byName, !byName || !others
}
