package workload

import (
	"iter"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Finished reports whether the workload is a pod that has ended: it runs
// nothing, and will not be started again.
func (w *Workload) Finished() bool {
	return w.Value.Phase == corev1.PodSucceeded || w.Value.Phase == corev1.PodFailed
}

// Running yields the workloads whose pods run or may yet run.
func Running(r inventory.Reader) iter.Seq[*Workload] {
	return func(yield func(*Workload) bool) {
		for _, w := range All.Of(r) {
			if !w.Finished() && !yield(w) {
				return
			}
		}
	}
}

// Counted notes for how many pods a finding about the workload stands.
func (w *Workload) Counted(f *report.Finding) *report.Finding {
	if w.Pods > 1 {
		f.Count = w.Pods
	}
	return f
}
