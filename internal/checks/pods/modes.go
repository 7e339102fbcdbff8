package pods

import (
	"cmp"
	"fmt"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// security-standards/modes
//
// Statement: the levels that are warned about and audited go beyond the one
// that is enforced.
// Looks at: namespaces with one of the labels warn, audit, warn-version and
// audit-version.
// Passes when: each level that is written down is at least as strict as the
// enforced one, at a version that is no older.
// Fails when: one is weaker or older, and so never says anything; or a value
// does not parse, for information.
// Cannot tell when: Namespace objects could not be read.
//
// https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces
var modes = &check.Check{
	ID:       "pods/security-standards/modes",
	Item:     checklist.SecurityStandards,
	Title:    "Levels that are warned about or audited go beyond the enforced one",
	Noun:     "namespace",
	Severity: report.Info,
	Why: "`warn` and `audit` show what would break under a stricter level, before it is enforced. " +
		"A level below the enforced one shows nothing: what violates it is refused already.",
	Remediation: "Set `warn` and `audit` to the next stricter level, usually `restricted`, or drop the labels.",
	Refs:        []report.Reference{podSecurityStandards},
	Needs:       []inventory.Need{inventory.Namespaces.Need(), inventory.PodSecurityDefaults.Optional(), inventory.Pods.Optional()},
	Run: func(e *check.Eval) {
		policies := podsecurity.Enforced.Of(e)
		for ns := range inventory.All(e, inventory.Namespaces) {
			judgeModes(e, ns, policies.Of(ns))
		}
	},
}

func judgeModes(e *check.Eval, ns inventory.Object[inventory.Meta], p podsecurity.Policy) {
	present, useless := false, false
	for _, m := range []struct {
		name, level, version string
		at                   api.LevelVersion
	}{
		{"warn", api.WarnLevelLabel, api.WarnVersionLabel, p.Warn},
		{"audit", api.AuditLevelLabel, api.AuditVersionLabel, p.Audit},
	} {
		fail := func(label, msg, want string) {
			useless = true
			e.Fail(ns.Subject, msg, ns.Evidence("metadata.labels["+label+"]", cmp.Or(ns.Value.Labels[label], podsecurity.None), want)).Control = m.name
		}
		level, labelled := ns.Value.Labels[m.level]
		version, pinned := ns.Value.Labels[m.version]
		present = present || labelled || pinned
		switch {
		case labelled && !known(m.level, level):
			fail(m.level, fmt.Sprintf("the label %q has the value %q, which Pod Security does not know", m.level, level), "privileged, baseline or restricted")
		case pinned && !known(m.version, version):
			fail(m.version, fmt.Sprintf("the label %q has the value %q, which Pod Security does not know", m.version, version), "latest, or like v1.37")
		case !labelled || !p.Enforces():
		case api.CompareLevels(m.at.Level, p.Enforce.Level) < 0:
			fail(m.level, fmt.Sprintf("the %s level is %q, below the enforced %q", m.name, m.at.Level, p.Enforce.Level), string(api.LevelRestricted))
		case m.at.Level == p.Enforce.Level && m.at.Version.Older(p.Enforce.Version):
			fail(m.version, fmt.Sprintf("the %s level is that of version %q, older than the enforced %q", m.name, m.at.Version.String(), p.Enforce.Version.String()), "latest")
		}
	}
	if present && !useless {
		e.Pass(ns.Subject)
	}
}
