package kustomization

import (
	"bytes"
	"context"
	"flag"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
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

// secret stands in the input and must never stand in an error.
const secret = "hunter2-s3cr3t"

// dir writes a txtar archive into a new directory.
func dir(t *testing.T, archive []byte) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(archive).Files {
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

func shop(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/shop.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir(t, raw), "overlays/prod")
}

func TestRenderDoesWhatKustomizeBuildDoes(t *testing.T) {
	got, err := Options{}.Render(t.Context(), shop(t))
	if err != nil {
		t.Fatal(err)
	}
	var objects []string
	for _, doc := range strings.Split("\n"+string(got), "\n---\n")[1:] {
		var what []string
		for _, re := range []string{`\A# Source: (.*)`, `(?m)^kind: (.*)`, `(?m)^  name: (.*)`} {
			what = append(what, regexp.MustCompile(re).FindStringSubmatch(doc)[1])
		}
		objects = append(objects, strings.Join(what, " "))
	}
	want := []string{
		"../../base/deployment.yaml Deployment prod-web",
		"extra/service.yaml Service prod-web",
		"extra/service.yaml ServiceAccount prod-web-x",
		"kustomization.yaml ConfigMap prod-app-m4gg4b8mgh",
		"kustomization.yaml Secret prod-db-5ckdfmbt6c",
		"generators/generator.yaml ConfigMap prod-generated-4h2mbtbbt6",
		"../../components/tls/certificate.yaml ConfigMap prod-ca",
	}
	if d := cmp.Diff(want, objects); d != "" {
		t.Errorf("objects (-want +got):\n%s", d)
	}
	for _, line := range []string{
		"namespace: shop", "image: registry.example/web:9.1", "replicas: 3", "team: checkout", "memory: 64Mi", "docs: https://docs.example/shop",
		"automountServiceAccountToken: false", "url: https://app.example/", "secretName: tls", "see: https://docs.example/", "PASSWORD: aHVudGVyMi1zM2NyM3Q=",
	} {
		if !bytes.Contains(got, []byte(line)) {
			t.Errorf("the output lacks %q", line)
		}
	}
	if bytes.Contains(got, []byte("config.kubernetes.io/origin")) {
		t.Error("the output has annotations that the kustomization did not ask for")
	}
	const golden = "testdata/shop.golden.yaml"
	if *update {
		if err := os.WriteFile(golden, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	wanted, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(wanted), string(got)); d != "" {
		t.Errorf("output differs (-want +got); run with -update if it is right:\n%s", d)
	}
}

func TestRenderKeepsTheAnnotationsThatAreAskedFor(t *testing.T) {
	root := dir(t, []byte("-- kustomization.yaml --\nresources: [a.yaml]\nBuildMetadata: [originAnnotations, managedByLabel]\n-- a.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"))
	got, err := Options{}.Render(t.Context(), root)
	want := "---\n# Source: a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    config.kubernetes.io/origin: |\n      path: a.yaml\n  labels:\n    app.kubernetes.io/managed-by: kustomize-(devel)\n  name: a\n"
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, regexp.MustCompile(`kustomize-\S+`).ReplaceAllString(string(got), "kustomize-(devel)")); d != "" {
		t.Error(d)
	}
}

const cm = "-- a.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"

func fails(t *testing.T, path, want string) {
	t.Helper()
	out, err := Options{}.Render(t.Context(), path)
	if err == nil {
		t.Fatalf("no error, output:\n%s", out)
	}
	got, ok := strings.CutPrefix(err.Error(), "rendering kustomization "+path+": ")
	if !ok || got != want {
		t.Errorf("got error\n  %v\nwant\n  rendering kustomization %s: %s", err, path, want)
	}
	if strings.Contains(got, secret) {
		t.Errorf("the error quotes a value: %v", err)
	}
}

// No reference to elsewhere is followed, wherever it stands: a listener that
// is the proxy and the server sees nothing, and a git on the PATH is not run.
func TestRemoteIsRefused(t *testing.T) {
	var seen atomic.Int32
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			seen.Add(1)
			c.Close()
		}
	}()
	url := "http://" + listener.Addr().String()
	for _, v := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(v, url)
	}
	bin := t.TempDir()
	ran := filepath.Join(bin, "ran")
	for _, program := range []string{"git", "helm", "docker"} {
		if err := os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\n: > "+ran+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)

	const (
		refused = "is remote, and nothing is fetched: save it beside the kustomization and name the file or directory"
		helm    = "kustomize runs the helm program for this, and nothing is run: scan the chart itself"
		plugin  = `kustomize runs a program or container for this plugin, and nothing is run: scan what "kustomize build" prints`
	)
	at := func(field, entry, why string) string {
		return `kustomization.yaml: ` + field + ` "` + entry + `": ` + why
	}
	builtin := func(body string) string {
		return "|-\n  apiVersion: builtin\n  kind: X\n  metadata: {name: x}\n  " + body
	}
	for content, want := range map[string]string{
		"resources: [a.yaml, " + url + "/x.yaml]":                                     at("resources[1]", url+"/x.yaml", refused),
		"resources: ['https://user:" + secret + "@x.invalid/a?token=" + secret + "']": at("resources[0]", "https://x.invalid/a", refused),
		"resources: [github.com/org/repo]":                                            at("resources[0]", "github.com/org/repo", refused),
		"resources: ['GitHub.com/org/repo//deploy?ref=v1']":                           at("resources[0]", "GitHub.com/org/repo//deploy", refused),
		"resources: ['git@github.com:org/repo.git']":                                  at("resources[0]", "git@github.com:org/repo.git", refused),
		"resources: ['me@host.invalid:org/repo']":                                     at("resources[0]", "me@host.invalid:org/repo", refused),
		"resources: ['git::https://x.invalid/a/b']":                                   at("resources[0]", "git::https://x.invalid/a/b", refused),
		"resources: ['ssh://git@x.invalid/a/b']":                                      at("resources[0]", "ssh://x.invalid/a/b", refused),
		"resources: ['file:///srv/repo']":                                             at("resources[0]", "file:///srv/repo", refused),
		"resources: ['" + url + "/org/repo.git']":                                     at("resources[0]", url+"/org/repo.git", refused),
		"bases: [github.com/org/repo]":                                                at("resources[0]", "github.com/org/repo", refused),
		"components: [github.com/org/repo]":                                           at("components[0]", "github.com/org/repo", refused),
		"crds: ['" + url + "']":                                                       at("crds[0]", url, refused),
		"configurations: ['" + url + "']":                                             at("configurations[0]", url, refused),
		"openapi: {path: '" + url + "'}":                                              at("openapi.path", url, refused),
		"patches: [{path: '" + url + "'}]":                                            at("patches[0].path", url, refused),
		"patchesStrategicMerge: ['" + url + "']":                                      at("patchesStrategicMerge[0]", url, refused),
		"patchesJson6902: [{path: '" + url + "', target: {name: a}}]":                 at("patchesJson6902[0].path", url, refused),
		"replacements: [{path: '" + url + "'}]":                                       at("replacements[0].path", url, refused),
		"configMapGenerator: [{name: x, files: ['k=" + url + "']}]":                   at("configMapGenerator[0].files[0]", url, refused),
		"configMapGenerator: [{name: x, env: '" + url + "'}]":                         at("configMapGenerator[0].envs[0]", url, refused),
		"secretGenerator: [{name: x, envs: ['" + url + "']}]":                         at("secretGenerator[0].envs[0]", url, refused),
		"generators: ['" + url + "']":                                                 at("generators[0]", url, refused),
		"transformers: ['" + url + "']":                                               at("transformers[0]", url, refused),
		"validators: ['" + url + "']":                                                 at("validators[0]", url, refused),
		"generators:\n- " + builtin("envs: ['"+url+"']"):                              at("generators[0].envs", url, refused),
		"generators:\n- " + builtin("files: ['k="+url+"']"):                           at("generators[0].files", url, refused),
		"transformers:\n- " + builtin("path: '"+url+"'"):                              at("transformers[0].path", url, refused),
		"transformers:\n- " + builtin("replacements: [{path: '"+url+"'}]"):            at("transformers[0].path", url, refused),
		"transformers: ['{apiVersion: builtin, kind: X, path: \"" + url + "\"}']":     at("transformers[0].path", url, refused),
		"Resources: ['" + url + "']":                                                  at("resources[0]", url, refused),
		"helmCharts: [{name: redis, repo: '" + url + "'}]":                            at("helmCharts", "redis", helm),
		"helmCharts: [{name: local}]":                                                 at("helmCharts", "local", helm),
		"helmChartInflationGenerator: [{chartName: redis}]":                           at("helmCharts", "redis", helm),
		"helmGlobals: {chartHome: x}":                                                 at("helmCharts", "", helm),
		"generators:\n- |-\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: {name: x}\n  name: y\n":                                  at("generators[0]", "HelmChartInflationGenerator", helm),
		"transformers:\n- |-\n  apiVersion: v1\n  kind: Exec\n  metadata: {name: x, annotations: {config.kubernetes.io/function: 'exec: {path: ./x.sh}'}}\n": at("transformers[0]", "Exec", plugin),
		"generators: [plugin.yaml]": at("generators[0]", "Image", plugin),
		"generators: [plugins]":     `plugins/kustomization.yaml: resources[0] "Image": ` + plugin + " (from kustomization.yaml: generators[0])",
		"resources: [far]":          `far/kustomization.yaml: resources[0] "` + url + `": ` + refused + " (from kustomization.yaml: resources[0])",
	} {
		t.Run(content, func(t *testing.T) {
			archive := "-- kustomization.yaml --\n" + content + "\n" + cm +
				"-- plugin.yaml --\n{apiVersion: v1, kind: Image, metadata: {name: x, annotations: {config.kubernetes.io/function: 'container: {image: x}'}}}\n" +
				"-- plugins/kustomization.yaml --\nresources: [p.yaml]\n-- plugins/p.yaml --\n{apiVersion: v1, kind: Image, metadata: {name: x}}\n" +
				"-- far/kustomization.yaml --\nresources: ['" + url + "']\n"
			fails(t, dir(t, []byte(archive)), want)
		})
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a program was run")
	}
}

