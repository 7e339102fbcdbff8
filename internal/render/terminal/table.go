package terminal

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// The widths of a table's columns: a name is cut to fit, but not shorter than
// nameColumns; a column that has no room is left out.
const (
	nameColumns = 16
	cellColumns = 14
	// rowsTight is the number of rows on a tight screen.
	rowsTight = 4
)

// table shows what a check saw as a whole.
func (p *page) table(t *report.Table, indent int) []string {
	if t == nil || len(t.Rows) == 0 || len(t.Columns) == 0 {
		return nil
	}
	rows, left := t.Rows, t.Left
	if p.tight && len(rows) > rowsTight {
		rows, left = rows[:rowsTight], left+len(rows)-rowsTight
	}
	// One column beside the name is text, several are figures.
	text, limit := len(t.Columns) == 2, cellColumns
	if text {
		limit = max(limit, (p.Width-indent)*3/5)
	}
	var widths []int
	room := p.Width - indent - nameColumns
	for i := 1; i < len(t.Columns); i++ {
		width := p.width(p.plain(t.Columns[i]))
		for _, r := range rows {
			width = max(width, p.width(p.cell(r, i)))
		}
		width = min(width, limit)
		if room -= width + 2; room < 0 {
			break
		}
		widths = append(widths, width)
	}
	name := p.width(p.plain(t.Columns[0]))
	for _, r := range rows {
		name = max(name, p.width(p.cell(r, 0)))
	}
	name = min(name, nameColumns+max(room, 0))
	line := func(cells []string) string {
		var b strings.Builder
		b.WriteString(strings.Repeat(" ", indent) + p.pad(p.fit(p.cell(cells, 0), name), name))
		for i, width := range widths {
			cell := p.fit(p.cell(cells, i+1), width)
			if text {
				b.WriteString("  " + cell)
			} else {
				b.WriteString("  " + strings.Repeat(" ", width-p.width(cell)) + cell)
			}
		}
		return strings.TrimRight(b.String(), " ")
	}
	lines := append(p.hang("", indent, faint, p.plain(t.Title)+":", 1), p.paint(faint, line(t.Columns)))
	for _, r := range rows {
		lines = append(lines, line(r))
	}
	more := ""
	if n := len(t.Columns) - 1 - len(widths); n > 0 {
		more = group.Noun(n, "more column")
	}
	if left > 0 {
		more = strings.TrimPrefix(more+", "+group.Noun(left, "more row"), ", ")
	}
	if more != "" {
		lines = append(lines, p.hang("", indent, faint, fmt.Sprintf("%s %s", p.glyph.ellipsis, more), 1)...)
	}
	return lines
}

// cell is one of a row's; a report that was read from a file may have too few.
func (p *page) cell(row []string, i int) string {
	if i >= len(row) {
		return ""
	}
	return p.plain(row[i])
}
