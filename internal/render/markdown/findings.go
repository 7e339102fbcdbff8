package markdown

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// document keeps account of the bytes that are left below the limit.
type document struct{ left int }

// take reports whether a piece fits, and then counts it.
func (d *document) take(piece string) bool {
	if len(piece) > d.left {
		return false
	}
	d.left -= len(piece)
	return true
}

// findings writes a collapsible block for every failing item, worst first.
func (d *document) findings(failures []group.Failure, o Options) string {
	if len(failures) == 0 {
		return ""
	}
	const heading = "### Worst first\n\n"
	d.left -= len(heading)
	var b strings.Builder
	b.WriteString(heading)
	findings, checks := 0, 0
	for _, item := range byItem(failures) {
		total := 0
		for _, f := range item {
			total += f.Findings
		}
		open := opening(item[0].Item, total, item[0].Check.Severity)
		const end = "</details>\n\n"
		if !d.take(open + end) {
			findings, checks = findings+total, checks+len(item)
			continue
		}
		b.WriteString(open)
		for _, f := range item {
			block, ok := d.check(f, o.MaxFindings)
			if !ok {
				findings, checks = findings+f.Findings, checks+1
			}
			b.WriteString(block)
		}
		b.WriteString(end)
	}
	if checks > 0 {
		b.WriteString(leftOut(findings, checks))
	}
	return b.String()
}

// leftOut says what is not there for want of room. Its room is set aside.
func leftOut(findings, checks int) string {
	return fmt.Sprintf("%s of %s left out to stay below the size limit: `-o json=FILE` has all.\n\n", group.Noun(findings, "finding"), group.Noun(checks, "check"))
}

// byItem gathers the failing checks of each item, in the order of the worst of each.
func byItem(failures []group.Failure) [][]*group.Failure {
	var out [][]*group.Failure
	at := map[*report.Item]int{}
	for i := range failures {
		f := &failures[i]
		n, ok := at[f.Item]
		if !ok {
			n = len(out)
			at[f.Item] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], f)
	}
	return out
}

// opening begins the block of an item. Within summary there is no Markdown, so
// that only words of ours stand there.
func opening(it *report.Item, findings int, worst report.Severity) string {
	number, title := "", ""
	for _, box := range checklist.AllItems() {
		if box.ID == it.ID {
			number, title = box.Number, box.Title
		}
	}
	severity := ""
	if s := report.Severities[worst.Rank()]; s == worst {
		severity = string(s) + ", "
	}
	return fmt.Sprintf("<details><summary>%s %s %s (%s%s)</summary>\n\n", marks[report.Fail], number, title, severity, group.Noun(findings, "finding"))
}

// check writes the findings of one check as a table, as many as fit.
func (d *document) check(f *group.Failure, most int) (block string, ok bool) {
	top := fmt.Sprintf("%s, %s: %s\n\n", code(f.Check.ID), text(string(f.Check.Severity)), text(f.Claim()))
	if remedy, shared := f.Remedy(); shared {
		top += "→ " + code(remedy) + "\n\n"
	}
	if f.Check.Remediation != "" {
		top += "What to do: " + prose(f.Check.Remediation) + "\n\n"
	}
	if f.Findings > most {
		top += where(f)
	}
	top += table(f.Check.Table)
	const header = "| subject | seen | where |\n|---|---|---|\n"
	more := func(n int) string { return fmt.Sprintf("\n… %s\n", group.Noun(n, "more finding")) }
	if !d.take(top + header + more(f.Findings) + "\n") {
		return "", false
	}
	var b strings.Builder
	b.WriteString(top)
	if f.Findings == 0 {
		return b.String(), true
	}
	b.WriteString(header)
	shown := 0
	_, shared := f.Remedy()
	for _, p := range f.Patterns {
		for _, finding := range p.Findings {
			row := row(finding, !shared)
			if shown >= most || !d.take(row) {
				b.WriteString(more(f.Findings - shown))
				b.WriteString("\n")
				return b.String(), true
			}
			b.WriteString(row)
			shown++
		}
	}
	b.WriteString("\n")
	return b.String(), true
}

// where counts the namespaces of findings that are not all shown, and names
// those with most of them.
func where(f *group.Failure) string {
	all := group.Namespaces(f.All())
	if len(all) < 2 || all[0].Findings == 1 {
		return ""
	}
	var names []string
	for _, n := range all {
		names = append(names, code(n.Name)+" ("+group.Number(n.Findings)+")")
	}
	return "In " + group.Noun(len(all), "namespace") + ": " + group.Some(names, namespaces) + "\n\n"
}

// row is one finding of a table.
func row(f *report.Finding, remedy bool) string {
	subject := strings.TrimSpace(text(f.Subject.Kind) + " " + code(group.Name(f.Subject)))
	if f.Count > 1 {
		subject += " ×" + group.Number(f.Count)
	}
	seen := text(f.Message)
	if remedy && f.Remedy != "" {
		seen += " → " + text(f.Remedy)
	}
	where := ""
	if len(f.Evidence) > 0 {
		e := f.Evidence[0]
		var parts []string
		if !group.Live(e.At) {
			parts = append(parts, code(e.At))
		}
		parts = append(parts, code(e.Field))
		if e.Got != "" {
			parts = append(parts, "is "+code(e.Got))
		}
		if e.Want != "" {
			parts = append(parts, "want "+code(e.Want))
		}
		where = strings.TrimSpace(strings.Join(parts, " "))
	}
	return fmt.Sprintf("| %s | %s | %s |\n", subject, seen, where)
}
