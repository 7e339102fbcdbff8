package terminal

import (
	"cmp"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// remarks says what there is to know about the scan itself.
func (p *page) remarks(r *report.Report) []string {
	lines := p.problems(r)
	lines = append(lines, p.accepted(r)...)
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

// accepted lists what counts because a person said so, and names the
// statements that are not used: nothing that was waived is hidden.
func (p *page) accepted(r *report.Report) []string {
	all := group.Acceptances(r)
	var used, idle []report.Statement
	for _, s := range r.Statements {
		if s.State == "used" {
			used = append(used, s)
		} else {
			idle = append(idle, s)
		}
	}
	if len(all)+len(r.Statements) == 0 {
		return nil
	}
	pieces := []string{group.Noun(r.Summary.Waived, "finding") + " waived"}
	if len(used) > 0 {
		pieces = append(pieces, group.Noun(len(used), "statement")+" used")
	}
	if len(idle) > 0 {
		pieces = append(pieces, group.Number(len(idle))+" not used")
	}
	prefix := "  " + p.paint(bold, "Accepted") + "  "
	lines := p.hang(prefix, p.width(prefix), "", strings.Join(pieces, " "+p.glyph.dot+" "), 2)
	limit, height := listed, 3
	switch {
	case p.Verbose:
		limit, height = len(all)+len(idle), whole
	case p.tight && p.Width >= twoColumn: // a narrower screen does not hold the boxes as it is
		limit, height = listedTight, 1
	}
	for i := range all[:min(limit, len(all))] {
		a := &all[i]
		prefix := "    " + p.paint(verdictStyle[report.Manual], p.pad(p.fit(a.Type, 8), 8)) + " "
		who := p.plain(a.Who())
		whom, _ := p.subjects(a.Findings, "", p.Width/3)
		text := p.plain(a.Check.ID+" for ") + whom + p.plain(": "+a.Reason)
		if height == 1 { // the reason is cut rather than by whom and until when
			room := max(p.Width-13-p.width(who)-2, p.Width/3)
			said := ", " + group.Noun(len(a.Findings), "finding") + ": " + a.Reason
			if text = p.plain(a.Check.ID + said); p.width(text) > room {
				text = p.fit(p.plain(a.Item.Number+said), room)
			}
		}
		lines = append(lines, p.hang(prefix, 13, "", text+"; "+who, height)...)
	}
	lines = append(lines, p.more(len(all)-min(limit, len(all)), "more acceptance")...)
	for _, s := range idle[:min(limit, len(idle))] {
		prefix := "    " + p.paint(verdictStyle[report.Unknown], p.pad(p.fit(p.plain(s.State), 8), 8)) + " "
		lines = append(lines, p.hang(prefix, 13, "", p.plain(s.Type+" "+s.Detail+", "+s.At+": "+s.Message), height)...)
	}
	return append(lines, p.more(len(idle)-min(limit, len(idle)), "more statement")...)
}

// problems names what is wrong with the input, and the boxes that it leaves open.
func (p *page) problems(r *report.Report) []string {
	all := group.Problems(r)
	if len(all) == 0 {
		return nil
	}
	lines := []string{"  " + p.paint(bold, "Problems in the input") + "   " + p.paint(verdictStyle[report.Unknown], group.Number(len(all)))}
	shown, height := all, 2
	switch {
	case p.tight:
		shown, height = all[:min(listedTight, len(all))], 1
	case !p.Verbose:
		shown = all[:min(listed, len(all))]
	}
	for _, problem := range shown {
		text, effect := p.plain(problem.At+": "+problem.Message), ""
		if e := problem.Effect(); e != "" {
			effect = " (" + p.plain(e) + ")"
		}
		text = p.fit(text, max(height*(p.Width-4)-p.width(effect)-8, p.Width/3)) + effect
		lines = append(lines, p.hang("    ", 4, "", text, height)...)
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
		shown, height = all[:min(listedTight, len(all))], 1
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
