package markdown

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// table writes what a check saw as a whole.
func table(t *report.Table) string {
	if t == nil || len(t.Rows) == 0 || len(t.Columns) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n\n", text(t.Title))
	row := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + text(c) + " ")
		}
		b.WriteString("|\n")
	}
	row(t.Columns)
	b.WriteString("|---" + strings.Repeat("|--:", len(t.Columns)-1) + "|\n")
	for _, r := range t.Rows {
		row(r)
	}
	b.WriteString("\n")
	if t.Left > 0 {
		fmt.Fprintf(&b, "… %s\n\n", group.Noun(t.Left, "more row"))
	}
	return b.String()
}
