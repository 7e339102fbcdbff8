//go:build unix

package kube

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The version is written in two places, since the root module cannot see the
// go.mod of test/cluster.
func TestVersionIsTheOneThatIsBuilt(t *testing.T) {
	gomod, err := os.ReadFile(filepath.FromSlash("../../cluster/go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(gomod), "k8s.io/kubernetes "+Version) {
		t.Errorf("test/cluster/go.mod does not require k8s.io/kubernetes %s: change Version together with it", Version)
	}
}

func TestCluster(t *testing.T) {
	c := Start(t, Options{
		AuditPolicy: "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n",
	})
	admin := c.HTTPClient()

	var version struct{ GitVersion string }
	status, body := do(t, admin, http.MethodGet, c.URL+"/version", "")
	if err := json.Unmarshal(body, &version); err != nil {
		t.Fatalf("decoding /version (%d): %v", status, err)
	}
	if version.GitVersion != Version {
		t.Errorf("the API server is %s, want %s", version.GitVersion, Version)
	}

	const namespaces = "/api/v1/namespaces"
	if status, body := do(t, admin, http.MethodPost, c.URL+namespaces, `{"metadata":{"name":"shop"}}`); status != http.StatusCreated {
		t.Errorf("creating a namespace: %d: %s", status, body)
	}
	c.CreateDefaultServiceAccount(t, "shop")
	pod := `{"metadata":{"name":"web"},"spec":{"containers":[{"name":"web","image":"web"}]}}`
	if status, body := do(t, admin, http.MethodPost, c.URL+namespaces+"/shop/pods", pod); status != http.StatusCreated {
		t.Errorf("creating a pod: %d: %s", status, body)
	}

	mallory := c.HTTPClientFor(t, "mallory", "nobodies")
	if status, _ := do(t, mallory, http.MethodGet, c.URL+namespaces, ""); status != http.StatusForbidden {
		t.Errorf("a user without rights lists namespaces: %d, want 403", status)
	}

	log, err := os.ReadFile(c.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), `"username":"mallory","groups":["nobodies","system:authenticated"]`) {
		t.Error("the audit log does not know the user without rights")
	}

	c.Stop()
	for _, p := range c.processes {
		if err := syscall.Kill(p.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s after Stop: signalling it gives %v, want %v", p.name, err, syscall.ESRCH)
		}
	}
	c.Stop() // does no harm
}

func TestControllerManager(t *testing.T) {
	c := Start(t, Options{ControllerManager: true})
	// Start waits for the ServiceAccount of the namespace, and it is all that a
	// pod needs.
	pod := `{"metadata":{"name":"web"},"spec":{"containers":[{"name":"web","image":"web"}]}}`
	if status, body := do(t, c.HTTPClient(), http.MethodPost, c.URL+"/api/v1/namespaces/default/pods", pod); status != http.StatusCreated {
		t.Errorf("creating a pod: %d: %s", status, body)
	}
}

func TestTakenPort(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real etcd: left out under -short")
	}
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()

	servers, err := serverDir()
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Dir: t.TempDir()}
	defer c.Stop()
	if err := c.writeKeys(); err != nil {
		t.Fatal(err)
	}
	if c.admin, err = c.clientFor("admin"); err != nil {
		t.Fatal(err)
	}
	attempts := 0
	_, err = c.launchOnFreePort(t.Context(), filepath.Join(servers, "etcd"), func(port int) []string {
		if attempts++; attempts == 1 {
			port = stranger.Addr().(*net.TCPAddr).Port
		}
		return c.etcdFlags(port)
	}, "/health")
	if err != nil || attempts != 2 {
		t.Errorf("launching etcd, first on a taken port: %v after %d attempts, want success after 2", err, attempts)
	}
}

func TestFailedStartShowsTheLog(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real servers: left out under -short")
	}
	_, err := Run(t.Context(), t.TempDir(), Options{APIServerFlags: []string{"--no-such-flag=1"}})
	if err == nil || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("starting with a wrong flag: %v, want an error that names the flag", err)
	}
}

func TestOverride(t *testing.T) {
	defaults := []string{"--authorization-mode=Node,RBAC", "--allow-privileged=true", "--bind-address=127.0.0.1"}
	for _, tt := range []struct {
		name     string
		by, want []string
	}{
		{"nothing", nil, defaults},
		{"new flag", []string{"--profiling=false"}, append(slices.Clone(defaults), "--profiling=false")},
		{"same flag", []string{"--allow-privileged=false"}, []string{"--authorization-mode=Node,RBAC", "--bind-address=127.0.0.1", "--allow-privileged=false"}},
		{"authorization in a file", []string{"--authorization-config=f"}, []string{"--allow-privileged=true", "--bind-address=127.0.0.1", "--authorization-config=f"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := override(defaults, tt.by); !slices.Equal(got, tt.want) {
				t.Errorf("override(…, %q) = %q, want %q", tt.by, got, tt.want)
			}
		})
	}
}

// do sends a request and returns the status and the body of the answer.
func do(t *testing.T, client *http.Client, method, url, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}
