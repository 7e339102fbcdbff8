package admission

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/protection-privileges
//
// Statement: the pods of webhooks have no hold on their node.
// Looks at: the workloads behind the Services of all webhooks.
// Passes when: they share no namespace with the host (network, processes, IPC),
// and no container is privileged.
// Fails when: they do, or one is. On the host network, no NetworkPolicy reaches
// them either; some networks, such as EKS with another CNI, leave no choice.
// Cannot tell when: the workload is not in the input.
//
// https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
var protectionPrivileges = &check.Check{
	ID:       "admission/webhooks/protection-privileges",
	Item:     checklist.AdmissionWebhooks,
	Title:    "The pods of webhooks are not privileged",
	Noun:     "workload",
	Severity: report.Medium,
	Why: "A webhook sees every object that it matches and decides on it. A flaw in one that is privileged gives the node too; " +
		"and one on the host network answers on the node's addresses, to whoever reaches them.",
	Remediation: "Run the webhook as an ordinary pod: it needs a port and its certificate, and nothing of the node.",
	Refs:        securitySources,
	Needs:       backendNeeds(),
	Run: func(e *check.Eval) {
		for _, b := range backends(e, hasService) {
			found, at := hold(b.Workload)
			if len(found) == 0 {
				e.Pass(b.Subject)
				continue
			}
			b.Counted(e.Fail(b.Subject, fmt.Sprintf("answers for %s, and %s", b.hooks(), strings.Join(found, ", ")), at...))
		}
	},
}

// hold says what a workload has of its node.
func hold(w *workload.Workload) (found []string, at []report.Evidence) {
	s := w.Spec()
	for _, h := range []struct {
		on          bool
		field, text string
	}{
		{s.HostNetwork, "spec.hostNetwork", "is on the host network"},
		{s.HostPID, "spec.hostPID", "sees the host's processes"},
		{s.HostIPC, "spec.hostIPC", "shares the host's IPC"},
	} {
		if h.on {
			found, at = append(found, h.text), append(at, w.PodEvidence(h.field, "true", "false"))
		}
	}
	for c := range w.Containers() {
		if x := c.SecurityContext; x != nil && x.Privileged != nil && *x.Privileged {
			found = append(found, fmt.Sprintf("container %q is privileged", c.Name))
			at = append(at, w.PodEvidence(c.Field+".securityContext.privileged", "true", "false"))
		}
	}
	return found, at
}

// webhooks/protection-replicas
//
// Statement: one pod that stops does not stop the cluster's changes.
// Looks at: the Deployments and StatefulSets behind webhooks that fail closed
// and are asked about pods or about every resource.
// Passes when: they have two replicas or more. A DaemonSet counts as such.
// Fails when: they have one, which silence means too.
// Cannot tell when: the workload is not in the input.
//
// https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/#ha-deployment
var protectionReplicas = &check.Check{
	ID:       "admission/webhooks/protection-replicas",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Webhooks that stop pods when they are down have several replicas",
	Noun:     "workload",
	Severity: report.Low,
	Why: "With one replica, every update of the webhook and every drain of its node is an outage of what it matches. " +
		"Such an outage ends with somebody setting `failurePolicy: Ignore`.",
	Remediation: "Run two replicas or more, on different nodes, with a PodDisruptionBudget.",
	Refs:        webhookSources,
	Needs:       backendNeeds(),
	Run: func(e *check.Eval) {
		for _, b := range backends(e, stops) {
			n := b.Value.Replicas
			single := (b.Kind == "Deployment" || b.Kind == "StatefulSet") && (n == nil || *n == 1)
			switch {
			case single && n == nil:
				e.Fail(b.Subject, fmt.Sprintf("has one replica, and requests fail while it is down: it answers for %s", b.hooks()), b.Evidence("spec.replicas", "(not set: 1)", "2 or more"))
			case single:
				e.Fail(b.Subject, fmt.Sprintf("has one replica, and requests fail while it is down: it answers for %s", b.hooks()), b.Evidence("spec.replicas", "1", "2 or more"))
			default:
				e.Pass(b.Subject)
			}
		}
	},
}
