package markdown

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// absences says what would decide the boxes that are not decided.
func (d *document) absences(r *report.Report) string {
	var lines []string
	for _, m := range group.Absences(r) {
		var numbers []string
		for _, it := range m.Items {
			numbers = append(numbers, it.Number)
		}
		lines = append(lines, fmt.Sprintf("| %s %s | %s | %s |\n", marks[m.Verdict], text(strings.Join(numbers, " ")), text(m.Reason()), code(m.How)))
	}
	return d.list("### To decide what is open\n\n| boxes | missing | how |\n|---|---|---|\n", lines, "")
}

// remarks says what there is to know about the scan itself.
func (d *document) remarks(r *report.Report) string {
	var idle, problems, notes []string
	for _, s := range r.Statements {
		if s.State != "used" {
			idle = append(idle, fmt.Sprintf("- %s: %s %s, %s: %s\n", text(s.State), text(s.Type), text(s.Detail), code(s.At), text(s.Message)))
		}
	}
	for _, s := range r.Scan.Sources {
		for _, p := range s.Problems {
			problems = append(problems, fmt.Sprintf("- %s %s\n", code(p.At), text(p.Message)))
		}
		for _, n := range s.Notes {
			notes = append(notes, fmt.Sprintf("- %s %s, such as %s\n", group.Number(n.Count), text(n.What), code(n.Example)))
		}
	}
	return d.list("### Statements that are not used\n\n", idle, "") +
		d.list(fmt.Sprintf("<details><summary>Could not be read: %s</summary>\n\n", group.Number(len(problems))), problems, "</details>\n\n") +
		d.list("### Notes\n\n", notes, "")
}

// list writes the first entries of a list, as many as fit.
func (d *document) list(open string, lines []string, end string) string {
	more := func(n int) string { return fmt.Sprintf("\n… %d more\n", n) }
	if len(lines) == 0 || !d.take(open+more(len(lines))+"\n"+end) {
		return ""
	}
	var b strings.Builder
	b.WriteString(open)
	for i, line := range lines {
		if i >= listed || !d.take(line) {
			b.WriteString(more(len(lines) - i))
			break
		}
		b.WriteString(line)
	}
	b.WriteString("\n" + end)
	return b.String()
}
