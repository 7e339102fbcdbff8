package files

import (
	"bytes"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// outline is what is looked at in a document that is no evidence. More than
// half of what is scanned is CustomResourceDefinitions and the like; they are
// only counted, and still have to be well-formed, because what does not parse
// might have been anything.
type outline struct {
	line   int // of the first key
	fields [len(outlined)]outlinedField
}

type outlinedField struct {
	seen bool
	text string // its value, if that is a string
}

// outlined are the paths of the fields.
var outlined = [...]string{"apiVersion", "kind", "metadata", "metadata.uid", "metadata.resourceVersion", "spec", "spec.group", "spec.names", "spec.names.kind"}

// text is the value at a path, if that is a string.
func (o *outline) text(path string) string {
	for i, name := range outlined {
		if name == path {
			return o.fields[i].text
		}
	}
	return ""
}

func (o *outline) header() header { return header{o.fields[0].text, o.fields[1].text} }

// maxLevels bounds the nesting of an outline.
const maxLevels = 64

// outlineOf reads the outline of a document without the parser, unless enough
// says of its header that an outline is not enough. It takes the plain part of
// YAML that most tools write: block mappings and sequences, plain, quoted and
// block scalars, comments. It reports false for whatever goes beyond that, and
// for what is not well-formed.
func outlineOf(text []byte, enough func(header) bool) (*outline, bool) {
	o := outliner{levels: make([]level, 0, 16), field: -1}
	asked := false
	for n := 1; len(text) > 0; n++ {
		var line []byte
		line, text, _ = bytes.Cut(text, newline)
		if !o.read(line, n) {
			return nil, false
		}
		if h := o.header(); !asked && h.apiVersion != "" && h.kind != "" {
			if asked = true; !enough(h) {
				return nil, false
			}
		}
	}
	h := o.header()
	return &o.outline, o.line > 0 && o.quote == 0 && (h.apiVersion == "") == (h.kind == "")
}

// isNoEvidence says of a document by its header alone that nothing more of it
// is read than its outline.
func isNoEvidence(h header) bool {
	if _, known := readers[h]; known || strings.HasSuffix(h.kind, "List") {
		return false
	}
	g := group(h.apiVersion)
	if builtIn(g) {
		_, known := misnamed(h)
		return !known && h.kind != "Config" && h.kind != "EncryptionConfig"
	}
	if _, read := inventory.CustomFor(g, h.kind); read {
		return false
	}
	// Configuration files of components are all in such groups.
	return h.kind == crdKind || !strings.HasSuffix(g, ".k8s.io") && g != group(inventory.AccessReviewVersion)
}

// outlined counts a document that is no evidence, as [file.document] would.
func (f *file) outlined(o *outline, at place) {
	h := o.header()
	switch {
	case h == header{}:
		f.ignore("not Kubernetes", at)
		return
	case h.kind == crdKind:
		f.definition(o.text("spec.group"), o.text("spec.names.kind"), at)
	default:
		f.foreignKind(group(h.apiVersion), h.kind, at, "an object")
		if makers[header{group(h.apiVersion), h.kind}] && o.text("metadata.uid") == "" {
			f.unseenPods(h, at)
		}
		f.ignore(h.kind, at)
	}
	version := o.text("metadata.resourceVersion")
	f.saved = f.saved || o.text("metadata.uid") != "" || version != "" && version != "0"
}
