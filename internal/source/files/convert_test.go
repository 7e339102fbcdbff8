package files

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"
	sigsyaml "sigs.k8s.io/yaml"
)

// toJSON converts the first document of a stream as the source does, without
// leaving anything out.
func toJSON(text []byte) ([]byte, error) {
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithUniqueKeys(false))
	if err != nil {
		return nil, err
	}
	var n yaml.Node
	if err := loader.Load(&n); err != nil {
		if errors.Is(err, io.EOF) {
			return []byte("null"), nil
		}
		return nil, err
	}
	var e emitter
	err = yamlValue{n.Content[0], 0}.convert(&e, "", inside)
	return e.buf, err
}

// generic decodes JSON without losing digits.
func generic(t testing.TB, text []byte) any {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
	if dec.More() {
		t.Fatalf("more than one value: %s", text)
	}
	return v
}

// agree compares with what kubectl makes of the same text. Only where both
// can read it must they agree.
func agree(t testing.TB, text []byte) {
	t.Helper()
	ours, err := toJSON(text)
	theirs, oracleErr := sigsyaml.YAMLToJSON(text)
	if err != nil || oracleErr != nil {
		return
	}
	if diff := cmp.Diff(generic(t, theirs), generic(t, ours)); diff != "" {
		t.Errorf("%q:\nkubectl %s\nours    %s", text, theirs, ours)
	}
}

func TestScalars(t *testing.T) {
	for _, s := range []string{
		"yes", "no", "on", "off", "y", "n", "Y", "True", "FALSE", "tRue", "~", "null", "Null", "nULL",
		"0", "-0", "+1", "0644", "08", "0o17", "0x1F", "0b101", "-0b101", "1_000", "1e3", "1.", ".5", "-.5", "+.5", ".", "..", "1e400", "1E-7", "1e21", "0.000001",
		"123456789012345678901234567890", "18446744073709551615", "9223372036854775808", "-9223372036854775808", "1:30", "12e03", "0x_1", "_1", "1__0", "-", "+", "--1",
		"2001-01-01", "2001-01-01T00:00:00Z", "2001-1-1 1:1:1", "<<", "=", "a b", "é", `"yes"`, "'0644'", "!!str 5", "!!int 5", "!!int '5'", "!!float 5", "!!float 5.5",
		"!!bool yes", "!!null ~", "!!binary aGVsbG8=", "!!timestamp 2001-01-01", "!custom 5", "! 5", "!!str yes", "[]", "{}", "[1, a, ~]", "{a: 1, 2: b, yes: c, 1.5: d, ~x: e}",
		"|\n  a\n  b", ">-\n  a\n  b", "1.0", "100.0", "1e0", "012345678", "0777", "1_0.5", "0.1e-6", "-1e-7", "685_230.15", "0x", "1e", "4294967296",
	} {
		text := []byte("a: " + s + "\n")
		ours, err := toJSON(text)
		theirs, oracleErr := sigsyaml.YAMLToJSON(text)
		if (err == nil) != (oracleErr == nil) {
			t.Errorf("%s: we %v, kubectl %v", s, err, oracleErr)
			continue
		}
		if err == nil {
			if diff := cmp.Diff(generic(t, theirs), generic(t, ours)); diff != "" {
				t.Errorf("%s: kubectl %s, ours %s", s, theirs, ours)
			}
		}
	}
}

