package inventory

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// MaySelect reports whether an object selector matches an object with the
// labels. One that is not there matches everything, and so may one that is not
// valid.
func MaySelect(s *metav1.LabelSelector, set map[string]string) bool {
	if s == nil {
		return true
	}
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err != nil || selector.Matches(labels.Set(set))
}

// Globs reports whether any of the patterns matches; see [Glob].
func Globs(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Glob(p, s) })
}

// Glob matches as policy engines do: an asterisk stands for any text, slashes
// included, a question mark for one character.
func Glob(pattern, s string) bool {
	p, i := 0, 0
	star, taken := -1, 0 // the last asterisk, which alone is tried again, and how much of s it has taken
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			taken++
			p, i = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
