package files

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// lineReader knows the lines of what is read through it, and refuses to run
// more than a document's size ahead of its reader.
type lineReader struct {
	r        io.Reader
	read     int64
	consumed func() int64
	breaks   []int64 // offsets of line breaks, from the last line asked for on
	line     int     // the line before breaks[0]
}

func (l *lineReader) Read(p []byte) (int, error) {
	if l.read-l.consumed() > maxDocument {
		return 0, errLarge
	}
	n, err := l.r.Read(p)
	for i := 0; i < n; i++ {
		next := bytes.IndexByte(p[i:n], '\n')
		if next < 0 {
			break
		}
		i += next
		l.breaks = append(l.breaks, l.read+int64(i))
	}
	l.read += int64(n)
	return n, err
}

// lineAt is the line of an offset. Offsets have to be asked for in order.
func (l *lineReader) lineAt(offset int64) int {
	n := 0
	for n < len(l.breaks) && l.breaks[n] < offset {
		n++
	}
	l.line += n
	l.breaks = l.breaks[:copy(l.breaks, l.breaks[n:])]
	return l.line
}

// largeJSON reads JSON text of any size: the items of a list one by one, so
// that only one of them is in memory.
func (f *file) largeJSON(r io.Reader) {
	l := &lineReader{r: r, line: 1}
	dec := jsontext.NewDecoder(l, lenient...)
	l.consumed = dec.InputOffset
	for {
		start := l.lineAt(dec.InputOffset())
		err := f.largeValue(dec, l)
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return
		case errors.Is(err, errLarge):
			f.problem(f.at(l.lineAt(dec.InputOffset())), errLarge.Error(), report.Truncated, inventory.AnyKind)
			return
		case err != nil:
			what := "it is not JSON"
			if errors.Is(err, io.ErrUnexpectedEOF) {
				what = "it is not JSON: it ends too early"
			}
			f.problem(f.at(max(start, l.lineAt(dec.InputOffset()))), what, report.Truncated, inventory.AnyKind)
			return
		}
	}
}

// largeValue reads one object whose items, if it has any, are read one by one.
func (f *file) largeValue(dec *jsontext.Decoder, l *lineReader) error {
	if dec.PeekKind() != '{' {
		_, err := dec.ReadValue()
		if err == nil {
			f.ignore("not Kubernetes", f.at(l.lineAt(dec.InputOffset())))
		}
		return err
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	list := largeList{file: f, at: f.at(l.lineAt(dec.InputOffset()))}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		if key == "items" && dec.PeekKind() == '[' {
			err = list.items(dec, l)
		} else {
			err = list.field(dec, key)
		}
		if err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	list.done()
	return nil
}

// largeList is an object of which not all is in memory.
type largeList struct {
	*file
	at       place
	header   header
	version  string // metadata.resourceVersion
	cut      bool   // metadata.continue: the server had more
	seen     bool   // it has items
	headless int    // items that leave out their kind, before it was known
}

func (list *largeList) field(dec *jsontext.Decoder, key string) error {
	switch key {
	case "apiVersion", "kind", "metadata":
	default:
		return dec.SkipValue()
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	v := &jsonValue{raw: raw, start: 1}
	switch key {
	case "apiVersion":
		list.header.apiVersion = v.text()
	case "kind":
		list.header.kind = v.text()
	case "metadata":
		list.version, list.cut = v.text("resourceVersion"), v.text("continue") != ""
	}
	return nil
}

func (list *largeList) items(dec *jsontext.Decoder, l *lineReader) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	list.seen = true
	item := list.listHeader(list.header, list.version)
	for dec.PeekKind() != ']' {
		raw, err := dec.ReadValue()
		if err != nil {
			return err
		}
		v := &jsonValue{raw: raw, start: l.lineAt(dec.InputOffset() - int64(len(raw)))}
		if item == (header{}) && headerOf(v) == (header{}) {
			list.headless++
			continue
		}
		list.document(v, item, 1)
	}
	_, err := dec.ReadToken()
	return err
}

func (list *largeList) done() {
	item := list.listHeader(list.header, list.version)
	if list.cut {
		list.cutList(item, list.at)
	}
	r := readers[item]
	c, custom := inventory.CustomFor(group(item.apiVersion), item.kind)
	var missing []report.KindID
	switch {
	case r.table != "":
		missing = append(missing, r.table)
	case custom:
		missing = append(missing, c.ID)
	case list.header == header{} || list.header.kind == "List":
		missing = append(missing, inventory.AnyKind)
	}
	switch {
	case list.headless > 0:
		list.problem(list.at, "a large list whose items leave out their kind, which stands after them", report.Unreadable, missing...)
	case !list.seen:
		list.problem(list.at, errLarge.Error()+": it is not a list", report.Truncated, inventory.AnyKind)
	}
}
