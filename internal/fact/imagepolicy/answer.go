package imagepolicy

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// answer is that of a question which the evidence may leave open. Answers are
// ordered: the least of several is their "and", the greatest their "or".
type answer int

const (
	no answer = iota
	maybe
	yes
)

func (a answer) not() answer { return yes - a }

func is(b bool) answer {
	if b {
		return yes
	}
	return no
}

// selects reports whether a selector matches labels. One that is not valid, or
// has wildcards, as only Kyverno has them, may match.
func selects(s *metav1.LabelSelector, set map[string]string) answer {
	if s == nil {
		return yes
	}
	for k, v := range s.MatchLabels {
		if strings.ContainsAny(k+v, "*?") {
			return maybe
		}
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return maybe
	}
	return is(selector.Matches(labels.Set(set)))
}

// selected reports whether a selector matches the namespace. Without the
// Namespace object only its name is known, which every namespace has as a label.
func (ns namespace) selected(s *metav1.LabelSelector) answer {
	if ns.labels != nil || s == nil {
		return selects(s, ns.labels)
	}
	byName := metav1.LabelSelector{}
	for _, x := range s.MatchExpressions {
		if x.Key == corev1.LabelMetadataName {
			byName.MatchExpressions = append(byName.MatchExpressions, x)
		}
	}
	if v, ok := s.MatchLabels[corev1.LabelMetadataName]; ok {
		byName.MatchLabels = map[string]string{corev1.LabelMetadataName: v}
	}
	known := selects(&byName, labels.Set{corev1.LabelMetadataName: ns.name})
	if len(byName.MatchExpressions)+len(byName.MatchLabels) < len(s.MatchExpressions)+len(s.MatchLabels) {
		return min(known, maybe)
	}
	return known
}

func globs(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, s) })
}

// glob matches a pattern in which an asterisk stands for any text and a
// question mark for one character.
func glob(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0 // the last asterisk, and how much it has taken
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
