package files

import (
	"bufio"
	"bytes"
	"io"
)

// document is the text of one document of a YAML stream, or of one item of a
// list that is too large to be read at once.
type document struct {
	text []byte
	line int // of its first line, counted from 1
	// cut says that it is too large, and text only its beginning.
	cut bool
	// item says that it is an item of a list.
	item bool
}

// splitter cuts a YAML stream at the lines that mark documents. They are
// marks wherever they stand at the beginning of a line, even in a block
// scalar or in quotes, so that looking at lines is exact. The text of a
// document is valid until yield returns.
type splitter struct {
	yield     func(document)
	doc       document
	documents int
	lines     int
	// content says that the document has more than comments and directives.
	content, directives bool
	items               *items // of a large list that is being read
}

func (s *splitter) split(br *bufio.Reader) error {
	start := true // of a line
	for {
		line, err := br.ReadSlice('\n')
		if len(line) > 0 {
			s.add(line, start)
			start = line[len(line)-1] == '\n'
		}
		if err != nil && err != bufio.ErrBufferFull {
			s.flush()
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}

// add takes a line, or a piece of a long one.
func (s *splitter) add(line []byte, start bool) {
	if start {
		s.lines++
		if isMark(line, "---") {
			s.flush()
		}
		if s.items != nil && s.items.next(line) {
			s.flushItem()
		}
	}
	if len(s.doc.text) == 0 && !s.doc.cut {
		s.doc.line = s.lines
	}
	s.append(line)
	if start {
		if !s.content {
			s.look(line)
		}
		if isMark(line, "...") {
			s.flush()
		}
	}
}

func (s *splitter) append(line []byte) {
	if len(s.doc.text)+len(line) > maxDocument && !s.doc.cut && !s.toItems() {
		s.doc.cut = true
	}
	if !s.doc.cut {
		s.doc.text = append(s.doc.text, line...)
	}
}

func (s *splitter) look(line []byte) {
	if isMark(line, "---") {
		line = line[3:]
	}
	switch rest := bytes.TrimLeft(line, " \t\r\n"); {
	case len(rest) == 0 || rest[0] == '#' || isMark(line, "..."):
	case line[0] == '%':
		s.directives = true
	default:
		s.content = true
	}
}

// flush ends a document. Directives belong to the one that follows.
func (s *splitter) flush() {
	switch {
	case s.items != nil:
		s.flushItem()
		s.items = nil
	case s.content:
		s.documents++
		s.yield(s.doc)
	case s.directives:
		return
	}
	s.doc = document{text: s.doc.text[:0]}
	s.content, s.directives = false, false
}

func isMark(line []byte, mark string) bool {
	return len(line) >= 3 && string(line[:3]) == mark &&
		(len(line) == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\n' || line[3] == '\r')
}
