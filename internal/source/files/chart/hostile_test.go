package chart

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/plimsoll-sec/plimsoll/internal/source/files/child"
)

// secret stands in values and must never stand in an error.
const secret = "hunter2-s3cr3t"

func chartOf(name, template string) []txtar.File {
	return []txtar.File{
		{Name: "Chart.yaml", Data: []byte("{apiVersion: v2, name: c, version: 1.0.0}")},
		{Name: "values.yaml", Data: []byte("{password: " + secret + ", map: {k: " + secret + "}, list: [" + secret + "], tpl: '{{ " + secret + " }}', rec: '{{ tpl .Values.rec . }}'}")},
		{Name: name, Data: []byte(template)},
	}
}

func with(files []txtar.File, more ...txtar.File) []txtar.File { return append(files, more...) }

func fails(t *testing.T, o Options, path, want string) {
	t.Helper()
	out, err := o.Render(t.Context(), path)
	if err == nil {
		t.Fatalf("no error, output:\n%s", out)
	}
	got, ok := strings.CutPrefix(err.Error(), "rendering chart "+path+": ")
	if !ok || got != want {
		t.Errorf("got error\n  %v\nwant\n  rendering chart %s: %s", err, path, want)
	}
	if strings.Contains(got, secret) {
		t.Errorf("the error quotes a value: %v", err)
	}
}

func TestTemplateErrorsNameThePlaceAndNoValue(t *testing.T) {
	const left = `its message may quote values and is left out ("helm template" shows it)`
	for template, want := range map[string]string{
		"a: 1\nb: {{ .Values.image.tag }}":                                "c/templates/x.yaml:2: nil pointer evaluating interface {}.tag",
		"{{ required \"image.tag must be set\" .Values.tag }}":            "c/templates/x.yaml:1: image.tag must be set",
		"{{ required (printf \"not %s\" .Values.password) .Values.tag }}": "c/templates/x.yaml:1: the chart refuses these values; " + left,
		"\n{{ fail .Values.password }}":                                   "c/templates/x.yaml:2: the chart refuses these values; " + left,
		"{{ fail \"this chart needs a database\" }}":                      "c/templates/x.yaml:1: this chart needs a database",
		"{{ range .Values.password }}{{ end }}":                           "c/templates/x.yaml:1: can't iterate over this value",
		"{{ .Values.password.x }}":                                        "c/templates/x.yaml:1: can't evaluate field x in type interface {}",
		"{{ mustFromJson .Values.password }}":                             "c/templates/x.yaml:1: mustFromJson failed; " + left,
		"{{ mustToDate \"2006\" .Values.password }}":                      "c/templates/x.yaml:1: mustToDate failed; " + left,
		"{{ mustRegexMatch (printf \"[%s\" .Values.password) \"x\" }}":    "c/templates/x.yaml:1: mustRegexMatch failed; " + left,
		"{{ index .Values.list 7 }}":                                      "c/templates/x.yaml:1: index out of range: 7",
		"{{ lt .Values.password 1 }}":                                     "c/templates/x.yaml:1: incompatible types for comparison: string and int",
		"{{ upper 1 }}":                                                   "c/templates/x.yaml:1: expected string; found 1",
		"{{ upper .Values.map }}":                                         "c/templates/x.yaml:1: wrong type for value; expected string; got map[string]interface {}",
		"{{ upper }}":                                                     "c/templates/x.yaml:1: wrong number of args for upper: want 1 got 0",
		"{{ tpl .Values.tpl . }}":                                         "c/templates/x.yaml:1: tpl failed; " + left,
		"{{ include .Values.password . }}":                                "c/templates/x.yaml:1: failed; " + left,
		"{{ include \"none\" . }}":                                        `c/templates/x.yaml:1: template: no template "none" associated with template "gotpl"`,
		"{{ template \"none\" . }}":                                       `c/templates/x.yaml:1: template "none" not defined`,
		"ok\n{{ nofunction }}":                                            `c/templates/x.yaml:2: function "nofunction" not defined`,
		"{{ if }}":                                                        "c/templates/x.yaml:1: missing value for if",
		"{{ env \"HOME\" }}":                                              `c/templates/x.yaml:1: function "env" not defined`,
		"{{ .Files.Lines 1 }}":                                            "c/templates/x.yaml:1: expected string; found 1",
		"{{ define \"d\" }}\n{{ .Values.image.tag }}{{ end }}{{ include \"d\" . }}": "c/templates/x.yaml:2: nil pointer evaluating interface {}.tag",
	} {
		t.Run(template, func(t *testing.T) {
			fails(t, Options{}, dir(t, chartOf("templates/x.yaml", template)), want)
		})
	}
	t.Run("in a helper", func(t *testing.T) {
		chart := chartOf("templates/x.yaml", "\n{{ include \"d\" . }}")
		chart = with(chart, txtar.File{Name: "templates/_d.tpl", Data: []byte("{{ define \"d\" }}\n\n{{ .Values.image.tag }}{{ end }}")})
		fails(t, Options{}, dir(t, chart), "c/templates/x.yaml:2: nil pointer evaluating interface {}.tag (in c/templates/_d.tpl:3)")
	})
}

