package files

import (
	"bytes"
	"unicode/utf8"
)

// outliner reads an outline line by line. FuzzOutline shows that what it takes
// the parser takes as well, and as the same.
type outliner struct {
	outline
	levels []level // the open collections, the outermost first
	// pending says that the last key or dash has no value yet.
	pending bool
	// field is the outlined field that the last key is, -1 if none.
	field int
	// plain says that a plain scalar goes on in lines that are indented more.
	plain bool
	// quote is the quote that ends the scalar that was begun, 0 if none was.
	quote byte
	// block says that a block scalar goes on, in lines that are indented by
	// content; that is 0 until the first one. The empty ones above are
	// indented by at most blank.
	block          bool
	content, blank int
}

// level is a block collection.
type level struct {
	indent   int
	sequence bool
	key      []byte // the last one of a mapping
}

// read takes line n of the document. It reports false if that is left to the
// parser.
func (o *outliner) read(line []byte, n int) bool {
	body := bytes.TrimLeft(line, " ")
	indent := len(line) - len(body)
	if o.block {
		if taken, ok := o.blockLine(body, indent); taken || !ok {
			return ok
		}
	}
	body = bytes.TrimRight(body, " ")
	switch {
	case len(body) == 0:
		return true
	case !isText(body, false):
		return false
	case o.quote != 0:
		return indent > o.indent() && o.quoted(body)
	case body[0] == '#':
		o.plain = false
		return true
	case o.plain && indent > o.indent():
		return o.field < 0 && o.plainLine(body)
	case n == 1 && string(line) == "---":
		return true
	case o.line == 0:
		o.line = n
	}
	return o.node(body, indent)
}

// indent is the column of the innermost collection.
func (o *outliner) indent() int {
	if len(o.levels) == 0 {
		return -1
	}
	return o.levels[len(o.levels)-1].indent
}

// node reads what begins at a column.
func (o *outliner) node(body []byte, column int) bool {
	o.plain = false
	for body[0] == '-' && (len(body) == 1 || body[1] == ' ') {
		if !o.enter(column, true) {
			return false
		}
		rest := bytes.TrimLeft(body[1:], " ")
		if len(rest) == 0 || rest[0] == '#' {
			o.pending = true
			return true
		}
		o.pending = true
		column, body = column+len(body)-len(rest), rest
	}
	key, rest, ok := cutKey(body)
	if !ok {
		fits := o.pending && column > o.indent()
		o.pending = false
		return fits && o.scalar(body)
	}
	if !o.enter(column, false) {
		return false
	}
	o.levels[len(o.levels)-1].key = key
	if !o.see() {
		return false
	}
	if len(rest) == 0 || rest[0] == '#' {
		o.pending = true
		return true
	}
	return o.scalar(rest)
}

// enter makes the collection that has an entry at a column the innermost one.
func (o *outliner) enter(column int, sequence bool) bool {
	pending := o.pending
	o.pending, o.field = false, -1
	if len(o.levels) == 0 {
		o.levels = append(o.levels, level{})
		return column == 0 && !sequence
	}
	for o.indent() > column {
		o.levels, pending = o.levels[:len(o.levels)-1], false
	}
	switch top := o.levels[len(o.levels)-1]; {
	case top.indent == column && top.sequence == sequence:
		return true
	case pending && (top.indent < column || top.indent == column && sequence):
		o.levels = append(o.levels, level{indent: column, sequence: sequence})
		return len(o.levels) < maxLevels
	case top.indent == column && top.sequence:
		// The end of a sequence that is not indented more than its key.
		o.levels = o.levels[:len(o.levels)-1]
		top = o.levels[len(o.levels)-1]
		return top.indent == column && !top.sequence
	}
	return false
}

// see notes the key that was read, if it is an outlined one. Which of two
// counts is left to the parser.
func (o *outliner) see() bool {
	if len(o.levels) > 3 {
		return true
	}
	var array [128]byte
	path := array[:0]
	for i, l := range o.levels {
		if l.sequence {
			return true
		}
		if i > 0 {
			path = append(path, '.')
		}
		path = append(path, l.key...)
	}
	for i, name := range outlined {
		if string(path) == name {
			o.field = i
			again := o.fields[i].seen
			o.fields[i].seen = true
			return !again
		}
	}
	return true
}

