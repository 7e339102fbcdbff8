package credential

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// level is an object or array of a document that is being read.
type level struct {
	name  string // of the member that is being read
	array bool
	index int
	// an object of a list of variables: {"name": …, "value": …}
	label, value string
	at           int
}

// json reads a document as JSON and looks at its members; false where text is
// no such document. Texts inside it are searched by themselves: their line ends
// are escaped.
func (f *finder) json(text string) bool {
	body := strings.TrimLeft(text, " \t\r\n")
	if body == "" || body[0] != '{' && body[0] != '[' || f.layer >= maxLayers || !valid(text) {
		return false
	}
	d := jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var stack []*level
	for {
		t, err := d.ReadToken()
		if err != nil {
			return true // the end: it was valid
		}
		var top *level
		if len(stack) > 0 {
			top = stack[len(stack)-1]
		}
		switch t.Kind() {
		case '{', '[':
			stack = append(stack, &level{array: t.Kind() == '['})
			continue
		case '}', ']':
			stack = stack[:len(stack)-1]
			f.variable(stack, top, text)
			if len(stack) == 0 {
				return true
			}
			top = stack[len(stack)-1]
		case '"':
			if k, n := d.StackIndex(d.StackDepth()); k == '{' && n%2 == 1 {
				top.name = t.String()
				continue
			}
			f.member(stack, t.String(), text, int(d.InputOffset()))
		}
		top.index++
	}
}

func valid(text string) bool {
	v := jsontext.Value(text)
	return v.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// member looks at a text value that ends at end.
func (f *finder) member(stack []*level, v, text string, end int) {
	top := stack[len(stack)-1]
	pos := max(0, min(end, len(text))-1)
	if !top.array {
		switch top.name {
		case "name", "key", "Name", "Key":
			top.label = v
		case "value", "Value":
			top.value, top.at = v, pos
			return
		}
		f.assigned(understand(top.name), v, where{quoted: true, prose: f.kind.prose}, text, pos, func() string { return pathOf(stack) })
	}
	f.leaf(stack, v, text, pos)
}

// variable judges an object that pairs a name with a value.
func (f *finder) variable(stack []*level, o *level, text string) {
	if o.value == "" {
		return
	}
	f.assigned(understand(o.label), o.value, where{quoted: true, whole: o.label != ""}, text, o.at, func() string {
		return strings.Trim(pathOf(stack)+"."+o.label, ".")
	})
	f.leaf(stack, o.value, text, o.at)
}

// leaf searches a text inside a document where it is long enough to have a
// structure of its own.
func (f *finder) leaf(stack []*level, v, text string, pos int) {
	if len(v) < 8 || !strings.ContainsAny(v, "=:\n") && !strings.Contains(v, "--") {
		return
	}
	inner := finder{key: f.key, stack: stack, arg: f.arg, kind: f.kind, layer: f.layer + 1, found: f.found[:len(f.found):len(f.found)]}
	inner.text(v)
	for _, x := range inner.found[len(f.found):] {
		if f.line {
			x.Line = 1 + strings.Count(text[:pos], "\n")
		}
		f.found = append(f.found, x)
	}
}

// showable says that a name inside a text may stand in a report: an address
// with a password, or a token, may be a name too.
func showable(name string) bool {
	return len(name) <= 64 && !strings.Contains(name, "@") && !random(name)
}

func pathOf(stack []*level) string {
	var parts []string
	for _, l := range stack {
		if l.array {
			parts = append(parts, strconv.Itoa(l.index))
		} else if showable(l.name) {
			parts = append(parts, l.name)
		} else {
			parts = append(parts, "…")
		}
	}
	return strings.Join(parts, ".")
}
