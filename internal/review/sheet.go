package review

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/render/markdown"
)

// Markdown writes the sheet as a Markdown document with one table.
func (s *Sheet) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Review of access\n\n%s.", group.Noun(len(s.Rows), "row"))
	if s.last != nil {
		fmt.Fprintf(b, " The last review is of %s by %s; since then %s.", s.last.Date.UTC().Format(time.DateOnly), markdown.Inline(s.last.Reviewer), s.Changes)
	}
	fmt.Fprint(b, "\n\nWrite `keep`, `revoke` or `change` into each row under `decision`. With `change`, the\n"+
		"note says what is to become of the grant. Then sign the sheet off:\n\n"+
		"    plimsoll access review --sign-off SHEET --reviewer NAME --out review.yaml\n\n")
	for i, row := range s.Changes.Removed {
		if i == 0 {
			fmt.Fprint(b, "Gone since the last review:\n\n")
		}
		fmt.Fprintf(b, "- %s, %s by %s\n", markdown.Inline(row.Subject), markdown.Inline(row.Role), markdown.Inline(row.Binding))
	}
	if len(s.Changes.Removed) > 0 {
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for i := range s.Rows {
		for _, cell := range s.Rows[i].cells() {
			fmt.Fprintf(b, "| %s ", markdown.Inline(cell))
		}
		fmt.Fprintln(b, "|")
	}
	return b.Flush()
}

// CSV writes the rows for a spreadsheet.
func (s *Sheet) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(columns); err != nil {
		return err
	}
	for i := range s.Rows {
		cells := s.Rows[i].cells()
		for j := range cells {
			cells[j] = inert(cells[j])
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// inert keeps a spreadsheet from taking a cell for a formula.
//
// https://owasp.org/www-community/attacks/CSV_Injection
func inert(cell string) string {
	cell = group.Plain(cell) // tabs and line ends are escapes now
	if strings.IndexFunc(cell, func(r rune) bool { return strings.ContainsRune("=+-@＝＋－＠", r) }) == 0 {
		return "'" + cell
	}
	return cell
}

// JSON is the sheet for programs. Missing says what could not be read.
func (s *Sheet) JSON(missing []string) any {
	out := struct {
		Schema  string                    `json:"schema"`
		Digest  string                    `json:"digest"`
		Rows    []Row                     `json:"rows"`
		Removed []inventory.ReviewedGrant `json:"removed"`
		Missing []string                  `json:"missing"`
	}{"plimsoll.access.review/v1", s.list.Digest, []Row{}, []inventory.ReviewedGrant{}, missing}
	out.Rows = append(out.Rows, s.Rows...)
	out.Removed = append(out.Removed, s.Changes.Removed...)
	return out
}
