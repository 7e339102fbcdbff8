package files

import (
	"cmp"

	"go.yaml.in/yaml/v4"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// yamlValue is a node of a YAML document that begins at line offset+1 of its
// file.
type yamlValue struct {
	node   *yaml.Node
	offset int
}

func (v yamlValue) line() int { return v.node.Line + v.offset }

func (v yamlValue) isMapping() bool { return v.node.Kind == yaml.MappingNode }

func (v yamlValue) text(path ...string) string {
	n := find(v.node, path)
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	if s, err := resolve(n); err == nil && s.typ == stringScalar {
		return s.text
	}
	return ""
}

func (v yamlValue) field(path ...string) value {
	if n := find(v.node, path); n != nil {
		return yamlValue{n, v.offset}
	}
	return nil
}

func (v yamlValue) each(f func(value)) {
	if v.node.Kind != yaml.SequenceNode {
		return
	}
	for _, n := range v.node.Content {
		if n.Kind == yaml.AliasNode {
			f(nil)
			continue
		}
		f(yamlValue{n, v.offset})
	}
}

// find is the node at a path of keys.
func find(n *yaml.Node, path []string) *yaml.Node {
	for _, key := range path {
		n = follow(lookup(n, key, maxMerges))
	}
	return n
}

// maxMerges is how deep merge keys may lie in each other where the identity of
// an object is looked for.
const maxMerges = 8

// lookup is the value of a key. One that is there twice counts the last time;
// merge keys are looked into for what the mapping itself does not say.
func lookup(n *yaml.Node, key string, merges int) (found *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode || merges == 0 {
		return nil
	}
	var merged *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch k, v := n.Content[i], n.Content[i+1]; {
		case isMerge(k):
			if m := lookup(follow(v), key, merges-1); m != nil {
				merged = m
			}
		case k.Kind == yaml.ScalarNode && k.Value == key:
			found = v
		}
	}
	return cmp.Or(found, merged)
}

// follow is what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	for range maxDepth {
		if n == nil || n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return nil
}

// yamlWriter converts one document.
type yamlWriter struct {
	*emitter
	kind   string
	offset int
	// nodes counts what was written, aliased what of it came from aliases.
	nodes, aliased int
	aliasDepth     int
	open           map[*yaml.Node]bool // aliases that are being expanded
}

func (v yamlValue) convert(e *emitter, kind string, z zone) error {
	w := yamlWriter{emitter: e, kind: kind, offset: v.offset}
	return w.value(v.node, z, inventory.RootPath)
}

func (w *yamlWriter) fault(n *yaml.Node, err error) error {
	return &fault{line: n.Line + w.offset, column: n.Column, what: err.Error()}
}

func (w *yamlWriter) value(n *yaml.Node, z zone, at inventory.Path) error {
	w.nodes++
	if w.aliasDepth > 0 {
		w.aliased++
		if tooManyAliases(w.aliased, w.nodes) {
			return w.fault(n, errAliases)
		}
	}
	if len(w.buf) > maxObject {
		return w.fault(n, errExpands)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return w.alias(n, func(target *yaml.Node) error { return w.value(target, z, at) })
	case yaml.MappingNode:
		return w.mapping(n, z, at)
	case yaml.SequenceNode:
		return w.sequence(n, at)
	default:
		s, err := resolve(n)
		if err == nil {
			w.buf, err = s.append(w.buf)
		}
		if err != nil {
			return w.fault(n, err)
		}
		return nil
	}
}

func (w *yamlWriter) alias(n *yaml.Node, f func(*yaml.Node) error) error {
	if w.open[n] {
		return w.fault(n, errCycle)
	}
	if w.open == nil {
		w.open = map[*yaml.Node]bool{}
	}
	w.open[n] = true
	w.aliasDepth++
	err := f(n.Alias)
	w.aliasDepth--
	delete(w.open, n)
	return err
}

