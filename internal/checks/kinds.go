package checks

import (
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Kinds lists the evidence that a scan with the given checks reads, sorted:
// their needs, and the nodes that the head of a report counts. The
// least-privilege ClusterRole is generated from it.
func Kinds(list []*check.Check) []report.KindID {
	ids := []report.KindID{inventory.Nodes.ID}
	for _, c := range list {
		for _, n := range c.Needs {
			ids = append(ids, n.Kind)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
