// Package application holds the checks of the section "Application", outside
// of the 35 boxes: what the companion page of the checklist asks of an
// application and no box does, and its like. What the Pod Security Standards
// forbid is reported there (3.2), and not here again.
package application

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
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
		for _, w := range workload.All.Of(e) {
			if !w.Finished() && !inventory.SystemNamespace(w.Namespace) && !yield(w) {
				return
			}
		}
	}
}

// counted notes for how many pods a finding stands.
func counted(f *report.Finding, w *workload.Workload) {
	if w.Pods > 1 {
		f.Count = w.Pods
	}
}

// admitted reports whether the workload is a pod that an API server has
// created: what admission would write is written.
func admitted(w *workload.Workload) bool { return w.Kind == "Pod" && w.Value.UID != "" }

// windows reports whether the pod is for Windows nodes: it declares the system,
// or selects nodes by it, as it was done before there was a field.
func windows(w *workload.Workload) bool {
	nodes := w.Spec().NodeSelector
	return w.Windows() || nodes["kubernetes.io/os"] == "windows" || nodes["beta.kubernetes.io/os"] == "windows"
}
