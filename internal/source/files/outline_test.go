package files

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"
)

func always(header) bool { return true }

// sameAsParser fails if an outline was taken of what the parser refuses, or
// reads otherwise. It says whether one was taken.
func sameAsParser(t interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}, text []byte) bool {
	t.Helper()
	o, ok := outlineOf(text, always)
	if !ok {
		return false
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithUniqueKeys(false))
	if err != nil {
		t.Fatal(err)
	}
	var n, another yaml.Node
	if err := loader.Load(&n); err != nil {
		t.Fatalf("%q: the parser refuses it: %v", text, err)
	}
	if err := loader.Load(&another); !errors.Is(err, io.EOF) {
		t.Fatalf("%q: another document, or %v", text, err)
	}
	v := yamlValue{node: n.Content[0]}
	if !v.isMapping() || v.line() != o.line {
		t.Fatalf("%q: mapping %t at line %d, not %d", text, v.isMapping(), v.line(), o.line)
	}
	for i, name := range outlined {
		path := strings.Split(name, ".")
		if got, want := o.fields[i].text, v.text(path...); got != want {
			t.Errorf("%q: %s is %q, not %q", text, name, got, want)
		}
		if got, want := o.fields[i].seen, v.field(path...) != nil; got != want {
			t.Errorf("%q: %s seen %t, not %t", text, name, got, want)
		}
	}
	return true
}

const definition = `# made by a tool
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.16.0
  name: things.example.com # the name
spec:
  group: "example.com"
  names:
    kind: Thing
    shortNames:
    - t
    - 'th''s'
  versions:
  - name: v1
    additionalPrinterColumns: []
    schema:
      openAPIV3Schema:
        description: Thing is one of
          many - and goes on

          for paragraphs.
        properties:
          a:
            description: |-
              Text: of # its own
                - with a list

              and	a tab
            x-kubernetes-validations:
            - rule: "self.a > 1 && \
                self.b < 2"
              message: >
                folded
            -
              enum:
              -  "a"
              - - b
                - -1
          preferredDuringSchedulingIgnoredDuringExecution:
            type:
              object
    subresources: {}
`

func TestOutline(t *testing.T) {
	for _, text := range []string{
		definition, "---\n" + definition, "a: b", "a:\n- b\n- c: d\n  e:\n  - f\ng:\n", "a:\n- b\n c\n", "kind: 'b'\napiVersion: c\n", "kind: 5\napiVersion: yes\n", "spec:\n- group: a\n",
		"a: |\n\n  b\n\nc: d\n", "a: 'b\n  c\n\n  d' # e\n", "a:\n  # b\n  c: d # e\n# f\n", "a: |\nb: c\n", "a: “b”\n", "a: b\n  \n", "a:\n  \n  b\n", "metadata: {}\nspec: []\n",
	} {
		if !sameAsParser(t, []byte(text)) {
			t.Errorf("no outline of %q", text)
		}
	}
	o, ok := outlineOf([]byte(definition), always)
	if want := (header{"apiextensions.k8s.io/v1", crdKind}); !ok || o.header() != want || o.text("spec.group") != "example.com" || o.text("spec.names.kind") != "Thing" || o.line != 2 {
		t.Errorf("%t, %+v", ok, o)
	}
}

// What is not well-formed, or beyond the plain part of YAML, is left to the
// parser.
func TestNoOutline(t *testing.T) {
	for _, text := range []string{
		"", "\n", "# a\n", "---\n", "a", "- a\n", "a: b: c\n", "a: b\n c: d\n", "a:\n    b: c\n  d: e\n", "a: b\n  # c\n  d\n", "a: \"b\n", "a: \"b\nc\"\n", "a: 'b' c\n", "a: \"\\q\"\n",
		"a: |2\n   b\n", "a: |\n    \n  b\n", "a: |\n  b\n c\n", "a:\tb\n", "\ta: b\n", "a: b\r\n", "a: *b\n", "a: &b c\n", "a: !b c\n", "a: [b\n", "a: {b\n", "? a\n: b\n", "<<: {a: b}\n", "a: %b\n", "a: @b\n",
		"a: \xff\n", "a: \u2028b\n", "a: \x00\n", "\ufeffa: b\n", "a: b\n---\nc: d\n", "a: b\n...\n", "%YAML 1.1\n---\na: b\n", "kind: A\nkind: B\napiVersion: c\n", "metadata: {}\nmetadata: {}\n",
		"kind: A\n", "apiVersion: A\n", "kind: A b\napiVersion: c\n", "kind: |\n  A\napiVersion: b\n", "kind: A\n  B\napiVersion: b\n", "a: - b\n", "a: b\n- c\n", "a:\n- b:\n c: d\n", "- a\nb: c\n", "a: 'b': c\n",
		nested(maxLevels + 1),
	} {
		if o, ok := outlineOf([]byte(text), always); ok {
			t.Errorf("%q: %+v", text, o)
		}
	}
}

