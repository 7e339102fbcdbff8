package imagepolicy

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func image(registry, repository, tag string) Image {
	return Image{Reference: registry + "/" + repository + ":" + tag, Registry: registry, Repository: repository, Tag: tag, full: registry + "/" + repository + ":" + tag, Workload: report.Subject{Kind: "Pod", APIVersion: "v1", Name: "a"}}
}

// TestSigstoreGlob: the first answers are those of policy-controller's own
// tests (pkg/apis/glob/glob_test.go), for names in full.
func TestSigstoreGlob(t *testing.T) {
	tests := []struct {
		glob, name string
		want       bool
	}{
		{"foo", "foo", true},
		{"fo*", "foo", true},
		{"foo*", "foo/bar", false},
		{"foo/*", "foo/bar/baz", false},
		{"foo/**", "foo/bar/baz", true},
		{"**", "ghcr.io/a/b@sha256:0", true},
		{"*", "index.docker.io/library/busybox:latest", true},
		{"*", "index.docker.io/acme/web:latest", false},
		{"*/*", "index.docker.io/acme/web:latest", true},
		{"*/*", "ghcr.io/acme/web:latest", false},
		{"gcr.io/a", "gcrxio/a", false},
		{"gcr.io/a:*", "gcr.io/a:v1", true},
		{"**demo**", "registry.local:5000/x/demo:v1", true},
	}
	for _, tt := range tests {
		if got := sigstoreGlob(tt.glob).matches(tt.name); got != tt.want {
			t.Errorf("%q on %q: %t", tt.glob, tt.name, got)
		}
	}
	for _, bad := range []string{"", "[", "a b", "a?", "a+", "a{b}", "a@b"} {
		if sigstoreGlob(bad) != nil {
			t.Errorf("%q is taken for a glob", bad)
		}
	}
}

