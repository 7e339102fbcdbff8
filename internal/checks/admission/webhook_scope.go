package admission

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/scope
//
// Statement: an outage of a webhook stops neither the cluster's own objects nor
// the webhook's pods.
// Looks at: webhooks that fail closed and are asked about pods or about every
// resource ("*" of the group "*"): whether their selectors match kube-system,
// which is looked at for those that ask about every resource, and the namespace
// of their own Service.
// Passes when: the namespaceSelector excludes them, by name
// (kubernetes.io/metadata.name) or by a label that the Namespace has; or the
// objectSelector excludes objects without labels, and the webhook's own pods.
// Fails when: they are matched: what is needed to bring the webhook back has to
// pass it first.
// Cannot tell when: the selector asks for labels of a namespace that is not in
// the input; or matchConditions may exclude it.
//
// https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/#webhook-limit-scope
var webhookScope = &check.Check{
	ID:       "admission/webhooks/scope",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Webhooks that fail closed leave out kube-system and their own namespace",
	Noun:     "webhook",
	Severity: report.Low,
	Why: "While the webhook is down, nothing that it matches can be created or changed: no pod of its own, no lease of a node or controller, no add-on of the network that it answers over. " +
		"A short outage then becomes one that ends only when somebody deletes the configuration, and the policy with it.",
	Remediation: "Exclude both with a `namespaceSelector`: `matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, kube-node-lease, NAMESPACE]}]`. " +
		"Few may then write there.",
	Refs:  webhookSources,
	Needs: append(webhook.With(inventory.Services.Optional(), inventory.Namespaces.Optional()), inventory.Optional(workload.Needs())...),
	Run: func(e *check.Eval) {
		each(e, stops, func(w *webhook.Webhook) *result { return judgeScope(e, w) })
	},
}

// stops selects the webhooks whose outage stops pods or everything.
func stops(w *webhook.Webhook) bool {
	return w.FailurePolicy() == admissionv1.Fail && (w.Wildcard() >= 0 || w.Asked(admissionv1.Create, "", "pods"))
}

func judgeScope(e *check.Eval, w *webhook.Webhook) *result {
	var matched, open []string
	take := func(namespace, text string) {
		switch yes, known := webhook.SelectsNamespace(w.Spec.NamespaceSelector, namespace, namespaceLabels(e, namespace)); {
		case yes && known:
			matched = append(matched, text)
		case !known:
			open = append(open, text)
		}
	}
	if w.Wildcard() >= 0 && inventory.MaySelect(w.Spec.ObjectSelector, nil) {
		take(metav1.NamespaceSystem, "every object of kube-system")
	}
	if hasService(w) && matchesOwnPods(e, w) {
		own := w.Spec.ClientConfig.Service.Namespace
		if own != metav1.NamespaceSystem || len(matched) == 0 {
			take(own, strings.TrimSuffix(fmt.Sprintf("the pods of its own namespace %q", own), ` ""`))
		}
	}
	at := w.Quote("namespaceSelector", selected(w.Spec.NamespaceSelector), "kube-system and its own namespace excluded")
	switch {
	case len(matched) > 0 && len(w.Spec.MatchConditions) > 0:
		return unclear("fails closed; whether its matchConditions exclude "+strings.Join(matched, " and ")+" is not read", at)
	case len(matched) > 0:
		return fails("fails closed, and matches "+strings.Join(matched, " and "), at)
	case len(open) > 0:
		return notGiven("fails closed; whether it matches "+open[0]+" is not known: its selector asks for labels of the namespace, which are not in the input", at)
	}
	return nil
}

// selected renders a selector in the notation of kubectl.
func selected(s *metav1.LabelSelector) string {
	return cmp.Or(texts(webhook.Requirements(s)), "(everything)")
}

// namespaceLabels are the labels of a Namespace object; nil where it is not in
// the inventory.
func namespaceLabels(e *check.Eval, name string) map[string]string {
	ns, ok := inventory.Get(e, inventory.Namespaces, "", name)
	if ok && ns.Value.Labels == nil {
		return map[string]string{}
	}
	return ns.Value.Labels
}

// matchesOwnPods reports whether the webhook's object selector matches the pods
// behind it. Where they are not in the input, they have no labels.
func matchesOwnPods(e *check.Eval, w *webhook.Webhook) bool {
	s, ok := serviceOf(e, w)
	if !ok {
		return inventory.MaySelect(w.Spec.ObjectSelector, nil)
	}
	pods := behind(e, s)
	if len(pods) == 0 {
		return inventory.MaySelect(w.Spec.ObjectSelector, s.Value.Spec.Selector)
	}
	return slices.ContainsFunc(pods, func(p *workload.Workload) bool { return inventory.MaySelect(w.Spec.ObjectSelector, p.PodLabels()) })
}
