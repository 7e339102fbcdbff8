package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in the file.
type Problem struct {
	File string
	// Line counts from 1; 0 where the mistake is that of the file as a whole.
	Line    int
	Message string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// Problems are all mistakes in a file, by line.
type Problems []Problem

// Error lists the mistakes, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems is where a file is taken for something else than a configuration
// with mistakes in it.
const maxProblems = 500

// place is where a value stands: its line, and its key as in "waivers[0].until".
type place struct {
	key  string
	line int
}

// given says whether the key was in the file.
func (p place) given() bool { return p.line > 0 }

func (p place) field(name string) place {
	if p.key != "" {
		name = p.key + "." + name
	}
	return place{name, p.line}
}

func (p place) index(i int) place { return place{fmt.Sprintf("%s[%d]", p.key, i), p.line} }

func (p place) on(line int) place { return place{p.key, line} }

// mapping is a place with keys of its own.
type mapping struct {
	place
	keys map[string]bool
}

// found notes where the mapping stands, and returns the set of its keys to fill.
func (m *mapping) found(p place) map[string]bool {
	m.place, m.keys = p, map[string]bool{}
	return m.keys
}

// says whether the mapping has one of the keys, even with a mistake in it.
func (m mapping) says(keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return m.keys[k] })
}

// problem records a mistake.
func (r *reader) problem(p place, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if p.key != "" {
		message = p.key + ": " + message
	}
	r.problems = append(r.problems, Problem{r.file, p.line, message})
}

// full says whether reading on is pointless.
func (r *reader) full() bool { return r.values >= maxValues || len(r.problems) >= maxProblems }

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	if r.full() {
		r.problem(place{}, "the rest was not read: is it a configuration of plimsoll?")
	}
	return r.problems
}

// quote puts a name from the file into a message.
func quote(s string) string {
	const longest = 80
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}

// suggest is ", did you mean …?" for the known name that is nearest to a wrong
// one, or nothing where none is near. Of an ID the part behind the section is
// enough.
func suggest(wrong string, known []string) string {
	const longest = 80 // what is longer is not a typo, and costs time
	if len(wrong) > longest {
		return ""
	}
	best, least := "", min(1+len(wrong)/4, len(wrong)-1)
	for _, name := range known {
		d := distance(strings.ToLower(wrong), strings.ToLower(name))
		if _, tail, ok := strings.Cut(name, "/"); ok && tail != "*" {
			d = min(d, distance(strings.ToLower(wrong), strings.ToLower(tail)))
		}
		if d < least || d == least && best == "" {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance is the number of characters to insert, delete, replace or swap with
// their neighbour to get from a to b (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
