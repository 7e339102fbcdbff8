package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/plimsoll-sec/plimsoll/internal/fact/resources"
	"github.com/plimsoll-sec/plimsoll/test/e2e/kube"
)

// limited is a namespace with LimitRanges and the pods to create in it.
type limited struct {
	name   string
	ranges [][]corev1.LimitRangeItem
	pods   []*corev1.Pod
}

// TestResourcesAgreeWithTheAPIServer creates pods in dry runs, in namespaces
// with and without LimitRanges: the requests and limits in the answer are those
// that resources.Effective computes.
func TestResourcesAgreeWithTheAPIServer(t *testing.T) {
	c := kube.Start(t, kube.Options{})
	spaces := make([]limited, 100)
	for i := range spaces {
		spaces[i] = rapid.Custom(generateLimited).Example(i)
		spaces[i].name = fmt.Sprintf("limited-%d", i)
	}
	const sentinel = "sentinel"
	makeNamespace := func(name string) {
		mustCreate(t, c, "/api/v1/namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		c.CreateDefaultServiceAccount(t, name)
	}
	makeNamespace(sentinel)
	last := limitRange("last", []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Default: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}}})
	mustCreate(t, c, "/api/v1/namespaces/sentinel/limitranges", last)
	waitForLimit(t, c, sentinel, "1Gi")
	for _, s := range spaces {
		makeNamespace(s.name)
		for i, items := range s.ranges {
			mustCreate(t, c, "/api/v1/namespaces/"+s.name+"/limitranges", limitRange(fmt.Sprintf("lr-%d", i), items))
		}
	}
	// The plugin watches LimitRanges. What was created before a change that it
	// has seen, it has seen too.
	last.Spec.Limits[0].Default[corev1.ResourceMemory] = resource.MustParse("2Gi")
	if status, body := request(t, c, http.MethodPut, "/api/v1/namespaces/sentinel/limitranges/last", last); status != http.StatusOK {
		t.Fatalf("changing a LimitRange: %d: %s", status, body)
	}
	waitForLimit(t, c, sentinel, "2Gi")

	var mu sync.Mutex
	compared, refused, defaulted, podLevel := 0, 0, 0, 0
	each(spaces, func(s limited) {
		for _, pod := range s.pods {
			status, answer := dryRun(t, c, s.name, pod)
			mu.Lock()
			if status != http.StatusCreated {
				refused++ // above a maximum, or not a valid pod: nothing to compare
			} else {
				var stored corev1.Pod
				if err := json.Unmarshal([]byte(answer), &stored); err != nil {
					t.Error(err)
				}
				compared++
				want := quantities(&stored.Spec)
				if cmp.Diff(want, quantities(&pod.Spec)) != "" {
					defaulted++
				}
				if pod.Spec.Resources != nil {
					podLevel++
				}
				compareResources(t, s, pod, want)
			}
			mu.Unlock()
		}
	})
	t.Logf("%d namespaces, %d pods compared, %d of them changed by defaults, %d with pod-level resources; %d were refused", len(spaces), compared, defaulted, podLevel, refused)
	if compared < 200 || defaulted == 0 || podLevel == 0 {
		t.Error("the comparison says little")
	}
}

// compareResources accepts any order of the LimitRanges: the API server's is
// the order of a map.
func compareResources(t *testing.T, s limited, pod *corev1.Pod, want map[string]string) {
	t.Helper()
	ranges := slices.Clone(s.ranges)
	diff := cmp.Diff(want, quantities(resources.Effective(&pod.Spec, ranges...)))
	slices.Reverse(ranges) // there are two at most
	if diff == "" || cmp.Diff(want, quantities(resources.Effective(&pod.Spec, ranges...))) == "" {
		return
	}
	spec, _ := json.Marshal(pod.Spec)
	limits, _ := json.Marshal(s.ranges)
	t.Errorf("%s: (-API server +ours):\n%s\npod %s\nLimitRanges %s", s.name, diff, spec, limits)
}

// quantities lists every request and limit of a pod by its place.
func quantities(s *corev1.PodSpec) map[string]string {
	out := map[string]string{}
	add := func(at string, r corev1.ResourceRequirements) {
		for name, q := range r.Limits {
			out[at+" limit "+string(name)] = q.String()
		}
		for name, q := range r.Requests {
			out[at+" request "+string(name)] = q.String()
		}
	}
	if s.Resources != nil {
		add("pod", *s.Resources)
	}
	for _, c := range s.InitContainers {
		add("init "+c.Name, c.Resources)
	}
	for _, c := range s.Containers {
		add(c.Name, c.Resources)
	}
	return out
}

