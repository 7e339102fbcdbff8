package admission

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/service
//
// Statement: somebody answers behind every webhook.
// Looks at: the Service that the webhook names, its ports, and the endpoints
// behind it: EndpointSlices where they were read, else the workloads that it
// selects and how many of their pods are ready.
// Passes when: the Service has the port and a ready endpoint; in manifests, a
// workload that it selects.
// Fails when: the Service is not there, although something of its namespace is;
// it lacks the port (443 where none is named); no endpoint is ready; it selects
// nothing, or only what is scaled to 0.
// Cannot tell when: nothing of the namespace is in the input, or no workload of
// it; the Service leads out of the cluster (ExternalName); it has no selector,
// and its endpoints were not read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#service-reference
var webhookService = &check.Check{
	ID:       "admission/webhooks/service",
	Item:     checklist.AdmissionWebhooks,
	Title:    "A Service with ready endpoints answers for every webhook",
	Noun:     "webhook",
	Severity: report.Medium,
	Why: "A webhook that nobody answers enforces nothing where it fails open, and stops what it matches where it fails closed. " +
		"It is mostly what a removed product left behind; whoever may create Services and pods in its namespace can then answer in its place.",
	Remediation: "Remove configurations of what is no longer installed. Otherwise bring the Service back, and its pods.",
	Refs:        webhookSources,
	Needs: append(webhook.With(inventory.Services.Need(), inventory.Namespaces.Optional(), inventory.EndpointSlices.Optional()),
		inventory.Optional(workload.Needs())...),
	Run: func(e *check.Eval) {
		each(e, hasService, func(w *webhook.Webhook) *result { return judgeService(e, w) })
	},
}

func judgeService(e *check.Eval, w *webhook.Webhook) *result {
	ref := w.Spec.ClientConfig.Service
	name := w.Quote("clientConfig.service.name", ref.Name, "a Service that is there")
	s, ok := serviceOf(e, w)
	if !ok {
		if !inInput(e, ref.Namespace) {
			return notGiven(fmt.Sprintf("asks %s, and nothing of its namespace is in the input", w.Address()), name)
		}
		return fails(fmt.Sprintf("asks %s, which does not exist", w.Address()), name).resting(ref.Namespace, inventory.Services.ID)
	}
	if s.Value.Spec.Type == corev1.ServiceTypeExternalName {
		return unclear(fmt.Sprintf("asks %s, which leads to %q outside of the cluster", w.Address(), s.Value.Spec.ExternalName), name,
			s.Evidence("spec.externalName", s.Value.Spec.ExternalName, ""))
	}
	if !slices.ContainsFunc(s.Value.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == w.Port() }) {
		return fails(fmt.Sprintf("asks port %d of %s, which has %s", w.Port(), w.Address(), ports(s.Value.Spec.Ports)),
			w.Quote("clientConfig.service.port", strconv.Itoa(int(w.Port())), "a port of the Service"), s.Evidence("spec.ports", ports(s.Value.Spec.Ports), ""))
	}
	return judgeEndpoints(e, w, s, name)
}

func judgeEndpoints(e *check.Eval, w *webhook.Webhook, s inventory.Object[inventory.Service], name report.Evidence) *result {
	ready := 0
	for slice := range inventory.In(e, inventory.EndpointSlices, s.Namespace) {
		if slice.Value.Labels[discoveryv1.LabelServiceName] == s.Name {
			ready += slice.Value.Ready
		}
	}
	if ready > 0 {
		return nil
	}
	if s.Value.UID != "" && len(e.Missing(inventory.EndpointSlices.ID, s.Namespace)) == 0 {
		return fails(fmt.Sprintf("asks %s, which has no ready endpoint", w.Address()), name).resting(s.Namespace, inventory.EndpointSlices.ID)
	}
	selector := s.Evidence("spec.selector", selectorText(s), "")
	if len(s.Value.Spec.Selector) == 0 {
		return notGiven(fmt.Sprintf("asks %s, which has no selector, and whose endpoints are not in the input", w.Address()), name, selector)
	}
	pods := behind(e, s)
	if len(pods) == 0 && !podsInInput(e, s.Namespace) {
		return notGiven(fmt.Sprintf("asks %s, and no workload of its namespace is in the input", w.Address()), name, selector)
	}
	if len(pods) == 0 {
		return fails(fmt.Sprintf("asks %s, which selects no workload", w.Address()), name, selector).resting(s.Namespace, inventory.Kinds(workload.Needs())...)
	}
	switch counted, answering := readiness(pods); {
	case answering:
		return nil
	case counted:
		return fails(fmt.Sprintf("asks %s, and no pod that it selects is ready", w.Address()), name, selector)
	case s.Value.UID != "":
		return notGiven(fmt.Sprintf("asks %s, whose endpoints could not be read", w.Address()), name, selector)
	}
	return nil
}

// readiness says whether it is known of all the workloads how many pods they
// have, and whether any of them has one that is ready.
func readiness(pods []*workload.Workload) (counted, answering bool) {
	counted = true
	for _, p := range pods {
		switch {
		case p.Value.Replicas != nil && *p.Value.Replicas == 0:
		case p.Value.Status == nil:
			counted = false
		case p.Value.Status.Ready > 0:
			answering = true
		}
	}
	return counted, answering
}

func ports(list []corev1.ServicePort) string {
	var out []string
	for _, p := range list {
		out = append(out, strconv.Itoa(int(p.Port)))
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

func selectorText(s inventory.Object[inventory.Service]) string {
	var out []string
	for k, v := range s.Value.Spec.Selector {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	if len(out) == 0 {
		return "(none)"
	}
	return strings.Join(out, ",")
}
