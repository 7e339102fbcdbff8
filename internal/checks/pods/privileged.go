package pods

import (
	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podpolicy"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// security-standards/privileged-level
//
// Statement: no namespace is left to the privileged standard on purpose.
// Looks at: namespaces with the label enforce: privileged whose workloads do
// not meet baseline, so that enforcement takes the level for fitting.
// Passes when: a namespace has no such label, or policies of other projects
// enforce baseline there.
// Fails when: it has, for information: who may create a pod there owns the node.
// Cannot tell when: Namespace objects could not be read.
//
// https://kubernetes.io/docs/concepts/security/pod-security-standards/#privileged
var privilegedLevel = &check.Check{
	ID:       "pods/security-standards/privileged-level",
	Item:     checklist.SecurityStandards,
	Title:    "No namespace is left to the privileged level",
	Noun:     "namespace",
	Severity: report.Info,
	Why: "Where workloads need privileges, the privileged level is the one that fits, and a label that says so is better than none. " +
		"But it is the level of everybody who may create pods there, so that such namespaces should be few and known.",
	Remediation: "Keep what needs privileges in a namespace of its own, let few people create pods in it, and enforce `baseline` on all others.",
	Refs:        []report.Reference{podSecurityStandards},
	Needs:       enforcementNeeds(),
	Run: func(e *check.Eval) {
		policies := podsecurity.Enforced.Of(e)
		tenants := map[string][]*workload.Workload{}
		for w := range workload.Running(e) {
			tenants[w.Namespace] = append(tenants[w.Namespace], w)
		}
		for ns := range inventory.All(e, inventory.Namespaces) {
			if inventory.SystemNamespace(ns.Name) {
				continue
			}
			p := policies.Of(ns)
			if !p.Labelled || p.Exempt || p.Enforce.Level != api.LevelPrivileged || podpolicy.Enforced.Of(e).In(ns).Level() != api.LevelPrivileged {
				e.Pass(ns.Subject)
				continue
			}
			t := today(e, ns.Name, p.Enforce.Version, tenants[ns.Name])
			if t.level != api.LevelPrivileged {
				e.Pass(ns.Subject)
				continue
			}
			e.Fail(ns.Subject, state(ns, p)+", which fits: "+t.String(),
				ns.Evidence("metadata.labels["+api.EnforceLevelLabel+"]", string(api.LevelPrivileged), string(api.LevelBaseline)))
		}
	},
}
