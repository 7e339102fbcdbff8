package imagepolicy

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/report"
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
	return parse(s).matches(set)
}

// parsed is a selector, nil where it does not parse.
type parsed struct{ labels.Selector }

func parse(s *metav1.LabelSelector) parsed {
	for k, v := range s.MatchLabels {
		if strings.ContainsAny(k+v, "*?") {
			return parsed{}
		}
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return parsed{}
	}
	return parsed{selector}
}

func (p parsed) matches(set labels.Set) answer {
	if p.Selector == nil {
		return maybe
	}
	return is(p.Matches(set))
}

// selected reports whether a selector matches the namespace. Without the
// Namespace object only its name is known, which every namespace has as a label.
func (ns namespace) selected(s *metav1.LabelSelector) answer {
	if s == nil {
		return yes
	}
	if ns.labels != nil {
		selector, known := ns.parsed.Load(s)
		if !known {
			selector, _ = ns.parsed.LoadOrStore(s, parse(s))
		}
		return selector.(parsed).matches(ns.labels)
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

// of reports whether a policy is about the namespace: one of a kind that lies
// in namespaces is about its own, which a manifest need not name.
func (ns namespace) of(policy report.Subject, clusterWide bool) answer {
	switch {
	case clusterWide, policy.Namespace == ns.name:
		return yes
	case policy.Namespace == "":
		return maybe
	}
	return no
}

const ofNoNamespace = "may verify it: the policy does not name its namespace"
