package resources

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
)

// FuzzEffective gives any quantities that upstream parses to a container and a
// LimitRange. Nothing panics or hangs, the spec is not changed, a limit always
// brings a request, and doing it again changes nothing.
func FuzzEffective(f *testing.F) {
	for _, s := range [][5]string{
		{"64Mi", "", "", "", ""}, {"", "128Mi", "1Gi", "64Mi", "2Gi"}, {"128m", "0", "1e3", "1E", "0.1"},
		{"-1", "1e9999", "9223372036854775807", "1e-9", "Ki"}, {"0.0000000001", "1n", "1u", "100000000000000000000", "+5"},
	} {
		f.Add(s[0], s[1], s[2], s[3], s[4])
	}
	f.Fuzz(func(t *testing.T, limit, request, ranged, least, most string) {
		list := func(s string) corev1.ResourceList {
			q, err := resource.ParseQuantity(s)
			if err != nil {
				return nil
			}
			return corev1.ResourceList{corev1.ResourceMemory: q}
		}
		spec := &corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Resources: corev1.ResourceRequirements{Limits: list(limit), Requests: list(request)}}}}
		items := []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Default: list(ranged), Min: list(least), Max: list(most)}}
		before, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		got := Effective(spec, items)
		after, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		if string(before) != string(after) {
			t.Errorf("the spec was changed:\n%s\n%s", before, after)
		}
		r := got.Containers[0].Resources
		if _, limited := r.Limits[corev1.ResourceMemory]; limited {
			if _, requested := r.Requests[corev1.ResourceMemory]; !requested {
				t.Error("a limit brought no request")
			}
		}
		if again := Effective(got, items); !apiequality.Semantic.DeepEqual(again.Containers, got.Containers) {
			t.Errorf("again: %v, first %v", again.Containers[0].Resources, r)
		}
	})
}
