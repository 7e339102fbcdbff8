package pods

import (
	"fmt"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// lsm/localhost
//
// Statement: somebody has looked at every AppArmor profile and SELinux type
// that is not the runtime's own.
// Looks at: containers with a profile or type of their own.
// Passes when: an object of the Security Profiles Operator says what is in it;
// or the SELinux type is one of those that Pod Security Standards allow.
// Fails when: never.
// Cannot tell when: it is another one: a policy on the nodes, which may allow
// everything; a person has to look. This does not decide the item.
//
// https://kubernetes.io/docs/tutorials/security/apparmor/
var lsmLocalhost = &check.Check{
	ID:       "pods/lsm/localhost",
	Item:     checklist.LSM,
	Title:    "AppArmor profiles and SELinux types of the nodes are known",
	Noun:     "container",
	Severity: report.Info,
	Why:      "A Localhost profile and an SELinux type of one's own are policies on each node. What they allow is not to be seen in the cluster's API; a profile in complain mode only logs.",
	Remediation: "Keep the policies where they are reviewed, or manage them as AppArmorProfile and SelinuxProfile objects of the Security Profiles Operator. " +
		"Prefer the runtime's default where the workload runs with it.",
	Refs:  []report.Reference{restrictAccess, assignLabels},
	Needs: workload.With(inventory.SPOAppArmorProfiles.Optional(), inventory.SPOSelinuxProfiles.Optional()),
	Run: func(e *check.Eval) {
		for w := range workload.Running(e) {
			if w.OnWindows() {
				continue
			}
			for c := range w.Containers() {
				judgeNodePolicy(e, w, c)
			}
		}
	},
}

func judgeNodePolicy(e *check.Eval, w *workload.Workload, c workload.Container) {
	profile, options := appArmorOf(w, c), seLinuxOf(w, c)
	if name := localProfile(profile.value); name != "" {
		if _, known := appArmorObject(e, name); !known {
			w.Counted(e.Manual(w.Part(c.Name), fmt.Sprintf("confined by the AppArmor profile %q of its node", name), w.PodEvidence(profile.field, name, "")))
			return
		}
		e.Pass(w.Part(c.Name))
		return
	}
	if options.value == nil || slices.Contains(unconfinedTypes, options.value.Type) {
		return
	}
	if _, known := seLinuxObject(e, options.value.Type); !known && !slices.Contains(ordinaryTypes, options.value.Type) {
		w.Counted(e.Manual(w.Part(c.Name), fmt.Sprintf("confined by the SELinux type %q of its node", options.value.Type), w.PodEvidence(options.field, options.value.Type, "")))
		return
	}
	e.Pass(w.Part(c.Name))
}
