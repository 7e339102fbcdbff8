package netpol

import (
	"encoding/json"
	"slices"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// FuzzSelects gives any pod selector and labels. A selector that upstream
// refuses selects nothing and says why; any other selects what its plain
// meaning selects.
func FuzzSelects(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"matchLabels":{"app":"web"}}`, `{"matchLabels":{"app":""}}`, `{"matchLabels":{"bad key!":"x"}}`,
		`{"matchExpressions":[{"key":"app","operator":"In","values":["web","api"]}]}`,
		`{"matchExpressions":[{"key":"app","operator":"NotIn","values":["web"]},{"key":"tier","operator":"Exists"}]}`,
		`{"matchExpressions":[{"key":"app","operator":"DoesNotExist"}]}`,
		`{"matchExpressions":[{"key":"app","operator":"In"}]}`, `{"matchExpressions":[{"key":"app","operator":"Equals","values":["x"]}]}`,
	} {
		f.Add(s, "app", "web")
		f.Add(s, "tier", "")
	}
	f.Fuzz(func(t *testing.T, selector, key, value string) {
		var s metav1.LabelSelector
		if json.Unmarshal([]byte(selector), &s) != nil {
			return
		}
		p := compile(inventory.Object[inventory.NetworkPolicy]{Value: inventory.NetworkPolicy{Spec: networkingv1.NetworkPolicySpec{PodSelector: s}}})
		pod := map[string]string{key: value}
		got := p.Selects(pod)
		if p.Invalid != nil {
			if got {
				t.Error("an invalid selector selects")
			}
			return
		}
		if want := meaning(s, pod); got != want {
			t.Errorf("%s selects %v: %t, want %t", selector, pod, got, want)
		}
		if match := p.Match(Pods{Kind: "Pod", Labels: pod}); (match == Yes) != got || match == May {
			t.Errorf("%s matches the Pod %v: %d, and selects it: %t", selector, pod, match, got)
		}
		if p.SelectsAll() && !got {
			t.Errorf("%s selects all, and not %v", selector, pod)
		}
	})
}

// meaning evaluates a valid selector word by word.
func meaning(s metav1.LabelSelector, pod map[string]string) bool {
	for k, v := range s.MatchLabels {
		if w, ok := pod[k]; !ok || w != v {
			return false
		}
	}
	for _, e := range s.MatchExpressions {
		v, has := pod[e.Key]
		in := slices.Contains(e.Values, v)
		switch e.Operator {
		case metav1.LabelSelectorOpIn:
			if !has || !in {
				return false
			}
		case metav1.LabelSelectorOpNotIn:
			if has && in {
				return false
			}
		case metav1.LabelSelectorOpExists:
			if !has {
				return false
			}
		case metav1.LabelSelectorOpDoesNotExist:
			if has {
				return false
			}
		}
	}
	return true
}
