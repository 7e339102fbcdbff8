package credential

// A matcher finds many words in one pass over a text, in any letter case: the
// automaton of Aho and Corasick (doi 10.1145/360825.360855), as a table. It is
// what makes a long text without any credential cheap.
type matcher struct {
	class   [256]uint8 // the column of a byte; 0 for those in no word
	columns int
	next    []uint32   // next[state*columns+class]
	ends    [][]uint16 // ends[state] lists the words that end here
}

// ending marks a state in which words end.
const ending = 1 << 31

func newMatcher(words []string) *matcher {
	m := &matcher{columns: 1}
	for _, w := range words {
		for _, c := range []byte(w) {
			if m.class[lower(c)] == 0 {
				m.class[lower(c)] = uint8(m.columns)
				m.columns++
			}
		}
	}
	for c := byte('A'); c <= 'Z'; c++ {
		m.class[c] = m.class[lower(c)]
	}
	m.grow()
	for i, w := range words {
		s := 0
		for _, c := range []byte(w) {
			at := s*m.columns + int(m.class[c])
			if m.next[at] == 0 {
				m.next[at] = uint32(m.grow())
			}
			s = int(m.next[at])
		}
		m.ends[s] = append(m.ends[s], uint16(i))
	}
	m.link()
	m.flat()
	return m
}

// grow adds a state.
func (m *matcher) grow() int {
	m.next = append(m.next, make([]uint32, m.columns)...)
	m.ends = append(m.ends, nil)
	return len(m.ends) - 1
}

// link completes the trie: where a word cannot go on, it goes on as the longest
// word that could have begun later. States come in order of their depth.
func (m *matcher) link() {
	fail := make([]int, len(m.ends))
	queue := []int{0}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		m.ends[s] = append(m.ends[s], m.ends[fail[s]]...)
		for c := range m.columns {
			at := s*m.columns + c
			back := 0
			if s != 0 {
				back = int(m.next[fail[s]*m.columns+c])
			}
			if to := int(m.next[at]); to != 0 {
				fail[to] = back
				queue = append(queue, to)
			} else {
				m.next[at] = uint32(back)
			}
		}
	}
	m.ends[0] = nil
}

// flat turns states into offsets into next, with a mark where words end: a byte
// then costs two loads.
func (m *matcher) flat() {
	for i, s := range m.next {
		m.next[i] = s * uint32(m.columns)
		if len(m.ends[s]) > 0 {
			m.next[i] |= ending
		}
	}
}

// each calls found with every word in text and where it ends.
func (m *matcher) each(text string, found func(word, end int)) {
	s := uint32(0)
	for i := range len(text) {
		s = m.next[s+uint32(m.class[text[i]])]
		if s&ending == 0 {
			continue
		}
		s &^= ending
		for _, w := range m.ends[s/uint32(m.columns)] {
			found(int(w), i+1)
		}
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