func TestBadCharts(t *testing.T) {
	yaml := func(s string) []txtar.File { return []txtar.File{{Name: "Chart.yaml", Data: []byte(s)}} }
	file := func(name, text string) txtar.File { return txtar.File{Name: name, Data: []byte(text)} }
	plain := func() []txtar.File { return chartOf("templates/x.yaml", "a: 1") }
	schema := `{"properties": {"password": {"maxLength": 3, "pattern": "^x"}, "list": {"items": {"enum": ["a"]}}, "map": {"additionalProperties": false}, "tpl": {"type": "integer"}}, "required": ["image"]}`
	for name, c := range map[string]struct {
		files []txtar.File
		o     Options
		want  string
	}{
		"no Chart.yaml":            {[]txtar.File{file("values.yaml", "{}")}, Options{}, "Chart.yaml file is missing"},
		"bad Chart.yaml":           {yaml("a: [" + secret), Options{}, "cannot load Chart.yaml: error converting YAML to JSON: yaml: line 1: did not find expected ',' or ']'"},
		"no version":               {yaml("{apiVersion: v2, name: c}"), Options{}, "validation: chart.metadata.version is required"},
		"chart v3":                 {yaml("{apiVersion: v3, name: c, version: 1.0.0}"), Options{}, `apiVersion "v3" in Chart.yaml is not known; v1 and v2 are`},
		"library":                  {yaml("{apiVersion: v2, name: c, version: 1.0.0, type: library}"), Options{}, "this is a library chart, which has no objects of its own: scan the charts that use it"},
		"needs another Kubernetes": {yaml("{apiVersion: v2, name: c, version: 1.0.0, kubeVersion: <1.20}"), Options{KubeVersion: "1.30.1"}, "the chart is for Kubernetes <1.20, not v1.30.1: give the version that you use"},
		"missing dependencies": {yaml("{apiVersion: v2, name: c, version: 1.0.0, dependencies: [{name: redis, version: 1.0.0, repository: 'https://charts.invalid'}, {name: db, alias: pg, version: 1.0.0}]}"), Options{},
			`dependencies are not in charts/: c/charts/pg, c/charts/redis: run "helm dependency build" on the chart and scan again`},
		"missing dependency of a subchart": {with(plain(), file("charts/s/Chart.yaml", "{apiVersion: v2, name: s, version: 1.0.0, dependencies: [{name: redis, version: 1.0.0}]}")), Options{},
			`dependencies are not in charts/: c/charts/s/charts/redis: run "helm dependency build" on the chart and scan again`},
		"values.yaml is not YAML":        {with(plain()[:1], file("values.yaml", "a: "+secret+"\n\tb: "+secret)), Options{}, "cannot load values.yaml: cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 2: found a tab character that violates indentation"},
		"values.yaml is a list":          {with(plain()[:1], file("values.yaml", "["+secret+"]")), Options{}, "cannot load values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}"},
		"values.yaml is a scalar":        {with(plain()[:1], file("values.yaml", secret)), Options{}, "cannot load values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type map[string]interface {}"},
		"values.yaml is a template":      {with(plain()[:1], file("values.yaml", "{{ "+secret+" }}: x")), Options{}, "cannot load values.yaml: cannot unmarshal yaml document: error converting YAML to JSON: yaml: invalid map key: …"},
		"subchart's values are no table": {with(plain(), file("charts/s/Chart.yaml", "{apiVersion: v2, name: s, version: 1.0.0}")), Options{Set: []string{"s=" + secret}}, "merging the values: type mismatch on s"},
		"set without value":              {plain(), Options{Set: []string{"a=1", secret}}, "value 2 that is set (…=…): not of the form name=value[,name=value]"},
		"set a bad index":                {plain(), Options{Set: []string{"a[x]=" + secret}}, "value 1 that is set (a[x]=…): not of the form name=value[,name=value]"},
		"values file is a URL":           {plain(), Options{Values: []string{"https://values.invalid/v.yaml"}}, "values file https://values.invalid/v.yaml: URLs are not fetched; download it and name the file"},
		"values file is missing":         {plain(), Options{Values: []string{"testdata/none.yaml"}}, "values file: open testdata/none.yaml: no such file or directory"},
		"bad release":                    {plain(), Options{Release: "A B"}, `release "A B": invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53`},
		"bad version of Kubernetes":      {plain(), Options{KubeVersion: "new"}, `reading the Kubernetes version "new": could not parse "new" as version`},
		"schema": {with(plain(), file("values.schema.json", schema)), Options{},
			"c/values.schema.json: the values do not meet the schema: / lacks image; /list/0 breaks enum; /map may not have k; /password breaks maxLength; /password breaks pattern; /tpl is string, must be integer"},
		"schema of a subchart": {with(plain(), file("charts/s/Chart.yaml", "{apiVersion: v2, name: s, version: 1.0.0}"), file("charts/s/values.schema.json", `{"required": ["x"]}`)), Options{},
			"c/charts/s/values.schema.json: the values do not meet the schema: / lacks x"},
		"schema is not JSON": {with(plain(), file("values.schema.json", "{")), Options{}, "c/values.schema.json: is not JSON: unexpected EOF"},
		"broken subchart":    {with(plain(), file("charts/s.tgz", "no gzip")), Options{}, "error unpacking subchart s.tgz in c: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, c.o, dir(t, c.files), c.want)
		})
	}
	t.Run("no such chart", func(t *testing.T) { fails(t, Options{}, "testdata/none", "no such file or directory") })
	t.Run("no archive", func(t *testing.T) {
		fails(t, Options{}, "testdata/features.txtar", "reading the archive: gzip: invalid header")
	})
	t.Run("archive with ..", func(t *testing.T) {
		fails(t, Options{}, pack(t, []txtar.File{file("../../x", "")}), "reading the archive: chart illegally references parent directory")
	})
}

