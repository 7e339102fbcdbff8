// Package pods holds the checks of the section "Pod security".
package pods

import (
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Suite lists the checks of the section, item by item.
var Suite = []*check.Check{
	// 3.2
	enforcement,
	violations,
	restrictedViolations,
	baseline,
	systemNamespaces,
	systemWorkloads,
	restricted,
	// 3.3
	memoryLimit,
	memoryRequest,
	// 3.4
	cpuLimit,
	// 3.5
	seccompProfile,
	seccompLocalhost,
}

// running yields the workloads whose pods run or may yet run.
func running(e *check.Eval) func(yield func(*workload.Workload) bool) {
	return func(yield func(*workload.Workload) bool) {
		for _, w := range workload.All.Of(e) {
			if !w.Finished() && !yield(w) {
				return
			}
		}
	}
}

// counted notes for how many pods a finding stands.
func counted(f *report.Finding, w *workload.Workload) *report.Finding {
	if w.Pods > 1 {
		f.Count = w.Pods
	}
	return f
}

// counting renders "1 workload", "3 workloads".
func counting(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