// What JSON cannot say is refused, as kubectl refuses it.
func TestConvertRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a: .inf":                   errNumber.Error(),
		"a: .nan":                   errNumber.Error(),
		"~: a":                      errKey.Error(),
		"[a]: b":                    errKey.Error(),
		"a: !!int b":                errTag.Error(),
		"a: &x [*x]":                errCycle.Error(),
		"a: &x {<<: *x}":            errCycle.Error(),
		"a: {<<: b}":                errMerge.Error(),
		"a: &x [b]\nc: {<<: *x}":    errMerge.Error(),
		"a: !!binary '*'":           errTag.Error(),
		"18446744073709551615: key": errKey.Error(),
	} {
		_, err := toJSON([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if _, oracleErr := sigsyaml.YAMLToJSON([]byte(text)); oracleErr == nil {
			t.Errorf("%s: kubectl takes it", text)
		}
	}
}

var structures = []string{
	"a: 1\na: 2\n", "a: 1\nb: 2\na: 3\nc: 4\n", "a: {x: 1}\na: {y: 2}\n", "a: 1\na: 2\na: 3\nb: 1\n", "a: 1\nb: 1\na: 2\nb: 2\na: 3\n",
	"base: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\n", "base: &b {x: 1}\nc: {x: 5, <<: *b}\n", "a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b], z: 1}\n",
	"a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n", "a: &a 5\nb: *a\nc: [*a, *a]\n", "c: {\"<<\": {a: 1}}\n", "&a a: &b b\n*b : c\n",
	"x: &x\n  y: 1\nz:\n  <<: {y: 2}\n  y: 3\n  y: 4\n", "{a: 1, a: 2}", "1: a\n01: b\n0x1: c\n", "yes: 1\ntrue: 2\non: 3\n",
	"a: |\n  ---\n  b\n", "- a\n- b: c\n  d: e\n-\n  - f\n", "a:\n- b\n- c\n", "? a\n: b\n", "a: \"\\u0041\\n\\t\\x41\"\n", "a: 'it''s'\n", "%YAML 1.1\n---\na: b\n", "a: b\n...\n", "--- \na: b\n", "a: b # c\n#d\n",
	"# only a comment\n", "", "---\n", "a:\n", "a: \n  # c\n  b: 1\n", "\ufeffa: 1\n", "a: >\n  folded\n  text\n\n  more\n", "a: \"b\n  c\"\n", "\"a\": 1\n'b': 2\n",
}

func TestStructures(t *testing.T) {
	for _, text := range structures {
		ours, err := toJSON([]byte(text))
		theirs, oracleErr := sigsyaml.YAMLToJSON([]byte(text))
		if err != nil || oracleErr != nil {
			t.Errorf("%q: we %v, kubectl %v", text, err, oracleErr)
			continue
		}
		if diff := cmp.Diff(generic(t, theirs), generic(t, ours)); diff != "" {
			t.Errorf("%q:\nkubectl %s\nours    %s", text, theirs, ours)
		}
	}
}

// Whatever is written as YAML is read back the same, by us and by kubectl.
func TestConvertProperty(t *testing.T) {
	words := rapid.SampledFrom([]string{"yes", "on", "~", "null", "0644", "1e3", "-", "a: b", "# x", "---", "\t", " lead", "tail ", "a\nb", "é", "\"", "'", "{", "[", "&a", "*a", "!t", "%", "@", "`", "<<", "=", "2001-01-01", "0x1f", ".5", "1_0"})
	var value func(depth int) *rapid.Generator[anything]
	value = func(depth int) *rapid.Generator[anything] {
		return rapid.Custom(func(t *rapid.T) anything {
			kind := rapid.IntRange(0, 6).Draw(t, "kind")
			if depth <= 0 {
				kind %= 5
			}
			switch kind {
			case 0:
				return words.Draw(t, "word")
			case 1:
				return rapid.String().Draw(t, "string")
			case 2:
				return rapid.Int().Draw(t, "int")
			case 3:
				return rapid.Bool().Draw(t, "bool")
			case 4:
				return nil
			case 5:
				return rapid.SliceOfN(value(depth-1), 0, 4).Draw(t, "list")
			default:
				return rapid.MapOfN(words, value(depth-1), 0, 4).Draw(t, "map")
			}
		})
	}
	rapid.Check(t, func(rt *rapid.T) {
		text, err := sigsyaml.Marshal(value(4).Draw(rt, "value"))
		if err != nil {
			return // not UTF-8
		}
		agree(t, text)
	})
}

type anything = any // what YAML can say

// Every document of the corpus means the same to us as to kubectl.
func TestCorpusAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 47 MB twice")
	}
	dir := corpus(t, "real-world")
	documents := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) == ".json" || documents > 4000 {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s := splitter{yield: func(d document) {
			documents++
			agree(t, bytes.Clone(d.text))
		}}
		return s.split(bufio.NewReader(bytes.NewReader(text)))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d documents", documents)
}

