package workload

import corev1 "k8s.io/api/core/v1"

// Finished reports whether the workload is a pod that has ended: it runs
// nothing, and will not be started again.
func (w *Workload) Finished() bool {
	return w.Value.Phase == corev1.PodSucceeded || w.Value.Phase == corev1.PodFailed
}
