package admission

import (
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/timeout
//
// Statement: no webhook keeps the API server waiting for more than 10 seconds.
// Looks at: timeoutSeconds of every webhook.
// Passes when: it is 10 or less; v1 takes silence for 10.
// Fails when: it is more; v1beta1 took silence for 30.
// Cannot tell when: webhook configurations could not be read.
//
// https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/#small-timeout
var webhookTimeout = &check.Check{
	ID:       "admission/webhooks/timeout",
	Item:     checklist.AdmissionWebhooks,
	Title:    "No webhook keeps the API server waiting for more than 10 seconds",
	Noun:     "webhook",
	Severity: report.Low,
	Why: "Each request waits for its webhooks, and mutating ones are asked one after the other. A webhook that hangs for 30 seconds uses up the time of the whole request: " +
		"clients give up, retry, and make it worse. Slowing a webhook down is also a way past one that fails open.",
	Remediation: "Leave `timeoutSeconds` out, or set a few seconds.",
	Refs:        webhookSources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		each(e, every, func(w *webhook.Webhook) *result {
			if w.Timeout() <= 10 {
				return nil
			}
			return fails(fmt.Sprintf("may keep the API server waiting for %d seconds", w.Timeout()), w.Quote("timeoutSeconds", fmt.Sprint(w.Timeout()), "10 or less"))
		})
	},
}

// webhooks/side-effects
//
// Statement: every webhook says that it changes nothing in a dry run.
// Looks at: sideEffects of every webhook.
// Passes when: it is None or NoneOnDryRun.
// Fails when: it is Some or Unknown, which v1beta1 took silence for and of which
// the API server may still hold some: dry runs that match are refused; or it is
// not set, which v1 refuses.
// Cannot tell when: webhook configurations could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#side-effects
var webhookSideEffects = &check.Check{
	ID:       "admission/webhooks/side-effects",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Every webhook supports dry runs",
	Noun:     "webhook",
	Severity: report.Low,
	Why: "The API server refuses a dry run that would call a webhook with side effects. " +
		"Whoever wants to know beforehand what a policy would refuse, or what a change would do, cannot.",
	Remediation: "Set `sideEffects: None`, or `NoneOnDryRun` for a webhook that looks at `dryRun` of the request before it acts.",
	Refs:        webhookSources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		each(e, every, func(w *webhook.Webhook) *result {
			at := w.Quote("sideEffects", string(w.SideEffects()), "None or NoneOnDryRun")
			switch w.SideEffects() {
			case admissionv1.SideEffectClassNone, admissionv1.SideEffectClassNoneOnDryRun:
				return nil
			case "":
				at.Got = "(not set)"
				return fails("does not say whether it has side effects, which the API server refuses", at)
			}
			return fails(fmt.Sprintf("has the side effects %q: dry runs that it matches are refused", w.SideEffects()), at)
		})
	},
}

// webhooks/reinvocation
//
// Statement: a mutating webhook that enforces policy sees the object again when
// another one has changed it.
// Looks at: reinvocationPolicy of the mutating webhooks of known security
// products.
// Passes when: it is IfNeeded.
// Fails when: it is Never, which silence means: a sidecar that is injected
// later is not looked at, unless a validating webhook does. The check never
// decides.
// Cannot tell when: webhook configurations could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
var webhookReinvocation = &check.Check{
	ID:       "admission/webhooks/reinvocation",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Mutating webhooks that enforce policy are asked again after changes",
	Noun:     "mutating security webhook",
	Severity: report.Info,
	Why: "Mutating webhooks are called in no order that could be relied on. One that checks images or sets security fields may be called before another adds a container: " +
		"that container is then as the other made it.",
	Remediation: "Set `reinvocationPolicy: IfNeeded`, and have a validating webhook or policy look at the result.",
	Refs:        webhookSources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		each(e, func(w *webhook.Webhook) bool { return w.Mutating && enforcing(w) }, func(w *webhook.Webhook) *result {
			if w.Reinvoked() {
				return nil
			}
			return fails("is not asked again about an object that changes after it was asked", w.Quote("reinvocationPolicy", "Never", "IfNeeded"))
		})
	},
}
