package e2e

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/cli"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/test/e2e/kube"
)

// TestAccessLive asks a real cluster who may do what, takes the review of it
// through its whole course, and lets the scan read the record from the cluster.
func TestAccessLive(t *testing.T) {
	cluster := kube.Start(t, kube.Options{})
	bindings, _ := inventory.ResourceFor(inventory.ClusterRoleBindings.ID)
	if code := post(t, cluster, bindings, "", []byte(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"ops"},
		"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"},
		"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"ann"}]}`)); code != http.StatusCreated {
		t.Fatalf("the API server answered %d", code)
	}
	admin := []string{"--kubeconfig", cluster.Kubeconfig}
	run := func(want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code := cli.Main(context.Background(), append(args, admin...), cli.IO{
			Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }, Now: time.Now,
		})
		if code != want {
			t.Fatalf("plimsoll %v: exit code %d, want %d: %s", args, code, want, stderr.String())
		}
		return stdout.String()
	}
	contains := func(got, want string) {
		t.Helper()
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	who := run(0, "access", "who-can", "delete", "nodes")
	contains(who, "User ann")
	if strings.Contains(who, "system:node-controller") {
		t.Errorf("what Kubernetes itself grants is listed:\n%s", who)
	}
	contains(run(0, "access", "show", "user:ann"), "cluster-admin")
	contains(run(0, "access", "path", "user:ann"), "1 step")

	run(1, "access", "review", "--status")
	sheet := run(0, "access", "review")
	dir := t.TempDir()
	name := filepath.Join(dir, "sheet.md")
	decided := strings.ReplaceAll(sheet, "|  |  |\n", "| keep |  |\n")
	if err := os.WriteFile(name, []byte(decided), 0o600); err != nil {
		t.Fatal(err)
	}
	record := run(0, "access", "review", "--sign-off", name, "--reviewer", "Kees", "--configmap", "kube-system")
	r, _ := inventory.ResourceFor(inventory.ConfigMaps.ID)
	body := asJSON(t, record)
	if code := post(t, cluster, r, "kube-system", body); code != http.StatusCreated {
		t.Fatalf("the API server answered %d to the record:\n%s", code, record)
	}
	contains(run(0, "access", "review", "--status"), "Kees")
	report := scan(t, append([]string{"--checks", "1.5"}, admin...)...)
	for _, it := range report.Items {
		if it.Number == "1.5" && it.Verdict != "pass" {
			t.Errorf("1.5 is %s: %s", it.Verdict, it.Reason)
		}
	}

	// Somebody who may read nothing gets no answer that looks complete.
	admin = []string{"--kubeconfig", cluster.KubeconfigFor(t, "nobody")}
	contains(run(3, "access", "who-can", "delete", "nodes"), "incomplete")
}

func asJSON(t *testing.T, text string) []byte {
	t.Helper()
	body, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return body
}