// What a template can do to the process that executes it ends the child only.
func TestBombs(t *testing.T) {
	if !child.LimitsMemory {
		t.Skip("this build does not limit memory")
	}
	small := Options{Limits: child.Limits{Memory: 512 << 20, Output: 1 << 20, Time: time.Minute}}
	for name, c := range map[string]struct {
		template string
		o        Options
		want     string
	}{
		"range":    {"{{ range until 1000000000 }}{{ end }}", Options{}, "used more than 1 GiB of memory"},
		"repeat":   {`{{ repeat 2000000000 "x" }}`, Options{}, "used more than 1 GiB of memory"},
		"doubling": {`{{ $x := "xxxxxxxx" }}{{ range until 40 }}{{ $x = printf "%s%s" $x $x }}{{ end }}`, small, "used more than 512 MiB of memory"},
		"output":   {`{{ range until 40000 }}0123456789012345678901234567890123456789{{ end }}`, small, "produced more than 1 MiB of output"},
		"include":  {`{{ define "d" }}{{ include "d" . }}{{ end }}{{ include "d" . }}`, small, "c/templates/x.yaml:1: rendering template has a nested reference name: d: unable to execute template"},
		"time":     {`{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}`, Options{Limits: child.Limits{Time: time.Second}}, "took longer than 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, c.o, dir(t, chartOf("templates/x.yaml", c.template)), c.want)
		})
	}
	// Which limit these reach first is the runtime's affair.
	for name, template := range map[string]string{
		"template": `{{ define "d" }}{{ template "d" . }}{{ end }}{{ template "d" . }}`,
		"tpl":      "{{ tpl .Values.rec . }}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := small.Render(t.Context(), dir(t, chartOf("templates/x.yaml", template)))
			if err == nil || strings.Contains(err.Error(), "bug") {
				t.Fatalf("got %v", err)
			}
			t.Log(err)
		})
	}
}

func TestDeepAndLargeValues(t *testing.T) {
	chart := chartOf("templates/x.yaml", "{{ .Values.a | toJson | len }}")
	for name, c := range map[string]struct{ values, want string }{
		"9,000":   {"a: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), ""},
		"10,000":  {"a: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), "exceeded max depth"},
		"maps":    {"a: " + strings.Repeat("{a: ", 100_000) + "1" + strings.Repeat("}", 100_000), "exceeded max depth"},
		"aliases": {aliases(12), "document contains excessive aliasing"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "values.yaml")
			if err := os.WriteFile(path, []byte(c.values), 0o666); err != nil {
				t.Fatal(err)
			}
			out, err := Options{Values: []string{path}}.Render(t.Context(), dir(t, chart))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %d bytes, %v", len(out), err)
			}
		})
	}
}

