package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/pod-security-admission/api"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checks/pods"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/source/files"
	"github.com/plimsoll-sec/plimsoll/test/e2e/kube"
)

// standardNamespaces enforce the standards at the latest and at an older
// version: one before Windows pods, user namespaces and probe hosts were told
// apart.
var standardNamespaces = []struct{ name, level, version string }{
	{"baseline-latest", "baseline", "latest"},
	{"restricted-latest", "restricted", "latest"},
	{"baseline-old", "baseline", "v1.24"},
	{"restricted-old", "restricted", "v1.24"},
}

// TestPodSecurityAgreesWithTheAPIServer has the API server judge pods in dry
// runs, and the check judge the same pods from the inventory. Both must refuse
// the same pods, in the same words, control by control.
func TestPodSecurityAgreesWithTheAPIServer(t *testing.T) {
	c := kube.Start(t, kube.Options{})
	for _, ns := range standardNamespaces {
		mustCreate(t, c, "/api/v1/namespaces", namespaceObject(ns.name, ns.level, ns.version))
		c.CreateDefaultServiceAccount(t, ns.name)
	}

	for _, source := range []struct {
		name string
		pods []*corev1.Pod
	}{
		{"generated", generatedPods()},
		{"upstream", upstreamPods(t)},
		{"corpora", corpusPods(t)},
	} {
		var mu sync.Mutex
		asked, refused, invalid, disagree := 0, 0, 0, 0
		each(source.pods, func(pod *corev1.Pod) {
			found := violationsOf(t, pod)
			for _, ns := range standardNamespaces {
				p := creatable(pod)
				status, answer := dryRun(t, c, ns.name, p)
				mu.Lock()
				message, forbidden := strings.CutPrefix(afterPrefix(answer, "violates PodSecurity "), fmt.Sprintf("%q: ", ns.level+":"+ns.version))
				switch {
				case status == http.StatusCreated && len(found[ns.name]) == 0:
					asked++
				case status == http.StatusForbidden && forbidden && sameWords(p, message, strings.Join(found[ns.name], ", ")):
					asked++
					refused++
				case status == http.StatusUnprocessableEntity, status == http.StatusBadRequest: // not a valid pod: admission never sees it
					invalid++
				default:
					asked++
					if disagree++; disagree <= 5 {
						spec, _ := json.Marshal(p)
						t.Errorf("%s, %s: the API server says %d %s\nthe check says %q\nof %s", source.name, ns.name, status, answer, found[ns.name], spec)
					}
				}
				mu.Unlock()
			}
		})
		t.Logf("%s: %d pods, %d verdicts compared (%d refusals, word for word), %d disagreements; %d were not valid pods",
			source.name, len(source.pods), asked, refused, disagree, invalid)
		if len(source.pods) > 0 && (refused == 0 || refused == asked) {
			t.Errorf("%s: %d of %d refused: the comparison says nothing", source.name, refused, asked)
		}
	}
}

// appArmorDetail is what comes after the name of the control.
var appArmorDetail = regexp.MustCompile(`(forbidden AppArmor profile)s? \([^)]*\)`)

// sameWords compares what the API server and the check say. The server copies
// AppArmor annotations to fields before it judges, and then names both: there
// the annotation is enough for the check.
func sameWords(pod *corev1.Pod, server, ours string) bool {
	if slices.ContainsFunc(slices.Collect(maps.Keys(pod.Annotations)), func(key string) bool {
		return strings.HasPrefix(key, corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix)
	}) {
		server, ours = appArmorDetail.ReplaceAllString(server, "$1"), appArmorDetail.ReplaceAllString(ours, "$1")
	}
	return server == ours
}

