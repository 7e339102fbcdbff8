package pods

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/tiers"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// cpu-limits/limit
//
// Statement: every container of a sensitive workload has a CPU limit.
// Looks at: workloads of a sensitive tier, as the configuration or the label
// plimsoll.dev/tier says it; others never fail. Pod-level resources and
// LimitRanges count as for memory.
// Passes when: a limit is there.
// Fails when: there is none, or it is 0, which the kubelet reads as none.
// Cannot tell when: there is no limit and LimitRanges could not be read. Where
// no tier is declared and no object carries the label, a person has to say
// which workloads are sensitive.
//
// https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
var cpuLimit = &check.Check{
	ID:       "pods/cpu-limits/limit",
	Item:     checklist.CPULimits,
	Title:    "Every container of a sensitive workload has a CPU limit",
	Noun:     "container",
	Severity: report.Low,
	Why: "A CPU limit keeps a workload from slowing down what runs beside it, and from being slowed down in ways that leak through time. " +
		"It also costs throughput: the checklist asks for it where a workload is sensitive, nowhere else.",
	Remediation: "Set `resources.limits.cpu` on the containers, or `spec.resources` on the pod. Declare tiers in the configuration, or label workloads or namespaces with `plimsoll.dev/tier`.",
	Refs:        []report.Reference{{Name: "Assign CPU resources", URL: "https://kubernetes.io/docs/tasks/configure-pod-container/assign-cpu-resource/"}},
	Needs:       append(workload.With(inventory.LimitRanges.Optional()), tiers.Needs()...),
	Run: func(e *check.Eval) {
		if len(e.Missing(inventory.Settings.ID, "")) > 0 {
			return // the tier of a label's name may be declared otherwise
		}
		declared := tiers.Declared.Of(e)
		sensitive := map[*workload.Workload]bool{}
		var first *workload.Workload // where a tier could be named
		known := declared.Any()
		for w := range workload.Running(e) {
			if first == nil {
				first = w
			}
			tier, err := declared.Of(w.Namespace, w.Value.Labels, w.PodLabels())
			if err != nil {
				e.Unknown(declared.Subject, fmt.Sprintf("the tiers cannot be applied: %v", err), w.Evidence("metadata.name", w.Name, ""))
				return
			}
			sensitive[w] = tier.Sensitive
			known = known || tier.Own
			// The label of a Namespace decides where the workload has none.
			if gap, unread := tiers.Unread(e, w.Namespace); unread && !tier.Sensitive && !tier.Own {
				e.Unknown(w.Subject, fmt.Sprintf("the label of its namespace may name a sensitive tier, but %s", gap),
					w.Evidence("metadata.namespace", w.Namespace, ""))
			}
		}
		if first != nil && !known {
			f := e.Manual(declared.Subject, "no tier of sensitivity is declared: which workloads need a CPU limit is not known",
				first.Evidence("metadata.labels["+inventory.TierLabel+"]", podsecurity.None, "the name of a tier, where one applies"))
			f.Remedy = tiers.HowToDeclare
			return
		}
		judgeLimits(e, corev1.ResourceCPU, func(w *workload.Workload) bool { return sensitive[w] })
	},
}
