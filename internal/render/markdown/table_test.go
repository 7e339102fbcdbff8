package markdown

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func TestTable(t *testing.T) {
	got := table(&report.Table{
		Title: "workloads by node and tier", Columns: []string{"node", "a|b", "web"}, Left: 1,
		Rows: [][]string{{"gen-1 and 11 more", "1", "12"}, {"pay-1", "3", ""}},
	})
	want := `workloads by node and tier:

| node | a&#124;b | web |
|---|--:|--:|
| gen-1 and 11 more | 1 | 12 |
| pay-1 | 3 |  |

… 1 more row

`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, empty := range []*report.Table{nil, {}, {Rows: [][]string{{"a"}}}} {
		if got := table(empty); got != "" {
			t.Errorf("%+v gives %q", empty, got)
		}
	}
}
