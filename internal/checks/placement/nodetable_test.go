package placement

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func TestTable(t *testing.T) {
	o := onNodes{
		"a": {"pay": 1, "web": 2},
		"b": {"web": 3},
		"c": {"pay": 1, "web": 2},
		"d": {"": 4, "pay": 1, "web": 1},
		"e": {"web": 3},
		"f": {"web": 3},
	}
	want := &report.Table{
		Title: "workloads by node and tier", Columns: []string{"node", "pay", "web", "(no tier)"},
		Rows: [][]string{{"d", "1", "1", "4"}, {"a and 1 more", "1", "2", ""}, {"b and 2 more", "", "3", ""}},
	}
	if d := cmp.Diff(want, o.table()); d != "" {
		t.Error(d)
	}
	if got := (onNodes{"a": {"pay": 1}, "b": {"web": 1}}).table(); got != nil {
		t.Errorf("tiers that are apart give %+v", got)
	}
	many := onNodes{}
	for i := range maxRows + 5 {
		many[fmt.Sprintf("n-%02d", i)] = map[string]int{"pay": 1, "web": i + 1}
	}
	if got := many.table(); len(got.Rows) != maxRows || got.Left != 5 {
		t.Errorf("%d rows and %d left out, want %d and 5", len(got.Rows), got.Left, maxRows)
	}
}
