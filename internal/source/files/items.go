package files

import "bytes"

// items is the state of reading a YAML list that is too large to be read at
// once, as kubectl writes it: a top-level key items with a block sequence.
// Its items begin at lines with a dash in the same column. An item that
// parses for itself parses the same in the list, because a block sequence
// ends every scalar.
type items struct {
	dash []byte // the beginning of an item's first line: blanks and "- "
	over bool   // the items are over: other top-level keys follow
}

// next says whether a line begins another item, or the rest after them.
func (it *items) next(line []byte) bool {
	switch {
	case it.over:
		return false
	case bytes.HasPrefix(line, it.dash):
		return true
	case line[0] != ' ' && line[0] != '#' && line[0] != '\n' && line[0] != '\r' && line[0] != '-':
		it.over = true
		return true
	}
	return false
}

// toItems turns a document that is about to be too large into a list that is
// read item by item, if it is one, and yields the items that are complete.
func (s *splitter) toItems() bool {
	if s.items != nil {
		return false
	}
	start, dash := findItems(s.doc.text)
	if dash == nil {
		return false
	}
	s.items = &items{dash: dash}
	text, first := s.doc.text, s.doc.line
	line := first + bytes.Count(text[:start], newline)
	s.documents++
	for {
		end := nextItem(text, start, dash)
		if end < 0 {
			break
		}
		s.yield(document{text: text[start:end], line: line, item: true})
		line += bytes.Count(text[start:end], newline)
		start = end
	}
	rest := text[start:]
	s.doc = document{text: text[:copy(text, rest)], line: line, item: true}
	return true
}

// findItems finds the first item of a list.
func findItems(text []byte) (start int, dash []byte) {
	at := 0
	if !bytes.HasPrefix(text, []byte("items:")) {
		i := bytes.Index(text, []byte("\nitems:"))
		if i < 0 {
			return 0, nil
		}
		at = i + 1
	}
	end := bytes.IndexByte(text[at:], '\n')
	if end < 0 || len(bytes.TrimSpace(text[at+len("items:"):at+end])) > 0 {
		return 0, nil
	}
	start = at + end + 1
	blanks := len(text[start:]) - len(bytes.TrimLeft(text[start:], " "))
	if !bytes.HasPrefix(text[start+blanks:], []byte("- ")) {
		return 0, nil
	}
	return start, bytes.Clone(text[start : start+blanks+2])
}

// nextItem is where the item after the one at start begins; -1 if not in text.
func nextItem(text []byte, start int, dash []byte) int {
	i := bytes.Index(text[start:], append([]byte{'\n'}, dash...))
	if i < 0 {
		return -1
	}
	return start + i + 1
}

// flushItem ends an item, or the keys that follow the items, which are not
// needed: items name their own kind.
func (s *splitter) flushItem() {
	if !s.items.over || bytes.HasPrefix(s.doc.text, s.items.dash) || s.doc.cut {
		if len(s.doc.text) > 0 {
			s.yield(s.doc)
		}
	}
	s.doc = document{text: s.doc.text[:0], item: true}
}
