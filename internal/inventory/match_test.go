package inventory

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestMaySelect(t *testing.T) {
	web := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	invalid := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: "Like"}}}
	for _, tt := range []struct {
		name     string
		selector *metav1.LabelSelector
		labels   map[string]string
		want     bool
	}{
		{"none", nil, nil, true},
		{"empty", &metav1.LabelSelector{}, nil, true},
		{"no labels", web, nil, false},
		{"other labels", web, map[string]string{"app": "db"}, false},
		{"labels", web, map[string]string{"app": "web"}, true},
		{"invalid", invalid, nil, true},
	} {
		if got := MaySelect(tt.selector, tt.labels); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"a*", "abc", true}, {"*c", "abc", true}, {"a?c", "abc", true}, {"a?", "a", false},
		{"*b*", "abc", true}, {"a*b*c", "axxbyyc", true}, {"a*b*c", "axxbyyd", false}, {"**", "a/b", true}, {"crm/*", "crm/a", true}, {"a", "ab", false},
		{strings.Repeat("a*", 60) + "b", strings.Repeat("a", 250), false},
	} {
		if got := Glob(test.pattern, test.s); got != test.want {
			t.Errorf("%q %q: %v", test.pattern, test.s, got)
		}
	}
}

// FuzzGlob proves that a text matches itself, and that asterisks around it
// change nothing.
func FuzzGlob(f *testing.F) {
	for _, s := range []string{"", "a", "ghcr.io/acme/web:v1", "**", "a*b?c", "*?*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !Glob(s, s) || !Glob("*"+s+"*", s) || !Glob("*", s) {
			t.Errorf("%q does not match itself", s)
		}
	})
}