func (w *yamlWriter) sequence(n *yaml.Node, at inventory.Path) error {
	w.buf = append(w.buf, '[')
	for i, c := range n.Content {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		p := at.Index(i)
		w.line(p, c.Line+w.offset)
		w.text(p, c)
		if err := w.value(c, inside, p); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, ']')
	return nil
}

func (w *yamlWriter) mapping(n *yaml.Node, z zone, at inventory.Path) error {
	m := w.emitter.open()
	if err := w.pairs(&m, n, z, at, false); err != nil {
		return err
	}
	w.close(m)
	return nil
}

// pairs writes the members of a mapping. Keys count in the order in which
// they stand, those of a merge key at its place, as in go-yaml v2.
func (w *yamlWriter) pairs(m *mapping, n *yaml.Node, z zone, at inventory.Path, merging bool) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if isMerge(k) {
			if err := w.merge(m, v, z, at); err != nil {
				return err
			}
			continue
		}
		name, err := w.keyName(k)
		if err != nil {
			return err
		}
		child, treat := z.enter(w.kind, name)
		switch treat {
		case drop:
			continue
		case count:
			w.countKeys(v)
			continue
		}
		w.key(m, name, k.Line+w.offset, merging)
		p := at.Key(name)
		w.line(p, k.Line+w.offset)
		w.text(p, v)
		if err := w.value(v, child, p); err != nil {
			return err
		}
	}
	return nil
}

// text records where the text of a literal block scalar begins: on the line
// after its indicator. The text of other scalars is folded, or decoded.
func (w *yamlWriter) text(at inventory.Path, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Style&yaml.LiteralStyle != 0 && n.Style&yaml.TaggedStyle == 0 {
		w.line(at.Text(), n.Line+w.offset+1)
	}
}

func (w *yamlWriter) keyName(k *yaml.Node) (string, error) {
	target := follow(k)
	if target == nil || target.Kind != yaml.ScalarNode {
		return "", w.fault(k, errKey)
	}
	s, err := resolve(target)
	if err != nil {
		return "", w.fault(k, err)
	}
	name, err := s.key()
	if err != nil {
		return "", w.fault(k, err)
	}
	return name, nil
}

func isMerge(k *yaml.Node) bool {
	return k.Kind == yaml.ScalarNode && k.Value == "<<" && k.Style&quoted == 0 && (k.Style&yaml.TaggedStyle == 0 || k.Tag == "!!merge")
}

// merge writes the members that a merge key brings: those of a mapping, or of
// several, where the earlier ones win.
func (w *yamlWriter) merge(m *mapping, v *yaml.Node, z zone, at inventory.Path) error {
	switch v.Kind {
	case yaml.AliasNode:
		return w.alias(v, func(target *yaml.Node) error {
			if target.Kind != yaml.MappingNode {
				return w.fault(v, errMerge)
			}
			return w.mergeOne(m, target, z, at)
		})
	case yaml.MappingNode:
		return w.mergeOne(m, v, z, at)
	case yaml.SequenceNode:
		for i := len(v.Content) - 1; i >= 0; i-- {
			if v.Content[i].Kind == yaml.SequenceNode {
				return w.fault(v.Content[i], errMerge)
			}
			if err := w.merge(m, v.Content[i], z, at); err != nil {
				return err
			}
		}
		return nil
	}
	return w.fault(v, errMerge)
}

func (w *yamlWriter) mergeOne(m *mapping, n *yaml.Node, z zone, at inventory.Path) error {
	w.nodes++
	if w.aliasDepth > 0 {
		w.aliased++
	}
	return w.pairs(m, n, z, at, true)
}

// countKeys notes the keys of a Secret's data; the values are not looked at.
func (w *yamlWriter) countKeys(v *yaml.Node) {
	n := follow(v)
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			w.countKeys(n.Content[i+1])
		} else if name, err := w.keyName(n.Content[i]); err == nil {
			w.secretKey(name)
		}
	}
}
