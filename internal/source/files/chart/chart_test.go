package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/plimsoll-sec/plimsoll/internal/source/files/child"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	if isChild, exit := child.Handle(os.Args); isChild {
		os.Exit(exit)
	}
	os.Exit(m.Run())
}

// files returns the files of testdata/name.txtar.
func files(t *testing.T, name string) []txtar.File {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return a.Files
}

// dir writes files into a new directory.
func dir(t *testing.T, files []txtar.File) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		name := filepath.Join(root, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// pack writes files into a chart archive.
func pack(t *testing.T, files []txtar.File) string {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: "chart/" + f.Name, Mode: 0o644, Size: int64(len(f.Data))}); err != nil {
			t.Fatal(err)
		}
		w.Write(f.Data)
	}
	w.Close()
	zipped.Close()
	name := filepath.Join(t.TempDir(), "chart-1.0.0.tgz")
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

var (
	source = regexp.MustCompile(`\A# Source: (\S+)\n`)
	kinds  = regexp.MustCompile(`(?m)^kind: (\w+)$`)
	name   = regexp.MustCompile(`(?m)^(?:metadata: \{|  )name: ([\w.]+)`)
)

// objects lists the source, kind and name of each document.
func objects(stream []byte) []string {
	var all []string
	for _, doc := range strings.Split("\n"+string(stream), "\n---\n")[1:] {
		var what []string
		for _, re := range []*regexp.Regexp{source, kinds, name} {
			if m := re.FindStringSubmatch(doc); m != nil {
				what = append(what, m[1])
			}
		}
		all = append(all, strings.Join(what, " "))
	}
	return all
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name+".golden.yaml")
	if *update {
		if err := os.WriteFile(name, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("output differs (-want +got); run with -update if it is right:\n%s", d)
	}
}

var features = Options{
	Release: "r1", Namespace: "store", KubeVersion: "v1.34.2", APIVersions: []string{"monitoring.coreos.com/v1"},
	Set: []string{"web.replicas=3", "web.gone=null"},
}

func TestRenderDoesWhatHelmTemplateDoes(t *testing.T) {
	got, err := features.Render(t.Context(), dir(t, files(t, "features")))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"shop/charts/db/crds/db.yaml CustomResourceDefinition dbs.example.com",
		"shop/crds/a.yaml CustomResourceDefinition as.example.com",
		"shop/crds/a.yaml CustomResourceDefinition bs.example.com",
		"shop/charts/db/templates/db.yaml Service db",
		"shop/charts/sessions/templates/cache.yaml Service sessions",
		"shop/templates/broken.yaml Broken",
		"shop/templates/hooks.yaml Job migrate",
		"shop/templates/hooks.yaml Job both",
		"shop/templates/two.yaml",
		"shop/templates/two.yaml ConfigMap first",
		"shop/templates/two.yaml ConfigMap second",
		"shop/templates/web.yaml Deployment web",
	}
	if d := cmp.Diff(want, objects(got)); d != "" {
		t.Errorf("objects (-want +got):\n%s", d)
	}
	for _, line := range []string{
		"namespace: store", "release: r1", "lib: lib-r1", "tpl: r1-web", "kube: v1.34.2", `apps: "true"`, `monitoring: "true"`,
		`revision: "1"`, `isInstall: "true"`, `lookup: "{}"`, `dns: ""`, `file: "mode=prod"`, `ignored: ""`, `above: ""`, `absolute: ""`,
		"gone: really", "imported: dark", "replicas: 3", "image: registry.example/web:9.1", `resources: {limits: {"memory":"64Mi"}}`,
		"labels: {user: shop, registry: registry.example}", `spec: {description: "{{ not a template }}"}`,
	} {
		if !bytes.Contains(got, []byte(line)) {
			t.Errorf("the output lacks %q", line)
		}
	}
	golden(t, "features", got)
}

func TestRenderReadsOldCharts(t *testing.T) {
	got, err := Options{}.Render(t.Context(), dir(t, files(t, "requirements")))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"old/charts/sub/templates/a.yaml ConfigMap sub", "old/templates/a.yaml ConfigMap old"}
	if d := cmp.Diff(want, objects(got)); d != "" {
		t.Error(d)
	}
}

func TestRenderIsTheSameForAnArchive(t *testing.T) {
	chart := files(t, "features")
	fromDir, err := features.Render(t.Context(), dir(t, chart))
	if err != nil {
		t.Fatal(err)
	}
	var packed []txtar.File // "helm package" leaves out what is ignored
	for _, f := range chart {
		if !strings.HasSuffix(f.Name, ".bak") && !strings.HasPrefix(f.Name, "secret/") {
			packed = append(packed, f)
		}
	}
	for range 5 { // in any order of Go's maps
		fromArchive, err := features.Render(t.Context(), pack(t, packed))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(fromDir), string(fromArchive)); d != "" {
			t.Fatal(d)
		}
	}
}

func TestLaterValuesWin(t *testing.T) {
	chart := dir(t, []txtar.File{
		{Name: "Chart.yaml", Data: []byte("{apiVersion: v2, name: c, version: 1.0.0}")},
		{Name: "values.yaml", Data: []byte("{a: chart, b: chart, c: chart, d: chart}")},
		{Name: "templates/x.yaml", Data: []byte("{{ .Values.a }} {{ .Values.b }} {{ .Values.c }} {{ .Values.d }}")},
	})
	values := dir(t, []txtar.File{{Name: "1.yaml", Data: []byte("{b: one, c: one, d: one}")}, {Name: "2.yaml", Data: []byte("{c: two, d: two}")}})
	o := Options{Values: []string{filepath.Join(values, "1.yaml"), filepath.Join(values, "2.yaml")}, Set: []string{"d=three", "d=four"}}
	got, err := o.Render(t.Context(), chart)
	if want := "---\n# Source: c/templates/x.yaml\nchart one two four\n"; err != nil || string(got) != want {
		t.Fatalf("got %q, %v", got, err)
	}
}

// The default version has to follow go.mod, as Helm's does.
func TestDefaultKubeVersion(t *testing.T) {
	mod, err := os.ReadFile("../../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`k8s.io/client-go v0\.(\d+)\.`).FindSubmatch(mod)
	if want := "v1." + string(m[1]) + ".0"; defaultKubeVersion != want {
		t.Errorf("defaultKubeVersion is %s, go.mod says %s", defaultKubeVersion, want)
	}
}

func BenchmarkRender(b *testing.B) {
	a, err := txtar.ParseFile("testdata/features.txtar")
	if err != nil {
		b.Fatal(err)
	}
	root := b.TempDir()
	for _, f := range a.Files {
		os.MkdirAll(filepath.Dir(filepath.Join(root, f.Name)), 0o777)
		os.WriteFile(filepath.Join(root, f.Name), f.Data, 0o666)
	}
	for b.Loop() {
		if _, err := features.Render(b.Context(), root); err != nil {
			b.Fatal(err)
		}
	}
}
