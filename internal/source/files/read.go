package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// read reads one file whatever it holds.
func (f *file) read(r io.Reader) {
	if f.in == nil {
		f.in = bufio.NewReaderSize(nil, 64<<10)
	}
	f.in.Reset(r)
	f.buffered(f.in)
}

func (f *file) buffered(br *bufio.Reader) {
	head, err := br.Peek(4096)
	switch {
	case len(head) == 0 && (err == nil || err == io.EOF):
		f.problem(f.at(0), "the file is empty", "")
		return
	case len(head) == 0:
		f.broken(err)
		return
	}
	switch text := bytes.TrimLeft(head, " \t\r\n"); {
	case f.optional && !bytes.HasPrefix(text, []byte("-----BEGIN ")) && !bytes.Contains(head, []byte("apiVersion")):
	case bytes.HasPrefix(head, utf16LE), bytes.HasPrefix(head, utf16BE):
		f.utf16(br)
	case bytes.IndexByte(head, 0) >= 0:
		f.problem(f.at(0), "binary, not text", report.Unreadable, inventory.AnyKind)
	case bytes.HasPrefix(text, []byte("-----BEGIN ")):
		f.pem(br)
	case bytes.HasPrefix(head, utf8BOM):
		_, _ = br.Discard(len(utf8BOM)) // it was peeked at
		f.buffered(br)
	case holdsPolicies(head):
		f.policies(br)
	case isJSON(f.name), bytes.HasPrefix(text, []byte("{")) && !bytes.HasPrefix(text, []byte("{{")):
		f.json(br)
	default:
		f.yaml(br)
	}
}

func isJSON(name string) bool { return strings.EqualFold(path.Ext(filepath.ToSlash(name)), ".json") }

// json reads JSON text: in memory if it is small, else list item by list
// item. What only looks like JSON is read as YAML.
func (f *file) json(r io.Reader) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	switch {
	case err != nil:
		f.broken(err)
	case len(data) > maxDocument:
		f.largeJSON(io.MultiReader(bytes.NewReader(data), r))
	case isJSON(f.name):
		if err := f.jsonValues(data, 1); err != nil {
			f.unparsable(document{text: data, line: 1}, err)
		}
	default:
		f.in.Reset(bytes.NewReader(data))
		f.yaml(f.in)
	}
}

func (f *file) yaml(br *bufio.Reader) {
	s := splitter{yield: f.yamlDocument, doc: document{text: f.text[:0]}}
	if err := s.split(br); err != nil {
		f.broken(err)
	}
	f.text = s.doc.text
	if s.documents == 0 {
		f.ignore("without a document", f.at(0))
	}
}

// broken records that a file could not be read to its end.
func (f *file) broken(err error) {
	var what string
	switch {
	case errors.Is(err, errLarge):
		what = errLarge.Error()
	default:
		what = "reading failed: " + reason(err)
	}
	f.problem(f.at(0), what, report.Truncated, inventory.AnyKind)
}

// reason is what the operating system says, without the path.
func reason(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// yamlDocument reads a document of a YAML stream, or an item of a large list.
func (f *file) yamlDocument(d document) {
	defer f.contain(f.at(d.line))
	if d.cut {
		f.unparsable(d, &fault{line: d.line, what: fmt.Sprintf("larger than %d MiB, and not a list that could be read item by item", maxDocument>>20)})
		return
	}
	f.actions = f.directory == "" && bytes.Contains(d.text, []byte("{{"))
	text := bytes.TrimLeft(d.text, " \t\r\n")
	if bytes.HasPrefix(text, []byte("{")) && f.jsonValues(d.text, d.line) == nil {
		return
	}
	if f.directory != "" {
		f.from = f.template(d)
	} else if f.looksLikeTemplate(d) {
		return
	}
	enough := func(h header) bool {
		// Kinds of other projects that make pods are told by their containers.
		return isNoEvidence(h) && (h.kind == crdKind || !bytes.Contains(d.text, []byte("containers:")))
	}
	if o, ok := outlineOf(d.text, enough); ok {
		f.outlined(o, f.at(o.line+d.line-1))
		return
	}
	if f.large != nil && len(d.text) > largeDocument {
		f.large.Lock()
		defer f.large.Unlock()
	}
	loader, err := yaml.NewLoader(bytes.NewReader(d.text), yaml.WithUniqueKeys(false))
	for err == nil {
		var n yaml.Node
		if err = loader.Load(&n); err == nil && len(n.Content) > 0 {
			f.parsed(yamlValue{n.Content[0], d.line - 1}, d)
		}
	}
	if !errors.Is(err, io.EOF) {
		f.unparsable(d, yamlFault(err, d))
	}
}

func (f *file) parsed(v yamlValue, d document) {
	if d.item {
		v.each(func(v value) {
			if v != nil {
				f.document(v, header{}, 1)
			}
		})
		return
	}
	if v.node.Kind == yaml.ScalarNode && v.node.Value == "" {
		return // an empty document
	}
	f.document(v, header{}, 0)
}

// largeDocument is where documents are read one at a time.
const largeDocument = 1 << 20

// template is the file that a rendered document says it was made of: for a
// kustomization relative to it, for a chart as Helm writes it,
// "# Source: name-of-chart/templates/web.yaml".
func (f *file) template(d document) string {
	for line := range bytes.Lines(d.text[:min(len(d.text), 4096)]) {
		if source, ok := bytes.CutPrefix(line, []byte("# Source: ")); ok {
			if f.kustomized {
				return filepath.Join(f.directory, filepath.FromSlash(string(bytes.TrimSpace(source))))
			}
			if _, rest, ok := strings.Cut(string(bytes.TrimSpace(source)), "/"); ok {
				return filepath.Join(f.directory, filepath.FromSlash(rest))
			}
		}
	}
	return f.directory
}

// looksLikeTemplate recognises the sources of templates: what is in a templates folder
// with actions in it, which may well be YAML but is not what gets applied.
func (f *file) looksLikeTemplate(d document) bool {
	if !f.actions || !inTemplates(f.name) {
		return false
	}
	k, known := skim(d.text)
	if known && k == "" {
		return false // not evidence; many kinds use {{ for themselves
	}
	f.unparsable(d, &fault{line: d.line, what: "it is in a templates folder"})
	return true
}

func inTemplates(name string) bool {
	dir := filepath.ToSlash(filepath.Dir(name))
	return dir == "templates" || strings.HasSuffix(dir, "/templates") || strings.Contains(dir, "/templates/") || strings.HasPrefix(dir, "templates/")
}

// unparsable records a document that does not parse, and which kinds may have
// been in it.
func (f *file) unparsable(d document, err *fault) {
	f.unreadable(err, "", f.at(d.line), missing(d)...)
}

// missing says which kinds an unparsable document may have held.
func missing(d document) []report.KindID {
	k, known := skim(d.text)
	switch {
	case known && k == crdTable:
		return foreignGroups(d.text)
	case known && k == "":
		return nil
	case known:
		return []report.KindID{k}
	case d.cut || bytes.Contains(d.text, []byte("kind")) && bytes.Contains(d.text, []byte("apiVersion")):
		return []report.KindID{inventory.AnyKind}
	}
	return nil
}