func TestSigstoreImages(t *testing.T) {
	got := map[string]answer{}
	for _, glob := range []string{"ghcr.io/acme/**", "ghcr.io/acme/web*", "ghcr.io/acme/web:v1", "ghcr.io/acme/web@sha256:*", "ghcr.io/other/*"} {
		r := sigstorePolicy{globs: []*sigstorePattern{sigstoreGlob("quay.io/x")}}
		if g := sigstoreGlob(glob); g != nil {
			r.globs = append(r.globs, g)
		}
		im := image("ghcr.io", "acme/web", "v1")
		got[glob] = r.images(sigstoreNames(&im))
	}
	want := map[string]answer{
		"ghcr.io/acme/**": yes, "ghcr.io/acme/web*": yes, "ghcr.io/acme/web:v1": maybe,
		"ghcr.io/acme/web@sha256:*": no, // not a glob: "@" is none of its characters
		"ghcr.io/other/*":           no,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReferred(t *testing.T) {
	got := map[string]answer{}
	for _, r := range []string{"*", "docker.io/library/nginx:*", "docker.io/nginx:*", "docker.io/*", "nginx:*", "*/nginx:1.2?", "{{ registry }}/*"} {
		im := image("docker.io", "library/nginx", "1.27")
		got[r] = referred([]string{r}, &im)
	}
	want := map[string]answer{
		"*": yes, "docker.io/*": yes, "*/nginx:1.2?": yes,
		"docker.io/library/nginx:*": maybe, "docker.io/nginx:*": maybe, // by the version of Kyverno
		"nginx:*": no, "{{ registry }}/*": maybe,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOfRepository(t *testing.T) {
	tests := []struct {
		name, image string
		want        bool
	}{
		{"*", "nginx", true},
		{"icr.io/team/*", "icr.io/team/web:v1", true},
		{"icr.io/team/web", "icr.io/team/web:v1", true},
		{"icr.io/team/web", "icr.io/team/web2:v1", false},
		{"icr.io/team/web:v1", "icr.io/team/web:v2", false},
		{"*.trusted.example.com/a/*", "eu.trusted.example.com/a/b", true},
		{"*.trusted.example.com/a/*", "evil.example.com/x.trusted.example.com/a/b", false},
		{"icr.io/*", "nginx", false},
	}
	for _, tt := range tests {
		if got := ofRepository(tt.name, tt.image); got != tt.want {
			t.Errorf("%q on %q: %t", tt.name, tt.image, got)
		}
	}
}

func TestMoreSpecific(t *testing.T) {
	const name = "docker.io/library/nginx:1"
	// Each counts before the next.
	order := []string{"docker.io/library/nginx:*", "docker.io/library/*:*", "docker.io/*/nginx:*", "*/*/*:*", "docker.io/*", "*:*"}
	for i := range order[1:] {
		if !moreSpecific(order[i], order[i+1], name) || moreSpecific(order[i+1], order[i], name) {
			t.Errorf("%q does not count before %q", order[i], order[i+1])
		}
	}
}

func TestCELShape(t *testing.T) {
	type shape struct {
		Lists, Attestors []string
		OK               bool
	}
	got := map[string]shape{}
	want := map[string]shape{
		`images.containers.map(image, verifyImageSignatures(image, [attestors.a])).all(e, e > 0)`:                                                                                  {[]string{"containers"}, []string{"a"}, true},
		`images.containers.map(i, verifyImageSignatures(i, [attestors.a]) > 0).all(ok, ok)`:                                                                                        {[]string{"containers"}, []string{"a"}, true},
		`images.containers.all(i, verifyImageSignatures(i, [attestors['a-b'], attestors.c]) > 0)`:                                                                                  {[]string{"containers"}, []string{"a-b", "c"}, true},
		`(images.containers + images.?initContainers.orValue([])).map(i, verifyImageSignatures(i, [attestors["a"]])).all(e, e > 0)`:                                                {[]string{"containers", "initContainers"}, []string{"a"}, true},
		`images.containers.map(i, verifyImageSignatures(i, [attestors.a])).all(e, e >= 0)`:                                                                                         {},
		`images.containers.map(i, verifyImageSignatures(i, [attestors.a]) > 0).all(e, true)`:                                                                                       {},
		`images.containers.exists(i, verifyImageSignatures(i, [attestors.a]) > 0)`:                                                                                                 {},
		`images.containers.all(i, verifyImageSignatures(i, [attestors.a]) > 0 || i.startsWith("x"))`:                                                                               {},
		`images.containers.all(i, verifyImageSignatures("signed", [attestors.a]) > 0)`:                                                                                             {},
		`images.containers.filter(i, i.startsWith("x")).all(i, verifyImageSignatures(i, [attestors.a]) > 0)`:                                                                       {},
		`images.containers.map(i, verifyAttestationSignatures(i, attestations.sbom, [attestors.a])).all(e, e > 0)`:                                                                 {},
		`variables.ok || images.containers.all(i, verifyImageSignatures(i, [attestors.a]) > 0)`:                                                                                    {},
		`images.containers.all(i, verifyImageSignatures(i, variables.attestors) > 0)`:                                                                                              {},
		`images.containers.all(i, verifyImageSignatures(i, [attestors.a]) > 0) || images.containers.all(i, verifyImageSignatures(i, [attestors.b]) > 0)`:                           {},
		`images.containers.map(i, verifyImageSignatures(i, [attestors.a])).all(e, e > 0) ? true : images.containers.map(i, verifyImageSignatures(i, [attestors.b])).all(e, e > 0)`: {},
	}
	for text := range want {
		lists, attestors, ok := celShape(strings.Join(strings.Fields(text), ""))
		got[text] = shape{lists, attestors, ok}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSelected(t *testing.T) {
	include := &metav1.LabelSelector{MatchLabels: map[string]string{"include": "true"}}
	byName := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "kubernetes.io/metadata.name", Operator: "NotIn", Values: []string{"kube-system"}}}}
	both := &metav1.LabelSelector{MatchLabels: include.MatchLabels, MatchExpressions: byName.MatchExpressions}
	tests := []struct {
		name string
		ns   namespace
		s    *metav1.LabelSelector
		want answer
	}{
		{"no selector", namespace{name: "shop"}, nil, yes},
		{"labels not known", namespace{name: "shop"}, include, maybe},
		{"label missing", namespace{name: "shop", labels: labels.Set{}}, include, no},
		{"label there", namespace{name: "shop", labels: labels.Set{"include": "true"}}, include, yes},
		{"only the name", namespace{name: "shop"}, byName, yes},
		{"only the name, excluded", namespace{name: "kube-system"}, byName, no},
		{"name and label", namespace{name: "shop"}, both, maybe},
		{"name and label, excluded by name", namespace{name: "kube-system"}, both, no},
		{"wildcard", namespace{name: "shop", labels: labels.Set{"a": "b"}}, &metav1.LabelSelector{MatchLabels: map[string]string{"a": "*"}}, maybe},
		{"not valid", namespace{name: "shop", labels: labels.Set{}}, &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Is"}}}, maybe},
	}
	for _, tt := range tests {
		tt.ns.parsed = &sync.Map{}
		if got := tt.ns.selected(tt.s); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestPassesFilter(t *testing.T) {
	filter := func(change func(*inventory.KyvernoFilter)) *inventory.KyvernoFilter {
		f := &inventory.KyvernoFilter{}
		change(f)
		return f
	}
	pod := object{kind: "Pod", labels: map[string]string{"app": "web"}}
	tests := []struct {
		name string
		f    *inventory.KyvernoFilter
		o    object
		want answer
	}{
		{"empty", filter(func(*inventory.KyvernoFilter) {}), pod, no},
		{"kind", filter(func(f *inventory.KyvernoFilter) { f.Resources.Kinds = []string{"v1/Pod"} }), pod, yes},
		{"subresource", filter(func(f *inventory.KyvernoFilter) { f.Resources.Kinds = []string{"Pod/exec"} }), pod, no},
		{"group", filter(func(f *inventory.KyvernoFilter) { f.Resources.Kinds = []string{"apps/v1/*"} }), object{group: "apps", kind: "Deployment"}, yes},
		{"other group", filter(func(f *inventory.KyvernoFilter) { f.Resources.Kinds = []string{"apps/v1/*"} }), object{group: "batch", kind: "Job"}, no},
		{"name not known", filter(func(f *inventory.KyvernoFilter) { f.Resources.Name = "web-*" }), pod, maybe},
		{"name", filter(func(f *inventory.KyvernoFilter) { f.Resources.Names = []string{"web-*"} }), object{kind: "Pod", name: "web-1"}, yes},
		{"operations", filter(func(f *inventory.KyvernoFilter) { f.Resources.Operations = []string{"DELETE"} }), pod, no},
		{"subjects", filter(func(f *inventory.KyvernoFilter) { f.ClusterRoles = []string{"cluster-admin"} }), pod, maybe},
		{"annotation missing", filter(func(f *inventory.KyvernoFilter) { f.Resources.Annotations = map[string]string{"a": "*"} }), pod, no},
		{"annotation", filter(func(f *inventory.KyvernoFilter) { f.Resources.Annotations = map[string]string{"a": "b*"} }), object{kind: "Pod", annotations: map[string]string{"a": "bc"}}, yes},
	}
	for _, tt := range tests {
		if got := passesFilter(tt.f, tt.o, namespace{name: "shop"}); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestHasConditions(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "null": false, "[]": false, "{}": false, `{"all":[]}`: false,
		`{"any":[{"key":"a"}]}`: true, `[{"key":"a"}]`: true, `"odd"`: true,
	} {
		if got := hasConditions([]byte(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// FuzzSigstoreGlob proves that a text matches itself.
func FuzzSigstoreGlob(f *testing.F) {
	for _, s := range []string{"", "a", "ghcr.io/acme/web:v1", "**", "a*b?c", "*?*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if g := sigstoreGlob(s); g != nil && s != "*" && s != "*/*" && !g.matches(s) {
			t.Errorf("sigstore: %q does not match itself", s)
		}
		celShape(s)
	})
}

// BenchmarkJudge judges an image by 100 policies, each about images of its own.
func BenchmarkJudge(b *testing.B) {
	build := &inventory.Builder{}
	for i := range 100 {
		var k inventory.KyvernoPolicy
		rule := inventory.KyvernoRule{Name: "verify", VerifyImages: []inventory.KyvernoImageVerification{{ImageReferences: []string{fmt.Sprintf("ghcr.io/team-%d/*", i)}, Key: "PEM"}}}
		rule.Match.Resources.Kinds = []string{"Pod"}
		k.Spec.Rules, k.Spec.Action = []inventory.KyvernoRule{rule}, "Enforce"
		inventory.Put(build, inventory.KyvernoClusterPolicies, report.Subject{Kind: "ClusterPolicy", Name: fmt.Sprint(i)}, inventory.Origin{}, k)
	}
	build.Collected(inventory.KyvernoExceptions.ID)
	p := All.Of(build.Seal(time.Unix(0, 0)).View(Needs()))
	im := image("ghcr.io", "team-7/web", "v1")
	if j := p.Judge(im); j.By == "" {
		b.Fatalf("not verified: %+v", j)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Judge(im)
	}
}
