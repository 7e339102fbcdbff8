package access

import (
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/unauthenticated-binding
//
// Statement: nothing is granted to who does not log in.
// Looks at: bindings that name the group system:unauthenticated or the user
// system:anonymous, other than those that Kubernetes and kubeadm make.
// Passes when: there is none.
// Fails when: there is one, whatever it grants. One that leads to everything is
// told by takeover-by-anybody instead.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#hardening
var unauthenticatedBinding = broad(check.Check{
	ID:          "access/rbac/unauthenticated-binding",
	Title:       "Nothing is granted to who does not log in",
	Severity:    report.High,
	Why:         "Who reaches the API server's port has this right, without any credential. A port that is closed today is opened by one change of a firewall or load balancer.",
	Remediation: "Delete the binding. What has to be read without logging in is granted by `system:public-info-viewer`.",
}, cause.Anonymous, "to who does not log in")

// rbac/authenticated-binding
//
// Statement: all users and all ServiceAccounts together have no right of their own.
// Looks at: bindings that name the group system:authenticated or
// system:serviceaccounts, other than those that Kubernetes makes.
// Passes when: there is none, or it grants no more than Kubernetes grants to
// everybody: discovery, and questions about oneself.
// Fails when: one grants more. One that leads to everything is told by
// takeover-by-anybody instead.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
var authenticatedBinding = broad(check.Check{
	ID:          "access/rbac/authenticated-binding",
	Title:       "All users and all ServiceAccounts together have no right of their own",
	Severity:    report.Medium,
	Why:         "Every pod has a credential of its account, every user of the identity provider one of theirs. A right for all of them is a right for whoever breaks into any pod.",
	Remediation: "Bind the role to the groups and accounts that need it.",
}, cause.Everybody, "to everybody who logs in")

// rbac/default-serviceaccount-binding
//
// Statement: what pods run as when nobody chooses has no right.
// Looks at: bindings that name a ServiceAccount "default", or the group of all
// accounts of a namespace, other than those that Kubernetes makes.
// Passes when: there is none, or it grants no more than Kubernetes grants to
// everybody.
// Fails when: one grants more, or a role that is not in the input. One that leads
// to everything is told by takeover-by-anybody instead.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#hardening
var defaultAccountBinding = broad(check.Check{
	ID:          "access/rbac/default-serviceaccount-binding",
	Title:       "What pods run as when nobody chooses has no right",
	Severity:    report.Medium,
	Why:         "Every pod that names no account runs as `default`, and mounts its token. A right that was given to it for one program is with all the others of the namespace.",
	Remediation: "Give the program that needs the right a ServiceAccount of its own, and bind the role to that.",
}, cause.Default, "to whatever runs in the namespace")

// broad completes the check of bindings that name somebody who is nobody in
// particular.
func broad(c check.Check, is func(access.Subject) bool, who string) *check.Check {
	c.Item, c.Noun, c.Refs, c.Needs = checklist.RBAC, "grant", sources, pathNeeds
	c.Run = func(e *check.Eval) {
		v := look(e, c.ID)
		for _, g := range v.Grants() {
			for s := range g.Subjects() {
				if !is(s) || v.allowed(s) || v.failed[g] || !v.tells(g, s) {
					continue
				}
				v.failed[g] = true
				b := g.Binding
				v.Fail(b.Subject, fmt.Sprintf("grants %q %s: %q", b.Value.RoleRef.Kind+" "+b.Value.RoleRef.Name, who, s), b.Evidence("subjects", s.String(), ""))
			}
		}
		v.pass()
	}
	return &c
}

// tells reports whether a grant to a broad subject gives it anything that is not
// told elsewhere.
func (v *review) tells(g *access.Grant, s access.Subject) bool {
	if v.takesOver(g, s) {
		return false
	}
	switch v.Engine.Effect(g) {
	case access.Nothing:
		return cause.Anonymous(s) && g.Role != nil
	case access.Unclear:
		return !cause.Everybody(s) // a role that is not there is told by dangling-role
	}
	return true
}
