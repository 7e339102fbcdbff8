// Package engine evaluates checks over an inventory and folds them into the
// boxes of the checklist. It receives the list of checks; it knows none.
package engine

import (
	"runtime"
	"strings"
	"sync"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Evaluate runs the checks in parallel and returns a report with every item of
// the checklist, concluded, and with the items outside of it that have a check
// to run. Checks that were left out on request are named in skipped by their
// ids. Who scanned what is left for the caller to add. The
// result depends on the arguments only, never on scheduling.
func Evaluate(inv *inventory.Inventory, checks []*check.Check, skipped ...string) *report.Report {
	results := make([]report.CheckResult, len(checks)) // a slot per check
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, c := range checks {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			results[i] = check.Evaluate(c, inv)
		})
	}
	wg.Wait()

	r := &report.Report{Schema: report.SchemaV1}
	r.Scan.Observed = inv.Observed
	for _, it := range checklist.AllItems() {
		item := report.Item{Number: it.Number, ID: it.ID, Section: it.Section, Companion: it.Companion(), Title: it.Title, Checks: []report.CheckResult{}}
		for i, c := range checks {
			if c.Item == it {
				item.Checks = append(item.Checks, results[i])
			}
		}
		for _, id := range skipped {
			if strings.HasPrefix(id, it.ID+"/") {
				item.Skipped = append(item.Skipped, id)
			}
		}
		// A box is always there. What nobody asked for beside them is not open.
		if !item.Companion || len(item.Checks) > 0 {
			r.Items = append(r.Items, item)
		}
	}
	r.Conclude()
	return r
}
