package secrets

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// external-store/controllers
//
// Statement: what brings secrets from a store outside of the cluster runs.
// Looks at: the Deployments, StatefulSets and DaemonSets of the known
// mechanisms, and of the providers of the Secrets Store CSI driver, found by
// their images; the objects, volumes and annotations that wait for them.
// Passes when: each Deployment or StatefulSet has a ready pod, and each
// DaemonSet one on every node that it is for and that is not down itself.
// Fails when: one does not; when no webhook sends pods to an injector that
// runs; or when objects or pods wait for a mechanism that
// no workload of the cluster runs, and that has reported on none of them.
// A DaemonSet for Windows in a cluster without Windows is not judged.
// Cannot tell when: manifests declare it, and nobody saw it run; or workloads
// or the kinds of a mechanism could not be read.
// Manual when: there is no such mechanism. Whether one is needed is for a
// person to decide. Sealed Secrets is none: it has no store.
//
// https://kubernetes.io/docs/concepts/security/secrets-good-practices/#use-third-party-secret-store-providers
var externalControllers = &check.Check{
	ID:       "secrets/external-store/controllers",
	Item:     checklist.ExternalStore,
	Title:    "The controllers and agents of external secret stores run",
	Noun:     "component",
	Severity: report.Medium,
	Why: "A Secret of Kubernetes is a copy that somebody made. A store outside of the cluster hands out secrets to those who are entitled, " +
		"keeps a log of it, and rotates them. That works as long as its part in the cluster runs: when it does not, pods do not start, " +
		"or live on with secrets that were revoked.",
	Remediation: "Look at the events and logs of the component. Where there is no external store, decide whether one is needed, and attest to the decision.",
	Refs:        externalReferences,
	Needs: workload.With(append(storedNeeds(func(stored) bool { return true }),
		inventory.CSIDrivers.Need(), inventory.Nodes.Optional(), inventory.MutatingWebhookConfigurations.Optional())...),
	Run: func(e *check.Eval) {
		found, running := map[string]bool{}, map[string]*workload.Workload{}
		var first *workload.Workload
		for _, w := range workload.All.Of(e) {
			if first == nil && !w.Finished() {
				first = w
			}
			names := agentsOf(w)
			for _, name := range names {
				found[name] = true
			}
			if len(names) > 0 && judgeAgent(e, w, names[0]) {
				running[names[0]] = w
			}
		}
		for _, m := range mechanisms {
			if judgeUsers(e, m, found[m.name]) {
				found[m.name] = true
			}
			if w := running[m.name]; w != nil && m.webhook != "" {
				judgeWebhook(e, m, w)
			}
		}
		if len(found) == 0 && first != nil && !driven(e) {
			f := e.Manual(report.Subject{Kind: "Cluster", Name: "cluster"}, "no mechanism that brings secrets from a store outside of the cluster was found",
				first.Evidence("metadata.name", first.Name, ""))
			f.Remedy = "bring secrets from such a store, or attest to why none is needed"
		}
	},
}

// scanToSee is how to let be seen what manifests cannot show.
const scanToSee = "scan the cluster, or add its saved objects to the input"

// runIt is what to do about a program that is asked for and that nothing runs.
const runIt = "install it, or add to the input what runs it; else remove what asks for it"

