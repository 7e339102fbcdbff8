package terminal

import (
	"strconv"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// tabled is a report of one failing check with a table.
func tabled(t *report.Table) *report.Report {
	c := report.CheckResult{
		ID: "placement/tiers/shared-nodes", Title: "No two tiers share a node", Severity: report.Medium, Verdict: report.Fail, Noun: "pair of tiers", Examined: 1, Table: t,
		Findings: []report.Finding{{Verdict: report.Fail, Message: "tiers \"a\" and \"b\" share 1 node", Subject: report.Subject{Kind: "Config", Name: "plimsoll.yaml"}}},
	}
	r := &report.Report{Items: []report.Item{{Number: "5.1", ID: "placement/tiers", Checks: []report.CheckResult{c}}}}
	r.Conclude()
	return r
}

func TestTable(t *testing.T) {
	r := tabled(&report.Table{
		Title: "workloads by node and tier", Columns: []string{"node", "payment", "web"}, Left: 2,
		Rows: [][]string{{"gen-1 and 11 more", "1", "12"}, {"pay-1", "3", ""}},
	})
	want := strings.Join([]string{
		"workloads by node and tier:",
		"node               payment  web",
		"gen-1 and 11 more        1   12",
		"pay-1                    3",
		"… 2 more rows",
	}, "\n")
	var got []string
	for line := range strings.Lines(show(t, r, Options{Width: 100})) {
		got = append(got, strings.TrimSpace(line))
	}
	if all := strings.Join(got, "\n"); !strings.Contains(all, want) {
		t.Errorf("there is no\n%s\nin\n%s", want, all)
	}
}

// TestTableFits: what has no room is cut, counted or left out, and text from a
// cluster does nothing to the screen.
func TestTableFits(t *testing.T) {
	wide := &report.Table{Title: "by node and tier", Columns: []string{"node\x1b[2J"}}
	for i := range 30 {
		wide.Columns = append(wide.Columns, "a-tier-with-a-long-name-"+strconv.Itoa(i))
	}
	for i := range 20 {
		row := []string{strings.Repeat("node-\u202e", 20)}
		for range i { // too few cells
			row = append(row, strconv.Itoa(i))
		}
		wide.Rows = append(wide.Rows, row)
	}
	for _, table := range []*report.Table{wide, {}, {Rows: [][]string{{"a"}}}, {Columns: []string{"a"}, Rows: [][]string{{}}}} {
		for width := narrowest; width <= 200; width += 7 {
			for _, o := range []Options{{Width: width}, {Width: width, Height: 50}, {Width: width, Verbose: true}} {
				out := show(t, tabled(table), o)
				for line := range strings.Lines(out) {
					if w := displaywidth.String(strings.TrimSuffix(line, "\n")); w > width {
						t.Fatalf("width %d: %d columns: %q", width, w, line)
					}
				}
				if strings.ContainsAny(out, "\x1b\u202e") {
					t.Fatalf("width %d: a control character is on the screen", width)
				}
			}
		}
	}
}
