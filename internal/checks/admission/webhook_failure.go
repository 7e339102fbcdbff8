package admission

import (
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/failure-policy
//
// Statement: a webhook that enforces security policy refuses a request when it
// cannot be asked.
// Looks at: the failurePolicy of the webhooks of known security products, by
// the webhooks' names.
// Passes when: it is Fail, which is what v1 takes silence for.
// Fails when: it is Ignore, which is what v1beta1 took silence for.
// Cannot tell when: webhook configurations could not be read.
//
// https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/#fail-open-validate-final-state
var failurePolicy = &check.Check{
	ID:       "admission/webhooks/failure-policy",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Webhooks that enforce security policy fail closed",
	Noun:     "security webhook",
	Severity: report.Medium,
	Why: "With `Ignore`, every request passes unseen while the webhook is slow, overloaded, restarting or cut off. " +
		"Whoever can bring that about, or wait for it, writes what no policy looks at, and it stays when the webhook is back.",
	Remediation: "Set `failurePolicy: Fail`. First run several replicas, and exclude the product's own namespace by its name, so that an outage can be mended.",
	Refs:        securitySources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		each(e, enforcing, func(w *webhook.Webhook) *result {
			if w.FailurePolicy() != admissionv1.Ignore {
				return nil
			}
			return fails(fmt.Sprintf("lets requests pass when %s cannot be asked", w.Product), w.Quote("failurePolicy", "Ignore", "Fail"))
		})
	},
}

// webhooks/failure-policy-other
//
// Statement: a validating webhook that sees workloads or rights refuses a
// request when it cannot be asked.
// Looks at: the failurePolicy of the validating webhooks of products that are
// not known, where they are asked about pods, workloads, rights, Secrets or
// namespaces. Such a webhook may enforce a policy; only who runs it knows.
// Passes when: it is Fail.
// Fails when: it is Ignore. The check never decides.
// Cannot tell when: webhook configurations could not be read.
//
// https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/#fail-open-validate-final-state
var failurePolicyOther = &check.Check{
	ID:       "admission/webhooks/failure-policy-other",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Other validating webhooks that see workloads or rights fail closed",
	Noun:     "webhook",
	Severity: report.Info,
	Why: "A webhook that only helps may well be passed over when it is down. One that enforces something may not. " +
		"Which of the two this is, its name does not say.",
	Remediation: "If the webhook enforces a policy, set `failurePolicy: Fail`.",
	Refs:        securitySources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		each(e, mayEnforce, func(w *webhook.Webhook) *result {
			if w.FailurePolicy() != admissionv1.Ignore {
				return nil
			}
			return fails("lets requests pass when it cannot be asked", w.Quote("failurePolicy", "Ignore", "Fail where it enforces a policy"))
		})
	},
}

// guarded are the resources that policies are mostly about.
var guarded = []struct{ group, resource string }{
	{"", "pods"}, {"", "secrets"}, {"", "namespaces"}, {"", "serviceaccounts"},
	{"apps", "deployments"}, {"apps", "daemonsets"}, {"apps", "statefulsets"}, {"batch", "jobs"}, {"batch", "cronjobs"},
	{"rbac.authorization.k8s.io", "roles"}, {"rbac.authorization.k8s.io", "clusterroles"},
	{"rbac.authorization.k8s.io", "rolebindings"}, {"rbac.authorization.k8s.io", "clusterrolebindings"},
}

func mayEnforce(w *webhook.Webhook) bool {
	if w.Mutating || enforcing(w) {
		return false
	}
	for _, g := range guarded {
		if w.Asked(admissionv1.Create, g.group, g.resource) || w.Asked(admissionv1.Update, g.group, g.resource) {
			return true
		}
	}
	return false
}
