package terminal

import (
	"regexp"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// page measures, cuts and colours text for one terminal. Text is made plain
// and cut first and painted last, so that an escape sequence on the screen is
// always one of ours.
type page struct {
	Options
	glyph glyphs
	// tight saves lines so that the report fits on the screen.
	tight bool
	// findings counts those of each namespace.
	findings map[string]int
}

type glyphs struct {
	marks                             map[report.Verdict]string
	ellipsis, dot, arrow, times, rule string
}

func newPage(o Options) *page {
	p := &page{Options: o, glyph: glyphs{
		marks:    map[report.Verdict]string{report.Pass: "✔", report.Fail: "✘", report.Unknown: "?", report.Manual: "✎", report.NotApplicable: "–"},
		ellipsis: "…", dot: "·", arrow: "→", times: "×", rule: "─",
	}}
	if o.ASCII {
		p.glyph = glyphs{
			marks:    map[report.Verdict]string{report.Pass: "[x]", report.Fail: "[!]", report.Unknown: "[?]", report.Manual: "[~]", report.NotApplicable: "[-]"},
			ellipsis: "...", dot: "-", arrow: "->", times: "x", rule: "-",
		}
	}
	return p
}

// style is the parameter of an SGR sequence. The colours are the sixteen that
// the user's theme defines.
type style string

const (
	bold  style = "1"
	faint style = "2"
)

var verdictStyle = map[report.Verdict]style{
	report.Pass: "32", report.Fail: "31;1", report.Unknown: "33", report.Manual: "36", report.NotApplicable: faint,
}

var severityStyle = map[report.Severity]style{
	report.Critical: "31;1;7", report.High: "31;1", report.Medium: "33", report.Low: "36", report.Info: faint,
}

func (p *page) paint(s style, text string) string {
	if !p.Color || text == "" || s == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

var painted = regexp.MustCompile("\x1b\\[[0-9;]*m")

// width is the number of columns that text takes, painted or not.
func (p *page) width(text string) int {
	if p.Color {
		text = painted.ReplaceAllLiteralString(text, "")
	}
	return displaywidth.String(text)
}

// plain makes text of a cluster or file safe to show here.
func (p *page) plain(text string) string {
	if p.ASCII {
		text = strings.NewReplacer("…", "...", "·", "-", "→", "->", "–", "-").Replace(text)
		return group.ASCII(text)
	}
	return group.Plain(text)
}

// fit cuts text that was not painted to a number of columns.
func (p *page) fit(text string, columns int) string {
	if columns < p.width(p.glyph.ellipsis) {
		return ""
	}
	return displaywidth.TruncateString(text, columns, p.glyph.ellipsis)
}

// pad fills text, painted or not, with spaces to a number of columns.
func (p *page) pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(columns-p.width(text), 0))
}

// flow puts pieces, painted or not, on as few lines as hold them.
func (p *page) flow(indent int, gap string, pieces []string) []string {
	margin := strings.Repeat(" ", indent)
	var lines []string
	line := margin
	for _, piece := range pieces {
		switch {
		case line == margin:
			line += piece
		case p.width(line)+p.width(gap)+p.width(piece) <= p.Width:
			line += gap + piece
		default:
			lines = append(lines, line)
			line = margin + piece
		}
	}
	return append(lines, line)
}

// wrap breaks text that was not painted into at most the given number of
// lines, at spaces where it can, and cuts what is left.
func (p *page) wrap(text string, columns, lines int) []string {
	var out []string
	for len(out) < lines-1 && p.width(text) > columns {
		head := displaywidth.TruncateString(text, columns, "")
		if head == "" {
			break
		}
		if i := strings.LastIndexByte(head, ' '); i > len(head)/3 && text[len(head)] != ' ' {
			head = head[:i]
		}
		out = append(out, head)
		text = strings.TrimLeft(text[len(head):], " ")
	}
	return append(out, p.fit(text, columns))
}

// hang writes text beside a painted prefix that takes indent columns, and goes
// on below itself.
func (p *page) hang(prefix string, indent int, s style, text string, lines int) []string {
	out := p.wrap(text, p.Width-indent, lines)
	for i := range out {
		out[i] = p.pad(prefix, indent) + p.paint(s, out[i])
		prefix = ""
	}
	return out
}
