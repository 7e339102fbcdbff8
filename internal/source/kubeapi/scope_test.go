package kubeapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// mayList lets only the given paths be listed, and whatever is no list.
func mayList(allowed func(path string) bool) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !strings.HasPrefix(r.URL.Path, "/api") || r.URL.Path == "/apis" || allowed(r.URL.Path) {
			return false
		}
		writeStatus(w, http.StatusForbidden, "User \"jane\" cannot list "+r.URL.Path, "")
		return true
	}
}

func inNamespaces(n int) *[]string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("ns%05d", i))
	}
	return &names
}

func TestForbiddenClusterWide(t *testing.T) {
	kinds := []report.KindID{inventory.Pods.ID, inventory.Nodes.ID}
	fake := func(t *testing.T, namespaces []string) *fakeAPI {
		f := newFakeAPI(t)
		for _, ns := range namespaces {
			f.add(&corev1.Namespace{ObjectMeta: objectMeta("", ns)}, &corev1.Pod{ObjectMeta: objectMeta(ns, "p")})
		}
		return f
	}
	refused := func(kind report.KindID, scope, path, how string) report.Gap {
		return report.Gap{Kind: kind, Scope: scope, Cause: report.Forbidden, Detail: `the server answered 403 Forbidden: User "jane" cannot list ` + path, How: how}
	}
	const anyNode = "grant the verb list on nodes cluster-wide; deploy/rbac.yaml grants all that a scan reads"
	const anyPod = "grant the verb list on pods cluster-wide; deploy/rbac.yaml grants all that a scan reads"

	t.Run("some namespaces", func(t *testing.T) {
		f := fake(t, []string{"a", "b", "c"})
		f.fault = mayList(func(p string) bool { return p == "/api/v1/namespaces" || strings.Contains(p, "/b/") })
		inv, source, cluster := f.read(Options{Kinds: kinds})
		want := []report.Gap{
			refused(inventory.Nodes.ID, "", "/api/v1/nodes", anyNode),
			refused(inventory.Pods.ID, "a", "/api/v1/namespaces/a/pods", `grant the verb list on pods in namespace "a"; deploy/rbac.yaml grants all that a scan reads`),
			refused(inventory.Pods.ID, "c", "/api/v1/namespaces/c/pods", `grant the verb list on pods in namespace "c"; deploy/rbac.yaml grants all that a scan reads`),
		}
		if d := cmp.Diff(want, inv.AllGaps()); d != "" {
			t.Errorf("gaps (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"b/p"}, podNames(inv)); d != "" {
			t.Error(d)
		}
		if inv.Gaps(inventory.Pods.ID, "b") != nil {
			t.Error("namespace b was read, and is a gap")
		}
		if len(source.Problems) != 3 || cluster.Nodes != -1 {
			t.Errorf("problems %v, %d nodes", source.Problems, cluster.Nodes)
		}
	})
	t.Run("none", func(t *testing.T) {
		f := fake(t, *inNamespaces(300))
		f.fault = mayList(func(p string) bool { return p == "/api/v1/namespaces" })
		inv, _, _ := f.read(Options{Kinds: onlyPods})
		if d := cmp.Diff([]report.Gap{refused(inventory.Pods.ID, "", podsPath, anyPod)}, inv.AllGaps()); d != "" {
			t.Errorf("gaps (-want +got):\n%s", d)
		}
		if n := len(f.asked()); n > refusals+5 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("only its own of many, which comes last", func(t *testing.T) {
		names := append(*inNamespaces(180), "zz")
		f := fake(t, names)
		f.fault = mayList(func(p string) bool { return p == "/api/v1/namespaces" || strings.Contains(p, "/zz/") })
		c, _ := f.open(Options{Kinds: onlyPods})
		c.target.namespace = "zz"
		var b inventory.Builder
		if _, _, err := c.Read(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		inv := b.Seal(epoch)
		if d := cmp.Diff([]string{"zz/p"}, podNames(inv)); d != "" {
			t.Error(d)
		}
		if n := len(f.asked()); n > refusals+5 {
			t.Errorf("%d requests", n)
		}
		if len(inv.Gaps(inventory.Pods.ID, "zz")) > 0 || len(inv.Gaps(inventory.Pods.ID, "ns00170")) != 1 || len(inv.AllGaps()) != 180 {
			t.Errorf("%d gaps; zz: %v", len(inv.AllGaps()), inv.Gaps(inventory.Pods.ID, "zz"))
		}
	})
	t.Run("more than can be named", func(t *testing.T) {
		f := fake(t, *inNamespaces(namedGaps + 60))
		f.fault = mayList(func(p string) bool { return p == "/api/v1/namespaces" || strings.Contains(p, "/ns00010/") })
		inv, _, _ := f.read(Options{Kinds: onlyPods})
		want := refused(inventory.Pods.ID, "", podsPath, anyPod)
		want.Detail = `259 of 260 namespaces could not be read, the first is "ns00000": ` + want.Detail
		if d := cmp.Diff([]report.Gap{want}, inv.AllGaps()); d != "" {
			t.Errorf("gaps (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"ns00010/p"}, podNames(inv)); d != "" {
			t.Error(d)
		}
	})
	t.Run("names of namespaces are not known", func(t *testing.T) {
		f := fake(t, []string{"a", "home"})
		f.fault = mayList(func(p string) bool { return strings.Contains(p, "/home/") })
		inv, _, _ := f.read(Options{Kinds: onlyPods})
		want := refused(inventory.Pods.ID, "", podsPath, anyPod)
		want.Detail = `only namespace "home" could be read, and the names of the others are not known: ` + want.Detail
		if d := cmp.Diff([]report.Gap{want}, inv.AllGaps()); d != "" {
			t.Errorf("gaps (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"home/p"}, podNames(inv)); d != "" {
			t.Error(d)
		}
	})
	t.Run("limited to one that may be read", func(t *testing.T) {
		f := fake(t, []string{"a", "b"})
		f.fault = mayList(func(p string) bool { return strings.Contains(p, "/b/") })
		inv, _, _ := f.read(Options{Kinds: onlyPods, Namespaces: []string{"b"}})
		if len(inv.AllGaps()) > 0 || len(inv.Gaps(inventory.Pods.ID, "")) > 0 {
			t.Errorf("gaps %v", inv.AllGaps())
		}
	})
	t.Run("refused in the middle of the list", func(t *testing.T) {
		f := newFakeAPI(t, manyPods(700)...)
		f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Query().Get("continue") == "" {
				return false
			}
			writeStatus(w, http.StatusForbidden, "no more", "")
			return true
		}
		inv, _, _ := f.read(Options{Kinds: onlyPods})
		wantGap(t, inv, report.Gap{Kind: inventory.Pods.ID, Cause: report.Truncated, Detail: "only the first 500 pods could be read: the server answered 403 Forbidden: no more"})
	})
}

func TestServed(t *testing.T) {
	vap, vapb := inventory.ValidatingAdmissionPolicies.ID, inventory.ValidatingAdmissionPolicyBindings.ID
	notServed := func(k report.KindID) string { return string(k) + " not-served" }
	cilium := string(inventory.CiliumNetworkPolicies.ID())
	calico := string(inventory.CalicoNetworkPolicies.ID())
	vapAndBinding := []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
	admission := func(version string, kinds ...string) map[string]any {
		g := group("admissionregistration.k8s.io", version, "Current")
		g["versions"].([]any)[0].(map[string]any)["resources"] = []any{}
		for _, k := range kinds {
			resource := strings.Replace(strings.ToLower(k)+"s", "policys", "policies", 1)
			v := g["versions"].([]any)[0].(map[string]any)
			v["resources"] = append(v["resources"].([]any), map[string]any{"resource": resource, "responseKind": map[string]string{"kind": k}})
		}
		return g
	}
	for _, tc := range []struct {
		name   string
		groups []any
		old    bool // the server knows no aggregated discovery
		code   int  // of /apis
		want   []string
	}{
		{"nothing of it", []any{admission("v1", "MutatingWebhookConfiguration")}, false, 200, nil},
		{"policies only in an older version", []any{admission("v1beta1", vapAndBinding...)}, false, 200, []string{notServed(vap), notServed(vapb)}},
		{"a discovery without the group", nil, false, 200, []string{notServed(vap), notServed(vapb)}},
		{"foreign served", []any{admission("v1"), group("cilium.io", "v2", "Current", "CiliumNetworkPolicy")}, false, 200, []string{cilium + " unsupported"}},
		{"same group, other kinds", []any{admission("v1"), group("cilium.io", "v2", "Current", "CiliumIdentity")}, false, 200, nil},
		{"aggregated API down", []any{admission("v1"), group("projectcalico.org", "v3", "Stale")}, false, 200, []string{calico + " failed"}},
		{"aggregated API down, known before", []any{admission("v1"), group("projectcalico.org", "v3", "Stale", "NetworkPolicy")}, false, 200, []string{calico + " unsupported"}},
		{"old server", []any{admission("v1"), group("cilium.io", "v2", "Current", "CiliumClusterwideNetworkPolicy")}, true, 200, []string{cilium + " unsupported"}},
		{"old server, group down", []any{admission("v1"), group("projectcalico.org", "v3", "Stale")}, true, 200, []string{calico + " failed"}},
		{"forbidden", nil, false, 403, []string{notServed(vap), notServed(vapb), calico + " forbidden", cilium + " forbidden"}},
		{"error", nil, false, 500, []string{notServed(vap), notServed(vapb), calico + " failed", cilium + " failed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.groups = tc.groups
			if tc.old {
				f.oldGroups = oldGroups(tc.groups)
			}
			f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				switch {
				case r.URL.Path == "/apis" && tc.code != 200:
					writeStatus(w, tc.code, "no", "")
				case strings.Contains(r.URL.Path, "validatingadmissionpolic"):
					writeStatus(w, http.StatusNotFound, "the server could not find the requested resource", "")
				case r.URL.Path == "/apis/projectcalico.org/v3":
					writeStatus(w, http.StatusServiceUnavailable, "down", "")
				default:
					return false
				}
				return true
			}
			kinds := []report.KindID{vap, vapb, inventory.CalicoNetworkPolicies.ID(), inventory.CiliumNetworkPolicies.ID()}
			inv, _, _ := f.read(Options{Kinds: kinds})
			var got []string
			for _, g := range inv.AllGaps() {
				got = append(got, string(g.Kind)+" "+string(g.Cause))
			}
			slices.Sort(tc.want)
			slices.Sort(got)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("gaps (-want +got):\n%s", d)
			}
			for _, k := range kinds {
				missing := slices.ContainsFunc(tc.want, func(w string) bool { return strings.HasPrefix(w, string(k)+" ") })
				if (len(inv.Gaps(k, "")) > 0) != missing {
					t.Errorf("%s: %v", k, inv.Gaps(k, ""))
				}
			}
		})
	}

	t.Run("a kind that every server has", func(t *testing.T) {
		f := newFakeAPI(t)
		f.groups = []any{group("apps", "v1", "Current")}
		f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path != "/apis/apps/v1/deployments" {
				return false
			}
			http.Error(w, "404 page not found", http.StatusNotFound)
			return true
		}
		inv, _, _ := f.read(Options{Kinds: []report.KindID{inventory.Deployments.ID}})
		wantGap(t, inv, report.Gap{Kind: inventory.Deployments.ID, Cause: report.NotServed, Detail: "the server does not serve deployments in /apis/apps/v1"})
	})
}

func TestPodSecurityDefaults(t *testing.T) {
	server := func(name string, labels map[string]string, command ...string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: objectMetaWith("kube-system", name, labels), Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "sidecar", Command: []string{"proxy", "--admission-control-config-file=no"}},
			{Name: "kube-apiserver", Command: command[:1], Args: command[1:]},
		}}}
	}
	label := map[string]string{"component": "kube-apiserver"}
	plain := server("kube-apiserver-cp1", label, "kube-apiserver", "--allow-privileged=true")
	for _, tc := range []struct {
		name string
		pods []*corev1.Pod
		want string // part of the gap; empty: collected
	}{
		{"none visible", nil, "does not run as a pod"},
		{"defaults", []*corev1.Pod{plain}, ""},
		{"defaults, by name", []*corev1.Pod{server("kube-apiserver-x", nil, "/usr/bin/kube-apiserver", "--allow-privileged=true")}, ""},
		{"by label", []*corev1.Pod{server("api", label, "kube-apiserver", "--v=2")}, ""},
		{"in another namespace", []*corev1.Pod{{ObjectMeta: objectMetaWith("shop", "kube-apiserver-x", label), Spec: plain.Spec}}, "does not run as a pod"},
		{"configured", []*corev1.Pod{server("kube-apiserver-cp1", label, "kube-apiserver", "--admission-control-config-file=/etc/a.yaml")}, "admission-control-config-file"},
		{"configured, with underscores", []*corev1.Pod{server("kube-apiserver-cp1", label, "kube-apiserver", "--admission_control_config_file=/etc/a.yaml")}, "admission-control-config-file"},
		{"value apart", []*corev1.Pod{server("kube-apiserver-cp1", label, "kube-apiserver", "--admission-control-config-file", "/etc/a.yaml")}, "does not show its flags"},
		{"one of three", []*corev1.Pod{plain, server("kube-apiserver-cp2", label, "kube-apiserver"), server("kube-apiserver-cp3", label, "kube-apiserver", "--admission-control-config-file=a")}, "kube-apiserver-cp3"},
		{"in a shell", []*corev1.Pod{server("kube-apiserver-cp1", label, "sh", "-c", "exec kube-apiserver --v=2")}, "does not show its flags"},
		{"variable", []*corev1.Pod{server("kube-apiserver-cp1", label, "kube-apiserver", "--v=2", "$(MORE)")}, "does not show its flags"},
		{"plugin off", []*corev1.Pod{server("kube-apiserver-cp1", label, "kube-apiserver", "--disable-admission-plugins=NodeRestriction,PodSecurity")}, "enforce nothing"},
	} {
		for _, kinds := range [][]report.KindID{{inventory.PodSecurityDefaults.ID}, {inventory.PodSecurityDefaults.ID, inventory.Pods.ID}} {
			t.Run(fmt.Sprintf("%s/%d", tc.name, len(kinds)), func(t *testing.T) {
				f := newFakeAPI(t)
				for _, p := range tc.pods {
					f.add(p)
				}
				inv, _, _ := f.read(Options{Kinds: kinds})
				gaps := inv.Gaps(inventory.PodSecurityDefaults.ID, "")
				switch {
				case tc.want == "" && len(gaps) > 0:
					t.Errorf("gaps %v", gaps)
				case tc.want != "" && (len(gaps) != 1 || gaps[0].Cause != report.NotCollected || !strings.Contains(gaps[0].Detail, tc.want) || gaps[0].How == ""):
					t.Errorf("gaps %v, want one about %q", gaps, tc.want)
				}
				if len(kinds) == 1 && inventory.Len(view(inv), inventory.Pods) > 0 {
					t.Error("pods that were not asked for are in the inventory")
				}
			})
		}
	}
	t.Run("forbidden", func(t *testing.T) {
		f := newFakeAPI(t)
		f.fault = mayList(func(string) bool { return false })
		inv, _, _ := f.read(Options{Kinds: []report.KindID{inventory.PodSecurityDefaults.ID}})
		if g := inv.AllGaps(); len(g) != 1 || g[0].Cause != report.NotCollected || !strings.Contains(g[0].Detail, "403") {
			t.Errorf("gaps %v", g)
		}
	})
}

