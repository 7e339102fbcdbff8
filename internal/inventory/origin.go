package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Origin is where an object was observed. It is kept from the day that the
// object is decoded, because it cannot be found again later.
type Origin struct {
	// Source is the type of the source: "files", "kubeapi".
	Source string
	// Place is a file path, or "live:/api/v1/…@resourceVersion".
	Place string
	// Rendered is the chart or kustomization that the object was rendered of;
	// empty where it stands as it is.
	Rendered string
	// Line is the first line of the object in a file, counted from 1; 0 where
	// there are no lines.
	Line int32
	// Copies counts further places that say the same in the same words.
	Copies int32
	// copied are the applications of those, where no namespace is written.
	copied []string
	// Fields maps fields to lines.
	Fields *LineIndex
}

// Locate is the place of a field: "web.yaml:12". A field that is not written
// down is located at its nearest parent that is.
func (o Origin) Locate(field string) string {
	if o.Line == 0 {
		return o.Place
	}
	line := o.Line
	if l, ok := o.Fields.Line(field); ok {
		line = l
	}
	return fmt.Sprintf("%s:%d", o.Place, line)
}

// LocateLine is the place of line n, counted from 1, of the text in a field. It
// is that of the field where the text does not stand in the file line by line.
func (o Origin) LocateLine(field string, n int) string {
	if o.Line > 0 && o.Fields != nil && n > 0 {
		p := RootPath.parse(field)
		if first, ok := o.Fields.at(p[len(p)-1].Text()); ok {
			return fmt.Sprintf("%s:%d", o.Place, int(first)+n-1)
		}
	}
	return o.Locate(field)
}

func (o Origin) compare(p Origin) int {
	return cmp.Or(cmp.Compare(o.Source, p.Source), cmp.Compare(o.Place, p.Place), cmp.Compare(o.Line, p.Line))
}

// LineIndex maps the field paths of one object to lines. It keeps hashes
// instead of paths: 12 bytes a field.
type LineIndex struct {
	hashes []uint64
	lines  []int32
}

// Line returns the line of the field or of its nearest parent in the index.
func (x *LineIndex) Line(field string) (int32, bool) {
	if x == nil {
		return 0, false
	}
	for p := RootPath.parse(field); ; p = p.parent() {
		if line, ok := x.at(p[len(p)-1]); ok {
			return line, true
		}
		if len(p) == 1 {
			return 0, false
		}
	}
}

// at returns the line of exactly this path.
func (x *LineIndex) at(p Path) (int32, bool) {
	if i, ok := slices.BinarySearch(x.hashes, uint64(p)); ok {
		return x.lines[i], true
	}
	return 0, false
}

// Path is a field path as a hash, built step by step while a document is read.
type Path uint64

// RootPath is the path of the object itself.
const RootPath Path = 14695981039346656037 // FNV-1a offset basis

// Key is the path of a field of the mapping at p.
func (p Path) Key(name string) Path { return p.add("\x00").add(name) }

// Index is the path of an element of the sequence at p.
func (p Path) Index(i int) Path { return p.add("\x01").add(strconv.Itoa(i)) }

// Text is the path of the first line of the text at p, where that stands in the
// file line by line: in a literal block scalar of YAML.
func (p Path) Text() Path { return p.add("\x02") }

func (p Path) add(s string) Path {
	for i := range len(s) {
		p = (p ^ Path(s[i])) * 1099511628211
	}
	return p
}

// trail is a path with all its parents, the root first.
type trail []Path

func (t trail) parent() trail { return t[:len(t)-1] }

// parse reads the API server's notation: names after dots, "[3]" an element,
// "[app.kubernetes.io/name]" a key with characters of its own.
func (p Path) parse(field string) trail {
	t := trail{p}
	push := func(q Path) { t = append(t, q) }
	for field != "" {
		last := t[len(t)-1]
		switch {
		case field[0] == '.':
			field = field[1:]
		case field[0] == '[':
			end := strings.IndexByte(field, ']')
			if end < 0 {
				end = len(field)
			}
			inner := field[1:end]
			if i, err := strconv.Atoi(inner); err == nil {
				push(last.Index(i))
			} else {
				push(last.Key(inner))
			}
			field = field[min(end+1, len(field)):]
		default:
			end := strings.IndexAny(field, ".[")
			if end < 0 {
				end = len(field)
			}
			push(last.Key(field[:end]))
			field = field[end:]
		}
	}
	return t
}

// LineIndexBuilder collects the lines of one object's fields.
type LineIndexBuilder struct {
	fields []fieldLine
}

type fieldLine struct {
	path Path
	line int32
}

// Add records the line of a field.
func (b *LineIndexBuilder) Add(p Path, line int) {
	b.fields = append(b.fields, fieldLine{p, int32(line)})
}

// Build makes the index and empties the builder for reuse.
func (b *LineIndexBuilder) Build() *LineIndex {
	if len(b.fields) == 0 {
		return nil
	}
	slices.SortFunc(b.fields, func(x, y fieldLine) int { return cmp.Compare(x.path, y.path) })
	x := &LineIndex{hashes: make([]uint64, len(b.fields)), lines: make([]int32, len(b.fields))}
	for i, f := range b.fields {
		x.hashes[i], x.lines[i] = uint64(f.path), f.line
	}
	b.fields = b.fields[:0]
	return x
}
