package secrets

import (
	"fmt"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// token-mounts/unneeded
//
// Statement: a service account token is mounted only where it is needed.
// Looks at: every workload but pods that have finished, its ServiceAccount, and
// the roles that are bound to the account by name, as a user, or through the
// groups of service accounts; in manifests, those too that every API server
// binds at its start. What is granted to everybody who logs in is no need.
// Passes when: no token for the API server is mounted (the pod's
// automountServiceAccountToken, else the account's, says no, and no container
// mounts a projected one or a token Secret), or the account has a right beyond
// those that every service account has. A projected token for another audience is for somebody
// else than the API server: it is needed.
// Fails when: a token is mounted and the account has no such right.
// Cannot tell when: roles or bindings could not be read; the account is not in
// the input; or a binding that reaches it names a role that is not in the input.
//
// A pod that was admitted to a cluster (it has a UID) shows what it mounts: the
// ServiceAccount admission plugin has written the volume, and what the account
// says today changes nothing for it. Such pods are a finding of their own where
// their template, by what the account says now, gives another answer.
//
// Where a namespace is not written, an account and the subject of a binding are
// the same if their names are: manifests are given a namespace when they are
// applied, bindings have to spell it. Not so for "default", which every
// namespace has: of a pod without a namespace it cannot be told, and a binding
// without one is not taken to mean the account of another. Where neither names
// a namespace, what stands in another directory may be of another one.
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
	Needs: workload.With(append(inventory.Optional(access.Needs), inventory.ServiceAccounts.Optional(), inventory.Secrets.Optional())...),
	Run: func(e *check.Eval) {
		for w := range workload.Running(e) {
			judgeTokens(e, w)
		}
	},
}

// rights are the kinds whose absence is what "no rights" rests on. A binding in
// any namespace may reach an account.
var rights = inventory.Kinds(access.Needs)

// tokenAnswer is what is found of one workload's tokens.
type tokenAnswer struct {
	verdict  report.Verdict
	message  string
	evidence []report.Evidence
	absent   bool // it rests on roles and bindings that are not there
}

func judgeTokens(e *check.Eval, w *workload.Workload) {
	answer := tokensOf(e, w)
	pods := w.Pods
	for _, folded := range w.Folded {
		of := tokensOf(e, folded)
		if of.same(e, answer) {
			continue
		}
		pods -= folded.Pods
		if of.verdict != report.Pass {
			of.tell(e, folded, folded.Pods)
		}
	}
	answer.tell(e, w, pods)
}

// same reports whether two answers are one finding: they say the same, or
// neither can be told.
func (a tokenAnswer) same(e *check.Eval, other tokenAnswer) bool {
	unread := func(k report.KindID) bool { return len(e.Missing(k, "")) > 0 }
	untold := func(a tokenAnswer) bool {
		return a.verdict == report.Unknown || a.absent && slices.ContainsFunc(rights, unread)
	}
	return a.verdict == other.verdict && a.message == other.message || untold(a) && untold(other)
}

func (a tokenAnswer) tell(e *check.Eval, w *workload.Workload, pods int) {
	var f *report.Finding
	switch {
	case a.verdict == report.Pass:
		e.Pass(w.Subject)
		return
	case a.absent:
		f = e.FailAbsent(w.Subject, rights, "", a.message, a.evidence...)
	default:
		f = e.Unknown(w.Subject, a.message, a.evidence...)
		f.Remedy = "set automountServiceAccountToken in the pod template, or add the accounts, roles and bindings to the input, with their namespaces"
	}
	if pods > 1 {
		f.Count = pods
	}
}

// tokensOf judges the token of the pod's own account, then those in Secrets,
// which may be of others. The worst decides.
func tokensOf(e *check.Eval, w *workload.Workload) tokenAnswer {
	a := accountOf(e, w)
	m := mountOf(w, a)
	worst := tokenAnswer{verdict: report.Pass}
	if m.state != notMounted {
		worst = needOf(e, w, a, m)
	}
	for name, at := range legacyTokens(e, w) {
		if worst.verdict == report.Fail {
			break
		}
		other := account{id: access.Account(w.Namespace, name), exact: true}
		if answer := needOf(e, w, other, mount{state: mounted, evidence: []report.Evidence{at}}); answer.verdict != report.Pass {
			worst = answer
		}
	}
	return worst
}

// needOf judges a token that is mounted, or may be, by what its account may do.
func needOf(e *check.Eval, w *workload.Workload, a account, m mount) tokenAnswer {
	unclear := "" // why the account may have rights after all
	engine := access.Grants.Of(e)
	for _, g := range engine.GrantsOf(a.id) {
		if g.Via == access.Group(access.Authenticated) {
			continue // everybody's
		}
		ref := g.Binding.Value.RoleRef
		switch effect := engine.Effect(g.Grant); {
		case effect == access.Nothing, g.ByName && a.id.Name == defaultAccount && w.Namespace != "":
		case effect == access.Unclear:
			unclear = fmt.Sprintf("%s %q binds it to %s %q, which is not in the input", g.Binding.Kind, g.Binding.Name, ref.Kind, ref.Name)
		case g.ByName && (a.id.Name == defaultAccount || g.Via.Name != a.id.Name || g.Implied):
			unclear = fmt.Sprintf("%s %q may mean it: one of the namespaces is not given", g.Binding.Kind, g.Binding.Name)
		case g.Via == a.id && a.id.Namespace == "" && !inventory.Beside(g.Binding, w.Object):
			unclear = fmt.Sprintf("%s %q of another directory may mean it: neither names a namespace", g.Binding.Kind, g.Binding.Name)
		default:
			return tokenAnswer{verdict: report.Pass}
		}
	}
	mounts := fmt.Sprintf("mounts the token of ServiceAccount %q", a.id.Name)
	answer := tokenAnswer{verdict: report.Unknown, evidence: m.evidence}
	switch {
	case m.state == unknownMount:
		answer.message = m.why
	case unclear != "":
		answer.message = mounts + "; " + unclear
	case !a.exact && a.elsewhere():
		answer.message = mounts + ", which is not in the input, nor are its rights"
	default:
		answer.verdict, answer.absent = report.Fail, true
		answer.message = mounts + ", which has no rights to use it for"
	}
	return answer
}
