package group

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Plain makes text of a cluster or file safe to show. Whatever does not stand
// for itself on a line is written as an escape: control characters (with them
// terminal sequences and line breaks), direction overrides, zero-width and
// other invisible characters, bytes that are not UTF-8.
func Plain(s string) string { return escape(s, visible) }

// ASCII is Plain for a place that shows nothing but ASCII.
func ASCII(s string) string {
	return escape(s, func(r rune) bool { return ' ' <= r && r <= '~' })
}

func visible(r rune) bool {
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) && r != '\u2800'
}

func escape(s string, keep func(rune) bool) string {
	i := 0
	for i < len(s) && ' ' <= s[i] && s[i] <= '~' {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	marks := 0 // combining marks in a row: no script stacks more than a few
	for i, r := range s {
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case keep(r) && marks <= 4:
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// Name names a subject without its kind: "shop", "shop/web", "shop/web [app]".
func Name(s report.Subject) string {
	name := s.Name
	if s.Namespace != "" {
		name = s.Namespace + "/" + name
	}
	if s.Part != "" {
		name = strings.TrimPrefix(name+" ["+s.Part+"]", " ")
	}
	return name
}

// Noun writes a count with its noun: "1 box", "3 boxes", "1,200 findings".
func Noun(n int, noun string) string {
	if n != 1 {
		switch {
		case strings.HasSuffix(noun, "x"):
			noun += "es"
		default:
			noun += "s"
		}
	}
	return Number(n) + " " + noun
}

// Number writes n with separators between thousands.
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Duration writes milliseconds the way a person would say them.
func Duration(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", ms)
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// Identity says what was scanned, in the parts of one line: the cluster, or
// the sources where there is no cluster.
func Identity(r *report.Report) []string {
	c := r.Scan.Cluster
	var parts []string
	for _, s := range []string{c.Name, c.Version, c.Distribution, c.Provider} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		for _, s := range r.Scan.Sources {
			if s.Objects > 0 || len(s.Problems) > 0 || len(r.Scan.Sources) == 1 {
				parts = append(parts, s.Type+": "+s.Detail, Noun(s.Objects, "object"))
			}
		}
		return parts
	}
	for _, n := range []struct {
		count int
		noun  string
	}{{c.Nodes, "node"}, {c.Workloads, "workload"}, {c.Pods, "pod"}} {
		if n.count >= 0 {
			parts = append(parts, Noun(n.count, n.noun))
		}
	}
	return parts
}

// Live reports whether a place is in a running cluster, where the subject
// already says which object it is.
func Live(at string) bool { return strings.HasPrefix(at, "live:") }
