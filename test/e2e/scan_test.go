package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/cli"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/test/e2e/kube"
)

// projects of the corpora whose manifests are loaded into the API server.
var projects = []string{
	"GoogleCloudPlatform_microservices-demo", "instana_robot-shop", "microservices-demo_microservices-demo",
	"kubernetes_ingress-nginx", "metallb_metallb", "flannel-io_flannel", "cloudnativelabs_kube-router",
	"prometheus-operator_kube-prometheus", "argoproj_argo-cd", "kubernetes_examples", "open-policy-agent_gatekeeper",
}

// empty is what no project has and this cluster has none of; lists without
// items say so of files.
const empty = `apiVersion: v1
kind: NodeList
items: []
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSliceList
items: []
---
apiVersion: storage.k8s.io/v1
kind: CSINodeList
items: []
`

// hidden is configuration that no API shows, as it is by default. Scans of the
// cluster get it as a file; manifests say it by their silence.
const hidden = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: privileged, enforce-version: latest}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
`

// TestLiveAgreesWithFiles loads real manifests into a real API server, and
// compares what a scan of the cluster finds with a scan of the same files.
func TestLiveAgreesWithFiles(t *testing.T) {
	corpora := filepath.Join(corporaDir(), "real-world")
	if _, err := os.Stat(corpora); err != nil {
		t.Skipf("no corpora: %v", err)
	}
	cluster := kube.Start(t, kube.Options{})
	cluster.CreateDefaultServiceAccount(t, "default") // the API server waits for it before it refuses a pod
	dir := t.TempDir()
	loaded := map[string]bool{}
	seen := map[string]bool{}
	for pass := range passes {
		for _, project := range projects {
			err := filepath.WalkDir(filepath.Join(corpora, project), func(name string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() || !strings.HasSuffix(name, ".yaml") {
					return err
				}
				data, err := os.ReadFile(name)
				if err != nil {
					return err
				}
				for doc := range strings.SplitSeq("\n"+string(data), "\n---") {
					load(t, cluster, dir, doc, pass, seen, loaded)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(loaded) < 300 {
		t.Fatalf("only %d objects were accepted", len(loaded))
	}
	if err := os.WriteFile(filepath.Join(dir, "empty.yaml"), []byte(empty), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte(hidden), 0o600); err != nil {
		t.Fatal(err)
	}
	live := scan(t, "--kubeconfig", cluster.Kubeconfig, config)
	files := scan(t, "--offline", dir)
	// What a webhook or a binding lacks in a manifest may be there already; in a
	// cluster it is not. No controller runs here that fills in what "edit" grants.
	filled := func(line string) bool {
		id, _, _ := strings.Cut(line, " ")
		return slices.Contains([]string{"admission/webhooks/ca-bundle", "admission/webhooks/service", "access/rbac/dangling-subject"}, id) ||
			strings.Contains(line, " fail /edit ")
	}
	want, got := slices.DeleteFunc(findings(files, loaded), filled), slices.DeleteFunc(findings(live, loaded), filled)
	t.Logf("%d objects, %d findings from files, %d from the cluster", len(loaded), len(want), len(got))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-) and cluster (+) disagree:\n%s", d)
	}
	for _, it := range live.Items {
		for _, c := range it.Checks {
			for _, g := range c.Gaps {
				if _, served := inventory.ResourceFor(g.Kind); !served {
					continue // configuration that no API shows
				}
				t.Errorf("%s: the administrator's scan has the gap %s", c.ID, g)
			}
		}
	}
}

var kindLine = regexp.MustCompile(`(?m)^kind: *(\w+)`)

// passes is the number of passes over the manifests: the namespaces come first,
// and what judges all other requests comes last.
const passes = 3

func passOf(kind string) int {
	switch {
	case kind == "Namespace":
		return 0
	case strings.HasSuffix(kind, "WebhookConfiguration"), strings.Contains(kind, "AdmissionPolicy"):
		return 2
	}
	return 1
}

// load creates one object, and keeps it as a file where the server took it.
func load(t *testing.T, cluster *kube.Cluster, dir, doc string, pass int, seen, loaded map[string]bool) {
	t.Helper()
	m := kindLine.FindStringSubmatch(doc)
	if m == nil || !slices.ContainsFunc(inventory.Resources, func(r inventory.Resource) bool { return strings.HasSuffix(string(r.Kind), "/"+m[1]) }) {
		return // parsing YAML is slow, and most documents are of other kinds
	}
	var o map[string]any
	if yaml.Unmarshal([]byte(doc), &o) != nil {
		return
	}
	kind, _ := o["kind"].(string)
	version, _ := o["apiVersion"].(string)
	meta, _ := o["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	r, ok := inventory.ResourceFor(report.KindID(version + "/" + kind))
	if !ok || name == "" || passOf(kind) != pass || kind == "Secret" || kind == "Node" {
		return
	}
	namespace, _ := meta["namespace"].(string)
	if r.Namespaced && namespace == "" {
		namespace = "default"
		meta["namespace"] = namespace
	}
	id := kind + "/" + namespace + "/" + name
	if seen[id] {
		return
	}
	seen[id] = true
	if r.Namespaced {
		makeNamespace(t, cluster, dir, namespace, seen, loaded)
	}
	body, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if status := post(t, cluster, r, namespace, body); status != http.StatusCreated {
		return // not accepted by this version: not compared
	}
	keep(t, dir, id, body, loaded)
}

func makeNamespace(t *testing.T, cluster *kube.Cluster, dir, name string, seen, loaded map[string]bool) {
	t.Helper()
	id := "Namespace//" + name
	if seen[id] || name == "default" || inventory.SystemNamespace(name) {
		return
	}
	seen[id] = true
	body := fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q}}`, name)
	r, _ := inventory.ResourceFor(inventory.Namespaces.ID)
	if post(t, cluster, r, "", body) == http.StatusCreated {
		keep(t, dir, id, body, loaded)
		cluster.CreateDefaultServiceAccount(t, name)
	}
}

