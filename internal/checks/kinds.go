package checks

import (
	"slices"
	"strings"

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

// Reads says in words what needs are, what a check can do without last; the
// kinds that workloads come from are one word. quote stands around names.
func Reads(needs []inventory.Need, quote string) string {
	var needed, helpful []string
	for i, n := range needs {
		w := quote + string(n.Kind) + quote
		if bearsPods(n.Kind) {
			if i > 0 && bearsPods(needs[i-1].Kind) {
				continue
			}
			w = "workloads of every kind"
		}
		if n.Optional {
			helpful = append(helpful, w)
		} else {
			needed = append(needed, w)
		}
	}
	text := strings.Join(needed, ", ")
	if len(helpful) > 0 {
		text = strings.TrimPrefix(text+"; and if it is there: ", "; and ") + strings.Join(helpful, ", ")
	}
	return text
}

func bearsPods(k report.KindID) bool {
	return slices.ContainsFunc(inventory.PodBearers, func(p inventory.Kind[*inventory.PodBearer]) bool { return p.ID == k })
}
