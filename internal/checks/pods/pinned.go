package pods

import (
	"fmt"
	"strings"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podpolicy"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// security-standards/pinned-version
//
// Statement: the enforced standard is that of the cluster's version.
// Looks at: namespaces that enforce baseline or restricted, and the version
// that they, or the plugin's configuration, pin; against the newest kubelet's
// version.
// Passes when: the version is "latest", or the level has the same controls
// since then.
// Fails when: a control was added since, for information.
// Cannot tell when: Namespace objects could not be read; or a control was added
// up to the latest version, and no node was read.
//
// https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces
var pinnedVersion = &check.Check{
	ID:       "pods/security-standards/pinned-version",
	Item:     checklist.SecurityStandards,
	Title:    "Enforced levels have the controls of the cluster's version",
	Noun:     "namespace",
	Severity: report.Info,
	Why: "A pinned version keeps an upgrade from refusing pods, and keeps out the controls that were added to the standards since. " +
		"Pinned once and forgotten, it enforces less than its name says.",
	Remediation: "Move `enforce-version` to the cluster's version after each upgrade; `warn-version: latest` tells beforehand what would be refused.",
	Refs:        []report.Reference{podSecurityStandards},
	Needs:       enforcementNeeds(),
	Run: func(e *check.Eval) {
		policies, now := podsecurity.Enforced.Of(e), podpolicy.Enforced.Of(e).Version
		for ns := range inventory.All(e, inventory.Namespaces) {
			p := policies.Of(ns)
			if !p.Enforces() {
				continue
			}
			added := podpolicy.Added(p.Enforce.Level, p.Enforce.Version, now)
			if len(added) == 0 {
				e.Pass(ns.Subject)
				continue
			}
			msg := fmt.Sprintf("%q is enforced, which lacks %s of %s", p.Enforce.String(), strings.Join(added, ", "), now.String())
			at := ns.Evidence("metadata.labels["+api.EnforceVersionLabel+"]", p.Enforce.Version.String(), now.String())
			if now.Latest() {
				e.Unknown(ns.Subject, msg+", but the cluster's version is not known: no node was read", at)
				continue
			}
			e.Fail(ns.Subject, msg, at)
		}
	},
}
