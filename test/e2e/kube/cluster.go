// Package kube starts real Kubernetes control planes for tests: etcd, the API
// server and, if asked for, the controller manager, each cluster with a
// certificate authority and ports of its own, all on 127.0.0.1. There is no
// kubelet: pods can be created, but they stay Pending.
//
// "make cluster" builds the servers; see test/cluster.
package kube

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Options say how a cluster differs from the usual one.
type Options struct {
	// APIServerFlags are flags of kube-apiserver, each in the form --name=value.
	// They take the place of flags of the same name that are set otherwise.
	APIServerFlags []string
	// ControllerManager also runs kube-controller-manager: namespaces get their
	// default ServiceAccount, Deployments their ReplicaSets and Pods.
	ControllerManager bool
	// AdmissionConfig, EncryptionConfig and AuditPolicy are the YAML content of
	// the configuration files of kube-apiserver that have these names. Empty
	// means none. With an AuditPolicy, events go to Cluster.AuditLog.
	AdmissionConfig  string
	EncryptionConfig string
	AuditPolicy      string
}

// Cluster is a running control plane.
type Cluster struct {
	URL        string // of the API server
	CAFile     string // signs the certificates of servers and users alike
	Kubeconfig string // of an administrator
	Dir        string // holds everything that the servers read and write, logs too
	AuditLog   string // a file in Dir; empty without an AuditPolicy

	ca        *authority
	admin     *http.Client
	processes []*process
}

// Start runs a cluster until the test ends. Under -short it skips the test.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a real cluster: left out under -short")
	}
	// t.Context ends before the cleanups of the test, which may need the cluster.
	c, err := Run(context.WithoutCancel(t.Context()), t.TempDir(), o)
	if err != nil {
		t.Fatalf("starting a cluster: %v", err)
	}
	t.Cleanup(func() {
		c.Stop()
		if t.Failed() {
			for _, p := range c.processes {
				t.Log(p.logTail())
			}
		}
	})
	return c
}

// Run starts a cluster in dir, which must be empty or missing, and returns when
// the API server is ready and namespace default is there, with its
// ServiceAccount if the controller manager runs. The cluster lives until Stop is
// called or ctx ends.
func Run(ctx context.Context, dir string, o Options) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolving the cluster's directory: %w", err)
	}
	c := &Cluster{Dir: dir}
	if err := c.start(ctx, o); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// Stop ends the servers and returns when they are gone. It may be called again.
func (c *Cluster) Stop() {
	// They are killed: nothing of a test cluster is worth the seconds that the
	// API server takes to end in good order.
	for _, p := range slices.Backward(c.processes) {
		p.kill()
	}
	if c.admin != nil {
		c.admin.CloseIdleConnections()
	}
}

func (c *Cluster) start(ctx context.Context, o Options) error {
	servers, err := serverDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("making the cluster's directory: %w", err)
	}
	if err := c.writeKeys(); err != nil {
		return err
	}
	if c.admin, err = c.clientFor("admin", "system:masters"); err != nil {
		return err
	}

	etcd, err := c.launchOnFreePort(ctx, filepath.Join(servers, "etcd"), c.etcdFlags, "/health")
	if err != nil {
		return err
	}
	flags, err := c.apiServerFlags(etcd, o)
	if err != nil {
		return err
	}
	// The API server makes the namespace by itself, but not always before it
	// calls itself ready.
	c.URL, err = c.launchOnFreePort(ctx, filepath.Join(servers, "kube-apiserver"), func(port int) []string {
		return append(flags, "--secure-port="+strconv.Itoa(port))
	}, "/readyz", "/api/v1/namespaces/default")
	if err != nil {
		return err
	}
	if c.Kubeconfig, err = c.writeKubeconfig("admin", "system:masters"); err != nil {
		return err
	}
	if !o.ControllerManager {
		return nil
	}
	flags, err = c.controllerManagerFlags()
	if err != nil {
		return err
	}
	return c.launch(ctx, filepath.Join(servers, "kube-controller-manager"), flags, c.URL+"/api/v1/namespaces/default/serviceaccounts/default")
}

