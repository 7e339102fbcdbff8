package files

import (
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// emitter writes one object as JSON and remembers the line of each field. Of
// a key that is there twice the last one counts, as for kubectl. It is reused
// from object to object.
type emitter struct {
	buf     []byte
	fields  []field
	members []member
	// repeated holds the lines of keys that were there before in their mapping.
	repeated []int
	// secretKeys are the distinct keys of a Secret's data and stringData.
	secretKeys map[string]struct{}
	index      inventory.LineIndexBuilder
}

type field struct {
	path inventory.Path
	line int32 // 0: superseded by a later key
}

// member is a key of a mapping that is being written.
type member struct {
	key        string
	buf        int  // where it starts in emitter.buf
	fields     int  // where it starts in emitter.fields
	merged     bool // it came from a merge key
	superseded bool
}

func (e *emitter) reset() {
	e.buf, e.fields, e.members, e.repeated, e.secretKeys = e.buf[:0], e.fields[:0], e.members[:0], e.repeated[:0], nil
}

// secretKey counts a key of a Secret's data.
func (e *emitter) secretKey(name string) {
	if e.secretKeys == nil {
		e.secretKeys = map[string]struct{}{}
	}
	e.secretKeys[name] = struct{}{}
}

// line records where a field stands.
func (e *emitter) line(p inventory.Path, line int) {
	if line > 0 {
		e.fields = append(e.fields, field{p, int32(line)})
	}
}

// lines makes the line index of the object.
func (e *emitter) lines() *inventory.LineIndex {
	for _, f := range e.fields {
		if f.line > 0 {
			e.index.Add(f.path, int(f.line))
		}
	}
	return e.index.Build()
}

// mapping is a mapping that is being written.
type mapping struct {
	base  int            // of its members in emitter.members
	names map[string]int // members by key, for large mappings
}

func (e *emitter) open() mapping {
	e.buf = append(e.buf, '{')
	return mapping{base: len(e.members)}
}

func (e *emitter) close(m mapping) {
	e.members = e.members[:m.base]
	e.buf = append(e.buf, '}')
}

// key begins a member that stands at a line. If its key was there, what was
// written under it is taken back. That is noted, unless merge keys brought one
// of the two, which is what they are for.
func (e *emitter) key(m *mapping, name string, line int, merged bool) {
	i := e.find(m, name)
	last := len(e.members) - 1
	if i >= 0 && !merged && !e.members[i].merged {
		e.repeated = append(e.repeated, line)
	}
	switch {
	case i >= 0 && i == last:
		e.buf, e.fields = e.buf[:e.members[i].buf], e.fields[:e.members[i].fields]
		e.members = e.members[:last]
	case i >= 0:
		e.blank(i)
		fallthrough
	case last >= m.base:
		e.buf = append(e.buf, ',')
	}
	if m.names != nil {
		m.names[name] = len(e.members)
	}
	e.members = append(e.members, member{key: name, buf: len(e.buf), fields: len(e.fields), merged: merged})
	e.buf = append(appendString(e.buf, name), ':')
}

// blank overwrites member i, which is not the last one, and its comma.
func (e *emitter) blank(i int) {
	m, next := &e.members[i], e.members[i+1]
	m.superseded = true
	for j := m.buf; j < next.buf; j++ {
		e.buf[j] = ' '
	}
	for j := m.fields; j < next.fields; j++ {
		e.fields[j].line = 0
	}
}

// manyKeys is where a mapping gets an index of its keys.
const manyKeys = 32

func (e *emitter) find(m *mapping, name string) int {
	if n := len(e.members) - m.base; n >= manyKeys && m.names == nil {
		m.names = make(map[string]int, 2*n)
		for i := m.base; i < len(e.members); i++ {
			if !e.members[i].superseded {
				m.names[e.members[i].key] = i
			}
		}
	}
	if m.names != nil {
		if i, ok := m.names[name]; ok {
			return i
		}
		return -1
	}
	for i := m.base; i < len(e.members); i++ {
		if e.members[i].key == name && !e.members[i].superseded {
			return i
		}
	}
	return -1
}
