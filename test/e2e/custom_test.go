package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/test/e2e/kube"
)

// shop is what the policies of other projects are about.
const shop = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example.com/shop/web:1.4
        securityContext: {privileged: true}
`

// TestCustomKindsLive defines every custom kind in a real API server, loads
// objects of the corpora, and compares a scan of the cluster with a scan of the
// same objects as files.
func TestCustomKindsLive(t *testing.T) {
	root := corporaDir()
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no corpora: %v", err)
	}
	cluster := kube.Start(t, kube.Options{})
	cluster.CreateDefaultServiceAccount(t, "default")
	dir := t.TempDir()
	var docs []map[string]any
	for _, folder := range []string{"image-signature-policies", "gatekeeper-library", "real-world/onedr0p_home-ops", "real-world/kubernetes_kops", "real-world/open-policy-agent_gatekeeper"} {
		docs = append(docs, customDocuments(t, filepath.Join(root, folder))...)
	}
	resources := map[string]inventory.Resource{} // by group and kind
	for _, c := range inventory.Customs {
		if c.Kind != string(inventory.AnyKind) {
			resources[c.Group+"/"+c.Kind] = define(t, cluster, c, c.Kind)
		}
	}
	for _, o := range docs {
		kind, group, _ := parts(o)
		if _, ok := resources[group+"/"+kind]; !ok {
			c, _ := inventory.CustomFor(group, kind)
			resources[group+"/"+kind] = define(t, cluster, c, kind)
		}
	}
	for _, r := range resources {
		served(t, cluster, r)
	}
	loaded, seen := map[string]bool{}, map[string]bool{}
	for _, o := range docs {
		kind, group, version := parts(o)
		c, _ := inventory.CustomFor(group, kind)
		res := resources[group+"/"+kind]
		meta, _ := o["metadata"].(map[string]any)
		name, _ := meta["name"].(string)
		if name == "" || !c.Reads(version) {
			continue
		}
		namespace := ""
		if c.Namespaced {
			namespace, _ = meta["namespace"].(string)
			namespace = cmp.Or(namespace, "default")
			meta["namespace"] = namespace
			makeNamespace(t, cluster, dir, namespace, seen, loaded)
		} else {
			delete(meta, "namespace")
		}
		id := kind + "/" + namespace + "/" + name
		if seen[id] {
			continue
		}
		seen[id] = true
		body, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		res.Version = version
		if status := post(t, cluster, res, namespace, body); status != http.StatusCreated {
			t.Logf("%s %s: %d", version, id, status)
			continue
		}
		keep(t, dir, id, body, loaded)
	}
	if len(loaded) < 50 {
		t.Fatalf("only %d objects were accepted", len(loaded))
	}
	for _, pass := range []int{0, 1} {
		load(t, cluster, dir, "\n"+shop, pass, seen, loaded)
	}
	for name, text := range map[string]string{"empty.yaml": empty, "namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte(hidden), 0o600); err != nil {
		t.Fatal(err)
	}
	live := scan(t, "--kubeconfig", cluster.Kubeconfig, config)
	files := scan(t, "--offline", dir)
	want, got := findings(files, loaded), findings(live, loaded)
	t.Logf("%d objects, %d findings from files, %d from the cluster", len(loaded), len(want), len(got))
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("files (-) and cluster (+) disagree:\n%s", d)
	}
	for _, it := range live.Items {
		for _, c := range it.Checks {
			for _, g := range c.Gaps {
				if _, custom := inventory.CustomOf(g.Kind); custom {
					t.Errorf("%s: the administrator's scan has the gap %s", c.ID, g)
				}
			}
		}
	}
}

// customDocuments are the objects of custom kinds in the YAML files of a
// folder, in the order of the files.
func customDocuments(t *testing.T, folder string) []map[string]any {
	t.Helper()
	var out []map[string]any
	err := filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for doc := range strings.SplitSeq("\n"+string(data), "\n---") {
			var o map[string]any
			if yaml.Unmarshal([]byte(doc), &o) != nil {
				continue
			}
			kind, group, _ := parts(o)
			if _, ok := inventory.CustomFor(group, kind); ok {
				out = append(out, o)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parts(o map[string]any) (kind, group, version string) {
	kind, _ = o["kind"].(string)
	apiVersion, _ := o["apiVersion"].(string)
	group, version, _ = strings.Cut(apiVersion, "/")
	return kind, group, version
}

// define makes a CustomResourceDefinition without a schema.
func define(t *testing.T, cluster *kube.Cluster, c inventory.Custom, kind string) inventory.Resource {
	t.Helper()
	r := c.At(c.Versions[0])
	if r.Resource == string(inventory.AnyKind) {
		r.Resource = strings.ToLower(kind)
	}
	scope := "Cluster"
	if r.Namespaced {
		scope = "Namespaced"
	}
	var versions []any
	for i, v := range c.Versions {
		versions = append(versions, map[string]any{
			"name": v, "served": true, "storage": i == 0,
			"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
		})
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": r.Resource + "." + r.Group},
		"spec": map[string]any{
			"group": r.Group, "scope": scope, "versions": versions,
			"names": map[string]any{"kind": kind, "plural": r.Resource, "singular": strings.ToLower(kind)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	crds := inventory.Resource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	if status := post(t, cluster, crds, "", body); status != http.StatusCreated {
		t.Fatalf("%s.%s: the API server answered %d", r.Resource, r.Group, status)
	}
	return r
}

// served waits until the API server serves the resource.
func served(t *testing.T, cluster *kube.Cluster, r inventory.Resource) {
	t.Helper()
	url := fmt.Sprintf("%s/apis/%s/%s/%s", cluster.URL, r.Group, r.Version, r.Resource)
	for range 200 {
		resp, err := cluster.HTTPClient().Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s.%s is not served", r.Resource, r.Group)
}
