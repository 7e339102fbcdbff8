package access

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/secrets-read
//
// Statement: nobody but Kubernetes itself reads the Secrets of the whole cluster.
// Looks at: every right to get, list or watch Secrets in the whole cluster or in
// kube-system, by what gives it: the role, or the binding of a role of
// Kubernetes' own. list and watch return the values just as get does.
// Passes when: nobody has it but Kubernetes' own subjects, by grants as
// Kubernetes, kubeadm or a known distribution makes them, and subjects that
// allowedSubjects names.
// Fails when: anybody else has it. A rule that is limited to names counts as the
// few Secrets that it is. What cluster-admin, a wildcard, or a binding to
// everybody gives is told there.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets
var secretsReadCheck = secretsRead.check(check.Check{
	Title:    "Nobody but Kubernetes itself reads the Secrets of the whole cluster",
	Severity: report.High,
	Why: "Secrets hold tokens and passwords of everything that runs. Whoever reads those of all namespaces, or of kube-system, can act as any application, " +
		"and often as the cluster's own components. `list` and `watch` return the values too.",
	Remediation: "Bind the role with a RoleBinding in the namespaces that need it, or limit the rule to `resourceNames`. " +
		"A controller that has to read any Secret should run on nodes of its own.",
})

var secretsRead = &right{
	id: "secrets-read", does: "read Secrets",
	requests: ask(cause.System, everyName, "get|list|watch", "secrets"),
}

// rbac/token-create
//
// Statement: nobody but Kubernetes itself makes tokens for any ServiceAccount.
// Looks at: every right to create serviceaccounts/token in the whole cluster or
// in kube-system, by what gives it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names.
// Fails when: anybody else has it, not limited to named accounts.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#token-request
var tokenCreateCheck = tokenCreate.check(check.Check{
	Title:       "Nobody but Kubernetes itself makes tokens for any ServiceAccount",
	Severity:    report.High,
	Why:         "A token that is made for an account is that account. Those in kube-system may do nearly anything.",
	Remediation: "Grant `create` on `serviceaccounts/token` in one namespace, limited by `resourceNames` to the accounts that are meant.",
})

var tokenCreate = &right{
	id: "token-create", does: "make tokens of ServiceAccounts",
	requests: ask(cause.System, everyName, "create", "serviceaccounts/token"),
}

// rbac/csr-approve
//
// Statement: nobody but Kubernetes itself issues client certificates.
// Looks at: every right to approve CertificateSigningRequests (update or patch of
// their approval) of subjects that may also approve for a signer of client
// certificates; the API server asks for both.
// Passes when: nobody has both but Kubernetes' own subjects and those that
// allowedSubjects names.
// Fails when: anybody else has both, by one role or by several.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#csrs-and-certificate-issuing
var csrApproveCheck = csrApprove.check(check.Check{
	Title:    "Nobody but Kubernetes itself issues client certificates",
	Severity: report.High,
	Why: "A client certificate can carry the name of any user, and of any group but `system:masters`. Who approves requests of one's own can become anybody, " +
		"and certificates cannot be revoked.",
	Remediation: "Limit the rule for `signers` by `resourceNames` to the signer that is meant, such as `kubernetes.io/kubelet-serving`.",
})

var csrApprove = &right{
	id: "csr-approve", does: "issue client certificates for anybody",
	requests: ask("", anyName, "update|patch", "certificatesigningrequests.certificates.k8s.io/approval"),
	with: func(e *access.Engine, a access.Access) bool {
		for _, signer := range []string{"kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/*"} {
			request := access.Request{Verb: "approve", Group: "certificates.k8s.io", Resource: "signers", Name: signer}
			if _, ok := a.Role.Allows(request); ok || len(e.Can(a.Subject.Identity(), request)) > 0 {
				return true
			}
		}
		return false
	},
}
