package secrets

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// external-store/injected
//
// Statement: pods that ask the Vault Agent Injector for secrets get them.
// Looks at: workloads with the annotation vault.hashicorp.com/agent-inject that
// have pods; not pods that have finished.
// Passes when: the pods have the agent's container, or the annotation by which
// the injector says that it was there.
// Fails when: they have neither: the webhook was not asked, or did not answer
// and was ignored, and the pods run without their secrets.
// Cannot tell when: nothing but the template was seen, or workloads could not
// be read.
//
// https://developer.hashicorp.com/vault/docs/platform/k8s/injector/annotations
var externalInjected = &check.Check{
	ID:       "secrets/external-store/injected",
	Item:     checklist.ExternalStore,
	Title:    "Pods that ask the Vault Agent Injector for secrets get them",
	Noun:     "workload",
	Severity: report.Medium,
	Why: "The injector is a webhook whose failure is ignored by default: while it is down, pods are created without their agent. " +
		"They crash, or run with a default that was never meant to be used.",
	Remediation: "Bring the injector back, see that its webhook selects the namespace, and restart the pods.",
	Refs:        externalReferences,
	Needs:       workload.Needs(),
	Run: func(e *check.Eval) {
		for _, w := range workload.All.Of(e) {
			if w.Finished() || w.PodAnnotations()[vaultInject] != "true" {
				continue
			}
			at := w.PodEvidence("metadata.annotations["+vaultInject+"]", "true", "")
			switch {
			case injected(w):
				e.Pass(w.Subject)
			case w.Pods > 0 && (w.Kind != "Pod" || w.Value.UID != ""):
				w.Counted(e.Fail(w.Subject, "runs without the Vault agent that it asks for", at))
			case w.Kind == "Pod" || w.Value.UID == "":
				e.Unknown(w.Subject, "asks for the Vault agent; whether its pods get it is seen in a cluster only", at).Remedy = scanToSee
			}
		}
	},
}

// injected reports whether the agent of an injector was added to the pod.
func injected(w *workload.Workload) bool {
	if w.PodAnnotations()[vaultInject+"-status"] == "injected" {
		return true
	}
	for c := range w.Containers() {
		if c.Name == "vault-agent" || c.Name == "vault-agent-init" {
			return true
		}
	}
	return false
}
