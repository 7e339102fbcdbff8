package markdown

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/group"
)

// textCut is the number of characters of a text that is shown.
const textCut = 160

// breaks keeps text from being read as Markdown or HTML, and from being linked
// after that: GitHub looks for mentions, issues and addresses in what it has
// already rendered, where only a zero-width space stops it.
//
// https://github.github.com/gfm/, https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
var breaks = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "$", "&#36;",
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`,
	"@", "@&#8203;", "#", "#&#8203;", "GH-", "GH-&#8203;", "gh-", "gh-&#8203;", "Gh-", "Gh-&#8203;", "gH-", "gH-&#8203;",
	"://", ":&#8203;//", "www.", "www&#8203;.", "WWW.", "WWW&#8203;.",
)

// Inline writes a text of a cluster or file as itself, whole and on one line.
func Inline(s string) string { return breaks.Replace(group.Plain(s)) }

// text is Inline for a text that may be cut.
func text(s string) string { return breaks.Replace(clip(group.Plain(s))) }

// code writes a name, place or value of a cluster or file as code, which is
// neither formatted nor linked.
func code(s string) string {
	s = clip(group.Plain(s))
	if s == "" {
		return ""
	}
	if !strings.ContainsAny(s, "`|\\<>") && strings.TrimSpace(s) == s {
		return "`" + s + "`"
	}
	// A code span has no escapes: what would end it, or the cell of a table,
	// needs an element whose content has.
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range s {
		if r <= '~' && strings.ContainsRune("&<>\"'|\\`*_[]()~$@#:.!", r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteString("</code>")
	return b.String()
}

// prose writes a text that holds code in Markdown's manner on one line: code
// as code, all else as itself.
func prose(s string) string {
	var b strings.Builder
	parts := strings.Split(strings.Join(strings.Fields(s), " "), "`")
	for i, part := range parts {
		switch {
		case i%2 == 1 && i < len(parts)-1:
			b.WriteString(code(part))
		case i%2 == 1: // a code span that does not end is none
			b.WriteString(breaks.Replace("`" + group.Plain(part)))
		default:
			b.WriteString(breaks.Replace(group.Plain(part)))
		}
	}
	return b.String()
}

// clip cuts a text to textCut characters.
func clip(s string) string {
	n := 0
	for i := range s {
		if n++; n > textCut {
			return s[:i] + "…"
		}
	}
	return s
}
