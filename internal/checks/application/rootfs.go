package application

import (
	"strconv"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// container-context/read-only-root
//
// Statement: no container can write to its root filesystem.
// Looks at: readOnlyRootFilesystem of every container, init and ephemeral ones
// included. There is no such setting for a pod, nor for Windows.
// Passes when: it is true.
// Fails when: it is false or not set, which is the same.
// Cannot tell when: workloads could not be read.
//
// https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#security-context-1
var readOnlyRoot = &check.Check{
	ID:       "application/container-context/read-only-root",
	Item:     checklist.ContainerContext,
	Title:    "Every container's root filesystem is read-only",
	Noun:     "container",
	Severity: report.Low,
	Why: "An intruder who can write to the container's files can replace the program and its configuration, and put tools beside it. " +
		"On a read-only filesystem what runs is what was in the image.",
	Remediation: "Set `readOnlyRootFilesystem: true`, and mount an `emptyDir` where the application has to write, such as `/tmp`.",
	Refs:        []report.Reference{podContext},
	Needs:       workload.Needs(),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			if w.OnWindows() {
				continue
			}
			for c := range w.Containers() {
				var set *bool
				if c.SecurityContext != nil {
					set = c.SecurityContext.ReadOnlyRootFilesystem
				}
				got := notSet
				if set != nil {
					got = strconv.FormatBool(*set)
				}
				if got == "true" {
					e.Pass(w.Part(c.Name))
					continue
				}
				w.Counted(e.Fail(w.Part(c.Name), "its root filesystem is writable", w.PodEvidence(c.Field+".securityContext.readOnlyRootFilesystem", got, "true")))
			}
		}
	},
}