// violationsOf runs the checks over the pod in each of the namespaces and
// returns what they report, in the API server's words.
func violationsOf(t *testing.T, pod *corev1.Pod) map[string][]string {
	t.Helper()
	b := &inventory.Builder{}
	for _, ns := range standardNamespaces {
		inventory.PutObject(b, namespaceObject(ns.name, ns.level, ns.version), inventory.Origin{Source: "test", Place: ns.name})
		p := creatable(pod)
		p.Namespace = ns.name
		inventory.PutObject(b, p, inventory.Origin{Source: "test", Place: ns.name})
	}
	for _, k := range checkNamed(t, "pods/security-standards/violations").Needs {
		b.Collected(k.Kind)
	}
	inv := b.Seal(time.Unix(0, 0))
	found := map[string][]string{}
	for _, name := range []string{"violations", "restricted-violations"} { // upstream's order
		result := check.Evaluate(checkNamed(t, "pods/security-standards/"+name), inv)
		if len(result.Gaps) > 0 || result.Examined == 0 {
			t.Errorf("the check did not judge: %+v", result)
		}
		for _, f := range result.Findings {
			if _, text, ok := strings.Cut(f.Message, "enforces: "); ok {
				found[f.Subject.Namespace] = append(found[f.Subject.Namespace], text)
			}
		}
	}
	return found
}

func checkNamed(t *testing.T, id string) *check.Check {
	t.Helper()
	i := slices.IndexFunc(pods.Suite, func(c *check.Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("no check %s", id)
	}
	return pods.Suite[i]
}

func namespaceObject(name, level, version string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		api.EnforceLevelLabel: level, api.EnforceVersionLabel: version,
	}}}
}

// creatable is the pod without what only exists in the cluster it comes from.
func creatable(pod *corev1.Pod) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pod", Annotations: pod.DeepCopy().Annotations},
		Spec:       *pod.Spec.DeepCopy(),
	}
	s, no := &p.Spec, false
	s.ServiceAccountName, s.DeprecatedServiceAccount, s.AutomountServiceAccountToken = "", "", &no
	s.PriorityClassName, s.Priority, s.PreemptionPolicy = "", nil, nil
	s.RuntimeClassName, s.Overhead, s.NodeName = nil, nil, ""
	s.EphemeralContainers = nil // they are added to a pod that exists
	for _, cs := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range cs {
			if cs[i].Image == "" {
				cs[i].Image = "image"
			}
		}
	}
	return p
}

// generatedPods mutates the fields that the standards look at.
func generatedPods() []*corev1.Pod {
	out := make([]*corev1.Pod, 300)
	generator := rapid.Custom(generatePod)
	for i := range out {
		out[i] = generator.Example(i)
	}
	return out
}