var externalReferences = []report.Reference{
	{Name: "Good practices for Kubernetes Secrets", URL: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/#use-third-party-secret-store-providers"},
	{Name: "Secrets Store CSI driver", URL: "https://secrets-store-csi-driver.sigs.k8s.io/"},
}

// judgeAgent judges one controller by what its status says, and reports whether
// it runs. Pods and Jobs with the same image have none, and are not what keeps
// the mechanism going.
func judgeAgent(e *check.Eval, w *workload.Workload, name string) (runs bool) {
	daemon := w.Kind == "DaemonSet"
	if !daemon && w.Kind != "Deployment" && w.Kind != "StatefulSet" {
		return false
	}
	s := w.Value.Status
	if s == nil {
		e.Unknown(w.Subject, fmt.Sprintf("belongs to %q; whether it runs is seen in a cluster only", name), w.Evidence("spec.template", w.Kind, "")).Remedy = scanToSee
		return false
	}
	at := w.Evidence("status", fmt.Sprintf("%d of %d ready", s.Ready, s.Wanted), "")
	switch {
	case daemon && s.Wanted == 0 && w.OnWindows():
	case daemon && s.Wanted == 0:
		e.Fail(w.Subject, fmt.Sprintf("belongs to %q, and no node is to run it", name), at)
	case s.Wanted == 0:
		e.Fail(w.Subject, fmt.Sprintf("belongs to %q, and is scaled to 0", name), at)
	case s.Ready == 0:
		e.Fail(w.Subject, fmt.Sprintf("belongs to %q, and none of its pods is ready", name), at)
	case daemon && int(s.Wanted-s.Ready) > nodesDown(e):
		e.Fail(w.Subject, fmt.Sprintf("belongs to %q, and is ready on %d of %d nodes", name, s.Ready, s.Wanted), at)
	default:
		e.Pass(w.Subject)
		return true
	}
	return false
}

// judgeWebhook judges whether pods get to an injector that runs.
func judgeWebhook(e *check.Eval, m mechanism, w *workload.Workload) {
	for c := range inventory.All(e, inventory.MutatingWebhookConfigurations) {
		for _, hook := range c.Value.Webhooks {
			if hook.Name == m.webhook {
				e.Pass(c.Subject)
				return
			}
		}
	}
	e.FailAbsent(report.Subject{Kind: "Mechanism", Name: m.name}, []report.KindID{inventory.MutatingWebhookConfigurations.ID}, "",
		fmt.Sprintf("runs, and no mutating webhook %q sends pods to it", m.webhook), w.Evidence("metadata.name", w.Name, ""))
}

// nodesDown counts the nodes that the node controller has given up for now:
// what should run there is not ready, whoever made it.
func nodesDown(e *check.Eval) int {
	n := 0
	for node := range inventory.All(e, inventory.Nodes) {
		if slices.ContainsFunc(node.Value.Taints, func(t corev1.Taint) bool {
			return t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable
		}) {
			n++
		}
	}
	return n
}

// judgeUsers reports whether anything asks for the mechanism. Where nothing
// that is known runs it, its objects say whether something else does: only a
// controller writes their status.
func judgeUsers(e *check.Eval, m mechanism, running bool) bool {
	var at []report.Evidence
	users, reported := 0, false
	for _, s := range m.objects {
		for o := range inventory.All(e, s.kind) {
			if users++; at == nil {
				at = append(at, o.Evidence("metadata.name", o.Name, ""))
			}
			reported = reported || len(o.Value.Status.Conditions) > 0 || o.Value.Status.Valid != nil
		}
	}
	if m.annotation != "" {
		for _, w := range workload.All.Of(e) {
			if w.Finished() || w.PodAnnotations()[m.annotation] != "true" {
				continue
			}
			if users++; at == nil {
				at = append(at, w.PodEvidence("metadata.annotations["+m.annotation+"]", "true", ""))
			}
			reported = reported || injected(w)
		}
	}
	if users > 0 && !running && !reported {
		f := unrun(e, report.Subject{Kind: "Mechanism", Name: m.name},
			fmt.Sprintf("no workload runs %q; waiting for it: %d", m.name, users), at...)
		f.Count, f.Remedy = users, runIt
	}
	return users > 0
}

// unrun reports what no workload of a cluster runs. Manifests, and some of its
// namespaces, are not the cluster.
func unrun(e *check.Eval, s report.Subject, msg string, at ...report.Evidence) *report.Finding {
	if e.Limited() {
		return e.Unknown(s, msg+", but the scan was limited to some namespaces", at...)
	}
	return e.FailAbsent(s, append(inventory.Kinds(workload.Needs()), inventory.Nodes.ID), "", msg, at...)
}

// driven reports whether a CSI driver of a secret store is installed or used.
func driven(e *check.Eval) bool {
	for d := range inventory.All(e, inventory.CSIDrivers) {
		if slices.Contains(storeDrivers, d.Name) {
			return true
		}
	}
	for _, w := range workload.All.Of(e) {
		for range storeVolumes(w) {
			return true
		}
	}
	return false
}
