package podsecurity

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// TestUpstreamFixtures evaluates the pods that upstream tests its own checks
// with: verdicts and texts are upstream's, and repairing exactly the fields
// that a violation names has upstream allow the pod.
func TestUpstreamFixtures(t *testing.T) {
	plain, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(upstreamFixtures(t), "*", "v*", "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no upstream fixtures: %v", err)
	}
	bad := 0
	for _, file := range files {
		dir, outcome := filepath.Split(filepath.Dir(file))
		level, version := filepath.Base(filepath.Dir(filepath.Clean(dir))), filepath.Base(filepath.Clean(dir))
		if testing.Short() && version != "v1.37" && version != "v1.18" {
			continue
		}
		lv := api.LevelVersion{Level: api.Level(level)}
		if lv.Version, err = api.ParseVersion(version); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pod := decode(t, data)
		got := Evaluate(lv, pod.Annotations, &pod.Spec)
		if failed := len(got) > 0; failed != (outcome == "fail") {
			t.Errorf("%s: %d violations", file, len(got))
		}

		var texts []string
		for _, v := range got {
			texts = append(texts, v.Text)
		}
		want := policy.AggregateCheckResults(plain.EvaluatePod(lv, &pod.ObjectMeta, admitted(&pod.Spec)))
		if joined := strings.Join(texts, ", "); joined != want.ForbiddenDetail() {
			t.Errorf("%s: %s, upstream says %s", file, joined, want.ForbiddenDetail())
		}

		if len(got) == 0 {
			continue
		}
		bad++
		repaired := decode(t, repair(t, data, got))
		for _, v := range Evaluate(lv, repaired.Annotations, &repaired.Spec) {
			t.Errorf("%s: still forbidden after repairing %v: %v", file, got, v)
		}
	}
	t.Logf("%d fixtures, %d of them bad", len(files), bad)
}

func TestControlsOf(t *testing.T) {
	latest := func(l api.Level) api.LevelVersion {
		return api.LevelVersion{Level: l, Version: api.LatestVersion()}
	}
	for _, tt := range []struct {
		name  string
		lv    api.LevelVersion
		pod   string
		want  []string // "control path got want"
		meets api.Level
	}{
		{"clean", latest(api.LevelRestricted), restrictedPod(``), nil, api.LevelRestricted},
		{"empty volume source is an emptyDir", latest(api.LevelRestricted), restrictedPod(`volumes: [{name: tmp}]`), nil, api.LevelRestricted},
		{"host network makes host ports", latest(api.LevelBaseline), `
spec:
  hostNetwork: true
  containers: [{name: a, ports: [{containerPort: 80}]}]`,
			[]string{"hostNamespaces spec.hostNetwork true false", "hostPorts spec.containers[0].ports[0].hostPort 80 (by hostNetwork) (none)"}, api.LevelPrivileged},
		{"ephemeral container", latest(api.LevelBaseline), `
spec:
  containers: [{name: a}]
  ephemeralContainers: [{name: debug, securityContext: {privileged: true}}]`,
			[]string{"privileged spec.ephemeralContainers[0].securityContext.privileged true false"}, api.LevelPrivileged},
		{"only the bad capability", latest(api.LevelBaseline), `
spec:
  initContainers: [{name: i, securityContext: {capabilities: {add: [CHOWN, NET_ADMIN]}}}]
  containers: [{name: a}]`,
			[]string{"capabilities_baseline spec.initContainers[0].securityContext.capabilities.add[1] NET_ADMIN (none)"}, api.LevelPrivileged},
		{"two kinds of volume", latest(api.LevelRestricted), restrictedPod(`volumes: [{name: a, nfs: {server: s, path: /}}, {name: b, emptyDir: {}}, {name: c, hostPath: {path: /var/run}}]`),
			[]string{"restrictedVolumes spec.volumes[0].nfs nfs (none)", "restrictedVolumes spec.volumes[2].hostPath /var/run (none)"}, api.LevelPrivileged},
		{"annotation counts before 1.19", api.LevelVersion{Level: api.LevelBaseline, Version: api.MajorMinorVersion(1, 18)}, `
metadata: {annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}
spec: {containers: [{name: a}]}`,
			[]string{"seccompProfile_baseline metadata.annotations[seccomp.security.alpha.kubernetes.io/pod] unconfined runtime/default"}, api.LevelBaseline},
		{"annotation does not count since 1.19", latest(api.LevelBaseline), `
metadata: {annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}
spec: {containers: [{name: a}]}`, nil, api.LevelBaseline},
		{"a user namespace relaxes latest", latest(api.LevelRestricted), restrictedPod(`hostUsers: false, securityContext: {runAsUser: 0, seccompProfile: {type: RuntimeDefault}}`), nil, api.LevelRestricted},
		{"a user namespace does not relax v1.34", api.LevelVersion{Level: api.LevelRestricted, Version: api.MajorMinorVersion(1, 34)},
			restrictedPod(`hostUsers: false, securityContext: {runAsUser: 0, seccompProfile: {type: RuntimeDefault}}`),
			[]string{"runAsNonRoot spec.containers[0].securityContext.runAsNonRoot (none) true", "runAsUser spec.securityContext.runAsUser 0 (none)"}, api.LevelRestricted},
		{"windows needs no Linux confinement", latest(api.LevelRestricted), `
spec:
  os: {name: windows}
  securityContext: {runAsNonRoot: true}
  containers: [{name: a}]`, nil, api.LevelRestricted},
		{"windows host process", latest(api.LevelBaseline), `
spec:
  os: {name: windows}
  hostNetwork: true
  securityContext: {windowsOptions: {hostProcess: true}}
  containers: [{name: a}]`,
			[]string{"hostNamespaces spec.hostNetwork true false", "windowsHostProcess spec.securityContext.windowsOptions.hostProcess true false"}, api.LevelPrivileged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pod := decode(t, []byte(tt.pod))
			before := pod.DeepCopy()
			var got []string
			for _, v := range Evaluate(tt.lv, pod.Annotations, &pod.Spec) {
				for _, f := range v.Fields {
					got = append(got, v.Control+" "+f.Path+" "+f.Got+" "+f.Want)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("fields (-want +got):\n%s", d)
			}
			if level := Strictest(api.LatestVersion(), pod.Annotations, &pod.Spec); level != tt.meets {
				t.Errorf("meets %s, want %s", level, tt.meets)
			}
			if d := cmp.Diff(before, pod); d != "" {
				t.Errorf("the pod was changed:\n%s", d)
			}
		})
	}
}