func keep(t *testing.T, dir, id string, body []byte, loaded map[string]bool) {
	t.Helper()
	loaded[id] = true
	name := filepath.Join(dir, fmt.Sprintf("%05d.json", len(loaded)))
	if err := os.WriteFile(name, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// post creates an object as kubectl does, which refuses unknown fields.
func post(t *testing.T, cluster *kube.Cluster, r inventory.Resource, namespace string, body []byte) int {
	t.Helper()
	path := "/api/" + r.Version
	if r.Group != "" {
		path = "/apis/" + r.Group + "/" + r.Version
	}
	if r.Namespaced {
		path += "/namespaces/" + namespace
	}
	resp, err := cluster.HTTPClient().Post(cluster.URL+path+"/"+r.Resource+"?fieldValidation=Strict", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// findings lists what was found about the loaded objects.
func findings(r *report.Report, loaded map[string]bool) []string {
	var out []string
	for _, it := range r.Items {
		for _, c := range it.Checks {
			for _, f := range c.Findings {
				if s := f.Subject; loaded[s.Kind+"/"+s.Namespace+"/"+s.Name] {
					out = append(out, fmt.Sprintf("%s %s %s/%s %s %s %s", c.ID, f.Verdict, s.Namespace, s.Name, s.Part, f.Control, f.Fingerprint))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestUserWithFewRights scans as somebody who may list pods in one namespace
// and nothing else: whatever needs more is unknown, and nothing passes.
func TestUserWithFewRights(t *testing.T) {
	cluster := kube.Start(t, kube.Options{})
	for path, body := range map[string]string{
		"/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles": `{"metadata":{"name":"pods"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}]}`,
		"/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings": `{"metadata":{"name":"pods"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"pods"},
			"subjects":[{"kind":"User","name":"visitor","apiGroup":"rbac.authorization.k8s.io"}]}`,
	} {
		resp, err := cluster.HTTPClient().Post(cluster.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("%s: %s", path, resp.Status)
		}
	}
	cluster.CreateDefaultServiceAccount(t, "default")
	pods, _ := inventory.ResourceFor(inventory.Pods.ID)
	body := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"good"},"spec":{"automountServiceAccountToken":false,"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
		"containers":[{"name":"c","image":"registry.example/app@sha256:` + strings.Repeat("a", 64) + `","resources":{"limits":{"memory":"64Mi"}}}]}}`
	if status := post(t, cluster, pods, "default", []byte(body)); status != http.StatusCreated {
		t.Fatal(status)
	}

	kubeconfig := cluster.KubeconfigFor(t, "visitor")
	for _, args := range [][]string{{"--kubeconfig", kubeconfig}, {"--kubeconfig", kubeconfig, "--namespace", "default"}} {
		r := scan(t, args...)
		for _, it := range r.Items {
			if it.Verdict == report.Pass || it.Verdict == report.NotApplicable {
				t.Errorf("%v: %s is %s: %s", args, it.Number, it.Verdict, it.Reason)
			}
		}
		missing := map[report.KindID]bool{}
		for _, it := range r.Items {
			for _, c := range it.Checks {
				for _, g := range c.Gaps {
					if g.Cause == report.Forbidden {
						missing[g.Kind] = true
						if g.How == "" {
							t.Errorf("the gap %s does not say how to close it", g)
						}
					}
				}
			}
		}
		for _, k := range []report.KindID{"v1/Namespace", "networking.k8s.io/v1/NetworkPolicy", "apps/v1/Deployment", "v1/Secret"} {
			if !missing[k] {
				t.Errorf("%v: the missing right on %s is not named", args, k)
			}
		}
		if len(args) == 4 && missing["v1/Pod"] {
			t.Errorf("%v: pods could be read, and are reported as missing", args)
		}
	}
}

// scan runs plimsoll as a user does and reads its JSON report.
func scan(t *testing.T, args ...string) *report.Report {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Main(context.Background(), append([]string{"scan", "-o", "json", "--fail-on", "never"}, args...), cli.IO{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }, Now: time.Now,
	})
	if code != 0 {
		t.Fatalf("plimsoll scan %v: exit code %d: %s", args, code, stderr.String())
	}
	var r report.Report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// corporaDir is where real manifests are: $PLIMSOLL_CORPORA, or shared/corpora
// beside the repository.
func corporaDir() string {
	if dir := os.Getenv("PLIMSOLL_CORPORA"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "corpora")
}
