package resources

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestEffective states by hand what test/e2e compares with the API server's
// own answers for generated pods and LimitRanges.
func TestEffective(t *testing.T) {
	for _, tt := range []struct {
		name   string
		pod    string
		ranges []string
		want   string
	}{
		{
			name: "request defaults to limit",
			pod:  `{containers: [{name: a, resources: {limits: {memory: 1Gi, cpu: 1}, requests: {cpu: 500m}}}], initContainers: [{name: i, resources: {limits: {memory: 1Mi}}}]}`,
			want: `{containers: [{name: a, resources: {limits: {memory: 1Gi, cpu: 1}, requests: {memory: 1Gi, cpu: 500m}}}], initContainers: [{name: i, resources: {limits: {memory: 1Mi}, requests: {memory: 1Mi}}}]}`,
		},
		{
			name:   "the default limit is the maximum, the default request the default limit",
			pod:    `{containers: [{name: a}]}`,
			ranges: []string{`[{type: Container, max: {memory: 1Gi}}]`},
			want:   `{containers: [{name: a, resources: {limits: {memory: 1Gi}, requests: {memory: 1Gi}}}]}`,
		},
		{
			name:   "the default request is the minimum only without a default limit",
			pod:    `{containers: [{name: a}]}`,
			ranges: []string{`[{type: Container, min: {memory: 1Mi, cpu: 10m}, default: {cpu: 1}}]`},
			want:   `{containers: [{name: a, resources: {limits: {cpu: 1}, requests: {memory: 1Mi, cpu: 1}}}]}`,
		},
		{
			name:   "a limit of its own sets the request before the LimitRange does",
			pod:    `{containers: [{name: a, resources: {limits: {memory: 2Gi}}}]}`,
			ranges: []string{`[{type: Container, default: {memory: 1Gi}, defaultRequest: {memory: 512Mi}}]`},
			want:   `{containers: [{name: a, resources: {limits: {memory: 2Gi}, requests: {memory: 2Gi}}}]}`,
		},
		{
			name:   "a request of its own does not keep the limit from being set",
			pod:    `{containers: [{name: a, resources: {requests: {memory: 512Mi}}}]}`,
			ranges: []string{`[{type: Container, default: {memory: 1Gi}}]`},
			want:   `{containers: [{name: a, resources: {limits: {memory: 1Gi}, requests: {memory: 512Mi}}}]}`,
		},
		{
			name:   "of two LimitRanges the first sets, of two items of one the last",
			pod:    `{containers: [{name: a}]}`,
			ranges: []string{`[{type: Container, default: {memory: 1Gi}}, {type: Container, default: {memory: 2Gi}}]`, `[{type: Container, default: {memory: 3Gi, cpu: 1}}]`},
			want:   `{containers: [{name: a, resources: {limits: {memory: 2Gi, cpu: 1}, requests: {memory: 2Gi, cpu: 1}}}]}`,
		},
		{
			name:   "LimitRanges for pods and claims default nothing",
			pod:    `{containers: [{name: a}]}`,
			ranges: []string{`[{type: Pod, max: {memory: 1Gi}}, {type: PersistentVolumeClaim, max: {storage: 1Gi}}]`},
			want:   `{containers: [{name: a}]}`,
		},
		{
			name:   "ephemeral containers get nothing",
			pod:    `{containers: [{name: a}], ephemeralContainers: [{name: e}]}`,
			ranges: []string{`[{type: Container, default: {memory: 1Gi}}]`},
			want:   `{containers: [{name: a, resources: {limits: {memory: 1Gi}, requests: {memory: 1Gi}}}], ephemeralContainers: [{name: e}]}`,
		},
		{
			name: "less than a thousandth is rounded up",
			pod:  `{containers: [{name: a, resources: {limits: {cpu: 100u}}}]}`,
			want: `{containers: [{name: a, resources: {limits: {cpu: 1m}, requests: {cpu: 1m}}}]}`,
		},
		{
			name: "pod-level request defaults to the containers' requests, else to the limit",
			pod:  `{resources: {limits: {memory: 4Gi, cpu: 2}}, containers: [{name: a, resources: {requests: {memory: 1Gi}}}, {name: b, resources: {requests: {memory: 1Gi}}}]}`,
			want: `{resources: {limits: {memory: 4Gi, cpu: 2}, requests: {memory: 2Gi, cpu: 2}}, containers: [{name: a, resources: {requests: {memory: 1Gi}}}, {name: b, resources: {requests: {memory: 1Gi}}}]}`,
		},
		{
			name: "pod-level limit defaults to the containers' limits if all have one",
			pod:  `{resources: {requests: {memory: 1Gi, cpu: 1}}, containers: [{name: a, resources: {limits: {memory: 2Gi, cpu: 1}}}, {name: b, resources: {limits: {memory: 2Gi}}}]}`,
			want: `{resources: {requests: {memory: 1Gi, cpu: 1}, limits: {memory: 4Gi}}, containers: [{name: a, resources: {limits: {memory: 2Gi, cpu: 1}, requests: {memory: 2Gi, cpu: 1}}}, {name: b, resources: {limits: {memory: 2Gi}, requests: {memory: 2Gi}}}]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := decode[corev1.PodSpec](t, tt.pod)
			before := spec.DeepCopy()
			var ranges [][]corev1.LimitRangeItem
			for _, r := range tt.ranges {
				ranges = append(ranges, *decode[[]corev1.LimitRangeItem](t, r))
			}
			got := render(t, Effective(spec, ranges...))
			if d := cmp.Diff(render(t, decode[corev1.PodSpec](t, tt.want)), got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if d := cmp.Diff(render(t, before), render(t, spec)); d != "" {
				t.Errorf("the spec was changed:\n%s", d)
			}
		})
	}
}

func BenchmarkEffective(b *testing.B) {
	var spec corev1.PodSpec
	if err := yaml.Unmarshal([]byte(`{containers: [{name: a, resources: {limits: {memory: 1Gi}}}, {name: b}]}`), &spec); err != nil {
		b.Fatal(err)
	}
	var items []corev1.LimitRangeItem
	if err := yaml.Unmarshal([]byte(`[{type: Container, default: {memory: 1Gi, cpu: 1}}]`), &items); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Effective(&spec, items)
	}
}

func decode[T any](t *testing.T, text string) *T {
	t.Helper()
	out := new(T)
	if err := yaml.UnmarshalStrict([]byte(text), out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

// render writes a spec in one canonical form, empty lists left out.
func render(t *testing.T, s *corev1.PodSpec) string {
	t.Helper()
	out, err := yaml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
