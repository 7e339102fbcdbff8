package review

import (
	"encoding/csv"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/render/markdown"
)

// Decided is a row with what somebody decided about it.
type Decided struct {
	*Row
	Decision inventory.Decision
	Note     string
}

// Problem is what is wrong with a sheet. Line is 0 where it has no line.
type Problem struct {
	Line int
	What string
}

// Problems is all that is wrong with a sheet.
type Problems []Problem

func (ps Problems) Error() string {
	var lines []string
	for _, p := range ps {
		if p.Line > 0 {
			p.What = fmt.Sprintf("line %d: %s", p.Line, p.What)
		}
		lines = append(lines, p.What)
	}
	return strings.Join(lines, "\n")
}

// Read takes the decisions from a sheet that was filled in, in Markdown or CSV,
// ordered as the rows of s. The sheet must have exactly these rows, each
// decided; what is wrong is returned as [Problems].
func (s *Sheet) Read(text string) ([]Decided, error) {
	lines, err := table(text)
	if err != nil {
		return nil, err
	}
	var ps Problems
	rows, decided := map[string]*Row{}, map[string]Decided{}
	for i := range s.Rows {
		rows[s.Rows[i].ID] = &s.Rows[i]
	}
	for _, l := range lines {
		problem := func(format string, args ...any) {
			ps = append(ps, Problem{l.number, fmt.Sprintf(format, args...)})
		}
		row := rows[plain(l.cells["id"])]
		if row == nil {
			problem("no grant has the id %q: it is gone, or it was changed since the sheet was drafted", plain(l.cells["id"]))
			continue
		}
		if _, twice := decided[row.ID]; twice {
			problem("the row %s is there twice", row.ID)
			continue
		}
		for column, is := range map[string]string{"subject": row.Subject, "right": row.Right, "scope": row.Scope} {
			if said := plain(l.cells[column]); said != plain(markdown.Inline(is)) && said != plain(inert(is)) {
				problem("the %s reads %q, and that of the grant %s is %q", column, said, row.ID, group.Plain(is))
			}
		}
		d := Decided{row, inventory.Decision(strings.ToLower(plain(l.cells["decision"]))), strings.ReplaceAll(strings.TrimSpace(l.cells["note"]), `\|`, "|")}
		switch {
		case d.Decision == "":
			problem("%s is not decided", row.ID)
		case !d.Decision.Known():
			problem("the decision %q is none of keep, revoke and change", d.Decision)
		case row.Holding == nil && d.Decision != inventory.Keep:
			problem("what Kubernetes itself made can only be kept: the API server makes it anew")
		case d.Decision == inventory.Change && d.Note == "":
			problem("the note does not say what is to change")
		}
		decided[row.ID] = d
	}
	out := make([]Decided, 0, len(s.Rows))
	for _, r := range s.Rows {
		if _, ok := decided[r.ID]; !ok {
			ps = append(ps, Problem{What: fmt.Sprintf("the row of %s is missing: %s, %s", r.ID, group.Plain(r.Subject), group.Plain(r.Right))})
		}
		out = append(out, decided[r.ID])
	}
	if len(ps) > 0 {
		slices.SortStableFunc(ps, func(a, b Problem) int { return strings.Compare(order(a), order(b)) })
		return nil, ps
	}
	return out, nil
}

// order puts problems of lines first, in the order of the lines.
func order(p Problem) string {
	if p.Line == 0 {
		return "~"
	}
	return fmt.Sprintf("%09d %s", p.Line, p.What)
}

// plain is a cell without the signs that keep it from being more than text,
// which editors and spreadsheets add and take away.
func plain(cell string) string {
	cell = strings.NewReplacer(`\`, "", "\u200b", "", "`", "").Replace(html.UnescapeString(cell))
	return strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimSpace(cell), "'")), " ")
}

// line is one row of a table as it was read.
type line struct {
	number int
	cells  map[string]string
}

// table reads the table of a sheet, whichever of the two it is.
func table(text string) ([]line, error) {
	text = strings.TrimPrefix(text, "\ufeff") // spreadsheets write it
	read := markdownTable
	if first, _, _ := strings.Cut(strings.TrimSpace(text), "\n"); strings.HasPrefix(strings.Trim(first, `"`), "id") && !strings.Contains(first, "|") {
		read = csvTable
	}
	rows, err := read(text)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, Problems{{What: "there is no table in it that begins with the column id"}}
	}
	head := rows[0].cells
	for _, c := range []string{"id", "subject", "right", "scope", "decision", "note"} {
		if !slices.Contains(head, c) {
			return nil, Problems{{rows[0].number, fmt.Sprintf("the column %q is missing", c)}}
		}
	}
	var lines []line
	var ps Problems
	for _, r := range rows[1:] {
		if len(r.cells) != len(head) {
			ps = append(ps, Problem{r.number, fmt.Sprintf("the row has %d cells, and the table %d columns", len(r.cells), len(head))})
			continue
		}
		l := line{r.number, map[string]string{}}
		for i, c := range head {
			l.cells[c] = r.cells[i]
		}
		lines = append(lines, l)
	}
	if len(ps) > 0 {
		return nil, ps
	}
	return lines, nil
}

// rawRow is a row of which the columns are not known yet.
type rawRow struct {
	number int
	cells  []string
}

func csvTable(text string) ([]rawRow, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	if head, _, _ := strings.Cut(text, "\n"); strings.Contains(head, ";") { // where the comma is the decimal sign
		r.Comma = ';'
	}
	var rows []rawRow
	for {
		cells, err := r.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case errors.As(err, &bad):
			return nil, Problems{{bad.Line, "it is not CSV: " + bad.Err.Error()}}
		case err != nil:
			return nil, err
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		n, _ := r.FieldPos(0)
		rows = append(rows, rawRow{n, cells})
	}
}

// markdownTable reads the table that begins with the column id.
func markdownTable(text string) ([]rawRow, error) {
	var rows []rawRow
	n := 0
	for text := range strings.Lines(text) {
		n++
		text = strings.TrimSpace(text)
		if !strings.HasPrefix(text, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		cells := split(text)
		switch {
		case len(rows) == 0 && cells[0] != "id":
		case len(rows) == 1 && strings.Trim(text, "|-: ") == "": // the rule below the head
		default:
			rows = append(rows, rawRow{n, cells})
		}
	}
	return rows, nil
}

// split cuts a row of a Markdown table at the bars that are not escaped.
func split(text string) []string {
	var cells []string
	var cell strings.Builder
	escaped := false
	for _, r := range strings.TrimPrefix(text, "|") {
		switch {
		case r == '|' && !escaped:
			cells = append(cells, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			cell.WriteRune(r)
		}
		escaped = r == '\\' && !escaped
	}
	if rest := strings.TrimSpace(cell.String()); rest != "" || len(cells) == 0 {
		cells = append(cells, rest)
	}
	return cells
}