// Which authorizers are asked is told where the API server is one of the pods.
func TestAuthorization(t *testing.T) {
	kinds := []report.KindID{inventory.Pods.ID, inventory.Authorizations.ID, inventory.ABACPolicies.ID}
	for namespace, want := range map[string]int{"kube-system": 0, "tenant": 1} {
		f := newFakeAPI(t)
		f.add(&corev1.Pod{ObjectMeta: objectMetaWith(namespace, "kube-apiserver-cp1", nil), Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Command: []string{"kube-apiserver"}}}}})
		inv, _, _ := f.read(Options{Kinds: kinds})
		gaps := inv.Gaps(inventory.Authorizations.ID, "")
		if len(gaps) != want || want > 0 && (gaps[0].Cause != report.NotCollected || gaps[0].How == "") {
			t.Errorf("in %s: gaps %v", namespace, gaps)
		}
		if gaps := inv.Gaps(inventory.ABACPolicies.ID, ""); len(gaps) > 0 {
			t.Errorf("policies are files, and yet there are gaps: %v", gaps)
		}
	}
}

func TestDistribution(t *testing.T) {
	node := func(name, providerID string, labels map[string]string) *corev1.Node {
		return &corev1.Node{ObjectMeta: objectMetaWith("", name, labels), Spec: corev1.NodeSpec{ProviderID: providerID}}
	}
	for _, tc := range []struct {
		version  string
		node     *corev1.Node
		group    string
		wantDist string
		wantProv string
	}{
		{"v1.37.2", node("n", "", nil), "", "", ""},
		{"v1.33.1-eks-1234567", node("n", "aws:///x/i-1", nil), "", "eks", "aws"},
		{"v1.33.1-gke.100", node("n", "gce://p/z/n", nil), "", "gke", "gcp"},
		{"v1.33.1+k3s1", node("n", "k3s://n", nil), "", "k3s", ""},
		{"v1.33.1+rke2r1", node("n", "rke2://n", nil), "", "rke2", ""},
		{"v1.33.1", node("n", "azure:///x", map[string]string{"kubernetes.azure.com/cluster": "x"}), "", "aks", "azure"},
		{"v1.33.1", node("n", "kind://docker/kind/n", map[string]string{"kubeadm.alpha.kubernetes.io/cri-socket": "x"}), "", "kind", ""},
		{"v1.33.1", node("n", "", map[string]string{"kubeadm.alpha.kubernetes.io/cri-socket": "x"}), "", "kubeadm", ""},
		{"v1.33.1", node("n", "aws:///x", nil), "config.openshift.io", "openshift", "aws"},
	} {
		f := newFakeAPI(t, tc.node)
		f.version = tc.version
		if tc.group != "" {
			f.groups = []any{group(tc.group, "v1", "Current", "ClusterVersion")}
		}
		_, _, got := f.read(Options{Kinds: []report.KindID{inventory.Nodes.ID, inventory.CiliumNetworkPolicies.ID()}})
		want := report.Cluster{Name: "shop", Version: tc.version, Distribution: tc.wantDist, Provider: tc.wantProv, Nodes: 1, Pods: -1, Workloads: -1}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", tc.version, tc.node.Spec.ProviderID, d)
		}
	}
}
