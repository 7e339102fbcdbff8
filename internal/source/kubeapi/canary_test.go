package kubeapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/klog/v2"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// pair is a certificate and its key in PEM, signed by itself.
func pair(t *testing.T, from, to time.Time, names ...string) (cert, key []byte) {
	t.Helper()
	k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotBefore: from, NotAfter: to,
		DNSNames: names, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, k.Public(), k))
	keyDER := must(x509.MarshalPKCS8PrivateKey(k))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func readError(t *testing.T, path string) string {
	t.Helper()
	c, err := Open(Options{Kubeconfig: path, Timeout: 2 * time.Second})
	if err != nil {
		return err.Error()
	}
	c.sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	_, _, err = c.Read(t.Context(), &inventory.Builder{})
	if err == nil {
		t.Fatal("no error")
	}
	return err.Error()
}

// TestConnectionErrors checks that what can be wrong with a connection is told
// apart, and that the text says what to do.
func TestConnectionErrors(t *testing.T) {
	now := time.Now()
	goodCA, _ := pair(t, now.Add(-time.Hour), now.Add(time.Hour))
	f := newFakeAPI(t)
	serve := func(cert, key []byte) *httptest.Server {
		s := httptest.NewUnstartedServer(f)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{must(tls.X509KeyPair(cert, key))}}
		s.Config.ErrorLog = f.server.Config.ErrorLog
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	oldCert, oldKey := pair(t, now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0))
	expired := serve(oldCert, oldKey)
	otherCert, otherKey := pair(t, now.Add(-time.Hour), now.Add(time.Hour), "elsewhere.example")
	other := serve(otherCert, otherKey)
	plain := httptest.NewServer(f)
	t.Cleanup(plain.Close)
	closed := httptest.NewServer(f)
	closed.Close()
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(web.Close)
	webCA := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})

	for _, tc := range []struct{ name, server, ca, want string }{
		{"wrong authority", f.server.URL, string(goodCA), "is not signed by the authority in the kubeconfig: check certificate-authority-data"},
		{"expired certificate", expired.URL, string(oldCert), "is not valid at this time"},
		{"certificate of another name", other.URL, string(otherCert), "is for another name: check the server address"},
		{"plain HTTP", strings.Replace(plain.URL, "http:", "https:", 1), string(goodCA), "does not speak TLS"},
		{"nobody there", strings.Replace(closed.URL, "http:", "https:", 1), string(goodCA), "nothing listens at 127.0.0.1"},
		{"unknown name", "https://kubernetes.invalid:6443", string(goodCA), "the name kubernetes.invalid is not known here"},
		{"no API server", web.URL, string(webCA), "is not a Kubernetes API server"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := readError(t, kubeconfig(t, tc.server, []byte(tc.ca), tokenUser))
			if !strings.Contains(got, tc.want) || !strings.HasPrefix(got, "connecting to the cluster (context test, https://") {
				t.Errorf("error %q, want one that contains %q", got, tc.want)
			}
		})
	}
}

func TestUnauthorized(t *testing.T) {
	f := newFakeAPI(t)
	refuse := "/version"
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path == refuse {
			writeStatus(w, http.StatusUnauthorized, "Unauthorized", "")
			return true
		}
		return false
	}
	got := readError(t, kubeconfig(t, f.server.URL, f.ca(), tokenUser))
	if !strings.Contains(got, "does not accept the credentials of the kubeconfig: log in again") {
		t.Errorf("error %q", got)
	}
	cert, key := pair(t, time.Now().AddDate(-2, 0, 0), time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC))
	user := fmt.Sprintf("{client-certificate-data: %s, client-key-data: %s}", base64.StdEncoding.EncodeToString(cert), base64.StdEncoding.EncodeToString(key))
	got = readError(t, kubeconfig(t, f.server.URL, f.ca(), user))
	if got != "the client certificate of the kubeconfig expired on 2024-02-29: renew it" {
		t.Errorf("error %q", got)
	}
	t.Run("in the middle", func(t *testing.T) {
		refuse = podsPath
		c, _ := f.open(Options{Kinds: allKinds()})
		if _, _, err := c.Read(t.Context(), &inventory.Builder{}); err == nil || !strings.Contains(err.Error(), "log in again") {
			t.Errorf("error %v", err)
		}
	})
}

// TestOpenErrors checks what is said of configurations that do not work.
func TestOpenErrors(t *testing.T) {
	good := kubeconfig(t, "https://127.0.0.1:1", nil, tokenUser)
	write := func(text string) string {
		p := filepath.Join(t.TempDir(), "kubeconfig")
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("KUBECONFIG", none)
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for _, tc := range []struct {
		name string
		o    Options
		want string
	}{
		{"no such context", Options{Kubeconfig: good, Context: "prod"}, `the kubeconfig has no context "prod": it has test`},
		{"no such file", Options{Kubeconfig: none}, "reading the kubeconfig: stat " + none + ": no such file or directory"},
		{"nothing configured", Options{}, "no cluster is configured: no kubeconfig at " + none + ", and this is not a pod; set KUBECONFIG or give --kubeconfig"},
		{"not YAML", Options{Kubeconfig: write("{{{ canary-yaml")}, "cannot be parsed"},
		{"a number for a token", Options{Kubeconfig: write("kind: Config\napiVersion: v1\nusers: [{name: a, user: {token: 5931593159315931}}]")}, "cannot be parsed"},
		{"no current context", Options{Kubeconfig: write("kind: Config\napiVersion: v1\ncontexts: [{name: a, context: {cluster: c}}]")}, "the kubeconfig has no current context: choose one with --context (it has a)"},
		{"a certificate that is not there", Options{Kubeconfig: kubeconfig(t, "https://127.0.0.1:1", nil, "{client-certificate: /nowhere, client-key: /nowhere}")}, "/nowhere"},
		{"an address that is none", Options{Kubeconfig: kubeconfig(t, "https://me:canary-pass@bad host", nil, "{}")}, "is not a URL"},
		{"a proxy address that is none", Options{Kubeconfig: write("kind: Config\napiVersion: v1\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'https://h', proxy-url: 'ftp://me:canary-pass@proxy'}}]")}, "proxy-url"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Open(tc.o)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want one that contains %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "5931") {
				t.Errorf("the error quotes a credential: %v", err)
			}
		})
	}
}

