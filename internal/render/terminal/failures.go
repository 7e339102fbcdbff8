package terminal

import (
	"fmt"
	"math"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// failures shows what is worst, as many failing checks as were asked for. Where
// no number was asked for it keeps to a number of lines: the worst are shown in
// full, with as many kinds of findings as there is room for, the others on two
// lines. On a tight screen the room is what is left of it.
func (p *page) failures(all []group.Failure, room, waived int) []string {
	if len(all) == 0 {
		return nil
	}
	detailed, show := full, p.MaxFindings
	if !p.tight {
		room, detailed = roomy, len(all)
	}
	if show == 0 {
		show = most
	}
	if show < 0 || p.Verbose {
		show = len(all)
	}
	lines := p.heading(all, waived)
	if in := group.Worst(all); len(in) > listed && room > roomForNamespaces {
		lines = append(lines, "  "+p.paint(faint, p.spread(in, p.Width-2)))
	}
	room -= len(lines) + 2 // the line about the rest, and the blank line
	findings, shown := 0, 0
	for i := range all[:min(show, len(all))] {
		f := &all[i]
		block := p.failure(f, p.kinds())
		if p.MaxFindings == 0 && !p.Verbose {
			reserve := 0
			switch {
			case !p.tight: // what follows has a place, however briefly
				reserve = 2 * (min(show, len(all)) - i - 1)
			case i+1 < min(least, len(all)):
				reserve = len(p.failure(&all[i+1], 1))
			}
			if i < least || !p.tight {
				for limit := p.kinds() - 1; limit > 0 && len(block) > room-reserve; limit-- {
					block = p.failure(f, limit)
				}
			}
			if i >= detailed || i > 0 && len(block) > room-reserve {
				block = p.brief(f)
			}
			if i >= least && len(block) > room {
				break
			}
		}
		room -= len(block)
		lines = append(lines, block...)
		shown++
	}
	for _, f := range all[shown:] {
		findings += f.Findings
	}
	if rest := len(all) - shown; rest > 0 {
		text := fmt.Sprintf("%s %s of %s: --all shows them", p.glyph.ellipsis,
			group.Noun(findings, "more finding"), group.Noun(rest, "more check"))
		if keep := ", -o json=FILE keeps them"; !p.tight || p.width("  "+text+keep) <= p.Width {
			text += keep
		}
		lines = append(lines, p.hang("  ", 2, faint, text, 2)...)
	}
	return append(lines, "")
}

// heading counts the findings by severity, and those that were accepted.
func (p *page) heading(all []group.Failure, waived int) []string {
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
	if waived > 0 {
		pieces = append(pieces, p.paint(verdictStyle[report.Manual], "("+group.Number(waived)+" waived)"))
	}
	return p.flow(2, "   ", pieces)
}

// prefix is how the block of a failing check begins, and the number of columns
// that it takes.
func (p *page) prefix(f *group.Failure) (prefix string, indent int) {
	severity := f.Check.Severity
	mark := p.glyph.marks[report.Fail]
	if severity == report.Info {
		mark = strings.Repeat(" ", p.width(mark))
	}
	prefix = "  " + p.paint(severityStyle[severity], mark+" "+p.pad(p.fit(p.plain(string(severity)), 8), 8)) + " " + p.paint(bold, p.plain(f.Item.Number))
	return prefix, p.width(prefix) + 2
}

// failure shows one failing check with some kinds of its findings: what was
// seen, who does it, where, and what to do.
func (p *page) failure(f *group.Failure, limit int) []string {
	prefix, indent := p.prefix(f)
	var lines []string
	if len(f.Patterns) == 1 {
		pat := &f.Patterns[0]
		lines = p.hang(prefix, indent, bold, p.plain(pat.Message), 2)
		if len(pat.Findings) == 1 || p.Verbose {
			lines = append(lines, p.each(f, pat, indent)...)
		} else {
			reason := p.plain(f.Check.Reason)
			who, spread := p.subjects(pat.Findings, f.Check.Noun, p.Width-indent-p.width(reason)-2)
			if !spread {
				reason += ":"
			}
			lines = append(lines, p.hang("", indent, "", reason+" "+who, 2)...)
			if where := p.where(pat.Findings[0], p.Width-indent, "such as "); where != "" {
				lines = append(lines, p.hang("", indent, faint, where, 1)...)
			}
		}
		return append(append(lines, p.table(f.Check.Table, indent)...), p.remedy(f, indent)...)
	}
	shown := f.Patterns[:min(limit, len(f.Patterns))]
	lines = p.hang(prefix, indent, bold, p.plain(f.Claim()), 2)
	for i := range shown {
		lines = append(lines, p.summary(f, &shown[i], indent)...)
	}
	if rest := f.Patterns[len(shown):]; len(rest) > 0 {
		findings := 0
		for _, pat := range rest {
			findings += len(pat.Findings)
		}
		text := fmt.Sprintf("%s %s of %s", p.glyph.ellipsis, group.Noun(findings, "more finding"), group.Noun(len(rest), "more kind"))
		lines = append(lines, p.hang("", indent, faint, text, 1)...)
	}
	return append(append(lines, p.table(f.Check.Table, indent)...), p.remedy(f, indent)...)
}

// kinds is the number of kinds of findings to show of one check.
func (p *page) kinds() int {
	switch {
	case p.Verbose:
		return math.MaxInt
	case p.tight:
		return kindsTight
	}
	return kindsFull
}

// brief shows one failing check on two lines: what and who, and what to do.
func (p *page) brief(f *group.Failure) []string {
	prefix, indent := p.prefix(f)
	room := p.Width - indent
	what := p.plain(f.Claim())
	all, who := f.All(), ""
	if len(f.Patterns) == 1 {
		what = p.plain(f.Patterns[0].Message)
	}
	if len(all) > 0 {
		what = p.fit(what, max(room-30, room*2/3))
		who, _ = p.subjects(all, f.Check.Noun, room-p.width(what)-2)
		what += ": "
	}
	lines := []string{p.pad(prefix, indent) + p.paint(bold, p.fit(what, room)) + p.fit(who, max(room-p.width(what), 0))}
	arrow := strings.Repeat(" ", indent) + p.paint(verdictStyle[report.Pass], p.glyph.arrow) + " "
	room -= p.width(p.glyph.arrow) + 1
	remedy, explain := p.advice(f)
	switch {
	case remedy == "":
		remedy, explain = explain, ""
	case p.width(remedy)+2+p.width(explain) > room:
		explain = ""
	}
	line := arrow + p.fit(remedy, room)
	if explain != "" {
		line += "  " + p.paint(faint, explain)
	}
	return append(lines, line)
}

// summary shows one of several patterns: what was seen, then who and where.
func (p *page) summary(f *group.Failure, pat *group.Pattern, indent int) []string {
	n := len(pat.Findings)
	count := fmt.Sprintf("%s%s ", group.Number(n), p.glyph.times)
	inner, height := indent+p.width(count), 2
	if p.tight {
		height = 1
	}
	lines := p.hang(strings.Repeat(" ", indent)+p.paint(bold, count), inner, "", p.plain(pat.Message), height)
	if p.Verbose {
		return append(lines, p.each(f, pat, inner)...)
	}
	room, separator := p.Width-inner, " "+p.glyph.dot+" "
	field := 0 // columns that the end of the field's path takes, at least
	if e := pat.Findings[0].Evidence; len(e) > 0 {
		path := p.plain(e[0].Field)
		field = p.width(separator + p.glyph.ellipsis + path[strings.LastIndexByte(path, '.')+1:])
	}
	who, _ := p.subjects(pat.Findings, "", max(room-field, room/2))
	who = p.fit(who, room)
	such := "such as "
	if n == 1 {
		who, such = p.fit(p.subject(pat.Findings[0]), room), ""
	}
	if where := p.where(pat.Findings[0], room-p.width(who+separator), such); where != "" {
		who += separator + where
	}
	return append(lines, strings.Repeat(" ", inner)+who)
}

// where says the place of a finding and the field, as much of it as fits: the
// place and the field before what the field holds, and the end of a long path
// before its beginning.
func (p *page) where(f *report.Finding, columns int, such string) string {
	if len(f.Evidence) == 0 {
		return ""
	}
	at, field := proof(f)
	separator := " " + p.glyph.dot + " "
	at, field, path := p.plain(at), p.plain(field), p.plain(f.Evidence[0].Field)
	switch {
	case f.Evidence[0].At == "" || group.Live(f.Evidence[0].At):
		at, separator = "", ""
	case field == "":
		separator = ""
	}
	start := such + at + separator
	if field == "" && at == "" {
		return ""
	}
	for _, text := range []string{start + field, start + path, such + path} {
		if p.width(text) <= columns && text != such {
			return text
		}
	}
	for {
		_, rest, ok := strings.Cut(path, ".")
		if !ok {
			break
		}
		path = rest
		for _, text := range []string{start + p.glyph.ellipsis + path, p.glyph.ellipsis + path} {
			if p.width(text) <= columns {
				return text
			}
		}
	}
	if at != "" && p.width(such+at) <= columns {
		return such + at
	}
	return ""
}

// each shows every finding of a pattern with its evidence.
func (p *page) each(failure *group.Failure, pat *group.Pattern, indent int) []string {
	height := 2
	if p.Verbose {
		height = 4
	}
	_, shared := failure.Remedy()
	var lines []string
	for _, f := range pat.Findings {
		if p.tight { // one line, in which the end is not what is cut
			who := p.fit(p.subject(f), p.Width-indent)
			if where := p.where(f, p.Width-indent-p.width(who)-3, ""); where != "" {
				who += " " + p.glyph.dot + " " + where
			}
			lines = append(lines, strings.Repeat(" ", indent)+who)
			continue
		}
		var parts []string
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
		parts = append([]string{p.subject(f)}, parts...)
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

// advice is what to do, in plain text, and where to read more: the remedy that
// all findings share, or what the check says in general.
func (p *page) advice(f *group.Failure) (remedy, explain string) {
	remedy, shared := f.Remedy()
	if !shared {
		remedy = group.Advice(f.Check.Remediation)
	}
	return p.plain(remedy), p.plain("plimsoll explain " + f.Check.ID)
}

// remedy shows what to do about a failing check.
func (p *page) remedy(f *group.Failure, indent int) []string {
	remedy, explain := p.advice(f)
	if remedy == "" {
		return p.action(explain, indent)
	}
	arrow := strings.Repeat(" ", indent) + p.paint(verdictStyle[report.Pass], p.glyph.arrow) + " "
	margin, height := p.width(arrow), whole
	_, shared := f.Remedy()
	if p.tight && !shared {
		height = 2 // the rest is a command away
	}
	lines := p.hang(arrow, margin, "", remedy, height)
	if last := len(lines) - 1; p.width(lines[last])+2+p.width(explain) <= p.Width {
		lines[last] += "  " + p.paint(faint, explain)
		return lines
	}
	if p.tight && (shared || len(f.Patterns) == 1) {
		return lines // it is said what to do, and lines are dear
	}
	return append(lines, p.hang("", margin, faint, explain, 2)...)
}

// action shows what to do, whole, since it is there to be copied.
func (p *page) action(text string, indent int) []string {
	if text == "" {
		return nil
	}
	arrow := strings.Repeat(" ", indent) + p.paint(verdictStyle[report.Pass], p.glyph.arrow) + " "
	return p.hang(arrow, p.width(arrow), "", p.plain(text), whole)
}