func generatePod(t *rapid.T) *corev1.Pod {
	// Most fields stay as they are in most pods, so that some pods pass.
	rarely := func(label string) bool { return rapid.IntRange(0, 9).Draw(t, label) == 0 }
	often := func(label string) bool { return rapid.IntRange(0, 9).Draw(t, label) < 8 }
	truth := rapid.Bool()
	profile := func() *corev1.SeccompProfile {
		file := "profile.json"
		return rapid.SampledFrom([]*corev1.SeccompProfile{
			{Type: corev1.SeccompProfileTypeRuntimeDefault}, {Type: corev1.SeccompProfileTypeRuntimeDefault},
			{Type: corev1.SeccompProfileTypeUnconfined}, {Type: corev1.SeccompProfileTypeLocalhost, LocalhostProfile: &file},
		}).Draw(t, "seccomp")
	}
	armor := func() *corev1.AppArmorProfile {
		return rapid.SampledFrom([]*corev1.AppArmorProfile{{Type: corev1.AppArmorProfileTypeRuntimeDefault}, {Type: corev1.AppArmorProfileTypeUnconfined}}).Draw(t, "apparmor")
	}
	selinux := func() *corev1.SELinuxOptions {
		return &corev1.SELinuxOptions{
			Type: rapid.SampledFrom([]string{"", "container_t", "container_engine_t", "spc_t"}).Draw(t, "type"),
			User: rapid.SampledFrom([]string{"", "", "", "sysadm_u"}).Draw(t, "user"),
			Role: rapid.SampledFrom([]string{"", "", "", "sysadm_r"}).Draw(t, "role"),
		}
	}
	user := func() *int64 { return rapid.Ptr(rapid.SampledFrom([]int64{0, 1000}), false).Draw(t, "user") }

	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{}}}
	s := &pod.Spec
	windows := rarely("windows")
	if windows {
		s.OS = &corev1.PodOS{Name: corev1.Windows}
	}
	s.HostNetwork, s.HostPID, s.HostIPC = rarely("hostNetwork"), rarely("hostPID"), !windows && rarely("hostIPC")
	if !windows && rarely("hostUsers") {
		hostUsers := false
		s.HostUsers = &hostUsers
		s.HostNetwork, s.HostPID, s.HostIPC = false, false, false
	}
	if often("pod context") {
		sc := &corev1.PodSecurityContext{}
		s.SecurityContext = sc
		if often("pod runAsNonRoot") {
			nonRoot := !rarely("pod root")
			sc.RunAsNonRoot = &nonRoot
		}
		if !windows {
			if often("pod seccomp") {
				sc.SeccompProfile = profile()
			}
			if rarely("pod user") {
				sc.RunAsUser = user()
			}
			if rarely("pod selinux") {
				sc.SELinuxOptions = selinux()
			}
			if rarely("pod apparmor") {
				sc.AppArmorProfile = armor()
			}
			if rarely("sysctls") {
				names := []string{"kernel.shm_rmid_forced", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_rmem", "net.ipv4.tcp_notsent_lowat", "kernel.msgmax"}
				sc.Sysctls = []corev1.Sysctl{{Name: rapid.SampledFrom(names).Draw(t, "sysctl"), Value: "1"}}
			}
		}
	}
	container := func(name string) corev1.Container {
		c := corev1.Container{Name: name, Image: "image"}
		if rarely("port") {
			c.Ports = []corev1.ContainerPort{{ContainerPort: 8080}}
			if truth.Draw(t, "hostPort") {
				c.Ports[0].HostPort = 8080
			}
		}
		if rarely("handler") {
			host := rapid.SampledFrom([]string{"", "127.0.0.1"}).Draw(t, "host")
			c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{HTTPGet: &corev1.HTTPGetAction{Host: host, Port: intstr.FromInt32(80)}}}
		}
		if rarely("no context") {
			return c
		}
		sc := &corev1.SecurityContext{}
		c.SecurityContext = sc
		if rarely("runAsNonRoot") {
			sc.RunAsNonRoot = rapid.Ptr(truth, false).Draw(t, "nonroot")
		}
		if windows {
			return c
		}
		if often("escalation") {
			escalation := rarely("escalates")
			sc.AllowPrivilegeEscalation = &escalation
		}
		if rarely("privileged") {
			sc.Privileged = rapid.Ptr(truth, false).Draw(t, "is privileged")
		}
		if sc.Privileged != nil && *sc.Privileged {
			sc.AllowPrivilegeEscalation = nil // anything else is not valid
		}
		if often("capabilities") {
			sc.Capabilities = &corev1.Capabilities{Drop: []corev1.Capability{rapid.SampledFrom([]corev1.Capability{"ALL", "ALL", "ALL", "NET_RAW"}).Draw(t, "drop")}}
			if rarely("add") {
				sc.Capabilities.Add = []corev1.Capability{rapid.SampledFrom([]corev1.Capability{"NET_BIND_SERVICE", "CHOWN", "SYS_ADMIN", "ALL"}).Draw(t, "added"), "NET_BIND_SERVICE"}
			}
		}
		if rarely("seccomp") {
			sc.SeccompProfile = profile()
		}
		if rarely("apparmor") {
			sc.AppArmorProfile = armor()
		} else if rarely("apparmor annotation") {
			pod.Annotations[corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix+name] = rapid.SampledFrom([]string{"unconfined", "runtime/default"}).Draw(t, "annotation")
		}
		if rarely("selinux") {
			sc.SELinuxOptions = selinux()
		}
		if rarely("user") {
			sc.RunAsUser = user()
		}
		if rarely("procMount") {
			sc.ProcMount = rapid.Ptr(rapid.SampledFrom([]corev1.ProcMountType{corev1.DefaultProcMount, corev1.UnmaskedProcMount}), false).Draw(t, "mask")
		}
		return c
	}
	s.Containers = []corev1.Container{container("a")}
	if truth.Draw(t, "second") {
		s.Containers = append(s.Containers, container("b"))
	}
	if truth.Draw(t, "init") {
		s.InitContainers = []corev1.Container{container("i")}
		if truth.Draw(t, "sidecar") {
			always := corev1.ContainerRestartPolicyAlways
			s.InitContainers[0].RestartPolicy = &always
		}
	}
	if rarely("volume") {
		s.Volumes = []corev1.Volume{{Name: "v", VolumeSource: rapid.SampledFrom([]corev1.VolumeSource{
			{}, {HostPath: &corev1.HostPathVolumeSource{Path: "/run"}}, {NFS: &corev1.NFSVolumeSource{Server: "s", Path: "/"}},
			{EmptyDir: &corev1.EmptyDirVolumeSource{}}, {Secret: &corev1.SecretVolumeSource{SecretName: "s"}},
		}).Draw(t, "source")}}
	}
	if rarely("seccomp annotation") { // read by no version since v1.19
		pod.Annotations["seccomp.security.alpha.kubernetes.io/pod"] = "runtime/default"
		if sc := s.SecurityContext; sc != nil && sc.SeccompProfile != nil {
			sc.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault} // must match
		}
	}
	return pod
}

