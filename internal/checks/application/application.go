// Package application holds the checks of the section "Application", outside
// of the 35 boxes: what the companion page of the checklist asks of an
// application and no box does, and its like. What the Pod Security Standards
// forbid is reported there (3.2), and not here again.
package application

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Suite lists the checks of the section in the order of its items.
var Suite = []*check.Check{
	// A.1
	nakedPod,
	defaultNamespace,
	secretEnv,
	// A.2
	requests,
	ephemeralStorage,
	// A.3
	defaultAccount,
	// A.4
	rootGroup,
	sharedProcesses,
	// A.5
	readOnlyRoot,
	// A.6
	pullPolicy,
	// A.7
	runtimeSocket,
}

// notSet is what evidence quotes of a field that is not written.
const notSet = "(not set)"

// applications yields the workloads whose pods run or may yet run. What is in
// the namespaces of Kubernetes itself is no application: 3.2 lists its privileges.
func applications(e *check.Eval) func(yield func(*workload.Workload) bool) {
	return func(yield func(*workload.Workload) bool) {
		for w := range workload.Running(e) {
			if !inventory.SystemNamespace(w.Namespace) && !yield(w) {
				return
			}
		}
	}
}
