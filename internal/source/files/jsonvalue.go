package files

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonValue is JSON text that is known to be well-formed and begins at a line
// of its file.
type jsonValue struct {
	raw   jsontext.Value
	start int
	// fields are the members of an object, once they were asked for. Of equal
	// names the last one counts.
	fields map[string]*jsonValue
}

// lenient takes what kubectl takes.
var lenient = []jsontext.Options{
	jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true),
}

func (v *jsonValue) line() int { return v.start }

func (v *jsonValue) isMapping() bool { return v.raw.Kind() == '{' }

func (v *jsonValue) text(path ...string) string {
	f := v.find(path)
	if f == nil || f.raw.Kind() != '"' {
		return ""
	}
	s, err := jsontext.AppendUnquote(nil, f.raw)
	if err != nil {
		return ""
	}
	return string(s)
}

func (v *jsonValue) field(path ...string) value {
	if f := v.find(path); f != nil {
		return f
	}
	return nil
}

func (v *jsonValue) find(path []string) *jsonValue {
	for _, key := range path {
		if v == nil || !v.isMapping() {
			return nil
		}
		if v.fields == nil {
			v.index()
		}
		v = v.fields[key]
	}
	return v
}

// index reads the members of an object.
func (v *jsonValue) index() {
	v.fields = map[string]*jsonValue{}
	c := newJSONCursor(v)
	c.token()
	for c.dec.PeekKind() == '"' {
		name := c.token().String()
		raw, line := c.value()
		v.fields[name] = &jsonValue{raw: raw, start: line}
	}
}

func (v *jsonValue) each(f func(value)) {
	if v.raw.Kind() != '[' {
		return
	}
	c := newJSONCursor(v)
	c.token()
	for k := c.dec.PeekKind(); k != ']' && k != 0; k = c.dec.PeekKind() {
		raw, line := c.value()
		f(&jsonValue{raw: raw, start: line})
	}
}

// jsonCursor reads well-formed JSON and knows the line it is at.
type jsonCursor struct {
	dec  *jsontext.Decoder
	raw  []byte
	at   int // offset up to which lines were counted
	line int
}

func newJSONCursor(v *jsonValue) *jsonCursor {
	return &jsonCursor{dec: jsontext.NewDecoder(bytes.NewBuffer(v.raw), lenient...), raw: v.raw, line: v.start}
}

// token reads the next token and moves the line to it. The text was read
// before, so that it cannot fail.
func (c *jsonCursor) token() jsontext.Token {
	tok, err := c.dec.ReadToken()
	if err != nil {
		return jsontext.Null
	}
	c.advance(int(c.dec.InputOffset()))
	return tok
}

// value reads the next value and returns its line.
func (c *jsonCursor) value() (jsontext.Value, int) {
	raw, err := c.dec.ReadValue()
	if err != nil {
		return nil, c.line
	}
	end := int(c.dec.InputOffset())
	c.advance(end - len(raw))
	line := c.line
	c.advance(end)
	return raw, line
}

// peekLine is the line of the next token, whose kind was peeked at.
func (c *jsonCursor) peekLine() int {
	to := c.at
	for to < len(c.raw) && bytes.IndexByte(blanks, c.raw[to]) >= 0 {
		to++
	}
	c.advance(to)
	return c.line
}

func (c *jsonCursor) skip() {
	if c.dec.SkipValue() == nil {
		c.advance(int(c.dec.InputOffset()))
	}
}

// advance counts lines up to an offset. A token has no line break inside.
func (c *jsonCursor) advance(to int) {
	c.line += bytes.Count(c.raw[c.at:to], newline)
	c.at = to
}

var (
	newline = []byte{'\n'}
	blanks  = []byte(" \t\r\n,")
)
