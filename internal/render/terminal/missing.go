package terminal

import (
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// missing shows how to decide the boxes that are not decided.
func (p *page) missing(r *report.Report, absences []group.Missing) []string {
	if len(absences) == 0 {
		return nil
	}
	var open []string
	for _, v := range []report.Verdict{report.Unknown, report.Manual} {
		if n := r.Summary.Items[v] + r.Summary.Companion[v]; n > 0 {
			open = append(open, group.Number(n)+" "+string(v))
		}
	}
	lines := []string{"  " + p.paint(bold, "To decide the "+strings.Join(open, " and "))}
	limit, left := listed, 0
	if p.tight {
		limit = listedTight
	}
	for i := range absences {
		if m := &absences[i]; i < limit || m.NoCheck || m.LeftOut || p.Verbose {
			lines = append(lines, p.absence(m)...)
		} else {
			left++
		}
	}
	return append(append(lines, p.more(left, "more way")...), "")
}

// absence shows one thing that boxes wait for. What would bring it is there to
// be copied, so that the reason is cut first.
func (p *page) absence(m *group.Missing) []string {
	prefix := "  " + p.paint(verdictStyle[m.Verdict], p.glyph.marks[m.Verdict]) + " " + p.pad(m.Boxes(), 11) + " "
	indent := p.width(prefix)
	why, how := p.plain(m.Reason()), p.plain(m.How)
	if how == "" {
		return p.hang(prefix, indent, "", why, 2)
	}
	arrow := p.paint(verdictStyle[report.Pass], p.glyph.arrow) + " "
	room := p.Width - indent - 2 - p.width(arrow) - p.width(how)
	if name := p.plain(m.What); p.tight && p.width(why) > room && name != "" && p.width(name) <= room {
		why = name // the reason can be read where there is more room
	}
	if p.width(why) <= room || p.tight && room >= 20 {
		return []string{prefix + p.fit(why, room) + "  " + arrow + how}
	}
	lines := p.hang(prefix, indent, "", why, 2)
	return append(lines, p.hang(strings.Repeat(" ", indent)+arrow, indent+p.width(arrow), "", how, whole)...)
}

// more says how many entries of a list are not shown.
func (p *page) more(n int, noun string) []string {
	if n == 0 {
		return nil
	}
	return []string{"    " + p.paint(faint, p.glyph.ellipsis+" "+group.Noun(n, noun))}
}
