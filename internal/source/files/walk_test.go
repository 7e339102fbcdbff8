package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func pod(name string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\n"
}

// tree writes files below a new directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// scan reads paths and lists the pods found and the problems, without the
// name of root.
func scan(t *testing.T, root string, o Options) (pods, problems []string, inv *inventory.Inventory) {
	t.Helper()
	b := &inventory.Builder{}
	s, err := Read(context.Background(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	inv = b.Seal(time.Time{})
	for _, p := range kind(inv, inventory.Pods) {
		pods = append(pods, p.Name)
	}
	for _, p := range s.Problems {
		problems = append(problems, strings.TrimPrefix(p.At, root+"/")+": "+p.Message)
	}
	return pods, problems, inv
}

func TestWalk(t *testing.T) {
	root := tree(t, map[string]string{
		"a.yaml": pod("a"), "b.yml": pod("b"), "sub/c.json": `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"}}`, "sub/UPPER.YAML": pod("d"),
		"readme.md": pod("no"), "script.sh": pod("no"), ".git/x.yaml": pod("no"), ".github/x.yaml": pod("no"), "node_modules/x/y.yaml": pod("no"),
		"nginx.conf": "server { listen 80; }", "overlay/kustomization.yaml": "resources: [../a.yaml]\npatches: [{path: p1.yaml}, {patch: 'x: y'}]\npatchesStrategicMerge: [p2.yaml]\n", "overlay/p1.yaml": pod("no"), "overlay/p2.yaml": pod("no"), "overlay/e.yaml": pod("e"),
		"skip/x.yaml": pod("no"), "skip/keep/y.yaml": pod("no"), "gen/x.gen.yaml": pod("no"), "gen/important.gen.yaml": pod("f"),
		".plimsollignore": "# comment\n/skip/\n*.gen.yaml\n!important.gen.yaml\n",
		"excluded/x.yaml": pod("no"), "deep/excluded/x.yaml": pod("g"), "deep/.plimsollignore": "h*.yaml\n", "deep/h1.yaml": pod("no"), "h1.yaml": pod("h"),
	})
	pods, problems, _ := scan(t, root, Options{Paths: []string{root}, Exclude: []string{"/excluded"}})
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "f", "g", "h"}, pods); diff != "" {
		t.Error(diff)
	}
	if problems != nil {
		t.Error(problems)
	}
}

func TestExplicitPaths(t *testing.T) {
	root := tree(t, map[string]string{"manifest": pod("a"), "dir/x.yaml": pod("b")})
	var progress []string
	pods, _, _ := scan(t, root, Options{
		Paths: []string{filepath.Join(root, "manifest"), filepath.Join(root, "dir"), "-"}, Stdin: strings.NewReader(pod("c")),
		Progress: func(done, total int) { progress = append(progress, fmt.Sprint(done, "/", total)) },
	})
	if diff := cmp.Diff([]string{"a", "b", "c"}, pods); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1/3", "2/3", "3/3"}, progress); diff != "" {
		t.Error(diff)
	}
	pods, _, _ = scan(t, root, Options{Paths: []string{root, filepath.Join(root, "dir")}})
	if diff := cmp.Diff([]string{"b"}, pods); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{filepath.Join(root, "nowhere"), t.TempDir(), filepath.Join(root, "*.yaml"), "/dev/null"} {
		if _, err := Read(context.Background(), &inventory.Builder{}, Options{Paths: []string{path}}); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

// Links, pipes and what cannot be opened are named; nothing blocks, comes
// twice, or leads out of the directory.
func TestOddFiles(t *testing.T) {
	outside := tree(t, map[string]string{"secret.yaml": pod("outside")})
	root := tree(t, map[string]string{"a.yaml": pod("a"), "..data/b.yaml": pod("b"), "sub/c.yaml": pod("c"), "closed.yaml": pod("closed"), "empty.yaml": ""})
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("a.yaml", "again.yaml")
	link("..data/b.yaml", "b.yaml")
	link(".", "loop")
	link("self.yaml", "self.yaml")
	link("nowhere.yaml", "dangling.yaml")
	link(filepath.Join(outside, "secret.yaml"), "out.yaml")
	link(outside, "outdir")
	if err := syscall.Mkfifo(filepath.Join(root, "pipe.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(root, "s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	want := []string{
		"dangling.yaml: a symbolic link that leads nowhere: no such file or directory",
		"empty.yaml: the file is empty",
		"out.yaml: a symbolic link that leads out of the directory: give its target as PATH",
		"outdir: a symbolic link that leads out of the directory: give its target as PATH",
		"pipe.yaml: a named pipe, which is not read",
		"s.yaml: a socket, which is not read",
		"self.yaml: a symbolic link that leads nowhere: too many links",
	}
	expected := []string{"a", "b", "c"}
	if os.Getuid() == 0 {
		expected = []string{"a", "b", "c", "closed"} // root can open anything
	} else if err := os.Chmod(filepath.Join(root, "closed.yaml"), 0); err == nil {
		want = slices.Insert(want, 0, "closed.yaml: cannot be opened: permission denied")
	}
	pods, problems, inv := scan(t, root, Options{Paths: []string{root}})
	if diff := cmp.Diff(expected, pods); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Error(diff)
	}
	if gapsOf(inv, "v1/Pod") == "" {
		t.Error("what is not read is no gap")
	}
}

func TestRenderers(t *testing.T) {
	root := tree(t, map[string]string{
		"chart/Chart.yaml": "apiVersion: v2\nname: web\n", "chart/templates/a.yaml": "{{ .Values.x }}", "chart/charts/sub/Chart.yaml": "apiVersion: v2\n",
		"plain/a.yaml": pod("plain"), "kustom/kustomization.yaml": "resources: []\n",
	})
	render := func(_ context.Context, path string) ([]byte, error) {
		return []byte("---\n# Source: web/templates/a.yaml\n" + pod(filepath.Base(path)) + "---\n# Source: web/templates/b.yaml\napiVersion: v1\nkind: Pod\nmetadata: {\n"), nil
	}
	pods, problems, inv := scan(t, root, Options{Paths: []string{root}, RenderChart: render})
	if diff := cmp.Diff([]string{"chart", "plain"}, pods); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"chart (rendered):11: column 1: not YAML: did not find expected node content"}, problems); diff != "" {
		t.Error(diff)
	}
	if at := kind(inv, inventory.Pods)[0].Locate("spec"); at != filepath.Join(root, "chart/templates/a.yaml") {
		t.Errorf("at %s", at)
	}
	pods, _, _ = scan(t, root, Options{Paths: []string{filepath.Join(root, "kustom")}, RenderKustomization: render})
	if diff := cmp.Diff([]string{"kustom"}, pods); diff != "" {
		t.Error(diff)
	}
	fail := func(context.Context, string) ([]byte, error) { return nil, errors.New("values are missing") }
	for _, o := range []Options{{RenderChart: fail}, {}} {
		o.Paths = []string{root}
		pods, problems, inv := scan(t, root, o)
		if len(pods) != 1 || len(problems) != 1 || gapsOf(inv, "v1/Pod") != "unreadable" {
			t.Errorf("%v %v %v", pods, problems, inv.AllGaps())
		}
	}
}

