package secrets

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// configmaps/annotations
//
// Statement: no annotation holds a credential.
// Looks at: annotations of ConfigMaps and workloads, and of pod templates. Of the
// copies of the object that kubectl (last-applied-configuration), kapp and kopf
// keep, what the object's own fields do not hold.
// Passes when: nothing in them is a credential, as for ConfigMaps.
// Fails when: one holds a credential; once for the annotation. In a copy that is
// one that was taken out of the object, or moved to a Secret, by other means than
// the tool that keeps the copy: kubectl edit, patch, or a server-side apply. Two
// are taken for the same by what is shown of them, not by their values.
// Cannot tell when: ConfigMaps or workloads could not be read.
//
// https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-last-applied-configuration
var configMapAnnotations = &check.Check{
	ID:       "secrets/configmaps/annotations",
	Item:     checklist.ConfigMaps,
	Title:    "No annotation of a ConfigMap or workload holds a credential",
	Noun:     "annotation",
	Severity: report.High, // as readable as the object's fields
	Why: "Whoever may read an object reads its annotations, and many tools print nothing else. The copy that kubectl keeps of what was applied " +
		"outlives its correction: a password that was moved to a Secret with another tool is still in it.",
	Remediation: "Take the value out of the annotation; where the program needs it there, let it name a Secret. A stale copy is renewed by `kubectl apply`, " +
		"or removed with `kubectl annotate KIND NAME kubectl.kubernetes.io/last-applied-configuration-`. Then rotate the credential: it was readable.",
	Refs:  configMapReferences,
	Needs: workload.With(inventory.ConfigMaps.Need()),
	Run: func(e *check.Eval) {
		for c := range inventory.All(e, inventory.ConfigMaps) {
			list := spots(c.Value.Leaks, annotationOf)
			passed(e, c.Subject, len(c.Value.Annotations), len(list))
			for _, s := range list {
				failSpot(e, c, s)
			}
		}
		judgeWorkloads(e,
			func(_ *workload.Workload, l inventory.Leak) string { return annotationOf(l) },
			annotations)
	},
}

// annotations counts those of a workload and of its pod template.
func annotations(w *workload.Workload) int {
	n := len(w.Value.Annotations)
	if w.Value.Path != "" { // the annotations of a Pod are those of its template
		n += len(w.PodAnnotations())
	}
	return n
}
