// Package terminal shows a report on a terminal: where we stand, what is
// worst, what could not be seen and how to see it.
package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Options says what the terminal can do and how much to show.
type Options struct {
	// Width is the number of columns; 0 means 80.
	Width int
	// Height is the number of lines; 0 means not known. Where it is known and
	// the report would not fit, it is set closer and fewer findings are shown.
	Height int
	// Color allows ANSI colours.
	Color bool
	// ASCII shows nothing but ASCII.
	ASCII bool
	// Verbose shows the reason of every box and every finding, with its evidence.
	Verbose bool
	// MaxFindings is the number of failing checks under "Worst first": 0 means
	// up to 8 by Height, a negative number means all.
	MaxFindings int
}

const (
	narrowest = 40 // less cannot hold a box
	twoColumn = 100
	most      = 8  // failing checks under "Worst first"
	least     = 2  // of them, however low the screen
	full      = 3  // of them with all that there is to say, on a tight screen
	roomy     = 60 // lines of all of them, on a screen that is not
	listed    = 10 // entries of every other list
	whole     = 5  // lines of what is there to be copied

	kindsFull   = 6 // kinds of findings of one check
	kindsTight  = 4 // kinds of findings of one check, on a tight screen
	listedTight = 3 // entries of every other list, on a tight screen

	fewNamespaces     = 3  // objects of more than these are told by their namespaces
	roomForNamespaces = 15 // lines that findings have, for one of them to name namespaces
)

// Write shows the report.
func Write(w io.Writer, r *report.Report, o Options) error {
	if o.Width == 0 {
		o.Width = 80
	}
	o.Width = max(o.Width, narrowest)
	p := newPage(o)
	failures, absences := group.Failures(r), group.Absences(r)
	p.findings = map[string]int{}
	for _, n := range group.Worst(failures) {
		p.findings[n.Name] = n.Findings
	}
	lines := p.screen(r, failures, absences)
	if o.Height > 0 && len(lines) >= o.Height && !o.Verbose {
		p.tight = true
		lines = p.screen(r, failures, absences)
	}
	for _, line := range lines {
		if _, err := io.WriteString(w, strings.TrimRight(line, " ")+"\n"); err != nil {
			return fmt.Errorf("writing the report to the terminal: %w", err)
		}
	}
	return nil
}

// screen is the whole report in lines. Where it cannot fit, what is worst comes
// last, since what is above scrolls away.
func (p *page) screen(r *report.Report, failures []group.Failure, absences []group.Missing) []string {
	header, counts, boxes := p.header(r), p.counted(r), p.boxes(r)
	bottom := trimmed(append(p.missing(r, absences), p.remarks(r)...))
	top := slices.Concat(header, counts, boxes)
	room := p.Height - 1 - len(top) - len(bottom) // the last line is the prompt's
	lines := trimmed(slices.Concat(top, p.failures(failures, room, r.Summary.Waived), bottom))
	if p.tight && len(lines) >= p.Height {
		room = p.Height - len(counts) // the blank line at the end is the prompt's
		lines = trimmed(slices.Concat(header, []string{""}, boxes, separate(bottom), counts, p.failures(failures, room, r.Summary.Waived)))
	}
	return lines
}

// trimmed is lines without blank ones at the end.
func trimmed(lines []string) []string {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// separate ends lines with one that is blank.
func separate(lines []string) []string { return append(trimmed(lines), "") }

// header says what was scanned.
func (p *page) header(r *report.Report) []string {
	tool := p.fit(strings.TrimSpace(p.plain(r.Tool.Name+" "+r.Tool.Version)), p.Width/2)
	took := group.Duration(r.Scan.DurationMS)
	what := p.plain(strings.Join(group.Identity(r), " · "))
	line := p.paint(bold, tool) + "   "
	var lines []string
	if p.width(line+what+"  "+took) <= p.Width {
		line += what
	} else {
		lines = p.hang("  ", 2, "", what, 2)
	}
	lines = append([]string{p.pad(line, p.Width-p.width(took)) + p.paint(faint, took)}, lines...)
	if scope := r.Scan.Scope; len(scope) > 0 {
		lines = append(lines, p.limits("only "+group.Noun(len(scope), "namespace")+":", scope)...)
	}
	if skipped := r.Scan.Skipped; len(skipped) > 0 {
		lines = append(lines, p.limits(group.Noun(len(skipped), "check")+" left out on request:", skipped)...)
	}
	if !p.tight {
		lines = append(lines, "")
	}
	return lines
}

// counted counts the boxes by their verdicts.
func (p *page) counted(r *report.Report) []string {
	counts := []string{group.Noun(len(r.Items)-group.Companions(r), "box")}
	for _, v := range group.Verdicts {
		n := r.Summary.Items[v]
		s := fmt.Sprintf("%s %d %s", p.glyph.marks[v], n, strings.ReplaceAll(string(v), "-", " "))
		if n > 0 {
			s = p.paint(verdictStyle[v], s)
		} else {
			s = p.paint(faint, s)
		}
		if bases := p.bases(r); v == report.Pass && bases != "" {
			s += " (" + bases + ")"
		}
		counts = append(counts, s)
	}
	gap := "    "
	if p.tight {
		gap = "  "
	}
	return append(p.flow(2, gap, counts), "")
}

// bases says what passes rest on, where that is not plain observation.
func (p *page) bases(r *report.Report) string {
	var parts []string
	if n := group.Proved(r); n > 0 {
		parts = append(parts, fmt.Sprintf("%d proved", n))
	}
	if n := group.ByWaiver(r); n > 0 {
		parts = append(parts, fmt.Sprintf("%d by waiver", n))
	}
	return strings.Join(parts, ", ")
}

// limits says what the scan was told to leave out.
func (p *page) limits(what string, names []string) []string {
	prefix := "  " + p.paint(verdictStyle[report.Unknown], what) + " "
	return p.hang(prefix, p.width(prefix), "", p.plain(group.Some(names, listed)), 2)
}
