package terminal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// subject names whom one finding is about, and for how many objects it stands.
func (p *page) subject(f *report.Finding) string {
	name := p.plain(strings.TrimSpace(f.Subject.Kind + " " + group.Name(f.Subject)))
	if f.Count > 1 {
		name += fmt.Sprintf(" (%s%d)", p.glyph.times, f.Count)
	}
	return name
}

// subjects names the first objects and the number of the others; where those
// are spread over many namespaces, the namespaces with most of them instead. A
// kind is said where it differs from the one before, and from the noun that
// introduces the list.
func (p *page) subjects(findings []*report.Finding, noun string, columns int) (text string, spread bool) {
	var all []report.Subject
	seen := map[report.Subject]bool{}
	for _, f := range findings {
		s := f.Subject
		s.Part, s.Copy = "", 0
		if !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	if len(all) > listed {
		slices.SortStableFunc(all, func(a, b report.Subject) int { return cmp.Compare(p.weight(b), p.weight(a)) })
	}
	said := noun
	for i, s := range all {
		name := p.plain(group.Name(s))
		if s.Kind != "" && !strings.EqualFold(s.Kind, said) {
			name = p.plain(s.Kind) + " " + name
			said = s.Kind
		}
		if text != "" {
			name = ", " + name
		}
		rest := ""
		if n := len(all) - i - 1; n > 0 {
			rest = fmt.Sprintf(" and %s more", group.Number(n))
		}
		if text != "" && p.width(text+name+rest) > columns {
			if in := group.Namespaces(findings); len(in) > fewNamespaces && !strings.EqualFold(s.Kind, "Namespace") {
				return p.spread(in, columns), true
			}
			return text + fmt.Sprintf(" and %s more", group.Number(len(all)-i)), false
		}
		text += name
	}
	return text, false
}

// weight is the number of findings in a Namespace: of many, those are named
// that need most work. Others stand as they are.
func (p *page) weight(s report.Subject) int {
	if s.Kind != "Namespace" {
		return 0
	}
	return p.findings[s.Name]
}

// spread counts the namespaces, and names those with most findings.
func (p *page) spread(all []group.Namespace, columns int) string {
	text, rest := "in "+group.Noun(len(all), "namespace")+": ", ", "+p.glyph.ellipsis
	for i, n := range all {
		name := fmt.Sprintf("%s (%s)", p.plain(n.Name), group.Number(n.Findings))
		if i > 0 {
			name = ", " + name
		}
		if i == len(all)-1 {
			rest = ""
		}
		if i > 0 && p.width(text+name+rest) > columns {
			return text + ", " + p.glyph.ellipsis
		}
		text += name
	}
	return text
}
