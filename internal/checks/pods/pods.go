// Package pods holds the checks of the section "Pod security".
package pods

import (
	"fmt"
	"iter"

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
	privilegedLevel,
	modes,
	pinnedVersion,
	// 3.3
	memoryLimit,
	memoryRequest,
	// 3.4
	cpuLimit,
	// 3.5
	seccompProfile,
	seccompLocalhost,
	// 3.6
	lsmProfile,
	lsmLocalhost,
}

// running yields the workloads whose pods run or may yet run.
func running(e *check.Eval) iter.Seq[*workload.Workload] { return workload.Running(e) }

// counted notes for how many pods a finding stands.
func counted(f *report.Finding, w *workload.Workload) *report.Finding { return w.Counted(f) }

// counting renders "1 workload", "3 workloads".
func counting(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