// TestNoCredentialComesOut gives credentials in every place of a kubeconfig to
// a server that repeats all it is told, and looks for them in what comes out.
func TestNoCredentialComesOut(t *testing.T) {
	plugin := func(output string, code int) string {
		p := filepath.Join(t.TempDir(), "plugin")
		if err := os.WriteFile(p, []byte(fmt.Sprintf("#!/bin/sh\ncat <<'X'\n%s\nX\nexit %d\n", output, code)), 0o700); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: %s}}", p)
	}
	credential := func(status string) string {
		return `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":` + status + `}`
	}
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte("canary-file-5931\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, user, userinfo string
		sent                 string // that the server must have got; empty: no request
	}{
		{"token", "{token: canary-token-5931}", "", "Bearer canary-token-5931"},
		{"token file", "{tokenFile: " + tokenFile + "}", "", "Bearer canary-file-5931"},
		{"password", "{username: me, password: canary-pass-5931}", "", "Basic " + base64.StdEncoding.EncodeToString([]byte("me:canary-pass-5931"))},
		{"address", "{}", "me:canary-url-5931@", "Basic " + base64.StdEncoding.EncodeToString([]byte("me:canary-url-5931"))},
		{"plugin", plugin(credential(`{"token":"canary-exec-5931"}`), 0), "", "Bearer canary-exec-5931"},
		{"plugin that fails", plugin("canary-exec-5931", 3), "", ""},
		{"plugin that talks", plugin("canary-exec-5931", 0), "", ""},
		{"plugin of another kind", plugin(`{"apiVersion":"v1","kind":"canary-exec-5931"}`, 0), "", ""},
		{"plugin of another version", plugin(`{"apiVersion":"client.authentication.k8s.io/canary-5931","kind":"ExecCredential"}`, 0), "", ""},
		{"plugin with half a credential", plugin(credential(`{"clientKeyData":"canary-exec-5931"}`), 0), "", ""},
		{"plugin with a bad certificate", plugin(credential(`{"clientKeyData":"canary-exec-5931","clientCertificateData":"canary-exec-5931"}`), 0), "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFakeAPI(t)
			answers := []int{http.StatusForbidden, http.StatusInternalServerError, http.StatusTeapot}
			f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.URL.Path == "/version" {
					return false
				}
				echo := fmt.Sprint("you sent ", r.Header, " to ", r.URL)
				if a, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Basic "); ok {
					echo += string(must(base64.StdEncoding.DecodeString(a)))
				}
				writeStatus(w, answers[len(r.URL.Path)%len(answers)], echo, "")
				return true
			}
			path := kubeconfig(t, strings.Replace(f.server.URL, "https://", "https://"+tc.userinfo, 1), f.ca(), tc.user)
			out := capture(t, func() string {
				c, _ := f.open(Options{Kubeconfig: path, Kinds: allKinds()})
				var b inventory.Builder
				source, cluster, err := c.Read(t.Context(), &b)
				if (err == nil) != (tc.sent != "") {
					t.Errorf("error: %v", err)
				}
				access, accessErr := c.CheckAccess(t.Context())
				all, _ := json.Marshal([]any{source, cluster, b.Seal(epoch).AllGaps(), access})
				return string(all) + fmt.Sprint(err, accessErr, c.target)
			})
			if f.authorization != tc.sent {
				t.Errorf("the server got %q, want %q", f.authorization, tc.sent)
			}
			for _, secret := range []string{"5931", "canary", base64.StdEncoding.EncodeToString([]byte("me:canary"))[:8]} {
				if i := strings.Index(out, secret); i >= 0 {
					t.Errorf("a credential came out: …%s…", out[max(0, i-200):min(len(out), i+60)])
				}
			}
			if tc.sent == "" && !strings.Contains(out, "credential plugin") {
				t.Errorf("the plugin is not named: %s", out)
			}
		})
	}
}

// capture returns what f returns and what is written to stderr meanwhile.
func capture(t *testing.T, f func() string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = w
	defer func() { os.Stderr = stderr }()
	logged := make(chan string)
	go func() {
		data, _ := io.ReadAll(r)
		logged <- string(data)
	}()
	result := f()
	w.Close()
	return result + <-logged
}

// TestClientGoIsSilent checks that the log of client-go does not reach stderr.
func TestClientGoIsSilent(t *testing.T) {
	path := kubeconfig(t, "https://127.0.0.1:1", nil, tokenUser)
	out := capture(t, func() string {
		if _, err := Open(Options{Kubeconfig: path}); err != nil {
			t.Error(err)
		}
		klog.Error("canary")
		klog.Warning("canary")
		klog.Flush()
		return ""
	})
	if out != "" {
		t.Errorf("on stderr: %q", out)
	}
}
