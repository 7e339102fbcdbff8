package kube

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// HTTPClient returns a client that the API server knows as an administrator.
func (c *Cluster) HTTPClient() *http.Client {
	return c.admin
}

// HTTPClientFor returns a client that the API server knows as the given user,
// who need not exist anywhere: a certificate is made for it.
func (c *Cluster) HTTPClientFor(t testing.TB, user string, groups ...string) *http.Client {
	t.Helper()
	client, err := c.clientFor(user, groups...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// KubeconfigFor writes a kubeconfig for the given user, with a certificate made
// for it, and returns its path.
func (c *Cluster) KubeconfigFor(t testing.TB, user string, groups ...string) string {
	t.Helper()
	path, err := c.writeKubeconfig(user, groups...)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// CreateDefaultServiceAccount creates what pods in a namespace need to be
// accepted, if it is not there. The controller manager does it otherwise.
func (c *Cluster) CreateDefaultServiceAccount(t testing.TB, namespace string) {
	t.Helper()
	url := c.URL + "/api/v1/namespaces/" + namespace + "/serviceaccounts"
	resp, err := c.admin.Post(url, "application/json", strings.NewReader(`{"metadata":{"name":"default"}}`))
	if err != nil {
		t.Fatalf("creating the default ServiceAccount of %s: %v", namespace, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusConflict {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("creating the default ServiceAccount of %s: %s: %s", namespace, resp.Status, body)
	}
}

func (c *Cluster) clientFor(user string, groups ...string) (*http.Client, error) {
	pair, err := c.ca.issueUser(user, groups)
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(pair.cert, pair.key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of user %q: %w", user, err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.ca.cert)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}},
		ForceAttemptHTTP2: true,
	}}, nil
}

func (c *Cluster) writeKubeconfig(user string, groups ...string) (string, error) {
	pair, err := c.ca.issueUser(user, groups)
	if err != nil {
		return "", err
	}
	// User names hold colons and slashes: no good as file names.
	f, err := os.CreateTemp(c.Dir, "*.kubeconfig")
	if err != nil {
		return "", fmt.Errorf("making a kubeconfig for user %q: %w", user, err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, kubeconfigFormat, c.URL, base64.StdEncoding.EncodeToString(c.ca.pem), user,
		base64.StdEncoding.EncodeToString(pair.cert), base64.StdEncoding.EncodeToString(pair.key)); err != nil {
		return "", fmt.Errorf("writing a kubeconfig for user %q: %w", user, err)
	}
	return f.Name(), nil
}

// kubeconfigFormat takes the URL, the authority, the user, and the user's
// certificate and key.
const kubeconfigFormat = `apiVersion: v1
kind: Config
current-context: test
contexts:
- name: test
  context:
    cluster: test
    user: %[3]q
clusters:
- name: test
  cluster:
    server: %[1]s
    certificate-authority-data: %[2]s
users:
- name: %[3]q
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
`
