package files

import "github.com/plimsoll-sec/plimsoll/internal/inventory"

// value is a parsed, not yet converted piece of a document: a YAML node, or
// JSON text.
type value interface {
	// line is where it begins, counted from 1.
	line() int
	// text is the value at a path of keys, if that is a string.
	text(path ...string) string
	// field is the value at a path of keys; nil if there is none.
	field(path ...string) value
	// isMapping says whether it has keys.
	isMapping() bool
	// each calls f for the elements of a sequence; nil stands for an alias,
	// which is not followed, so that lists cannot be made to grow.
	each(f func(value))
	// convert writes it as JSON, leaving out what zone says.
	convert(e *emitter, kind string, z zone) error
}

// header is what is looked at before an object is decoded.
type header struct {
	apiVersion, kind string
}

func headerOf(v value) header { return header{v.text("apiVersion"), v.text("kind")} }

// fromServer says whether an object was saved from an API server.
func fromServer(v value) bool {
	version := v.text("metadata", "resourceVersion")
	return v.text("metadata", "uid") != "" || version != "" && version != "0" // no server writes 0, people do
}

// encode converts an object of a kind and indexes its lines.
func encode(v value, e *emitter, kind string) (*inventory.LineIndex, error) {
	e.reset()
	if err := v.convert(e, kind, atRoot); err != nil {
		return nil, err
	}
	return e.lines(), nil
}
