package access

import (
	"fmt"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var mastersRefs = []report.Reference{
	{Name: "Security Checklist: system:masters", URL: "https://kubernetes.io/docs/concepts/security/security-checklist/#authentication-authorization"},
	{Name: "CIS Kubernetes Benchmark 5.1.7", URL: "https://www.cisecurity.org/benchmark/kubernetes"},
}

// system-masters/bindings
//
// Statement: no binding of somebody's own names system:masters.
// Looks at: the groups that bindings name. A user of that name is a user.
// Passes when: only cluster-admin, which Kubernetes makes, names the group.
// Fails when: another one does: somebody reckons with members of the group.
// Cannot tell when: bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/security-checklist/#authentication-authorization
var mastersBindings = &check.Check{
	ID:       "access/system-masters/bindings",
	Item:     checklist.SystemMasters,
	Title:    "No binding of somebody's own names system:masters",
	Noun:     "binding",
	Severity: report.Medium,
	Why: "Members of `system:masters` may do everything, whatever roles and bindings say, and no policy or webhook for authorization is asked about them. " +
		"The group is for repairing a cluster. A binding that names it shows that somebody works with it.",
	Remediation: "Bind the role to a group of the identity provider, have its members use that, and take `system:masters` out of the binding.",
	Refs:        mastersRefs,
	Needs: []inventory.Need{
		inventory.RoleBindings.Need(), inventory.ClusterRoleBindings.Need(), inventory.Roles.Optional(), inventory.ClusterRoles.Optional(),
	},
	Run: func(e *check.Eval) {
		x := cause.Made.Of(e)
		for _, g := range x.Grants() {
			b := g.Binding
			if !slices.Contains(slices.Collect(g.Subjects()), access.Group(access.Masters)) {
				e.Pass(b.Subject)
				continue
			}
			e.Fail(b.Subject, fmt.Sprintf("names the group %q", access.Masters), b.Evidence("subjects", "Group "+access.Masters, ""))
		}
	},
}

// system-masters/impersonation
//
// Statement: nobody acts as a member of system:masters.
// Looks at: every right to impersonate groups, by what gives it. Users alone do
// not bring their groups with them.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names; or it is limited to the names of other groups.
// Fails when: anybody else has it, for system:masters or for all groups. Who may
// do everything anyway, by cluster-admin or a wildcard for resources, is told by
// the checks of access/rbac.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
var mastersImpersonation = &check.Check{
	ID:       "access/system-masters/impersonation",
	Item:     checklist.SystemMasters,
	Title:    "Nobody acts as a member of system:masters",
	Noun:     "grant",
	Severity: report.High,
	Why:      "Whoever may impersonate the group is all-powerful with one more header in the request.",
	Remediation: "Limit the rule by `resourceNames` to the groups that are meant. For emergencies bind `cluster-admin` to a group of your own, " +
		"and let administrators impersonate that one.",
	Refs:  mastersRefs,
	Needs: grantNeeds,
	Run: func(e *check.Eval) {
		v := look(e, "access/system-masters/impersonation")
		for _, c := range v.Causes(v.explicit()) {
			v.fail(c, fmt.Sprintf("act as a member of %q", access.Masters))
		}
		v.pass()
	},
}

// explicit yields who may impersonate the group by a rule that is about groups.
func (v *review) explicit() func(yield func(access.Access) bool) {
	return func(yield func(access.Access) bool) {
		for a := range v.Engine.Ways(access.Request{Verb: "impersonate", Resource: "groups", Name: access.Masters}) {
			if !everyResource(a.Rule) && !v.allowed(a.Subject) && !yield(a) {
				return
			}
		}
	}
}

// system-masters/credentials
//
// Statement: nobody holds a credential of system:masters.
// Looks at: certificates that were asked for, in any state but denied and failed.
// Passes when: none is for the group, and neither the kubeconfigs of the control
// plane nor the audit log show that anybody logs in as a member. This version
// reads neither of the two: it cannot tell that nobody does.
// Fails when: a certificate is for the group. The API server refuses such a
// request to its signer for clients since v1.18; another signer need not.
// Cannot tell when: CertificateSigningRequests could not be read, or one of them
// not parsed; and without kubeconfigs and audit log.
//
// https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
var mastersCredentials = &check.Check{
	ID:       "access/system-masters/credentials",
	Item:     checklist.SystemMasters,
	Title:    "Nobody holds a credential of system:masters",
	Noun:     "certificate request",
	Severity: report.High,
	Why:      "A client certificate cannot be revoked. Whoever has one for `system:masters` is all-powerful until it ends, and nothing in the cluster says so.",
	Remediation: "Deny the request. Where a certificate was issued, replace the cluster's certificate authority, since nothing else makes it void. " +
		"Keep `super-admin.conf` out of reach, and give administrators certificates for a group of your own.",
	Refs:  mastersRefs,
	Needs: []inventory.Need{inventory.CertificateRequests.Need(), inventory.Kubeconfigs.Need(), inventory.AuditEvents.Need()},
	Run: func(e *check.Eval) {
		for o := range inventory.All(e, inventory.CertificateRequests) {
			r, at := o.Value, o.Evidence("spec.request", "", "")
			switch {
			case r.Refused:
				e.Pass(o.Subject)
			case r.Unreadable != "":
				f := e.Unknown(o.Subject, "what the certificate is for cannot be read: "+r.Unreadable, at)
				f.Remedy = "look at it with `openssl req -noout -subject`"
			case slices.Contains(r.Groups, access.Masters):
				state := "asks"
				if r.Issued {
					state = "was given a certificate"
				}
				at.Got = access.Masters
				e.Fail(o.Subject, fmt.Sprintf("%s for the group %q, for user %q, by signer %q", state, access.Masters, r.User, r.Signer), at)
			default:
				e.Pass(o.Subject)
			}
		}
	},
}
