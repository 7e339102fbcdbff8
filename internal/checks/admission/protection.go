package admission

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/netpol"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/protection-network
//
// Statement: a network policy says who may call a webhook's pods.
// Looks at: the workloads behind the Services of all webhooks, and the
// NetworkPolicies of their namespaces. Pods on the host network, which no
// NetworkPolicy reaches, stand under protection-privileges.
// Passes when: a NetworkPolicy selects the pods for ingress. What it lets
// through is not the question here: the API server may call from any address.
// Fails when: none does.
// Cannot tell when: the workload is not in the input; policies could not be
// read, or a family of policies that is not read yet is present.
//
// https://kubernetes.io/docs/concepts/services-networking/network-policies/
var protectionNetwork = &check.Check{
	ID:       "admission/webhooks/protection-network",
	Item:     checklist.AdmissionWebhooks,
	Title:    "An ingress policy covers the pods of every webhook",
	Noun:     "workload",
	Severity: report.Low,
	Why: "A webhook answers whoever calls it: the API server shows no certificate unless it is told to. Every pod that reaches it can try what it lets through, " +
		"read what it says, keep it busy, and reach its metrics, its profiling and its flaws.",
	Remediation: "Add a NetworkPolicy that selects the webhook's pods, and lets in only the webhook's port.",
	Refs:        securitySources,
	Needs:       backendNeeds(isolating...),
	Run: func(e *check.Eval) {
		policies := netpol.Policies.Of(e)
		for _, b := range backends(e, hasService) {
			if !b.Spec().HostNetwork {
				judgeIngress(e, b, policies[b.Namespace])
			}
		}
	},
}

// isolating are the kinds that say who may call a pod.
var isolating = []inventory.Need{
	inventory.NetworkPolicies.Need(), inventory.AdminNetworkPolicies.Need(), inventory.CiliumNetworkPolicies.Need(),
	inventory.CalicoNetworkPolicies.Need(), inventory.CalicoStoredPolicies.Need(),
}

func judgeIngress(e *check.Eval, b backend, policies []*netpol.Policy) {
	for _, p := range policies {
		switch {
		case p.Invalid != nil && p.Isolates(netpol.Ingress):
			e.Unknown(b.Subject, fmt.Sprintf("answers for %s, and the selector of NetworkPolicy %q cannot be evaluated", b.hooks(), p.Name),
				b.PodEvidence("metadata.labels", "", "labels that a policy selects"), p.Evidence("spec.podSelector", "", "a valid selector"))
			return
		case p.Selects(b.PodLabels()) && p.Isolates(netpol.Ingress):
			e.Pass(b.Subject)
			return
		}
	}
	e.FailAbsent(b.Subject, inventory.Kinds(isolating), b.Namespace, fmt.Sprintf("answers for %s, and no NetworkPolicy selects it for ingress", b.hooks()),
		b.PodEvidence("metadata.labels", "", "labels that a policy for ingress selects"))
}

// backend is a workload that answers for webhooks.
type backend struct {
	*workload.Workload
	answers []*webhook.Webhook
}

// hooks names what it answers for.
func (b backend) hooks() string {
	first := b.answers[0]
	s := fmt.Sprintf("%s %q", strings.TrimSuffix(first.Kind, "Configuration"), first.Spec.Name)
	if more := len(b.answers) - 1; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

func backendNeeds(more ...inventory.Need) []inventory.Need {
	return append(webhook.With(more...), workload.With(inventory.Services.Need())...)
}

// backends lists the workloads behind webhooks that pass a filter, in their
// order. A Service behind which none is found is reported as not known, once.
func backends(e *check.Eval, of func(*webhook.Webhook) bool) []backend {
	var all []backend
	index := map[*workload.Workload]int{}
	unseen := map[string]bool{}
	for _, w := range webhook.All.Of(e) {
		if w.Idle() || !of(w) || !hasService(w) {
			continue
		}
		s, _ := serviceOf(e, w)
		pods := behind(e, s)
		if len(pods) == 0 && !unseen[w.Address()] {
			unseen[w.Address()] = true
			e.Unknown(w.Part(), fmt.Sprintf("is answered by %s, and no workload behind it is in the input", w.Address()),
				w.Quote("clientConfig.service.name", w.Spec.ClientConfig.Service.Name, "")).Remedy = givenMore
		}
		for _, p := range pods {
			i, ok := index[p]
			if !ok {
				i = len(all)
				index[p] = i
				all = append(all, backend{Workload: p})
			}
			all[i].answers = append(all[i].answers, w)
		}
	}
	return all
}
