package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxValues bounds what is read, aliases counted each time: with them, a small
// file can stand for a huge one. A long value counts for each 100 bytes.
const maxValues = 100_000

// reader reads a file into a document, noting every mistake.
type reader struct {
	file     string
	known    names
	problems Problems
	// values counts what was read so far; lines are those of the file.
	values, lines int
}

// leaf is a value that is not made of others: it reads itself from a node,
// noting what is wrong, and describes itself as a JSON Schema.
type leaf interface {
	read(r *reader, n *yaml.Node, p place)
	schema() map[string]any
}

// field is a field of a struct in the document, as its tags describe it.
type field struct {
	name                string
	required, some, one bool
	enum                []string
	doc                 string
	index               int
}

func fields(t reflect.Type) []field {
	var fs []field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name, options, _ := strings.Cut(tag.Get("key"), ",")
		if name == "" {
			continue
		}
		is := func(option string) bool { return slices.Contains(strings.Split(options, ","), option) }
		f := field{name: name, required: is("required"), some: is("some"), one: is("one"), doc: tag.Get("doc"), index: i}
		if values := tag.Get("enum"); values != "" {
			f.enum = strings.Split(values, ",")
		}
		fs = append(fs, f)
	}
	return fs
}

// parse finds the only YAML document in data.
func (r *reader) parse(data []byte) (*yaml.Node, bool) {
	root := place{line: 1}
	if len(data) > maxBytes {
		r.problem(place{}, "is larger than %d bytes: no configuration is", maxBytes)
		return nil, false
	}
	if line := binary(data); line > 0 {
		r.problem(root.on(line), "is not text in UTF-8")
		return nil, false
	}
	r.lines = 1 + bytes.Count(bytes.TrimRight(data, "\n"), []byte("\n"))
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		r.problem(root, "is not YAML: %v", err)
		return nil, false
	}
	var doc, more yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF), err == nil && len(doc.Content) == 0:
		r.problem(root, "is empty: start it with %q", "apiVersion: "+apiVersion)
		return nil, false
	case err != nil:
		r.syntax(err)
		return nil, false
	}
	switch err := loader.Load(&more); {
	case err == nil:
		r.problem(root.on(more.Line), "a second document starts here: a configuration is one document")
		return nil, false
	case !errors.Is(err, io.EOF):
		r.syntax(err)
		return nil, false
	}
	return doc.Content[0], true
}

// binary is the first line with something that is not text, or 0.
func binary(data []byte) int {
	line := 1
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		switch {
		case c == utf8.RuneError && size == 1, c < ' ' && c != '\t' && c != '\n' && c != '\r':
			return line
		case c == '\n':
			line++
		}
		data = data[size:]
	}
	return 0
}

func (r *reader) syntax(err error) {
	const longest = 200 // the message may repeat a name from the file
	line, message := 0, err.Error()
	var load *yaml.LoadError
	if errors.As(err, &load) {
		line, message = min(load.Mark.Line, r.lines), load.Message // the end is behind the last line
	}
	if len(message) > longest {
		message = strings.ToValidUTF8(message[:longest], "") + "…"
	}
	r.problem(place{line: line}, "is not YAML: %s", message)
}

// value reads a node into v, which is part of a document.
func (r *reader) value(n *yaml.Node, v reflect.Value, p place, f field) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.values += 1 + len(n.Value)/100; r.values >= maxValues {
		r.problem(p, "is too much: with it, aliases counted, the file has more than %d values", maxValues)
		return
	}
	switch x := v.Addr().Interface().(type) {
	case leaf:
		x.read(r, n, p)
	default:
		r.collection(n, v, p, f)
	}
	if t, ok := v.Addr().Interface().(*text); ok && len(f.enum) > 0 && t.given() && !slices.Contains(f.enum, t.value) {
		r.problem(p, "%s is not %s%s", quote(t.value), strings.Join(f.enum, " or "), suggest(t.value, f.enum))
		*t = text{}
	}
}

func (r *reader) collection(n *yaml.Node, v reflect.Value, p place, f field) {
	want, called := yaml.MappingNode, "a mapping (key: value)"
	if v.Kind() == reflect.Slice {
		want, called = yaml.SequenceNode, "a list"
	}
	switch {
	case n.Kind != want && v.Kind() == reflect.Slice && f.one && n.Kind == yaml.ScalarNode:
		n = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{n}, Line: n.Line}
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		r.problem(p, "has no value: give it %s, or delete the key", called)
		return
	case n.Kind != want:
		r.problem(p, "must be %s", called)
		return
	case custom(n):
		r.problem(p, "the tag %s has no meaning here", quote(n.Tag))
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		r.sequence(n, v, p, f)
	case reflect.Map:
		r.stringMap(n, v, p)
	default:
		r.mapping(n, v, p)
	}
}

func custom(n *yaml.Node) bool {
	return !slices.Contains([]string{"", "!!map", "!!seq"}, n.ShortTag())
}

func (r *reader) sequence(n *yaml.Node, v reflect.Value, p place, f field) {
	if f.some && len(n.Content) == 0 {
		r.problem(p, "is an empty list: name something, or delete the key")
		return
	}
	for i, c := range n.Content {
		if r.full() {
			return
		}
		element := reflect.New(v.Type().Elem()).Elem()
		r.value(c, element, p.index(i).on(c.Line), field{})
		v.Set(reflect.Append(v, element))
	}
}

// entries yields the keys of a mapping with their values, each key once.
func (r *reader) entries(n *yaml.Node, p place, each func(key string, line int, value *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content) && !r.full(); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch line, again := first[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			r.problem(p.on(key.Line), "a key must be a plain name")
		case key.ShortTag() == "!!merge":
			r.problem(p.on(key.Line), "merge keys (<<) are not supported: write the keys out")
		case again:
			r.problem(p.on(key.Line), "key %s is there twice, first on line %d", quote(key.Value), line)
		default:
			first[key.Value] = key.Line
			each(key.Value, key.Line, value)
		}
	}
}

func (r *reader) mapping(n *yaml.Node, v reflect.Value, p place) {
	known := map[string]field{}
	for _, f := range fields(v.Type()) {
		known[f.name] = f
	}
	at := v.Addr().Interface().(interface{ found(place) map[string]bool }).found(p)
	r.entries(n, p, func(key string, line int, value *yaml.Node) {
		at[key] = true
		f, ok := known[key]
		if !ok {
			keys := slices.Sorted(maps.Keys(known))
			advice := suggest(key, keys)
			if advice == "" {
				advice = "; the keys here are " + strings.Join(keys, ", ")
			}
			r.problem(p.on(line), "unknown key %s%s", quote(key), advice)
			return
		}
		r.value(value, v.Field(f.index), p.field(key).on(line), f)
	})
	for _, f := range fields(v.Type()) {
		if f.required && !at[f.name] {
			r.problem(p, "key %q is missing: %s", f.name, strings.ToLower(f.doc[:1])+strings.TrimSuffix(f.doc[1:], "."))
		}
	}
}

func (r *reader) stringMap(n *yaml.Node, v reflect.Value, p place) {
	v.Set(reflect.MakeMap(v.Type()))
	r.entries(n, p, func(key string, line int, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		r.value(value, element, place{fmt.Sprintf("%s[%s]", p.key, key), line}, field{})
		v.SetMapIndex(reflect.ValueOf(key), element)
	})
}