// etcdFlags makes etcd use TLS: not for secrecy, but because an API server could
// otherwise end up with the etcd of another cluster that was quicker to take the
// port.
func (c *Cluster) etcdFlags(port int) []string {
	return []string{
		"--data-dir=" + c.path("etcd"),
		"--unsafe-no-fsync",
		"--listen-client-urls=" + loopbackURL(port),
		"--advertise-client-urls=" + loopbackURL(port),
		"--listen-peer-urls=http://127.0.0.1:0", // there are no peers
		"--cert-file=" + c.path(serverCert),
		"--key-file=" + c.path(serverKey),
		"--trusted-ca-file=" + c.CAFile,
		"--client-cert-auth",
	}
}

// apiServerFlags returns all flags but the port, and writes the files that they
// name.
func (c *Cluster) apiServerFlags(etcd string, o Options) ([]string, error) {
	flags := []string{
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",   // or it looks for a default route
		"--endpoint-reconciler-type=none", // no Endpoints may hold a loopback address
		"--etcd-servers=" + etcd,
		"--etcd-cafile=" + c.CAFile,
		"--etcd-certfile=" + c.path(serverCert),
		"--etcd-keyfile=" + c.path(serverKey),
		"--tls-cert-file=" + c.path(serverCert),
		"--tls-private-key-file=" + c.path(serverKey),
		"--client-ca-file=" + c.CAFile,
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.path(serviceAccountKey),
		"--service-account-signing-key-file=" + c.path(serviceAccountKey),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
	}
	for _, f := range []struct{ flag, name, content string }{
		{"--admission-control-config-file", "admission.yaml", o.AdmissionConfig},
		{"--encryption-provider-config", "encryption.yaml", o.EncryptionConfig},
		{"--audit-policy-file", "audit-policy.yaml", o.AuditPolicy},
	} {
		if f.content == "" {
			continue
		}
		if err := os.WriteFile(c.path(f.name), []byte(f.content), 0o600); err != nil {
			return nil, fmt.Errorf("writing the file for %s: %w", f.flag, err)
		}
		flags = append(flags, f.flag+"="+c.path(f.name))
	}
	if o.AuditPolicy != "" {
		c.AuditLog = c.path("audit.log")
		flags = append(flags, "--audit-log-path="+c.AuditLog)
	}
	return override(flags, o.APIServerFlags), nil
}

func (c *Cluster) controllerManagerFlags() ([]string, error) {
	kubeconfig, err := c.writeKubeconfig("system:kube-controller-manager")
	if err != nil {
		return nil, err
	}
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--secure-port=0", // nobody asks it anything
		"--leader-elect=false",
		"--use-service-account-credentials=true",
		"--root-ca-file=" + c.CAFile,
		"--service-account-private-key-file=" + c.path(serviceAccountKey),
	}, nil
}

// override adds flags to others and drops those that they replace. To append
// them would not do: of a flag that is a list, the API server adds up all
// occurrences.
func override(flags, by []string) []string {
	replaced := make(map[string]bool)
	for _, flag := range by {
		replaced[flagName(flag)] = true
	}
	// The API server refuses to start with both.
	if replaced["--authorization-config"] {
		replaced["--authorization-mode"] = true
	}
	kept := slices.DeleteFunc(slices.Clone(flags), func(flag string) bool { return replaced[flagName(flag)] })
	return append(kept, by...)
}

func flagName(flag string) string {
	name, _, _ := strings.Cut(flag, "=")
	return name
}

func (c *Cluster) path(name string) string {
	return filepath.Join(c.Dir, name)
}

func loopbackURL(port int) string {
	return "https://127.0.0.1:" + strconv.Itoa(port)
}
