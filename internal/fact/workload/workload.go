// Package workload gives every pod-bearing object one shape: what runs, under
// whose control, in how many pods. Owner chains are resolved, and pods that
// equal their controller's template are folded into it, so that one cause is
// one finding.
package workload

import (
	"cmp"
	"iter"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Workload is a pod-bearing object that nothing else in the inventory makes,
// or pods that differ from what made them.
type Workload struct {
	inventory.Object[*inventory.PodBearer]
	// Pods is the number of pods that were seen of it; 0 for a bare template.
	Pods int
	// Folded are the pods among them that an API server has admitted, one for
	// each way in which admission filled them in, with the number of pods. What
	// is decided at admission (resources, tokens) is as it was then.
	Folded []*Workload
	// Controller is the object that made a pod which differs from its template;
	// empty otherwise.
	Controller report.Subject
	// Nodes lists where its pods run, sorted, each once.
	Nodes []string
}

// Spec is the pod that runs.
func (w *Workload) Spec() *corev1.PodSpec { return w.Value.Template.Spec }

// PodLabels are the labels that selectors see.
func (w *Workload) PodLabels() map[string]string { return w.Value.Template.Labels }

// PodAnnotations are the annotations of the pod.
func (w *Workload) PodAnnotations() map[string]string { return w.Value.Template.Annotations }

// Field is the path in the object of a field of the pod: "spec.hostNetwork"
// becomes "spec.template.spec.hostNetwork" in a Deployment.
func (w *Workload) Field(podField string) string {
	if w.Value.Path == "" {
		return podField
	}
	return w.Value.Path + "." + podField
}

// PodEvidence quotes a field of the pod.
func (w *Workload) PodEvidence(podField, got, want string) report.Evidence {
	return w.Evidence(w.Field(podField), got, want)
}

// Part is the workload's subject narrowed to a part: a container's name.
func (w *Workload) Part(name string) report.Subject {
	s := w.Subject
	s.Part = name
	return s
}

// ServiceAccount is the name of the account that the pod runs as.
func (w *Workload) ServiceAccount() string {
	if s := w.Spec(); s.ServiceAccountName != "" {
		return s.ServiceAccountName
	} else if s.DeprecatedServiceAccount != "" {
		return s.DeprecatedServiceAccount
	}
	return "default" // the ServiceAccount admission plugin's default
}

// Admitted reports whether the workload is a pod that an API server has
// created: what LimitRanges and ServiceAccounts give it is written in it, and
// what they say today changes nothing for it.
func (w *Workload) Admitted() bool { return w.Kind == "Pod" && w.Value.UID != "" }

// Windows reports whether the pod declares the Windows operating system.
func (w *Workload) Windows() bool {
	return w.Spec().OS != nil && w.Spec().OS.Name == corev1.Windows
}

// OnWindows reports whether the pod can run on Windows nodes only, because it
// declares that system or selects such nodes. The kubelet still sets the label
// by which it was done before there was a stable one.
func (w *Workload) OnWindows() bool {
	nodes := w.Spec().NodeSelector
	return w.Windows() || cmp.Or(nodes[corev1.LabelOSStable], nodes["beta.kubernetes.io/os"]) == string(corev1.Windows)
}

// Role is the place of a container in its pod.
type Role string

// The roles of containers.
const (
	Init      Role = "init"
	Sidecar   Role = "sidecar" // an init container with restartPolicy Always (KEP-753)
	Regular   Role = "container"
	Ephemeral Role = "ephemeral"
)

// Container is one container of a workload.
type Container struct {
	*corev1.Container
	Role Role
	// Field is its path in the pod: "spec.initContainers[0]".
	Field string
}

// Containers yields every container once: init containers and sidecars,
// regular and ephemeral ones.
func (w *Workload) Containers() iter.Seq[Container] {
	return func(yield func(Container) bool) {
		s := w.Spec()
		for i := range s.InitContainers {
			c := &s.InitContainers[i]
			role := Init
			if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
				role = Sidecar
			}
			if !yield(Container{c, role, "spec.initContainers[" + strconv.Itoa(i) + "]"}) {
				return
			}
		}
		for i := range s.Containers {
			if !yield(Container{&s.Containers[i], Regular, "spec.containers[" + strconv.Itoa(i) + "]"}) {
				return
			}
		}
		for i := range s.EphemeralContainers {
			c := (*corev1.Container)(&s.EphemeralContainers[i].EphemeralContainerCommon)
			if !yield(Container{c, Ephemeral, "spec.ephemeralContainers[" + strconv.Itoa(i) + "]"}) {
				return
			}
		}
	}
}
