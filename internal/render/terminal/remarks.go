package terminal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// remarks says what there is to know about the scan itself.
func (p *page) remarks(r *report.Report) []string {
	lines := p.problems(r)
	lines = append(lines, p.statements(r)...)
	var notes, ignored []report.Count
	for _, s := range r.Scan.Sources {
		notes = append(notes, s.Notes...)
		ignored = append(ignored, s.Ignored...)
	}
	lines = append(lines, p.counts("Notes", notes)...)
	if p.Verbose {
		return append(lines, p.counts("Not evidence", ignored)...)
	}
	return append(lines, p.ignored(ignored)...)
}

// statements says what became of waivers and attestations. Those that are not
// used are named; the findings of those that are, when Verbose.
func (p *page) statements(r *report.Report) []string {
	if len(r.Statements) == 0 && r.Summary.Waived == 0 {
		return nil
	}
	states := map[string]int{}
	var idle []report.Statement
	for _, s := range r.Statements {
		states[s.State]++
		if s.State != "used" {
			idle = append(idle, s)
		}
	}
	var pieces []string
	if r.Summary.Waived > 0 {
		pieces = append(pieces, group.Noun(r.Summary.Waived, "finding")+" waived")
	}
	for _, state := range []string{"used", "expired", "unused", "refused"} {
		if states[state] > 0 {
			pieces = append(pieces, group.Number(states[state])+" "+state)
		}
	}
	text := strings.Join(pieces, " "+p.glyph.dot+" ")
	lines := p.hang("  "+p.paint(bold, "Statements"), 14, "", text, 2)
	shown := idle
	if !p.Verbose {
		shown = idle[:min(listed, len(idle))]
	}
	for _, s := range shown {
		prefix := "    " + p.paint(verdictStyle[report.Unknown], p.pad(p.fit(p.plain(s.State), 8), 8)) + " "
		lines = append(lines, p.hang(prefix, 13, "", p.plain(s.Type+" "+s.Detail+", "+s.At+": "+s.Message), 2)...)
	}
	lines = append(lines, p.more(len(idle)-len(shown), "more statement")...)
	if p.Verbose {
		lines = append(lines, p.waived(r)...)
	}
	return lines
}

// waived lists the findings that a person has accepted.
func (p *page) waived(r *report.Report) []string {
	var lines []string
	for _, it := range r.Items {
		for _, c := range it.Checks {
			for _, f := range c.Findings {
				if f.Waived == nil {
					continue
				}
				text := fmt.Sprintf("%s %s: %s; until %s", f.Subject.Kind, group.Name(f.Subject), f.Message, f.Waived.Until)
				if f.Waived.By != "" {
					text += " by " + f.Waived.By
				}
				prefix := "    " + p.paint(faint, "waived") + "   " + it.Number + " "
				lines = append(lines, p.hang(prefix, p.width(prefix), "", p.plain(text+": "+f.Waived.Reason), 3)...)
			}
		}
	}
	return lines
}

// problems names what could not be read.
func (p *page) problems(r *report.Report) []string {
	var all []report.Problem
	for _, s := range r.Scan.Sources {
		all = append(all, s.Problems...)
	}
	if len(all) == 0 {
		return nil
	}
	lines := []string{"  " + p.paint(bold, "Could not be read") + "   " + p.paint(verdictStyle[report.Unknown], group.Number(len(all)))}
	shown, height := all, 2
	switch {
	case p.tight:
		shown, height = all[:min(kinds, len(all))], 1
	case !p.Verbose:
		shown = all[:min(listed, len(all))]
	}
	for _, problem := range shown {
		lines = append(lines, p.hang("    ", 4, "", p.plain(problem.At+": "+problem.Message), height)...)
	}
	return append(append(lines, p.more(len(all)-len(shown), "more problem")...), "")
}

// counts lists numbers of things with an example each, the largest first.
func (p *page) counts(heading string, all []report.Count) []string {
	all = largestFirst(all)
	prefix := "  " + p.paint(bold, heading) + "  "
	indent := p.width(prefix)
	shown, height := all, 2
	if !p.Verbose {
		shown, height = all[:min(kinds, len(all))], 1
	}
	var lines []string
	for _, c := range shown {
		text := group.Number(c.Count) + " " + c.What
		if c.Example != "" {
			text += ", such as " + c.Example
		}
		lines = append(lines, p.hang(prefix, indent, "", p.plain(text), height)...)
		prefix = ""
	}
	return append(lines, p.more(len(all)-len(shown), "more kind")...)
}

// ignored names what was read and is not evidence, on two lines.
func (p *page) ignored(all []report.Count) []string {
	if len(all) == 0 {
		return nil
	}
	prefix := "  " + p.paint(bold, "Not evidence") + "  "
	room := 2*(p.Width-p.width(prefix)) - 30 // for a broken line and the number of the rest
	text := ""
	for i, c := range largestFirst(all) {
		entry := p.plain(group.Number(c.Count) + " " + c.What)
		if i > 0 {
			entry = ", " + entry
		}
		if i > 0 && p.width(text+entry) > room {
			text += " and " + group.Noun(len(all)-i, "more kind")
			break
		}
		text += entry
	}
	return p.hang(prefix, p.width(prefix), "", text, 2)
}

func largestFirst(all []report.Count) []report.Count {
	return slices.SortedStableFunc(slices.Values(all), func(a, b report.Count) int { return cmp.Compare(b.Count, a.Count) })
}