// What the walk does not find still meets the fence around the child: here a
// generator whose path appears only when kustomize patches it.
func TestTheChildCannotFetch(t *testing.T) {
	var seen atomic.Int32
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			seen.Add(1)
			c.Close()
		}
	}()
	root := dir(t, []byte(`
-- kustomization.yaml --
generators: [g]
-- g/kustomization.yaml --
resources: [g.yaml]
patches:
- target: {kind: ConfigMapGenerator}
  patch: |-
    - {op: add, path: /envs, value: ["http://`+listener.Addr().String()+`/"]}
-- g/g.yaml --
{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: x}}
`))
	if out, err := (Options{}).Render(context.Background(), root); err == nil {
		t.Fatalf("no error, output:\n%s", out)
	} else {
		t.Log(err)
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestBadKustomizations(t *testing.T) {
	const outside = "lies outside of the directory of its kustomization, which kustomize does not read: move it there, or make it a base of its own"
	const left = `its message may quote values and is left out ("kustomize build" shows it)`
	for name, c := range map[string]struct{ archive, want string }{
		"none":                 {cm, ".: holds no kustomization.yaml"},
		"two":                  {"-- kustomization.yaml --\n-- Kustomization --\n", ".: holds both kustomization.yaml and Kustomization"},
		"empty":                {"-- kustomization.yaml --\n", "kustomization.yaml: is empty"},
		"unknown field":        {"-- kustomization.yaml --\nresuorces: [a.yaml]\n" + cm, `kustomization.yaml: unknown field "resuorces"`},
		"not YAML":             {"-- kustomization.yaml --\nresources: [\n\t" + secret + "\n", "kustomization.yaml: yaml: line 2"},
		"wrong type":           {"-- kustomization.yaml --\nresources: " + secret + "\n", "kustomization.yaml: cannot unmarshal string into Go struct field Kustomization.resources of type []string"},
		"missing file":         {"-- kustomization.yaml --\nresources: [none.yaml]\n", `kustomization.yaml: resources[0] "none.yaml": no such file or directory`},
		"base without":         {"-- kustomization.yaml --\nresources: [x]\n-- x/y --\n", `x: holds no kustomization.yaml (from kustomization.yaml: resources[0])`},
		"self":                 {"-- kustomization.yaml --\nresources: [.]\n", `.: goes round in a circle: it is reached from ., which is the same or below it (from kustomization.yaml: resources[0])`},
		"parent":               {"-- k/kustomization.yaml --\nresources: [..]\n-- kustomization.yaml --\nresources: [k]\n", `..: goes round in a circle: it is reached from ., which is the same or below it (from kustomization.yaml: resources[0])`},
		"circle":               {"-- k/kustomization.yaml --\nresources: [../b]\n-- b/kustomization.yaml --\nresources: [../c]\n-- c/kustomization.yaml --\nresources: [../b]\n", `../b: goes round in a circle: it is reached from ../b, which is the same or below it (from ../c/kustomization.yaml: resources[0]) (from ../b/kustomization.yaml: resources[0]) (from kustomization.yaml: resources[0])`},
		"outside":              {"-- k/kustomization.yaml --\nresources: [../a.yaml]\n" + cm, `kustomization.yaml: resources[0] "../a.yaml": ` + outside},
		"absolute":             {"-- kustomization.yaml --\nresources: [/etc/passwd]\n", `kustomization.yaml: resources[0] "/etc/passwd": ` + outside},
		"absolute base":        {"-- kustomization.yaml --\nresources: [/etc]\n", `kustomization.yaml: resources[0] "/etc": is an absolute path, which kustomize does not follow`},
		"secret outside":       {"-- kustomization.yaml --\nsecretGenerator: [{name: s, files: [../../../../../etc/passwd]}]\n", `kustomization.yaml: secretGenerator[0].files[0] "../../../../../etc/passwd": ` + outside},
		"patch outside":        {"-- k/kustomization.yaml --\npatches: [{path: ../a.yaml}]\n" + cm, `kustomization.yaml: patches[0].path "../a.yaml": ` + outside},
		"literal":              {"-- kustomization.yaml --\nsecretGenerator: [{name: s, literals: [a=b, " + secret + "]}]\n", `kustomization.yaml: secretGenerator[0].literals[1]: must have the form key=value`},
		"env file":             {"-- kustomization.yaml --\nsecretGenerator: [{name: s, envs: [e]}]\n-- e --\n\xff" + secret + "\n", "failed; " + left},
		"twice":                {"-- kustomization.yaml --\nresources: [a.yaml, b.yaml]\n" + cm + strings.Replace(cm, "a.yaml", "b.yaml", 1), "b.yaml: may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]"},
		"resource not YAML":    {"-- kustomization.yaml --\nresources: [a.yaml]\n-- a.yaml --\na: [" + secret + "\n", "a.yaml: yaml: line 1"},
		"resource no object":   {"-- kustomization.yaml --\nresources: [a.yaml]\n-- a.yaml --\npassword: " + secret + "\n", "a.yaml: missing Resource metadata"},
		"resource a template":  {"-- kustomization.yaml --\nresources: [b/a.yaml]\n-- b/a.yaml --\n{{ if .Values.x }}\na: " + secret + "\n{{ end }}\n", "b/a.yaml: missing Resource metadata"},
		"patch without target": {"-- kustomization.yaml --\nresources: [a.yaml]\npatches: [{patch: '{apiVersion: v1, kind: Secret, metadata: {name: x}, stringData: {p: " + secret + "}}'}]\n" + cm, "no matches for Id Secret.v1.[noGrp]/x.[noNs]; no resource matches strategic merge patch \"Secret.v1.[noGrp]/x.[noNs]\"; failed to find unique target for patch Secret.v1.[noGrp]/x.[noNs]"},
		"patch no patch":       {"-- kustomization.yaml --\nresources: [a.yaml]\npatches: [{patch: '" + secret + "'}]\n" + cm, "unable to parse SM or JSON patch; trouble configuring builtin PatchTransformer"},
		"component as base":    {"-- kustomization.yaml --\nresources: [c]\n-- c/kustomization.yaml --\n{apiVersion: kustomize.config.k8s.io/v1alpha1, kind: Component, namePrefix: x}\n", "c: expected kind != 'Component' for path 'c'"},
		"kind":                 {"-- kustomization.yaml --\nkind: Deployment\nnamePrefix: x\n", "kind should be Kustomization or Component"},
	} {
		t.Run(name, func(t *testing.T) {
			root := dir(t, []byte(c.archive))
			if strings.Contains(c.archive, "-- k/") {
				root = filepath.Join(root, "k")
			}
			fails(t, root, c.want)
		})
	}
	t.Run("no such directory", func(t *testing.T) { fails(t, "testdata/none", "no such file or directory") })
	t.Run("a file", func(t *testing.T) { fails(t, "testdata/shop.txtar", "is not a directory") })
}

func TestLinksAndSpecialFiles(t *testing.T) {
	elsewhere := dir(t, []byte(cm))
	root := dir(t, []byte("-- kustomization.yaml --\nresources: [l.yaml]\n"+cm))
	link := filepath.Join(root, "l.yaml")
	if err := os.Symlink(filepath.Join(elsewhere, "a.yaml"), link); err != nil {
		t.Fatal(err)
	}
	fails(t, root, `kustomization.yaml: resources[0] "l.yaml": lies outside of the directory of its kustomization, which kustomize does not read: move it there, or make it a base of its own`)
	os.Remove(link)
	os.Symlink("a.yaml", link)
	if out, err := (Options{}).Render(t.Context(), root); err != nil || !bytes.Contains(out, []byte("name: a")) {
		t.Errorf("a link inside: got %s, %v", out, err)
	}
	os.Remove(link)
	if err := syscall.Mkfifo(link, 0o666); err != nil {
		t.Fatal(err)
	}
	fails(t, root, `kustomization.yaml: resources[0] "l.yaml": is not a regular file`)
}

// A base that is reached in 2^20 ways is walked once, and kustomize, which
// does it again and again, ends with the limit.
func TestDiamondsEndWithTheLimit(t *testing.T) {
	if !child.LimitsMemory {
		t.Skip("this build does not limit memory")
	}
	var archive strings.Builder
	archive.WriteString("-- k/kustomization.yaml --\nresources: [../l0, ../r0]\n")
	for i := range 20 {
		for _, side := range []string{"l", "r"} {
			n := string(rune('a' + i + 1))
			here := side + string(rune('a'+i))
			if i == 0 {
				here = side + "0"
			}
			archive.WriteString("-- " + here + "/kustomization.yaml --\nnamePrefix: " + side + "\nresources: [../l" + n + ", ../r" + n + "]\n")
		}
	}
	archive.WriteString("-- lu/kustomization.yaml --\nresources: [a.yaml]\n-- lu/a.yaml --\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n")
	archive.WriteString("-- ru/kustomization.yaml --\nresources: [a.yaml]\n-- ru/a.yaml --\n{apiVersion: v1, kind: Secret, metadata: {name: a}}\n")
	o := Options{Limits: child.Limits{Time: 2e9, Memory: 512 << 20}}
	_, err := o.Render(t.Context(), filepath.Join(dir(t, []byte(archive.String())), "k"))
	if err == nil || !strings.HasSuffix(err.Error(), "took longer than 2s") && !strings.HasSuffix(err.Error(), "used more than 512 MiB of memory") {
		t.Fatal(err)
	}
}

func BenchmarkRender(b *testing.B) {
	raw, err := os.ReadFile("testdata/shop.txtar")
	if err != nil {
		b.Fatal(err)
	}
	root := b.TempDir()
	for _, f := range txtar.Parse(raw).Files {
		os.MkdirAll(filepath.Dir(filepath.Join(root, f.Name)), 0o777)
		os.WriteFile(filepath.Join(root, f.Name), f.Data, 0o666)
	}
	for b.Loop() {
		if _, err := (Options{}).Render(b.Context(), filepath.Join(root, "overlays/prod")); err != nil {
			b.Fatal(err)
		}
	}
}
