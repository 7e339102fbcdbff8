package secrets

import (
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/rbac"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// token-mounts/unneeded
//
// Statement: a service account token is mounted only where it is needed.
// Looks at: every workload but pods that have finished, its ServiceAccount, and
// the roles that are bound to the account by name, as a user, or through the
// groups of service accounts.
// Passes when: no token for the API server is mounted (the pod's
// automountServiceAccountToken, else the account's, says no, and no container
// mounts a projected one), or the account has a right beyond those that every
// service account has. A projected token for another audience is for somebody
// else than the API server: it is needed.
// Fails when: a token is mounted and the account has no such right.
// Cannot tell when: roles or bindings could not be read; the account is not in
// the input; or a binding that reaches it names a role that is not in the input.
//
// A pod that was admitted to a cluster (it has a UID) shows what it mounts: the
// ServiceAccount admission plugin has written the volume, and what the account
// says today changes nothing for it.
//
// Where a namespace is not written, an account and the subject of a binding are
// the same if their names are: manifests are given a namespace when they are
// applied, bindings have to spell it. Not so for "default", which every
// namespace has: of a pod without a namespace it cannot be told, and a binding
// without one is not taken to mean the account of another.
//
// https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/plugin/pkg/admission/serviceaccount/admission.go
var tokenMounts = &check.Check{
	ID:       "secrets/token-mounts/unneeded",
	Item:     checklist.TokenMounts,
	Title:    "No workload mounts a service account token that it does not need",
	Noun:     "workload",
	Severity: report.Medium,
	Why: "A mounted token lets whoever breaks into a container talk to the API server as the pod's account: to learn about the cluster, " +
		"and to use any right that the account is given later. A pod that never calls the API has no use for it.",
	Remediation: "Set `automountServiceAccountToken: false` in the pod template, or on the ServiceAccount if none of its pods needs a token. " +
		"Give pods that do call the API an account of their own with the rights that they need.",
	Refs: []report.Reference{
		{Name: "CIS Kubernetes Benchmark 5.1.6", URL: "https://www.cisecurity.org/benchmark/kubernetes"},
		{Name: "Configure Service Accounts for Pods", URL: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"},
	},
	// A pod without a token needs neither accounts nor roles to pass; what rests
	// on their absence is judged as such.
	Needs: workload.With(append(inventory.Optional(rbac.Kinds), inventory.ServiceAccounts.Optional())...),
	Run: func(e *check.Eval) {
		for _, w := range workload.All.Of(e) {
			if !w.Finished() {
				judgeToken(e, w)
			}
		}
	},
}

func judgeToken(e *check.Eval, w *workload.Workload) {
	account := accountOf(e, w)
	m := mountOf(w, account)
	if m.state == notMounted {
		e.Pass(w.Subject)
		return
	}
	unclear := "" // why the account may have rights after all
	for _, g := range rbac.Grants.Of(e).Of(account.id) {
		ref := g.Binding.Value.RoleRef
		switch effect := g.Effect(); {
		case effect == rbac.Nothing, g.ByName && account.id.Name == defaultAccount && w.Namespace != "":
		case effect == rbac.Unclear:
			unclear = fmt.Sprintf("%s %q binds it to %s %q, which is not in the input", g.Binding.Kind, g.Binding.Name, ref.Kind, ref.Name)
		case g.ByName && account.id.Name == defaultAccount:
			unclear = fmt.Sprintf("%s %q may mean it: one of the namespaces is not given", g.Binding.Kind, g.Binding.Name)
		default:
			e.Pass(w.Subject)
			return
		}
	}
	var f *report.Finding
	switch {
	case m.state == unknownMount:
		f = e.Unknown(w.Subject, m.why, m.evidence...)
	case unclear != "":
		f = e.Unknown(w.Subject, fmt.Sprintf("mounts the token of ServiceAccount %q; %s", account.id.Name, unclear), m.evidence...)
	case account.elsewhere():
		f = e.Unknown(w.Subject, fmt.Sprintf("mounts the token of ServiceAccount %q, which is not in the input, nor are its rights", account.id.Name), m.evidence...)
	default:
		f = e.FailAbsent(w.Subject, rightsKinds(), "", fmt.Sprintf("mounts the token of ServiceAccount %q, which has no rights to use it for", account.id.Name), m.evidence...)
	}
	if w.Pods > 1 {
		f.Count = w.Pods
	}
}

// rightsKinds are the kinds whose absence is what "no rights" rests on. A
// binding in any namespace may reach an account.
func rightsKinds() []report.KindID {
	var kinds []report.KindID
	for _, n := range rbac.Kinds {
		kinds = append(kinds, n.Kind)
	}
	return kinds
}