// parsersDiffer matches what go-yaml v2 and v4 are known to parse in different
// ways: a colon in front of a flow indicator, which was part of a plain scalar,
// and names of anchors with anything but letters, digits, - and _.
var parsersDiffer = regexp.MustCompile(`:[]\[{},]|[&*][0-9A-Za-z_-]*[^0-9A-Za-z_\s\-,\]}]`)

func FuzzYAMLToJSON(f *testing.F) {
	for _, s := range structures {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4<<10 || parsersDiffer.Match(text) {
			return
		}
		text = append(text, '\n') // a block scalar that ends without one differs, too
		if object, err := sigsyaml.YAMLToJSON(text); err == nil && object[0] == '{' {
			agree(t, text)
		}
	})
}

// JSON is copied without loss, except for earlier ones of equal names.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"a":2}`, `{"a":1,"b":2,"a":3,"c":4}`, `{"a":{"x":1},"b":[],"a":{"y":[1,{"z":null}]}}`, `{"a":1,"b":1,"a":2,"b":2,"a":3}`,
		` [ 1 , "\u0041\ud83d\ude00" , 1e400, true ] `, `{"":{"":{}}}`, `"\ud800"`, `{"\u0061":1,"a":2}`,
		"{" + strings.TrimSuffix(strings.Repeat(`"k":1,"l":2,`, 40), ",") + "}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || !utf8.Valid(text) {
			return
		}
		raw, err := jsontext.NewDecoder(bytes.NewReader(text), lenient...).ReadValue()
		if err != nil {
			return // deeper or stranger than we take
		}
		var e emitter
		if err := (&jsonValue{raw: raw, start: 1}).convert(&e, "", inside); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(generic(t, text), generic(t, e.buf)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	})
}

// What no check reads is left out before anything is decoded.
func TestLeftOut(t *testing.T) {
	for text, want := range map[string]string{
		"kind: Pod\nmetadata: {name: a, managedFields: [b], annotations: {kubectl.kubernetes.io/last-applied-configuration: c, d: e}}\nstatus: {phase: Running, conditions: [f]}\n": `{"kind":"Pod","metadata":{"name":"a","annotations":{"d":"e"}},"status":{"phase":"Running"}}`,
		"kind: Job\nmetadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: c}}\n":                                                                               `{"kind":"Job","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"c"}}}`,
		"kind: Job\nspec: {status: a, managedFields: b}\nstatus: {phase: c}\n":                                                                                                      `{"kind":"Job","spec":{"status":"a","managedFields":"b"}}`,
		"kind: Deployment\nstatus: {observedGeneration: 1, readyReplicas: 2, conditions: [a]}\n":                                                                                    `{"kind":"Deployment","status":{"observedGeneration":1,"readyReplicas":2}}`,
		"kind: \"*\"\nstatus: {conditions: [a]}\n":                                                                                                                                  `{"kind":"*","status":{"conditions":["a"]}}`,
		"kind: Node\nstatus: {nodeInfo: {os: linux}, images: [a]}\n":                                                                                                                `{"kind":"Node","status":{"nodeInfo":{"os":"linux"}}}`,
		"kind: Secret\ntype: a\ndata: {b: c}\nstringData: {d: e}\n":                                                                                                                 `{"kind":"Secret","type":"a"}`,
	} {
		var n yaml.Node
		if err := yaml.Load([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		v := yamlValue{n.Content[0], 0}
		var e emitter
		if _, err := encode(v, &e, v.text("kind")); err != nil || string(e.buf) != want {
			t.Errorf("%s: %v", e.buf, err)
		}
		raw := slices.Clone(e.buf)
		if theirs, err := sigsyaml.YAMLToJSON([]byte(text)); err != nil {
			t.Error(err)
		} else if _, err := encode(&jsonValue{raw: theirs, start: 1}, &e, v.text("kind")); err != nil || !cmp.Equal(generic(t, raw), generic(t, e.buf)) {
			t.Errorf("from JSON: %s: %v", e.buf, err)
		}
	}
}
