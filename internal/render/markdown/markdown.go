// Package markdown renders a report as the checklist with its boxes ticked,
// fit to be pasted into a pull request, an issue or a wiki page.
package markdown

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// GitHubLimit is the size in bytes that the report stays below by default:
// GitHub refuses a comment of more than 65,536 characters, and a few are left
// for the words around it.
const GitHubLimit = 65_000

// Options says how much to write.
type Options struct {
	// Limit is the size in bytes to stay below: 0 means GitHubLimit, a negative
	// number none. Findings are left out for it, the mildest first; the
	// checklist itself never is.
	Limit int
	// MaxFindings is the number of findings of each check: 0 means 20, a
	// negative number all.
	MaxFindings int
}

const (
	rows       = 20 // findings of a check
	namespaces = 6  // that are named, of a check with more findings
	listed     = 20 // entries of every other list
)

var marks = map[report.Verdict]string{
	report.Pass: "✔", report.Fail: "✘", report.Unknown: "?", report.Manual: "✎", report.NotApplicable: "–",
}

// Write writes the report.
func Write(w io.Writer, r *report.Report, o Options) error {
	o.Limit, o.MaxFindings = cmp.Or(o.Limit, GitHubLimit), cmp.Or(o.MaxFindings, rows)
	if o.Limit < 0 {
		o.Limit = math.MaxInt
	}
	if o.MaxFindings < 0 {
		o.MaxFindings = math.MaxInt
	}
	failures := group.Failures(r)
	top := head(r, failures) + boxes(r)
	d := &document{left: o.Limit - len(top) - len(leftOut(math.MaxInt, math.MaxInt))}
	// The end is short and is decided first; findings take what remains.
	end := d.accepted(r) + d.absences(r) + d.remarks(r)
	middle := d.findings(failures, o)
	for _, part := range []string{top, middle, end} {
		if _, err := io.WriteString(w, part); err != nil {
			return fmt.Errorf("writing the report as Markdown: %w", err)
		}
	}
	return nil
}

// head is the heading, what was scanned, and the counts.
func head(r *report.Report, failures []group.Failure) string {
	var b strings.Builder
	b.WriteString("## Kubernetes security checklist\n\n")
	parts := []string{r.Tool.Name + " " + r.Tool.Version}
	parts = append(parts, group.Identity(r)...)
	parts = append(parts, "observed "+r.Scan.Observed.UTC().Format("2006-01-02 15:04 UTC"))
	for i, p := range parts {
		parts[i] = text(strings.TrimSpace(p))
	}
	b.WriteString(strings.Join(parts, " · ") + "\n\n")
	if n := len(r.Scan.Scope); n > 0 {
		b.WriteString("Only " + group.Noun(n, "namespace") + ": " + names(r.Scan.Scope) + "\n\n")
	}
	if n := len(r.Scan.Skipped); n > 0 {
		b.WriteString(group.Noun(n, "check") + " left out on request: " + names(r.Scan.Skipped) + "\n\n")
	}

	severities := map[report.Severity]int{}
	for _, f := range failures {
		severities[f.Check.Severity] += f.Findings
	}
	var findings []string
	for _, s := range report.Severities {
		if severities[s] > 0 {
			findings = append(findings, group.Number(severities[s])+" "+string(s))
		}
	}
	var bases []string
	if n := group.Proved(r); n > 0 {
		bases = append(bases, fmt.Sprintf("%d proved", n))
	}
	if n := group.ByWaiver(r); n > 0 {
		bases = append(bases, fmt.Sprintf("%d by waiver", n))
	}
	var titles, rule, counts []string
	for _, v := range group.Verdicts {
		titles = append(titles, marks[v]+" "+strings.ReplaceAll(string(v), "-", " "))
		rule = append(rule, "---")
		counts = append(counts, fmt.Sprint(r.Summary.Items[v]))
	}
	if len(bases) > 0 {
		counts[0] += " (" + strings.Join(bases, ", ") + ")"
	}
	titles, rule = append(titles, "findings", "waived"), append(rule, "---", "---")
	counts = append(counts, cmp.Or(strings.Join(findings, ", "), "none"), group.Number(r.Summary.Waived))
	for _, line := range [][]string{titles, rule, counts} {
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
	}
	b.WriteString("\n")
	return b.String()
}

// names lists the first of some names.
func names(all []string) string {
	out := make([]string, len(all))
	for i, name := range all {
		out[i] = code(name)
	}
	return group.Some(out, listed)
}

// boxes is the checklist, and what was judged beside it. Only what holds is ticked.
func boxes(r *report.Report) string {
	items := map[string]*report.Item{}
	for i := range r.Items {
		items[r.Items[i].ID] = &r.Items[i]
	}
	var b strings.Builder
	for _, s := range checklist.AllSections() {
		outside := s.ID == checklist.Application.ID
		if outside && group.Companions(r) == 0 {
			continue
		}
		fmt.Fprintf(&b, "### %s %s\n\n", s.Number(), s.Title)
		if outside {
			fmt.Fprintf(&b, "Outside of the %d boxes: %s\n\n", len(checklist.Items()), companions(r))
		}
		for _, box := range s.Items {
			it := items[box.ID]
			if it == nil && outside {
				continue
			}
			if it == nil {
				it = &report.Item{Verdict: report.Unknown, Reason: "not in this report"}
			}
			tick := " "
			if it.Verdict == report.Pass {
				tick = "x"
			}
			basis := ""
			if it.Basis != "" {
				basis = " (" + text(string(it.Basis)) + ")"
			}
			if n := group.Waived(it); n > 0 {
				basis += fmt.Sprintf(" (%s waived)", group.Number(n))
			}
			fmt.Fprintf(&b, "- [%s] %s **%s** [%s](%s): %s%s\n", tick, cmp.Or(marks[it.Verdict], "?"), box.Number, text(box.Title), box.Anchor(), text(it.Reason), basis)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// companions counts the items outside of the boxes by their verdicts.
func companions(r *report.Report) string {
	var counts []string
	for _, v := range group.Verdicts {
		if n := r.Summary.Companion[v]; n > 0 {
			counts = append(counts, fmt.Sprintf("%s %d %s", marks[v], n, strings.ReplaceAll(string(v), "-", " ")))
		}
	}
	return strings.Join(counts, ", ")
}
