package access

import (
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const rbacGroup = ".rbac.authorization.k8s.io"

// rbac/escalate
//
// Statement: nobody but Kubernetes itself writes rights into roles that it lacks.
// Looks at: every right to escalate roles or ClusterRoles, by what gives it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names.
// Fails when: anybody else has it, in the whole cluster or in a namespace.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#escalate-verb
var escalateCheck = escalate.check(check.Check{
	Title:       "Nobody but Kubernetes itself writes rights into roles that it lacks",
	Severity:    report.High,
	Why:         "The API server lets nobody write more rights into a role than one has. The verb `escalate` takes that away.",
	Remediation: "Take `escalate` out of the role, and give the subject the rights that it hands out.",
})

var escalate = &right{
	id: "escalate", does: "write any right into roles",
	requests: slices.Concat(
		ask(access.Any, anyName, "escalate", "roles"+rbacGroup),
		ask("", anyName, "escalate", "clusterroles"+rbacGroup),
	),
}

// rbac/bind
//
// Statement: nobody but Kubernetes itself binds roles whose rights it lacks.
// Looks at: every right to bind roles or ClusterRoles, by what gives it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names; or it is limited to names of roles without any right
// that leads to more.
// Fails when: anybody else has it, in the whole cluster or in a namespace.
// Cannot tell when: roles or bindings could not be read; or a role that it is
// limited to is not in the input.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#bind-verb
var bindCheck = func() *check.Check {
	c := bind.check(check.Check{
		Title:       "Nobody but Kubernetes itself binds roles whose rights it lacks",
		Severity:    report.High,
		Why:         "The API server lets nobody bind a role with more rights than one has. The verb `bind` takes that away: cluster-admin is a role too.",
		Remediation: "Limit the rule by `resourceNames` to the roles that are meant to be handed out.",
	})
	run := c.Run
	c.Run = func(e *check.Eval) {
		run(e)
		v := look(e, c.ID)
		for _, found := range v.Causes(v.told(unseen.ways(v.Index))) {
			f := v.Unknown(found.Subject, "lets "+v.holders(found.Holders)+" bind "+report.Some(cause.Quote(found.Rule.ResourceNames))+", which is not in the input", found.Evidence()...)
			f.Remedy = "scan the cluster, or add these roles to the input"
		}
	}
	return c
}()

var (
	binding = slices.Concat(
		ask(access.Any, anyName, "bind", "roles"+rbacGroup),
		ask(access.Any, anyName, "bind", "clusterroles"+rbacGroup),
	)
	bind = &right{
		id: "bind", does: "bind roles with rights of others", requests: binding,
		with: func(e *access.Engine, a access.Access) bool {
			return len(a.Rule.ResourceNames) == 0 || slices.ContainsFunc(named(e, a), func(r *access.Role) bool {
				return r != nil && len(escalation.Meanings(r, a.Binding.Namespace, 0)) > 0
			})
		},
	}
	// unseen is the right to bind roles that are not there to be judged.
	unseen = &right{
		requests: binding,
		with: func(e *access.Engine, a access.Access) bool {
			return !bind.with(e, a) && slices.Contains(named(e, a), nil)
		},
	}
)

// named finds the roles that a rule is limited to; nil for one that is not there.
func named(e *access.Engine, a access.Access) []*access.Role {
	var roles []*access.Role
	for _, name := range a.Rule.ResourceNames {
		if slices.Contains(a.Rule.Resources, "clusterroles") {
			roles = append(roles, e.Role("ClusterRole", "", name))
		}
		if slices.Contains(a.Rule.Resources, "roles") && !a.ClusterWide() {
			roles = append(roles, e.Role("Role", a.Binding.Namespace, name))
		}
	}
	return roles
}

// rbac/impersonate
//
// Statement: nobody but Kubernetes itself acts as anybody else.
// Looks at: every right to impersonate users, groups or ServiceAccounts, by what
// gives it. For users and groups only a ClusterRoleBinding grants it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names; or it is limited to names.
// Fails when: anybody else has it, in the whole cluster or, for
// ServiceAccounts, in a namespace.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#impersonate-verb
var impersonateCheck = impersonate.check(check.Check{
	Title:       "Nobody but Kubernetes itself acts as anybody else",
	Severity:    report.High,
	Why:         "Who impersonates a user, group or ServiceAccount has all of its rights.",
	Remediation: "Limit the rule by `resourceNames` to the users, groups or accounts that are meant.",
})

var impersonate = &right{
	id: "impersonate", does: "act as any user, group or ServiceAccount",
	requests: slices.Concat(
		ask("", everyName, "impersonate", "users", "groups"),
		ask(access.Any, everyName, "impersonate", "serviceaccounts"),
	),
}

// rbac/role-write
//
// Statement: nobody but Kubernetes itself changes roles and bindings.
// Looks at: every right to create, update or patch roles, ClusterRoles and their
// bindings in the whole cluster or in kube-system, by what gives it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names; or the same role also lets one bind or escalate, which
// is told there.
// Fails when: anybody else has it.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
var roleWriteCheck = roleWrite.check(check.Check{
	Title:    "Nobody but Kubernetes itself changes roles and bindings",
	Severity: report.Medium,
	Why: "Who writes bindings hands out every right that one has, to anybody and for good: what was meant for one account is then with others, " +
		"and stays when the first one is taken away.",
	Remediation: "Leave roles and bindings to the people or the pipeline that install things, and list them in `allowedSubjects`.",
})

var roleWrite = &right{
	id: "role-write", mild: true, does: "change roles and bindings",
	requests: slices.Concat(
		ask(cause.System, everyName, "create|update|patch", "roles"+rbacGroup, "rolebindings"+rbacGroup),
		ask("", everyName, "create|update|patch", "clusterroles"+rbacGroup, "clusterrolebindings"+rbacGroup),
	),
	with: func(_ *access.Engine, a access.Access) bool {
		for _, request := range slices.Concat(escalate.requests, binding) {
			if _, worse := a.Role.Allows(request); worse {
				return false
			}
		}
		return true
	},
}

// rbac/webhook-config-write
//
// Statement: nobody but Kubernetes itself changes admission webhooks.
// Looks at: every right to create, update or patch the configurations of
// admission webhooks, by what gives it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names.
// Fails when: anybody else has it, even limited to names: what a named webhook
// is called for can be changed to everything.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks
var webhookConfigWriteCheck = webhookConfigWrite.check(check.Check{
	Title:       "Nobody but Kubernetes itself changes admission webhooks",
	Severity:    report.High,
	Why:         "A webhook sees every object that it is configured for, Secrets included, and a mutating one changes them: pods that others create run what it likes.",
	Remediation: "Put the webhook's certificate into its configuration when it is installed, instead of letting it write there, or list its account in `allowedSubjects`.",
})

var webhookConfigWrite = &right{
	id: "webhook-config-write", does: "change admission webhooks",
	requests: ask("", anyName, "create|update|patch", "mutatingwebhookconfigurations.admissionregistration.k8s.io", "validatingwebhookconfigurations.admissionregistration.k8s.io"),
}
