package placement

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// maxRows is the number of rows of the table: those with most tiers come first.
const maxRows = 20

// onNodes counts the workloads of each tier on each node; those of no tier go
// by its empty name.
type onNodes map[string]map[string]int

func (o onNodes) add(m member, node string) {
	if o[node] == nil {
		o[node] = map[string]int{}
	}
	o[node][m.tier.Name]++
}

// table shows which tiers run on which nodes. Nodes with the same numbers share
// a row. It is nil where no node has two tiers.
func (o onNodes) table() *report.Table {
	tiers := map[string]bool{}
	for _, counts := range o {
		for tier := range counts {
			tiers[tier] = true
		}
	}
	names := slices.Sorted(maps.Keys(tiers))
	if len(names) > 0 && names[0] == "" { // to the end
		names = append(names[1:], "")
	}
	type row struct {
		nodes []string
		cells []string
		tiers int
	}
	rows := map[string]*row{}
	mixed := false
	for _, node := range slices.Sorted(maps.Keys(o)) {
		r := &row{}
		for _, tier := range names {
			cell := ""
			if n := o[node][tier]; n > 0 {
				cell = strconv.Itoa(n)
				r.tiers++
			}
			r.cells = append(r.cells, cell)
		}
		mixed = mixed || r.tiers > 1
		key := strings.Join(r.cells, "|")
		if rows[key] == nil {
			rows[key] = r
		}
		rows[key].nodes = append(rows[key].nodes, node)
	}
	if !mixed {
		return nil
	}
	all := slices.SortedStableFunc(maps.Values(rows), func(a, b *row) int {
		if a.tiers != b.tiers {
			return b.tiers - a.tiers
		}
		return strings.Compare(a.nodes[0], b.nodes[0])
	})
	t := &report.Table{Title: "workloads by node and tier", Columns: []string{"node"}, Left: max(len(all)-maxRows, 0)}
	for _, name := range names {
		if name == "" {
			name = "(no tier)"
		}
		t.Columns = append(t.Columns, name)
	}
	for _, r := range all[:len(all)-t.Left] {
		t.Rows = append(t.Rows, append([]string{nodesOf(r.nodes)}, r.cells...))
	}
	return t
}

// nodesOf names the nodes of a row: the first, and the number of the others.
func nodesOf(nodes []string) string {
	if len(nodes) == 1 {
		return nodes[0]
	}
	return nodes[0] + " and " + strconv.Itoa(len(nodes)-1) + " more"
}
