package terminal

import (
	"cmp"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rowWidth is the widest that a box is shown: its tag should stand near its text.
const rowWidth = 60

// boxes shows the eight sections with their boxes, and the one outside of them
// where it was judged, in two columns where there is room.
func (p *page) boxes(r *report.Report) []string {
	items := map[string]*report.Item{}
	for i := range r.Items {
		items[r.Items[i].ID] = &r.Items[i]
	}
	columns := 1
	if p.Width >= twoColumn && !p.Verbose {
		columns = 2
	}
	width := min((p.Width-2)/columns-2*(columns-1), rowWidth)
	var sections [][]string
	for _, s := range checklist.AllSections() {
		outside := s.ID == checklist.Application.ID
		if outside && group.Companions(r) == 0 {
			continue
		}
		title, counts := s.Number()+" "+s.Title, ""
		if outside {
			counts = p.companions(r)
		}
		rule := strings.Repeat(p.glyph.rule, max(width-p.width(title+counts)-1, 0))
		section := []string{p.paint(bold, title) + " " + p.paint(faint, rule) + counts}
		for _, item := range s.Items {
			// What is no box has a line where lines are not dear; its failures stand below.
			if it := items[item.ID]; !outside || it != nil && !p.tight {
				section = append(section, p.box(item, it, width)...)
			}
		}
		if !p.tight {
			section = append(section, "")
		}
		sections = append(sections, section)
	}
	half := len(sections)
	if columns == 2 {
		half = split(sections)
	}
	left, right := p.column(sections[:half]), p.column(sections[half:])
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		if i < len(left) {
			lines[i] = left[i]
		}
		if i < len(right) {
			lines[i] = p.pad(lines[i], width+2) + right[i]
		}
	}
	if p.tight {
		lines = append(lines, "")
	}
	return lines
}

// companions counts the items outside of the boxes by their verdicts.
func (p *page) companions(r *report.Report) string {
	text := ""
	for _, v := range group.Verdicts {
		if n := r.Summary.Companion[v]; n > 0 {
			text += " " + p.paint(verdictStyle[v], p.glyph.marks[v]+" "+group.Number(n))
		}
	}
	return text
}

func (p *page) column(sections [][]string) []string {
	var lines []string
	for _, s := range sections {
		for _, line := range s {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}

// split finds the number of sections in the left column that makes the two
// columns together lowest.
func split(sections [][]string) int {
	height := func(ss [][]string) (n int) {
		for _, s := range ss {
			n += len(s)
		}
		return n
	}
	best := 1
	for i := range sections {
		if max(height(sections[:i]), height(sections[i:])) < max(height(sections[:best]), height(sections[best:])) {
			best = i
		}
	}
	return best
}

// box shows one box in a number of columns.
func (p *page) box(item *checklist.Item, it *report.Item, width int) []string {
	if it == nil {
		it = &report.Item{Verdict: report.Unknown, Reason: "not in this report"}
	}
	text := style("")
	if it.Verdict == report.NotApplicable || len(it.Checks) == 0 {
		text = faint
	}
	mark := p.paint(cmp.Or(text, verdictStyle[it.Verdict]), p.glyph.marks[it.Verdict]) + " " + p.paint(text, item.Number) + " "
	tag, tagStyle := p.tag(it)
	room := width - p.width(mark) - p.width(tag) - 1
	short := p.fit(item.Short, room)
	line := p.pad(mark+p.paint(text, short), width-p.width(tag)) + p.paint(tagStyle, tag)
	if !p.Verbose {
		return []string{line}
	}
	indent := p.width(mark)
	var lines []string
	for _, part := range p.wrap(p.plain(it.Reason), p.Width-2-indent, 3) {
		lines = append(lines, strings.Repeat(" ", indent)+p.paint(faint, part))
	}
	return append([]string{line}, lines...)
}

// tag is the word at the end of a box: how bad a failure is, how many findings
// were accepted, and what a pass rests on where that is not plain observation.
func (p *page) tag(it *report.Item) (string, style) {
	waived := group.Waived(it)
	worst := report.Severity("")
	for _, c := range it.Checks {
		if c.Verdict == report.Fail && (worst == "" || c.Severity.Rank() < worst.Rank()) {
			worst = c.Severity
		}
	}
	switch {
	case it.Verdict == report.Fail:
		return p.fit(p.plain(string(worst)), 8), severityStyle[worst]
	case waived > 0:
		return group.Number(waived) + " waived", verdictStyle[report.Manual]
	case it.Verdict == report.Pass && it.Basis != report.Observed:
		return p.fit(p.plain(string(it.Basis)), 8), faint
	}
	return "", ""
}
