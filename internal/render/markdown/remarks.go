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

// accepted lists what counts because a person said so, and where that stands.
func (d *document) accepted(r *report.Report) string {
	var lines, places []string
	for _, a := range group.Acceptances(r) {
		var subjects []string
		for _, f := range a.Findings {
			subjects = append(subjects, strings.TrimSpace(text(f.Subject.Kind)+" "+code(group.Name(f.Subject))))
		}
		until := text(a.Until)
		if a.By != "" {
			until = text(a.By) + ", " + until
		}
		lines = append(lines, fmt.Sprintf("| %s %s %s: %s | %s | %s |\n", text(a.Item.Number), a.Type, code(a.Check.ID), group.Some(subjects, 5), text(a.Reason), until))
	}
	for _, s := range r.Statements {
		if s.State == "used" {
			places = append(places, fmt.Sprintf("- %s %s, %s: %s\n", text(s.Type), text(s.Detail), code(s.At), group.Noun(s.Matched, "finding")))
		}
	}
	heading := fmt.Sprintf("### Accepted: %s waived\n\n", group.Noun(r.Summary.Waived, "finding"))
	const header = "| accepted | why | by, until |\n|---|---|---|\n"
	if len(lines) == 0 {
		return d.list(heading, places, "")
	}
	return d.list(heading+header, lines, "") + d.list("Stated in\n\n", places, "")
}

// remarks says what there is to know about the scan itself.
func (d *document) remarks(r *report.Report) string {
	var idle, problems, notes []string
	for _, s := range r.Statements {
		if s.State != "used" {
			idle = append(idle, fmt.Sprintf("- %s: %s %s, %s: %s\n", text(s.State), text(s.Type), text(s.Detail), code(s.At), text(s.Message)))
		}
	}
	for _, p := range group.Problems(r) {
		effect := ""
		if e := p.Effect(); e != "" {
			effect = " (" + e + ")"
		}
		problems = append(problems, fmt.Sprintf("- %s %s%s\n", code(p.At), text(p.Message), effect))
	}
	for _, s := range r.Scan.Sources {
		for _, n := range s.Notes {
			notes = append(notes, fmt.Sprintf("- %s %s, such as %s\n", group.Number(n.Count), text(n.What), code(n.Example)))
		}
	}
	return d.list("### Statements that are not used\n\n", idle, "") +
		d.list(fmt.Sprintf("<details><summary>Problems in the input: %s</summary>\n\n", group.Number(len(problems))), problems, "</details>\n\n") +
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
