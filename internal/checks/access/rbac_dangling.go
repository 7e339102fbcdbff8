package access

import (
	"fmt"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/dangling-role
//
// Statement: every binding binds a role that is there.
// Looks at: the role of every binding that somebody made.
// Passes when: it is there.
// Fails when: a cluster does not have it.
// Cannot tell when: roles or bindings could not be read; or, in manifests, the
// role is not in the input: it may be elsewhere, and what it grants is not known.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#periodic-review
var danglingRole = &check.Check{
	ID:          "access/rbac/dangling-role",
	Item:        checklist.RBAC,
	Title:       "Every binding binds a role that is there",
	Noun:        "binding",
	Severity:    report.Low,
	Why:         "Whoever may create a role of that name decides what the subjects of the binding may do.",
	Remediation: "Delete the binding, or create the role.",
	Refs:        sources,
	Needs:       access.Needs,
	Run: func(e *check.Eval) {
		x := cause.Made.Of(e)
		for _, g := range x.Grants() {
			b := g.Binding
			ref, at := b.Value.RoleRef, b.Evidence("roleRef.name", b.Value.RoleRef.Name, "")
			message := fmt.Sprintf("binds %q, which is not there", ref.Kind+" "+ref.Name)
			switch {
			case g.Role != nil:
				e.Pass(b.Subject)
			case x.Engine.Live && (x.Engine.Whole || ref.Kind == "Role"):
				e.FailAbsent(b.Subject, []report.KindID{inventory.ClusterRoles.ID, inventory.Roles.ID}, b.Namespace, message, at)
			default:
				f := e.Unknown(b.Subject, fmt.Sprintf("binds %q, which is not in the input: what it grants is not known", ref.Kind+" "+ref.Name), at)
				f.Remedy = "scan the cluster, or add the role to the input"
			}
		}
	},
}

// rbac/dangling-subject
//
// Statement: every ServiceAccount that a binding names is there.
// Looks at: the ServiceAccounts that bindings of a cluster name which somebody
// made. Manifests are added to a cluster, which may have them.
// Passes when: they are all there.
// Fails when: one is not.
// Cannot tell when: bindings or ServiceAccounts could not be read, or not those
// of all namespaces.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#periodic-review
var danglingSubject = &check.Check{
	ID:          "access/rbac/dangling-subject",
	Item:        checklist.RBAC,
	Title:       "Every ServiceAccount that a binding names is there",
	Noun:        "binding",
	Severity:    report.Low,
	Why:         "Whoever may create ServiceAccounts in that namespace, or the namespace, takes the name and has the rights. Nobody looks at them meanwhile.",
	Remediation: "Delete the binding, or the subject from it.",
	Refs:        sources,
	Needs:       needs(access.Needs, []inventory.Need{inventory.ServiceAccounts.Optional()}),
	Run: func(e *check.Eval) {
		x := cause.Made.Of(e)
		if !x.Engine.Live {
			return
		}
		there := map[access.Subject]bool{}
		for o := range inventory.All(e, inventory.ServiceAccounts) {
			there[access.Account(o.Namespace, o.Name)] = true
		}
		for _, g := range x.Grants() {
			subjects := slices.Collect(g.Subjects())
			i := slices.IndexFunc(subjects, func(s access.Subject) bool { return s.Kind == rbacv1.ServiceAccountKind && !there[s] })
			if i < 0 {
				e.Pass(g.Binding.Subject)
				continue
			}
			judgeMissing(e, g, subjects[i])
		}
	},
}

func judgeMissing(e *check.Eval, g *access.Grant, s access.Subject) {
	message, at := fmt.Sprintf("names %q, which is not there", s), g.Binding.Evidence("subjects", s.String(), "")
	if e.Limited() {
		f := e.Unknown(g.Binding.Subject, message+" among the namespaces that were read", at)
		f.Remedy = "scan all namespaces"
		return
	}
	e.FailAbsent(g.Binding.Subject, []report.KindID{inventory.ServiceAccounts.ID}, s.Namespace, message, at)
}
