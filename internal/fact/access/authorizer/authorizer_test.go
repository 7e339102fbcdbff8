package authorizer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/authorizer"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// server is an API server with a command line: words, of which "|" parts the
// command from the arguments.
func server(b *inventory.Builder, namespace, name string, words ...string) {
	c := corev1.Container{Name: "a"}
	into := &c.Command
	for _, w := range words {
		if w == "|" {
			into = &c.Args
			continue
		}
		*into = append(*into, w)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "sidecar"}, c}}}
	inventory.PutObject(b, pod, inventory.Origin{Source: "files", Place: name})
}

func config(b *inventory.Builder, name string, types ...string) {
	var a inventory.Authorization
	for _, t := range types {
		a.Authorizers = append(a.Authorizers, inventory.Authorizer{Type: t})
	}
	inventory.Put(b, inventory.Authorizations, report.Subject{Kind: "AuthorizationConfiguration", Name: name}, inventory.Origin{Source: "files", Place: name}, a)
}

// chains writes what the API servers ask: "2 Node, RBAC", "0 RBAC ?why".
func chains(b *inventory.Builder) []string {
	b.Collected(inventory.Pods.ID, inventory.Authorizations.ID)
	v := b.Seal(time.Time{}).View(authorizer.All.Needs)
	var out []string
	for _, c := range authorizer.All.Of(v).Chains {
		text := strings.TrimSpace(fmt.Sprintf("%d %s", len(c.Pods), c))
		if c.Default {
			text += " by default"
		}
		if c.Unclear != "" {
			text += " ?" + c.Unclear
		}
		out = append(out, text)
	}
	return out
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct{ words, want string }{
		{"kube-apiserver", "1 AlwaysAllow by default"},
		{"/usr/local/bin/kube-apiserver --authorization-mode=Node,RBAC", "1 Node, RBAC"},
		{"kube-apiserver | --authorization-mode=Node,RBAC", "1 Node, RBAC"},
		{"kube-apiserver --authorization-mode Node,RBAC", "1 Node, RBAC"},
		{"kube-apiserver --authorization_mode=RBAC", "1 RBAC"},
		{`kube-apiserver --authorization-mode="Node",RBAC`, "1 Node, RBAC"},
		{"kube-apiserver --authorization-mode=Node --authorization-mode=RBAC", "1 Node, RBAC"},
		{"kube-apiserver --authorization-mode=", "1 AlwaysAllow by default"},
		{"kube-apiserver -authorization-mode=RBAC", "1 AlwaysAllow by default"},
		{"kube-apiserver --authorization-mode-x=RBAC", "1 AlwaysAllow by default"},
		{"kube-apiserver --authorization-mode=Webhook,Webhook", "1 Webhook, Webhook ?twice"},
		{"kube-apiserver --authorization-mode=rbac", `1 rbac ?"rbac"`},
		{`kube-apiserver --authorization-mode="RBAC`, "1 ?no list"},
		{"kube-apiserver --authorization-mode=RBAC --authorization-config=a", "1 RBAC ?both"},
		{"kube-apiserver --authorization-config=/etc/a.yaml", "1 ?not in the input"},
		{"kube-apiserver --advertise-address=$(IP) --authorization-mode=RBAC", "1 RBAC"},
		{"kube-apiserver $(FLAGS) --authorization-mode=AlwaysAllow", "1 AlwaysAllow ?variables"},
		{"kube-apiserver --$(FLAG)=RBAC", "1 ?variables"},
		{"kube-apiserver --authorization-mode=$(MODE)", "1 $(MODE) ?variables"},
		{"hyperkube kube-apiserver --openshift-config=/etc/config.yaml --etcd-servers=x", "1 ?from a file"},
		{"proxy --for kube-apiserver", ""},
		{"kube-apiserver-proxy --authorization-mode=AlwaysAllow", ""},
		{"", ""},
	} {
		b := &inventory.Builder{}
		server(b, "kube-system", "a", strings.Fields(tt.words)...)
		got := strings.Join(chains(b), "; ")
		want, why, unclear := strings.Cut(tt.want, "?")
		if unclear && strings.HasPrefix(got, want+"?") && strings.Contains(got, why) {
			continue
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.words, got, tt.want)
		}
	}
}

func TestChains(t *testing.T) {
	const flag = "--authorization-config=/etc/kubernetes/a.yaml"
	for name, tt := range map[string]struct {
		fill func(*inventory.Builder)
		want []string
	}{
		"none": {func(*inventory.Builder) {}, nil},
		"alike, but for other flags": {func(b *inventory.Builder) {
			server(b, "kube-system", "a", "kube-apiserver", "--v=1", "--authorization-mode=RBAC")
			server(b, "kube-system", "b", "kube-apiserver", "--authorization-mode=RBAC")
		}, []string{"2 RBAC"}},
		"in another order": {func(b *inventory.Builder) {
			server(b, "kube-system", "a", "kube-apiserver", "--authorization-mode=Node,RBAC")
			server(b, "kube-system", "b", "kube-apiserver", "--authorization-mode=RBAC,Node")
		}, []string{"1 Node, RBAC", "1 RBAC, Node"}},
		"other policies": {func(b *inventory.Builder) {
			server(b, "kube-system", "a", "kube-apiserver", "--authorization-mode=ABAC", "--authorization-policy-file=a")
			server(b, "kube-system", "b", "kube-apiserver", "--authorization-mode=ABAC", "--authorization-policy-file=b")
		}, []string{"1 ABAC", "1 ABAC"}},
		"the one configuration, whatever its name": {func(b *inventory.Builder) {
			server(b, "kube-system", "a", "kube-apiserver", flag)
			config(b, "b.yaml", "Node", "RBAC")
		}, []string{"1 Node, RBAC"}},
		"the one of the name": {func(b *inventory.Builder) {
			server(b, "kube-system", "a", "kube-apiserver", flag)
			config(b, "here/a.yaml", "RBAC")
			config(b, "here/b.yaml", "AlwaysAllow")
		}, []string{"1 RBAC", "0 AlwaysAllow"}},
		"none of the name": {func(b *inventory.Builder) {
			server(b, "kube-system", "a", "kube-apiserver", flag)
			config(b, "c.yaml", "RBAC")
			config(b, "b.yaml", "Node")
		}, []string{"1 ?has --authorization-config=/etc/kubernetes/a.yaml, and that file is not in the input", "0 Node", "0 RBAC"}},
		"a configuration by itself": {func(b *inventory.Builder) { config(b, "a.yaml", "Webhook", "Webhook", "RBAC") }, []string{"0 Webhook, Webhook, RBAC"}},
		"an empty configuration":    {func(b *inventory.Builder) { config(b, "a.yaml") }, []string{"0 ?names no authorizer, with which the API server does not start"}},
		"that of a hosted cluster":  {func(b *inventory.Builder) { server(b, "tenant", "a", "kube-apiserver") }, nil},
		"without a namespace":       {func(b *inventory.Builder) { server(b, "", "a", "kube-apiserver", "--authorization-mode=RBAC") }, []string{"1 RBAC"}},
	} {
		b := &inventory.Builder{}
		tt.fill(b)
		if d := cmp.Diff(tt.want, chains(b)); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}
