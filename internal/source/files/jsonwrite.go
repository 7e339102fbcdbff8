package files

import (
	"errors"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// jsonWriter converts one JSON object.
type jsonWriter struct {
	*emitter
	cursor *jsonCursor
	kind   string
}

var errJSON = errors.New("not JSON")

func (v *jsonValue) convert(e *emitter, kind string, z zone) error {
	w := jsonWriter{emitter: e, cursor: newJSONCursor(v), kind: kind}
	return w.value(z, inventory.RootPath)
}

func (w *jsonWriter) value(z zone, at inventory.Path) error {
	switch w.cursor.dec.PeekKind() {
	case '{':
		return w.mapping(z, at)
	case '[':
		return w.sequence(at)
	case 0:
		return &fault{line: w.cursor.line, what: errJSON.Error()}
	}
	raw, _ := w.cursor.value()
	w.buf = append(w.buf, raw...)
	return nil
}

func (w *jsonWriter) mapping(z zone, at inventory.Path) error {
	w.cursor.token()
	m := w.open()
	for w.cursor.dec.PeekKind() == '"' {
		name := w.cursor.token().String()
		child, treat := z.enter(w.kind, name)
		if treat != keep {
			if treat == count {
				w.countKeys()
			} else {
				w.cursor.skip()
			}
			continue
		}
		w.key(&m, name, w.cursor.line, false)
		p := at.Key(name)
		w.line(p, w.cursor.line)
		if err := w.value(child, p); err != nil {
			return err
		}
	}
	w.cursor.token()
	w.close(m)
	return nil
}

func (w *jsonWriter) sequence(at inventory.Path) error {
	w.cursor.token()
	w.buf = append(w.buf, '[')
	for i := 0; ; i++ {
		k := w.cursor.dec.PeekKind()
		if k == ']' {
			break
		}
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		p := at.Index(i)
		w.line(p, w.cursor.peekLine())
		if err := w.value(inside, p); err != nil {
			return err
		}
	}
	w.cursor.token()
	w.buf = append(w.buf, ']')
	return nil
}

// countKeys notes the keys of a Secret's data; the values are skipped.
func (w *jsonWriter) countKeys() {
	if w.cursor.dec.PeekKind() != '{' {
		w.cursor.skip()
		return
	}
	w.cursor.token()
	for w.cursor.dec.PeekKind() == '"' {
		w.secretKey(w.cursor.token().String())
		w.cursor.skip()
	}
	w.cursor.token()
}