// aliases is the "billion laughs" of depth n.
func aliases(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return b.String()
}

func TestLinksAndSpecialFiles(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, []byte("a: "+secret), 0o666); err != nil {
		t.Fatal(err)
	}
	const leads = ": a symbolic link leads out of the chart, which is not followed: package the chart (helm package) and scan the .tgz file"
	for name, c := range map[string]struct {
		link, to string
		want     string // of the error; empty: the linked template is rendered
	}{
		"template outside":  {"templates/l.yaml", outside, "templates/l.yaml" + leads},
		"directory outside": {"charts/l", filepath.Dir(outside), "charts/l" + leads},
		"relative outside":  {"conf", "../../../../../../../../etc", "conf" + leads},
		"values outside":    {"values.schema.json", outside, "values.schema.json" + leads},
		"inside":            {"templates/l.yaml", "x.yaml", ""},
		"ignored":           {"templates/.hidden", "/", ""},
		"loop":              {"templates/l", "../templates", "templates/l: a symbolic link leads back to a directory that it is in"},
		"self":              {"templates/l", "l", "templates/l: too many levels of symbolic links"},
		"dangling":          {"templates/l", "none", "templates/l: no such file or directory"},
		"device":            {"templates/l", "/dev/zero", "templates/l" + leads},
	} {
		t.Run(name, func(t *testing.T) {
			chart := dir(t, chartOf("templates/x.yaml", "a: 1"))
			link := filepath.Join(chart, c.link)
			os.MkdirAll(filepath.Dir(link), 0o777)
			if err := os.Symlink(c.to, link); err != nil {
				t.Fatal(err)
			}
			if c.want != "" {
				fails(t, Options{}, chart, c.want)
				return
			}
			if out, err := (Options{}).Render(t.Context(), chart); err != nil || strings.Contains(string(out), secret) {
				t.Fatalf("got %s, %v", out, err)
			}
		})
	}
	t.Run("FIFO", func(t *testing.T) {
		chart := dir(t, chartOf("templates/x.yaml", "a: 1"))
		if err := syscall.Mkfifo(filepath.Join(chart, "templates/p.yaml"), 0o666); err != nil {
			t.Fatal(err)
		}
		fails(t, Options{}, chart, "templates/p.yaml: is not a regular file")
	})
	t.Run("chart is a link", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "l")
		if err := os.Symlink(dir(t, chartOf("templates/x.yaml", "a: 1")), link); err != nil {
			t.Fatal(err)
		}
		if out, err := (Options{}).Render(t.Context(), link); err != nil || len(out) == 0 {
			t.Fatalf("got %s, %v", out, err)
		}
	})
}

// A schema, a repository and a template that ask for the network, while a
// proxy and a server listen.
func TestRenderUsesNoNetwork(t *testing.T) {
	var seen atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	defer server.Close()
	server.Config.ConnState = func(net.Conn, http.ConnState) { seen.Add(1) }
	for _, v := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(v, server.URL)
	}
	chart := []txtar.File{
		{Name: "Chart.yaml", Data: []byte("{apiVersion: v2, name: c, version: 1.0.0, icon: '" + server.URL + "/i.png', dependencies: [{name: s, version: 1.0.0, repository: '" + server.URL + "'}]}")},
		{Name: "charts/s/Chart.yaml", Data: []byte("{apiVersion: v2, name: s, version: 1.0.0}")},
		{Name: "values.schema.json", Data: []byte(`{"properties": {"a": {"$ref": "` + server.URL + `/a.json"}, "b": {"$ref": "file:///etc/passwd"}, "c": {"$ref": "https://schemas.invalid/c.json#/x"}}}`)},
		{Name: "templates/x.yaml", Data: []byte(`{{ getHostByName "example.com" }}{{ lookup "v1" "Namespace" "" "" | len }}`)},
	}
	out, err := Options{Set: []string{"a=1,b=2,c=3"}}.Render(t.Context(), dir(t, chart))
	if want := "---\n# Source: c/templates/x.yaml\n0\n"; err != nil || string(out) != want {
		t.Fatalf("got %q, %v", out, err)
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}