// scalar reads a value, or the first line of it. Those of outlined fields have
// to be simple.
func (o *outliner) scalar(text []byte) bool {
	switch c := text[0]; c {
	case '"', '\'':
		o.quote = c
		if !o.quoted(text[1:]) {
			return false
		}
		return o.field < 0 || o.quote == 0 && o.word(text)
	case '|', '>':
		o.block, o.content, o.blank = true, 0, 0
		return o.field < 0 && (len(text) == 1 || len(text) == 2 && (text[1] == '-' || text[1] == '+'))
	case '[', '{':
		return string(text) == "[]" || string(text) == "{}"
	case '?', ':', ',', ']', '}', '#', '&', '*', '!', '%', '@', '`':
		return false
	case '-':
		if len(text) == 1 || text[1] == ' ' {
			return false
		}
	}
	return o.plainLine(text) && (o.field < 0 || o.word(text))
}

// word reads the text of an outlined field.
func (o *outliner) word(text []byte) bool {
	quoted := text[0] == '"' || text[0] == '\''
	if quoted {
		text = text[1 : len(text)-1]
	}
	for _, c := range text {
		if !isKeyByte[c] {
			return false
		}
	}
	if quoted || plain(string(text)).typ == stringScalar {
		o.fields[o.field].text = string(text)
	}
	return true
}

// plainLine reads a line of a plain scalar. A comment ends it, and a colon
// would make it something else.
func (o *outliner) plainLine(text []byte) bool {
	text, _, comment := bytes.Cut(text, []byte(" #"))
	o.plain = !comment
	return !bytes.HasSuffix(text, []byte(":")) && !bytes.Contains(text, []byte(": "))
}

// quoted reads a line of a quoted scalar.
func (o *outliner) quoted(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && o.quote == '"':
			i++
			if i < len(text) && bytes.IndexByte([]byte(`"\/ntr0abefv `), text[i]) < 0 {
				return false
			}
		case c != o.quote:
		case c == '\'' && i+1 < len(text) && text[i+1] == c:
			i++
		default:
			o.quote = 0
			rest := text[i+1:]
			return len(rest) == 0 || rest[0] == ' ' && bytes.TrimLeft(rest, " ")[0] == '#'
		}
	}
	return true
}

// blockLine takes a line of a block scalar, or ends it.
func (o *outliner) blockLine(body []byte, indent int) (taken, ok bool) {
	switch {
	case len(body) == 0:
		o.blank = max(o.blank, indent)
		return true, true
	case o.content > 0 && indent >= o.content:
		return true, isText(body, true)
	case o.content == 0 && indent > o.indent():
		o.content = indent
		return true, indent >= o.blank && body[0] != '\t' && isText(body, true)
	}
	o.block = false
	return false, o.content > 0 || o.blank == 0
}

// maxKey is far below what parsers take for a key.
const maxKey = 128

// cutKey cuts a line behind a key and its colon.
func cutKey(text []byte) (key, rest []byte, ok bool) {
	i := 0
	for i < len(text) && isKeyByte[text[i]] {
		i++
	}
	if i == 0 || i > maxKey || text[0] == '-' || i == len(text) || text[i] != ':' || i+1 < len(text) && text[i+1] != ' ' {
		return nil, nil, false
	}
	return text[:i], bytes.TrimLeft(text[i+1:], " "), true
}

var isKeyByte = func() (is [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$./-") {
		is[c] = true
	}
	return is
}()

// isText says whether all characters are ones that YAML allows, and none of
// them breaks the line or is a tab that is not expected.
func isText(line []byte, tabs bool) bool {
	for i := 0; i < len(line); {
		if c := line[i]; ' ' <= c && c <= '~' || tabs && c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(line[i:])
		switch {
		case size == 1, r < 0xA0, r == 0x2028, r == 0x2029, r == 0xFEFF, r == 0xFFFE, r == 0xFFFF:
			return false
		}
		i += size
	}
	return true
}