// upstreamPods are the pods that upstream tests its own admission with.
func upstreamPods(t *testing.T) []*corev1.Pod {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission").Output()
	if err != nil {
		t.Fatalf("finding the upstream fixtures: %v", err)
	}
	var out []*corev1.Pod
	seen := map[string]bool{}
	for _, version := range []string{"v1.24", "v1.37"} {
		names, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "test", "testdata", "*", version, "*", "*.yaml"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no upstream fixtures of %s: %v", version, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			pod := &corev1.Pod{}
			if err := yaml.UnmarshalStrict(data, pod); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !seen[string(data)] {
				seen[string(data)] = true
				out = append(out, pod)
			}
		}
	}
	return out
}

// corpusPods are the pods of the workloads in the corpora, each spec once.
func corpusPods(t *testing.T) []*corev1.Pod {
	t.Helper()
	root := os.Getenv("PLIMSOLL_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	if _, err := os.Stat(root); err != nil {
		t.Logf("no pods from the corpora: %v (PLIMSOLL_CORPORA says where they are)", err)
		return nil
	}
	var in []files.File
	for _, corpus := range []string{"badpods", "gatekeeper-library", "kubeaudit", "polaris", "datree", "checkov"} {
		err := filepath.WalkDir(filepath.Join(root, corpus), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" && filepath.Ext(path) != ".yml" {
				return err
			}
			data, err := os.ReadFile(path)
			in = append(in, files.File{Name: path, Data: data})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	b := &inventory.Builder{}
	files.ReadFiles(b, in)
	var out []*corev1.Pod
	seen := map[string]bool{}
	for _, w := range workload.All.Of(b.Seal(time.Unix(0, 0)).View(workload.Needs())) {
		spec, err := json.Marshal(w.Spec())
		if err != nil {
			t.Fatal(err)
		}
		if !seen[string(spec)] {
			seen[string(spec)] = true
			out = append(out, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: w.PodAnnotations()}, Spec: *w.Spec()})
		}
	}
	return out
}

// each calls f for every element, a few at a time.
func each[T any](list []T, f func(T)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4)
	for _, x := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(x)
		})
	}
	wg.Wait()
}

// dryRun creates a pod without keeping it, and returns the status and the body:
// the pod, or the message of the refusal.
func dryRun(t *testing.T, c *kube.Cluster, namespace string, pod *corev1.Pod) (int, string) {
	t.Helper()
	status, body := request(t, c, http.MethodPost, "/api/v1/namespaces/"+namespace+"/pods?dryRun=All", pod)
	if status == http.StatusCreated {
		return status, string(body)
	}
	var refusal metav1.Status
	if err := json.Unmarshal(body, &refusal); err != nil {
		t.Errorf("decoding the answer %d: %v", status, err)
	}
	return status, refusal.Message
}

func mustCreate(t *testing.T, c *kube.Cluster, path string, obj any) {
	t.Helper()
	if status, body := request(t, c, http.MethodPost, path, obj); status != http.StatusCreated {
		t.Fatalf("creating in %s: %d: %s", path, status, body)
	}
}

func request(t *testing.T, c *kube.Cluster, method, path string, obj any) (int, []byte) {
	t.Helper()
	data, err := json.Marshal(obj)
	if err != nil {
		t.Error(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.URL+path, bytes.NewReader(data))
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.HTTPClient().Do(req)
	if err != nil {
		t.Errorf("asking the API server: %v", err)
		return 0, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("reading the API server's answer: %v", err)
	}
	return resp.StatusCode, body
}

// afterPrefix is what follows the first occurrence of a text; empty if there is none.
func afterPrefix(s, text string) string {
	_, after, _ := strings.Cut(s, text)
	return after
}
