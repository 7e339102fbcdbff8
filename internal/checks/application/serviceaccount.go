package application

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const automount = "automountServiceAccountToken"

// service-account/default
//
// Statement: no workload uses the ServiceAccount "default".
// Looks at: the account of every workload, and whether it gets a token of it:
// an account that a pod cannot show to anybody does not matter.
// Passes when: it is another account; or no token is mounted, because the
// pod's automountServiceAccountToken, else the account's, is false, and no
// volume projects one (for whatever audience: it names the account).
// Fails when: it is "default", named or not, with a token.
// Cannot tell when: ServiceAccounts could not be read and the pod does not say
// whether a token is mounted; or a default account opts out, and whether it is
// that of the pod's namespace is not known.
//
// Whether the token is needed at all is 6.4.
//
// https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/plugin/pkg/admission/serviceaccount/admission.go
var defaultAccount = &check.Check{
	ID:       "application/service-account/default",
	Item:     checklist.ApplicationServiceAccount,
	Title:    "No workload uses the token of ServiceAccount \"default\"",
	Noun:     "workload",
	Severity: report.Low,
	Why: "All pods of a namespace that name no account share `default`. What one of them needs is then granted to all, " +
		"and an audit log does not tell them apart.",
	Remediation: "Make a ServiceAccount for the workload and name it in `serviceAccountName`. Where no token is needed, set `automountServiceAccountToken: false`.",
	Refs: []report.Reference{
		{Name: "CIS Kubernetes Benchmark 5.1.5", URL: "https://www.cisecurity.org/benchmark/kubernetes"},
		{Name: "Configure Service Accounts for Pods", URL: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/"},
	},
	Needs: workload.With(inventory.ServiceAccounts.Optional()),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			if w.ServiceAccount() != "default" {
				e.Pass(w.Subject)
			} else {
				judgeDefault(e, w)
			}
		}
	},
}

func judgeDefault(e *check.Eval, w *workload.Workload) {
	const msg = "uses the token of ServiceAccount \"default\""
	account := w.PodEvidence("spec.serviceAccountName", cmp.Or(w.Spec().ServiceAccountName, notSet), "an account of its own")
	own := w.Spec().AutomountServiceAccountToken
	volume := tokenVolume(w.Spec())
	switch {
	case volume != "":
		w.Counted(e.Fail(w.Subject, msg, account, w.PodEvidence(volume, "serviceAccountToken", "")))
	case w.Admitted(), own != nil && !*own: // admission has written the volume, if there is to be one
		e.Pass(w.Subject)
	case own != nil:
		w.Counted(e.Fail(w.Subject, msg, account, w.PodEvidence("spec."+automount, strconv.FormatBool(*own), "")))
	default:
		out, certain := optsOut(e, w)
		switch {
		case certain:
			e.Pass(w.Subject)
		case out != nil:
			w.Counted(e.Unknown(w.Subject, msg+", unless it is the account that opts out: a namespace is not given", account, *out))
		default:
			w.Counted(e.FailAbsent(w.Subject, []report.KindID{inventory.ServiceAccounts.ID}, w.Namespace, msg, account))
		}
	}
}

// optsOut finds a default account that mounts no token. It is certain that it
// is the workload's where the namespaces are the same; where one is not given,
// they may be.
func optsOut(e *check.Eval, w *workload.Workload) (at *report.Evidence, certain bool) {
	find := func(accounts iter.Seq[inventory.Object[inventory.ServiceAccount]]) (there bool) {
		for a := range accounts {
			if a.Name == "default" {
				there = true
				if auto := a.Value.Automount; auto != nil && !*auto {
					evidence := a.Evidence(automount, "false", "")
					at = &evidence
				}
			}
		}
		return there
	}
	if find(inventory.Named(e, inventory.ServiceAccounts, w.Namespace, "default")) {
		return nil, at != nil
	}
	if w.Namespace == "" {
		find(inventory.All(e, inventory.ServiceAccounts))
	} else {
		find(inventory.Named(e, inventory.ServiceAccounts, "", "default"))
	}
	return at, false
}

// tokenVolume is the field that projects a token into the pod, if there is one.
func tokenVolume(s *corev1.PodSpec) string {
	for i, v := range s.Volumes {
		if v.Projected == nil {
			continue
		}
		for j, source := range v.Projected.Sources {
			if source.ServiceAccountToken != nil {
				return fmt.Sprintf("spec.volumes[%d].projected.sources[%d].serviceAccountToken", i, j)
			}
		}
	}
	return ""
}