// TestEveryControlIsLocated fails when a newer library brings a control that
// locate does not know.
func TestEveryControlIsLocated(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range glob(t, upstreamFixtures(t), "*/v1.37/fail/*.yaml", "*/v1.18/fail/*.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pod := decode(t, data)
		for _, level := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
			for _, v := range Evaluate(api.LevelVersion{Level: level, Version: api.LatestVersion()}, pod.Annotations, &pod.Spec) {
				seen[v.Control] = true
				if v.Level != upstream().levels[v.Control] || v.Fields[0].Path == "spec" {
					t.Errorf("%s: control %s is of level %q at %v", file, v.Control, v.Level, v.Fields)
				}
			}
		}
	}
	for id := range upstream().levels {
		if !seen[id] {
			t.Errorf("no fixture violates %s", id)
		}
	}
}

func BenchmarkStrictest(b *testing.B) {
	var pod corev1.Pod
	if err := yaml.Unmarshal([]byte(restrictedPod(``)), &pod); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Strictest(api.LatestVersion(), nil, &pod.Spec)
	}
}

// restrictedPod meets restricted but for what is added to its spec.
func restrictedPod(more string) string {
	if !strings.Contains(more, "securityContext") {
		more = strings.TrimPrefix(more+", securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}", ", ")
	}
	return `spec: {` + more + `, containers: [{name: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}`
}

func decode(t testing.TB, data []byte) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{}}
	if err := yaml.UnmarshalStrict(data, pod); err != nil {
		t.Fatalf("%v in:\n%s", err, data)
	}
	return pod
}

func glob(t *testing.T, dir string, patterns ...string) []string {
	t.Helper()
	var out []string
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(p)))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", p, err)
		}
		out = append(out, files...)
	}
	return out
}

// upstreamFixtures is the folder of upstream's test pods in the module cache.
func upstreamFixtures(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission").Output()
	if err != nil {
		t.Fatalf("finding the module of the upstream fixtures: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "test", "testdata")
}

// repair sets every field of the violations to the value wanted.
func repair(t *testing.T, data []byte, violations []Violation) []byte {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		// Elements are taken out of lists from the end, so that indices hold.
		for _, f := range slices.Backward(v.Fields) {
			var want any
			if err := json.Unmarshal([]byte(f.Want), &want); err != nil {
				want = f.Want
			}
			if f.Want == None {
				want = nil
			}
			// A sysctl without a name goes as a whole.
			set(doc, steps(strings.TrimSuffix(f.Path, ".name")), want)
		}
	}
	out, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var step = regexp.MustCompile(`[^.\[\]]+|\[[^\]]+\]`)

func steps(path string) []any {
	var out []any
	for _, s := range step.FindAllString(path, -1) {
		inner := strings.Trim(s, "[]")
		if n, err := strconv.Atoi(inner); err == nil {
			out = append(out, n)
		} else {
			out = append(out, inner)
		}
	}
	return out
}

// set writes a value at a path, or takes it out if the value is nil, and
// returns what stands in for node.
func set(node any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	switch key := path[0].(type) {
	case int:
		list := node.([]any)
		if list[key] = set(list[key], path[1:], value); list[key] == nil {
			return slices.Delete(list, key, key+1)
		}
		return list
	case string:
		m, _ := node.(map[string]any)
		if m == nil {
			if value == nil {
				return nil
			}
			m = map[string]any{}
		}
		if next := set(m[key], path[1:], value); next == nil && value == nil && len(path) == 1 {
			delete(m, key)
		} else {
			m[key] = next
		}
		return m
	}
	return nil
}
