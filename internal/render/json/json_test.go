package json

import (
	"bytes"
	stdjson "encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/plimsoll-sec/plimsoll/internal/render/rendertest"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func write(t testing.TB, r *report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWrite(t *testing.T) {
	rendertest.Golden(t, "ordinary.json", write(t, rendertest.Ordinary()))
	rendertest.Golden(t, "empty.json", write(t, rendertest.Empty()))
}

// TestWriteIsTheContract compares with the standard library, which package
// report is tagged for.
func TestWriteIsTheContract(t *testing.T) {
	for name, r := range map[string]*report.Report{"ordinary": rendertest.Ordinary(), "empty": rendertest.Empty(), "hostile": rendertest.Hostile()} {
		for s := range r.Summary.Findings {
			if !slices.Contains(report.Severities, s) {
				delete(r.Summary.Findings, s) // outside the contract: it is not written
			}
		}
		got := write(t, r)
		if !bytes.HasSuffix(got, []byte("}\n")) || bytes.HasSuffix(got, []byte("\n\n")) {
			t.Errorf("%s: does not end in one newline", name)
		}
		if bytes.Contains(got, []byte(`\u003c`)) {
			t.Errorf("%s: HTML is escaped", name)
		}
		std, err := stdjson.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var want, have any
		if err := stdjson.Unmarshal(std, &want); err != nil {
			t.Fatal(err)
		}
		if err := stdjson.Unmarshal(got, &have); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s differs from the standard library (-want +got):\n%s", name, diff)
		}
	}
}

// TestWriteNothing: arrays and counts are there even where nothing is.
func TestWriteNothing(t *testing.T) {
	got := string(write(t, &report.Report{Items: []report.Item{{}}}))
	for _, want := range []string{`"sources": []`, `"checks": []`, `"not-applicable": 0`, `"critical": 0`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestRead(t *testing.T) {
	for name, r := range map[string]*report.Report{"ordinary": rendertest.Ordinary(), "empty": rendertest.Empty()} {
		first := write(t, r)
		back, err := Read(bytes.NewReader(first))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(string(first), string(write(t, back))); diff != "" {
			t.Errorf("%s changes when it is read and written (-first +second):\n%s", name, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := string(write(t, rendertest.Ordinary()))
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the report has no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, tt := range []struct{ name, doc, want string }{
		{"empty file", "", "not a plimsoll.report/v1 document"},
		{"not JSON", "plimsoll 0.1.0", "not a plimsoll.report/v1 document"},
		{"SARIF", `{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[]}`, "not a plimsoll.report/v1 document"},
		{"no schema", `{}`, "names no schema"},
		{"later schema", change(report.SchemaV1, "plimsoll.report/v2"), `its schema is "plimsoll.report/v2"`},
		{"later schema with other fields", `{"schema":"plimsoll.report/v2","new":1}`, `its schema is "plimsoll.report/v2"`},
		{"unknown field", change(`"title":`, `"titel":`), "titel"},
		{"cut off", good[:len(good)/2], "unexpected EOF"},
		{"followed by something", good + good, "after top-level value"},
		{"unknown verdict", change(`"verdict": "fail"`, `"verdict": "passed"`), `"passed" is not a verdict`},
		{"another item", change(`"id": "access/root-ca"`, `"id": "access/other"`), `"access/other"`},
		{"another item beside them", change(`"id": "application/design"`, `"id": "application/other"`), `"application/other"`},
		{"a box that claims to be none", change(`"section": "access",`, `"section": "access", "companion": true,`), `"access/system-masters"`},
		{"too few items", `{"schema":"plimsoll.report/v1","items":[]}`, "it has 0 items, the checklist has 35"},
	} {
		_, err := Read(strings.NewReader(tt.doc))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// TestComplete: whatever other formats leave out is here.
func TestComplete(t *testing.T) {
	r := rendertest.Namespaces(200)
	want := 0
	for _, it := range r.Items {
		for _, c := range it.Checks {
			want += len(c.Findings)
		}
	}
	if got := bytes.Count(write(t, r), []byte(`"fingerprint": `)); got != want || got < 2000 {
		t.Errorf("%d findings are written of %d", got, want)
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaAccepts(t *testing.T) {
	s := compile(t)
	for name, r := range map[string]*report.Report{"ordinary": rendertest.Ordinary(), "empty": rendertest.Empty(), "large": rendertest.Large(500)} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(write(t, r)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %.500v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := compile(t)
	item := func(doc map[string]any, i int) map[string]any { return doc["items"].([]any)[i].(map[string]any) }
	finding := func(doc map[string]any) map[string]any {
		return item(doc, 0)["checks"].([]any)[0].(map[string]any)["findings"].([]any)[0].(map[string]any)
	}
	for name, spoil := range map[string]func(doc map[string]any){
		"another schema":       func(doc map[string]any) { doc["schema"] = "plimsoll.report/v2" },
		"34 items":             func(doc map[string]any) { doc["items"] = doc["items"].([]any)[1:] },
		"too many items":       func(doc map[string]any) { doc["items"] = slices.Repeat(doc["items"].([]any), 2) },
		"no items":             func(doc map[string]any) { delete(doc, "items") },
		"unknown verdict":      func(doc map[string]any) { item(doc, 0)["verdict"] = "passed" },
		"unknown basis":        func(doc map[string]any) { item(doc, 1)["basis"] = "guessed" },
		"unknown field":        func(doc map[string]any) { item(doc, 0)["score"] = 10 },
		"finding without name": func(doc map[string]any) { delete(finding(doc)["subject"].(map[string]any), "name") },
		"numeric message":      func(doc map[string]any) { finding(doc)["message"] = 1 },
		"checks null":          func(doc map[string]any) { item(doc, 0)["checks"] = nil },
		"summary without fail": func(doc map[string]any) { delete(doc["summary"].(map[string]any)["items"].(map[string]any), "fail") },
		"waiver without end":   func(doc map[string]any) { finding(doc)["waived"] = map[string]any{"reason": "x"} },
		"waiver with no date":  func(doc map[string]any) { finding(doc)["waived"] = map[string]any{"reason": "x", "until": "soon"} },
		"observed not a time":  func(doc map[string]any) { doc["scan"].(map[string]any)["observed"] = "today" },
		"unknown state":        func(doc map[string]any) { doc["statements"].([]any)[0].(map[string]any)["state"] = "fine" },
	} {
		var doc map[string]any
		if err := stdjson.Unmarshal(write(t, rendertest.Ordinary()), &doc); err != nil {
			t.Fatal(err)
		}
		spoil(doc)
		if err := s.Validate(any(doc)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestEnums compares the closed vocabularies with the constants of package
// report, so that a new one cannot be forgotten here.
func TestEnums(t *testing.T) {
	declared := map[string][]string{}
	files, err := filepath.Glob("../../report/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources of package report", err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
				typ, ok1 := spec.Type.(*ast.Ident)
				lit, ok2 := spec.Values[0].(*ast.BasicLit)
				if ok1 && ok2 && lit.Kind == token.STRING {
					value, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					declared[typ.Name] = append(declared[typ.Name], value)
				}
			}
			return true
		})
	}
	for typ, values := range enums {
		want, have := slices.Sorted(slices.Values(declared[typ.Name()])), slices.Sorted(slices.Values(values))
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-declared +in the schema):\n%s", typ.Name(), diff)
		}
		delete(declared, typ.Name())
	}
	for name := range declared {
		t.Errorf("the schema has no enum for report.%s", name)
	}
}

// TestRefined proves that every refinement belongs to a field that is there.
func TestRefined(t *testing.T) {
	known := map[string]bool{}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			visit(typ.Elem())
		case reflect.Struct:
			for f := range fields(typ) {
				if key := typ.Name() + "." + f.Name; !known[key] {
					known[key] = true
					visit(f.Type)
				}
			}
		}
	}
	visit(reflect.TypeFor[report.Report]())
	for key := range refined {
		if !known[key] {
			t.Errorf("refined[%q] matches no field", key)
		}
	}
}

// peak records how far the heap has grown whenever something is written.
type peak struct {
	base, most uint64
	writes     int
}

func (p *peak) Write(b []byte) (int, error) {
	if p.writes++; p.writes%256 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.most = max(p.most, m.HeapAlloc)
	}
	return len(b), nil
}

// TestWriteStreams proves that a large report is not held a second time.
func TestWriteStreams(t *testing.T) {
	r := rendertest.Large(50_000)
	size := len(write(t, r))
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p := &peak{base: m.HeapAlloc}
	if err := Write(p, r); err != nil {
		t.Fatal(err)
	}
	if grown := int(p.most) - int(p.base); p.writes < 100 || grown > size/8 {
		t.Errorf("writing %d bytes took %d writes and %d bytes of heap", size, p.writes, grown)
	}
}

func BenchmarkWrite(b *testing.B) {
	r := rendertest.Large(50_000)
	b.SetBytes(int64(len(write(b, r))))
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	doc := write(b, rendertest.Large(50_000))
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(bytes.NewReader(doc)); err != nil {
			b.Fatal(err)
		}
	}
}