func TestTemplatesFolder(t *testing.T) {
	root := tree(t, map[string]string{
		"x/templates/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"{{ .Values.name }}\"\n",
		"x/templates/b.yaml": "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {summary: '{{ $labels.pod }}'}\n",
		"x/templates/c.yaml": pod("c"),
	})
	pods, problems, _ := scan(t, root, Options{Paths: []string{root}})
	if diff := cmp.Diff([]string{"c"}, pods); diff != "" {
		t.Error(diff)
	}
	if len(problems) != 1 || !strings.HasPrefix(problems[0], "x/templates/a.yaml:1: a template, not a manifest") {
		t.Error(problems)
	}
}

func TestStopped(t *testing.T) {
	root := tree(t, map[string]string{"a.yaml": pod("a")})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := &inventory.Builder{}
	if _, err := Read(ctx, b, Options{Paths: []string{root}}); err != nil {
		t.Fatal(err)
	}
	if got := gapsOf(b.Seal(time.Time{}), "v1/Pod"); got != string(report.TimedOut) {
		t.Errorf("gap %q", got)
	}
}

// repeated yields a text many times without holding it.
type repeated struct {
	head, text, tail string
	times            int
	rest             string
}

func (r *repeated) Read(p []byte) (int, error) {
	for r.rest == "" {
		switch {
		case r.head != "":
			r.rest, r.head = r.head, ""
		case r.times > 0:
			r.times--
			r.rest = r.text
		case r.tail != "":
			r.rest, r.tail = r.tail, ""
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Lists of any size are read item by item; what is large and no list is named.
func TestLargeInput(t *testing.T) {
	if testing.Short() {
		t.Skip("reads some hundred MB")
	}
	filler := strings.Repeat("x", 10_000)
	for _, c := range []struct {
		name     string
		in       *repeated
		pods     int
		problems []string
	}{
		{"JSON list", &repeated{
			head: `{"apiVersion":"v1","items":[` + "\n" + `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"first"}}`,
			text: "\n,{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"a\":\"" + filler + "\"}}", times: 5000,
			tail: "\n,{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":5}}],\"kind\":\"List\"}",
		}, 2, []string{"stdin:5003: the API server refuses the type of metadata.name (a number); read as a string"}},
		{"YAML list", &repeated{
			head: "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: first\n",
			text: "- apiVersion: v1\n  kind: ConfigMap\n  data:\n    a: " + filler + "\n", times: 5000,
			tail: "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: 5\nkind: List\nmetadata:\n  resourceVersion: \"\"\n---\n" + pod("after"),
		}, 3, []string{"stdin:20010: the API server refuses the type of metadata.name (a number); read as a string"}},
		{"one line", &repeated{head: pod("before") + "---\n", text: filler, times: 20_000}, 1, []string{"stdin:4: larger than 8 MiB, and not a list that could be read item by item"}},
		{"one line of JSON", &repeated{head: `{"apiVersion":"v1","kind":"Pod","a":"`, text: filler, times: 20_000}, 0, []string{"stdin:1: too large to be read at once"}},
		{"a large object", &repeated{head: "apiVersion: v1\nkind: Pod\nspec:\n", text: "- " + filler + "\n", times: 2000, tail: "---\n" + pod("after")}, 1, []string{"stdin:1: larger than 8 MiB, and not a list that could be read item by item"}},
		{"a truncated list", &repeated{head: `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`, text: ",\n{\"a\":\"" + filler + "\"}", times: 2000}, 1, []string{"stdin:2001: it is not JSON: it ends too early"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			pods, problems, inv := scan(t, "", Options{Paths: []string{"-"}, Stdin: c.in})
			if len(pods) != c.pods {
				t.Errorf("%d pods, want %d", len(pods), c.pods)
			}
			if diff := cmp.Diff(c.problems, problems); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(c.problems[0], "read as a string") && len(inv.Gaps("v1/Pod", "")) == 0 {
				t.Error("no gap")
			}
		})
	}
	if peak := peakMemory(t); peak > 400 {
		t.Errorf("peak memory %.0f MiB", peak)
	}
}
