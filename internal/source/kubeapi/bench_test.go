package kubeapi

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

const (
	benchPods      = 20_000
	serverVariable = "PLIMSOLL_BENCH_SERVER"
)

// BenchmarkRead20kPods reads pods as they run in a cluster, 6 KB each on the
// wire: 950 Deployments of 20 pods and a DaemonSet on 1,000 nodes. The server
// is a process of its own, so that the peak is that of the reader. Measured
// are also the bytes that stay in the sealed inventory.
func BenchmarkRead20kPods(b *testing.B) {
	server := exec.Command(os.Args[0], "-test.run=^TestBenchServer$")
	server.Env = append(os.Environ(), serverVariable+"=1")
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	in, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer server.Wait()
	defer in.Close()
	lines := bufio.NewScanner(out)
	lines.Scan()
	path := lines.Text()

	b.ReportAllocs()
	var retained uint64
	var wire int
	for b.Loop() {
		c, err := Open(Options{Kubeconfig: path, Kinds: onlyPods})
		if err != nil {
			b.Fatal(err)
		}
		counter := &countingTransport{next: c.http.Transport}
		c.http.Transport = counter
		var builder inventory.Builder
		source, _, err := c.Read(b.Context(), &builder)
		if err != nil || source.Objects != benchPods {
			b.Fatal(source, err)
		}
		inv := builder.Seal(time.Now())
		b.StopTimer()
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		retained, wire = m.HeapAlloc, counter.bytes
		runtime.KeepAlive(inv)
		b.StartTimer()
	}
	b.ReportMetric(float64(retained)/benchPods, "retained-B/pod")
	b.ReportMetric(float64(wire)/benchPods, "wire-B/pod")
	b.ReportMetric(float64(benchPods)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
	if peak := peakRSS(); peak > 0 {
		b.ReportMetric(peak, "peak-RSS-MiB")
	}
}

// countingTransport counts the bytes of answers, after decompression.
type countingTransport struct {
	next  http.RoundTripper
	bytes int
}

func (c *countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err == nil {
		resp.Body = &countingBody{resp.Body, &c.bytes}
	}
	return resp, err
}

type countingBody struct {
	body interface {
		Read([]byte) (int, error)
		Close() error
	}
	n *int
}

func (c *countingBody) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	*c.n += n
	return n, err
}

func (c *countingBody) Close() error { return c.body.Close() }

// peakRSS is the largest resident size of this process so far in MiB, 0 where
// the system does not tell.
func peakRSS() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	kb, _ := strconv.Atoi(strings.TrimSpace(strings.SplitN(rest, "kB", 2)[0]))
	return float64(kb) / 1024
}

// TestBenchServer is the server of the benchmark, in a process of its own.
func TestBenchServer(t *testing.T) {
	if os.Getenv(serverVariable) == "" {
		t.Skip("it serves the benchmark only")
	}
	f := newFakeAPI(t, runningPods(benchPods)...)
	fmt.Println(kubeconfig(t, f.server.URL, f.ca(), tokenUser))
	bufio.NewReader(os.Stdin).ReadByte() // until the benchmark ends
}

func runningPods(n int) []kruntime.Object {
	var out []kruntime.Object
	for i := range n {
		app := fmt.Sprintf("app%04d", i/20)
		node := fmt.Sprintf("node-%04d.example.internal", i%1000)
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: fmt.Sprintf("team-%03d", i/100), Name: fmt.Sprintf("%s-7d4b9c6f5-%05d", app, i),
			UID: types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i)), ResourceVersion: strconv.Itoa(100000 + i),
			Labels: map[string]string{
				"app.kubernetes.io/name": app, "app.kubernetes.io/instance": app, "app.kubernetes.io/version": "1.2.3",
				"app.kubernetes.io/managed-by": "Helm", "pod-template-hash": fmt.Sprintf("7d4b9c%03d", i/20),
			},
			Annotations:     map[string]string{"prometheus.io/scrape": "true", "checksum/config": strings.Repeat("ab", 32)},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: app + "-7d4b9c6f5", UID: types.UID(app), Controller: new(true), BlockOwnerDeletion: new(true)}},
			ManagedFields: []metav1.ManagedFieldsEntry{
				{Manager: "kube-controller-manager", Operation: "Update", APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(strings.Repeat(`{"f:spec":{"f:x":{}}}`, 70))},
				{Manager: "kubelet", Operation: "Update", APIVersion: "v1", FieldsType: "FieldsV1", Subresource: "status", FieldsV1: metav1.NewFieldsV1(strings.Repeat(`{"f:status":{"f:x":{}}}`, 40))},
			},
		}}
		p.Spec = webSpec(fmt.Sprintf("%05d", i), node)
		for j := range p.Spec.Containers {
			c := &p.Spec.Containers[j]
			c.Env = nil
			for k := range 12 {
				c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%02d", k), Value: app + ".example.internal:8080"})
			}
			c.Image = "registry.example.internal/shop/" + app + "@sha256:" + strings.Repeat("a", 64)
			c.Resources = corev1.ResourceRequirements{
				Limits:   corev1.ResourceList{"cpu": resource.MustParse("500m"), "memory": resource.MustParse("256Mi")},
				Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")},
			}
			c.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz"}}, PeriodSeconds: 10}
			c.SecurityContext = &corev1.SecurityContext{RunAsNonRoot: new(true), AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
		}
		p.Spec.Tolerations = []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: new(int64(300))}}
		if i >= n-n/20 { // a DaemonSet
			p.Labels = map[string]string{"app": "agent"}
			p.Spec = runningPodOf(out[0].(*corev1.Pod).Spec, node)
		}
		p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", HostIP: "192.168.0.1", QOSClass: "Burstable"}
		for _, c := range []corev1.PodConditionType{"Initialized", "Ready", "ContainersReady", "PodScheduled", "PodReadyToStartContainers"} {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: c, Status: "True", LastTransitionTime: metav1.Unix(1700000000, 0)})
		}
		for _, c := range p.Spec.Containers {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
				Name: c.Name, Image: c.Image, ImageID: c.Image, ContainerID: "containerd://" + strings.Repeat("c", 64), Ready: true,
			})
		}
		out = append(out, p)
	}
	return out
}

func runningPodOf(spec corev1.PodSpec, node string) corev1.PodSpec {
	spec.NodeName = node
	spec.Volumes = slices.Clone(spec.Volumes)
	spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{node}}}}},
	}}}
	return spec
}