func nested(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// An outline is dropped as soon as the header says that it is not enough.
func TestOutlineOfEvidence(t *testing.T) {
	asked := 0
	_, ok := outlineOf([]byte(deployment), func(h header) bool { asked++; return h.kind != "Deployment" })
	if ok || asked != 1 {
		t.Errorf("%t, asked %d times", ok, asked)
	}
}

// Every document of the corpora of which an outline is taken is the same to
// the parser.
func TestCorporaOutlines(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 50 MB twice")
	}
	dir := corpus(t, "")
	var documents, bytesOf [2]int
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || !isManifestName(path) || filepath.Ext(path) == ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s := splitter{yield: func(d document) {
			i := 0
			if !d.item && !d.cut && sameAsParser(t, d.text) {
				i = 1
			}
			documents[i]++
			bytesOf[i] += len(d.text)
		}}
		return s.split(bufio.NewReader(bytes.NewReader(text)))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("an outline of %d of %d documents, %d of %d MB", documents[1], documents[0]+documents[1], bytesOf[1]>>20, (bytesOf[0]+bytesOf[1])>>20)
}

// FuzzOutline makes documents of which an outline can be taken, and compares
// each with what the parser reads.
func FuzzOutline(f *testing.F) {
	f.Add([]byte(definition))
	for _, s := range hostile {
		f.Add([]byte(s))
	}
	for _, s := range structures {
		f.Add([]byte(s))
	}
	for line := range strings.Lines(definition) {
		f.Add([]byte("metadata:\n" + line))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4<<10 {
			return
		}
		sameAsParser(t, text)
	})
}

// TestOutlineProperty puts lines together that are likely to make a document
// when they are, and likely not to when one is wrong.
func TestOutlineProperty(t *testing.T) {
	lines := rapid.SampledFrom([]string{
		"a:", "b:", "a: b", "a: b # c", "- a", "- a: b", "- a:", "- - a", "-", "- - a: b", "- # c", "-  a", "# c", "", "", "text", "more text", "text: more", "text:", "text # c", "- text: |", "a: |", "a: >-", "a: |+", "- |", "- >",
		"a: 'b", "b'", "b' # c", "a: 'b'", "a: \"b", "b\"", "b\\", "a: \"b\\", "a: \"b\\\"\"", "'a'", "\"a\" # b", "- 'a'", "- \"b", "a: []", "- {}", "[]", "a: -b", "a: - b", "a: 'b''", "kind: x", "apiVersion: y", "metadata:", "uid: z", "spec:", "names:", "kind:", "---", "...", "a: é", "a::", "a:b", "a: b:", "?", "? a", ": b", "a:  b  ", "a b: c", "#", "-a", "--", "a#b", "a: #b", "a: b#c",
	})
	all, taken := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		var b strings.Builder
		indent := 0
		for range rapid.IntRange(1, 12).Draw(rt, "lines") {
			indent = max(0, indent+rapid.SampledFrom([]int{0, 0, 0, 2, 2, -2, -4, -8, 1, -1}).Draw(rt, "step"))
			b.WriteString(strings.Repeat(" ", indent) + lines.Draw(rt, "line") + "\n")
		}
		all++
		if sameAsParser(rt, []byte(b.String())) {
			taken++
		}
	})
	t.Logf("an outline of %d of %d documents", taken, all)
}