func limitRange(name string, items []corev1.LimitRangeItem) *corev1.LimitRange {
	return &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.LimitRangeSpec{Limits: items}}
}

// waitForLimit waits until pods of a namespace get a memory limit by default.
func waitForLimit(t *testing.T, c *kube.Cluster, namespace, want string) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "image"}}}}
	for range 600 {
		var stored corev1.Pod
		if status, answer := dryRun(t, c, namespace, pod); status == http.StatusCreated {
			if err := json.Unmarshal([]byte(answer), &stored); err != nil {
				t.Fatal(err)
			}
			if got := stored.Spec.Containers[0].Resources.Limits.Memory().String(); got == want {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("pods in %s do not get the limit %s", namespace, want)
}

// sizes grow, so that a later one may be a limit or maximum of an earlier one.
var sizes = map[corev1.ResourceName][]string{
	corev1.ResourceMemory:           {"64Mi", "100M", "128974848", "1Gi", "1.5Gi", "2048Mi"},
	corev1.ResourceCPU:              {"0.1m", "100m", "0.5", "1", "1500m", "2"},
	corev1.ResourceEphemeralStorage: {"1Mi", "1G", "2Gi", "3Gi", "4Gi", "5Gi"},
}

func generateLimited(t *rapid.T) limited {
	var s limited
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 0}).Draw(t, "ranges") {
		items := []corev1.LimitRangeItem{generateItem(t)}
		if rapid.Bool().Draw(t, "pod item") {
			items = append(items, corev1.LimitRangeItem{Type: corev1.LimitTypePod, Max: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100")}})
		}
		s.ranges = append(s.ranges, items)
	}
	for range 8 {
		s.pods = append(s.pods, generateSized(t))
	}
	return s
}

// generateItem makes a valid item: min ≤ defaultRequest ≤ default ≤ max.
func generateItem(t *rapid.T) corev1.LimitRangeItem {
	it := corev1.LimitRangeItem{
		Type: corev1.LimitTypeContainer,
		Min:  corev1.ResourceList{}, DefaultRequest: corev1.ResourceList{}, Default: corev1.ResourceList{}, Max: corev1.ResourceList{},
	}
	for _, name := range names {
		at := 0
		for i, list := range []corev1.ResourceList{it.Min, it.DefaultRequest, it.Default, it.Max} {
			at = rapid.IntRange(at, min(at+1, len(sizes[name])-1)).Draw(t, "size")
			// A minimum or maximum refuses many pods: rather a default.
			if rapid.IntRange(0, 9).Draw(t, "set") < []int{3, 3, 4, 2}[i] {
				list[name] = resource.MustParse(sizes[name][at])
			}
		}
	}
	return it
}

var names = []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceCPU, corev1.ResourceEphemeralStorage}

func generateSized(t *rapid.T) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod"}}
	container := func(name string) corev1.Container {
		return corev1.Container{Name: name, Image: "image", Resources: generateResources(t, names)}
	}
	pod.Spec.Containers = []corev1.Container{container("a")}
	if rapid.Bool().Draw(t, "second") {
		pod.Spec.Containers = append(pod.Spec.Containers, container("b"))
	}
	if rapid.Bool().Draw(t, "init") {
		pod.Spec.InitContainers = []corev1.Container{container("i")}
		if rapid.Bool().Draw(t, "sidecar") {
			always := corev1.ContainerRestartPolicyAlways
			pod.Spec.InitContainers[0].RestartPolicy = &always
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "pod level") == 0 {
		r := generateResources(t, names[:2])
		for _, list := range []corev1.ResourceList{r.Limits, r.Requests} {
			for name, q := range list {
				q.Mul(8) // room for the containers
				list[name] = q
			}
		}
		pod.Spec.Resources = &r
	}
	return pod
}

func generateResources(t *rapid.T, of []corev1.ResourceName) corev1.ResourceRequirements {
	r := corev1.ResourceRequirements{Limits: corev1.ResourceList{}, Requests: corev1.ResourceList{}}
	for _, name := range of {
		request := rapid.IntRange(0, len(sizes[name])-1).Draw(t, "request")
		limit := rapid.IntRange(request, len(sizes[name])-1).Draw(t, "limit")
		if rapid.IntRange(0, 2).Draw(t, "has request") == 0 {
			r.Requests[name] = resource.MustParse(sizes[name][request])
		}
		if rapid.IntRange(0, 2).Draw(t, "has limit") == 0 {
			r.Limits[name] = resource.MustParse(sizes[name][limit])
		}
	}
	return r
}
