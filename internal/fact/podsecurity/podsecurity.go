// Package podsecurity says which Pod Security Standard each namespace
// enforces, and which controls of a standard a pod violates, where. Verdicts
// are those of the upstream library; only the field paths are found here.
//
// https://kubernetes.io/docs/concepts/security/pod-security-standards/
package podsecurity

import (
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Violation is one control that a pod does not meet.
type Violation struct {
	// Control is the upstream check's ID: "hostNamespaces", "capabilities_baseline".
	Control string
	// Level is the standard that the control belongs to.
	Level api.Level
	// Text is upstream's description: `privileged (container "web" must not set …)`.
	Text string
	// Fields are the offending fields, in the order of the pod; never empty.
	Fields []Field
}

// Field is one offending field.
type Field struct {
	// Path is relative to the pod: "spec.hostNetwork".
	Path string
	// Got and Want are the value seen and the value that would be allowed;
	// [None] stands for no value.
	Got, Want string
}

// None is the value of a field that is not set.
const None = "(none)"

// Evaluate returns the controls of the standard that the pod violates, those
// of baseline first, each group by ID. The pod is judged as the API server's
// admission plugin would see it, with its defaults filled in.
func Evaluate(lv api.LevelVersion, annotations map[string]string, spec *corev1.PodSpec) []Violation {
	meta, written, spec := &metav1.ObjectMeta{Annotations: annotations}, spec, admitted(spec)
	var out []Violation
	for _, r := range upstream().evaluator.EvaluatePod(lv, meta, spec) {
		if r.Allowed {
			continue
		}
		id, reason, _ := strings.Cut(r.ForbiddenReason, separator)
		if r.ForbiddenDetail != "" {
			reason += " (" + r.ForbiddenDetail + ")"
		}
		v := Violation{Control: id, Level: upstream().levels[id], Text: reason}
		v.Fields = locate(id, lv.Version, annotations, written, spec)
		if len(v.Fields) == 0 { // a control that a newer library added
			v.Fields = []Field{{Path: "spec", Got: r.ForbiddenDetail}}
		}
		out = append(out, v)
	}
	return out
}

// Strictest is the strictest standard that a pod meets at a version.
func Strictest(v api.Version, annotations map[string]string, spec *corev1.PodSpec) api.Level {
	meta, spec := &metav1.ObjectMeta{Annotations: annotations}, admitted(spec)
	for _, level := range []api.Level{api.LevelRestricted, api.LevelBaseline} {
		results := upstream().evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: v}, meta, spec)
		if !slices.ContainsFunc(results, func(r policy.CheckResult) bool { return !r.Allowed }) {
			return level
		}
	}
	return api.LevelPrivileged
}

// forbidden reports whether one control forbids a pod.
func forbidden(control string, v api.Version, spec *corev1.PodSpec) bool {
	lv := api.LevelVersion{Level: upstream().levels[control], Version: v}
	return slices.ContainsFunc(upstream().evaluator.EvaluatePod(lv, &metav1.ObjectMeta{}, spec), func(r policy.CheckResult) bool {
		return !r.Allowed && strings.HasPrefix(r.ForbiddenReason, control+separator)
	})
}

// separator stands between the ID and the reason in results of wrapped checks.
const separator = "\x00"

type library struct {
	evaluator policy.Evaluator
	levels    map[string]api.Level
}

// upstream is the upstream evaluator with every check wrapped to say its ID,
// which upstream's results leave out.
var upstream = sync.OnceValue(func() library {
	checks, levels := policy.DefaultChecks(), map[string]api.Level{}
	for i := range checks {
		id := string(checks[i].ID)
		levels[id] = checks[i].Level
		for j := range checks[i].Versions {
			run := checks[i].Versions[j].CheckPod
			checks[i].Versions[j].CheckPod = func(m *metav1.ObjectMeta, s *corev1.PodSpec) policy.CheckResult {
				r := run(m, s)
				if !r.Allowed {
					r.ForbiddenReason = id + separator + r.ForbiddenReason
				}
				return r
			}
		}
	}
	evaluator, err := policy.NewEvaluator(checks, nil)
	if err != nil {
		panic(err) // upstream's own list is valid; a test proves it
	}
	return library{evaluator, levels}
})

// admitted is the pod with those defaults of the API server that the controls
// look at: a volume without a source is an emptyDir, and ports of a pod on the
// host's network are ports of the host.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/v1/defaults.go
// (SetDefaults_Volume, defaultHostNetworkPorts)
func admitted(spec *corev1.PodSpec) *corev1.PodSpec {
	sourceless := slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool { return v.VolumeSource == corev1.VolumeSource{} })
	if !sourceless && !spec.HostNetwork {
		return spec
	}
	s := *spec
	if sourceless {
		s.Volumes = slices.Clone(s.Volumes)
		for i := range s.Volumes {
			if s.Volumes[i].VolumeSource == (corev1.VolumeSource{}) {
				s.Volumes[i].EmptyDir = &corev1.EmptyDirVolumeSource{}
			}
		}
	}
	if s.HostNetwork {
		s.Containers, s.InitContainers = onHost(s.Containers), onHost(s.InitContainers)
	}
	return &s
}

func onHost(cs []corev1.Container) []corev1.Container {
	cs = slices.Clone(cs)
	for i := range cs {
		cs[i].Ports = slices.Clone(cs[i].Ports)
		for j := range cs[i].Ports {
			if p := &cs[i].Ports[j]; p.HostPort == 0 {
				p.HostPort = p.ContainerPort
			}
		}
	}
	return cs
}
