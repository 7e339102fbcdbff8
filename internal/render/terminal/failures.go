package terminal

import (
	"fmt"
	"math"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// failures shows what is worst, as many failing checks as were asked for. On a
// tight screen it keeps to a number of lines.
func (p *page) failures(all []group.Failure, room int) []string {
	if len(all) == 0 {
		return nil
	}
	show := p.MaxFindings
	if show == 0 {
		show = most
	}
	if show < 0 || p.Verbose {
		show = len(all)
	}
	lines := p.heading(all)
	room -= len(lines) + 2 // the line about the rest, and the blank line
	findings, shown := 0, 0
	for i := range all[:min(show, len(all))] {
		block := p.failure(&all[i])
		room -= len(block)
		if p.tight && p.MaxFindings == 0 && shown >= least && room < 0 {
			break
		}
		lines = append(lines, block...)
		shown++
	}
	for _, f := range all[shown:] {
		findings += f.Findings
	}
	if rest := len(all) - shown; rest > 0 {
		text := fmt.Sprintf("%s %s of %s: --verbose shows them, -o json=FILE keeps them", p.glyph.ellipsis,
			group.Noun(findings, "more finding"), group.Noun(rest, "more check"))
		lines = append(lines, p.hang("  ", 2, faint, text, 2)...)
	}
	return append(lines, "")
}

// heading counts the findings by severity.
func (p *page) heading(all []group.Failure) []string {
	counts := map[report.Severity]int{}
	for _, f := range all {
		counts[f.Check.Severity] += f.Findings
	}
	pieces := []string{p.paint(bold, "Worst first")}
	for _, s := range report.Severities {
		if counts[s] > 0 {
			pieces = append(pieces, p.paint(severityStyle[s], group.Number(counts[s])+" "+string(s)))
		}
	}
	return p.flow(2, "   ", pieces)
}

// failure shows one failing check: what was seen, where, and what to do.
func (p *page) failure(f *group.Failure) []string {
	severity := f.Check.Severity
	mark := p.glyph.marks[report.Fail]
	if severity == report.Info {
		mark = strings.Repeat(" ", p.width(mark))
	}
	number := p.plain(f.Item.Number)
	prefix := "  " + p.paint(severityStyle[severity], mark+" "+p.pad(p.fit(p.plain(string(severity)), 8), 8)) + " " + p.paint(bold, number)
	indent := p.width(prefix) + 2

	var lines []string
	switch {
	case len(f.Patterns) == 1:
		lines = p.hang(prefix, indent, bold, p.plain(f.Patterns[0].Message), 2)
		if len(f.Patterns[0].Findings) == 1 || p.Verbose {
			lines = append(lines, p.each(f, &f.Patterns[0], indent)...)
		} else {
			lines = append(lines, p.subjectsOf(f, indent)...)
		}
	default:
		shown := f.Patterns
		extent := f.Extent()
		if limit := p.kinds(); len(shown) > limit {
			extent += ", " + group.Noun(len(shown), "kind") + " of finding"
			shown = shown[:limit]
		}
		title, extent := p.plain(f.Check.Title), p.plain(extent)
		if beside := "  " + extent; indent+p.width(title+beside) <= p.Width {
			lines = []string{p.pad(prefix, indent) + p.paint(bold, title) + p.paint(faint, beside)}
		} else {
			lines = p.hang(prefix, indent, bold, title, 2)
			lines = append(lines, p.hang("", indent, faint, extent, 1)...)
		}
		for i := range shown {
			lines = append(lines, p.summary(f, &shown[i], indent)...)
		}
	}
	return append(lines, p.remedy(f, indent)...)
}

// kinds is the number of kinds of findings to show of one check.
func (p *page) kinds() int {
	switch {
	case p.Verbose:
		return math.MaxInt
	case p.tight:
		return 2
	}
	return kinds
}

// subjectsOf shows whom the only pattern of a check is about.
func (p *page) subjectsOf(f *group.Failure, indent int) []string {
	pat := &f.Patterns[0]
	reason, place := p.plain(f.Check.Reason+": "), ""
	if at, _ := proof(pat.Findings[0]); at != "" && !group.Live(at) && !p.tight {
		place = " " + p.glyph.dot + " first at " + p.plain(at)
	}
	who := p.subjects(pat.Findings, f.Check.Noun, p.Width-indent-p.width(reason+place))
	return p.hang("", indent, "", reason+who+place, 2)
}

// summary shows one of several patterns on one line.
func (p *page) summary(f *group.Failure, pat *group.Pattern, indent int) []string {
	n := len(pat.Findings)
	count := fmt.Sprintf("%s%s ", group.Number(n), p.glyph.times)
	if p.Verbose || n == 1 && !p.tight {
		lines := p.hang(strings.Repeat(" ", indent)+p.paint(bold, count), indent+p.width(count), "", p.plain(pat.Message), 2)
		return append(lines, p.each(f, pat, indent+p.width(count))...)
	}
	if p.tight { // one line, with the subjects where they fit
		text := p.fit(count+p.plain(pat.Message), p.Width-indent)
		if who := ": " + p.subjects(pat.Findings, pat.Findings[0].Subject.Kind, p.Width-indent-p.width(text)-2); p.width(text+who) <= p.Width-indent {
			text += who
		}
		return p.hang("", indent, "", text, 1)
	}
	text := count + p.plain(pat.Message) + ": "
	who := p.subjects(pat.Findings, "", max(p.Width-indent-p.width(text), 20))
	return p.hang("", indent, "", text+who, 2)
}

// each shows every finding of a pattern with its evidence.
func (p *page) each(failure *group.Failure, pat *group.Pattern, indent int) []string {
	height := 2
	switch {
	case p.Verbose:
		height = 4
	case p.tight:
		height = 1
	}
	_, shared := failure.Remedy()
	var lines []string
	for _, f := range pat.Findings {
		parts := []string{strings.TrimSpace(f.Subject.Kind + " " + group.Name(f.Subject))}
		if f.Count > 1 {
			parts[0] += fmt.Sprintf(" (%s%d)", p.glyph.times, f.Count)
		}
		at, field := proof(f)
		if at != "" && (p.Verbose || !group.Live(at)) {
			parts = append(parts, at)
		}
		if field != "" {
			parts = append(parts, field)
		}
		if len(pat.Findings) > 1 && strings.Contains(pat.Message, "…") {
			parts = append(parts, f.Message)
		}
		for i := range parts {
			parts[i] = p.plain(parts[i])
		}
		lines = append(lines, p.hang("", indent, "", strings.Join(parts, " "+p.glyph.dot+" "), height)...)
		if p.Verbose && !shared {
			lines = append(lines, p.action(f.Remedy, indent)...)
		}
	}
	return lines
}

// proof is a finding's first evidence: where, and which field holds what.
func proof(f *report.Finding) (at, field string) {
	if len(f.Evidence) == 0 {
		return "", ""
	}
	e := f.Evidence[0]
	field = e.Field
	if e.Got != "" {
		field += ": " + e.Got
	}
	if e.Want != "" {
		field += ", want " + e.Want
	}
	return e.At, strings.TrimLeft(field, ":, ")
}

// subjects names the first objects and the number of the others. A kind is
// said where it differs from the one before, and from the noun that introduces
// the list.
func (p *page) subjects(findings []*report.Finding, noun string, columns int) string {
	var all []report.Subject
	for _, f := range findings {
		s := f.Subject
		s.Part = ""
		if len(all) == 0 || all[len(all)-1] != s {
			all = append(all, s)
		}
	}
	said, text := noun, ""
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
			return text + fmt.Sprintf(" and %s more", group.Number(len(all)-i))
		}
		text += name
	}
	return text
}

// remedy shows what to do: the remedy that all findings share, or where to
// read about the check.
func (p *page) remedy(f *group.Failure, indent int) []string {
	text, shared := f.Remedy()
	if !shared {
		text = "plimsoll explain " + f.Check.ID
	}
	return p.action(text, indent)
}

// action shows what to do, whole, since it is there to be copied.
func (p *page) action(text string, indent int) []string {
	if text == "" {
		return nil
	}
	arrow := strings.Repeat(" ", indent) + p.paint(verdictStyle[report.Pass], p.glyph.arrow) + " "
	return p.hang(arrow, p.width(arrow), "", p.plain(text), whole)
}
