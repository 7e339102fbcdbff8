package admission

import (
	"fmt"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/object-selector
//
// Statement: nobody gets past a policy by the labels of what they create.
// Looks at: the objectSelector of the webhooks of known security products, of
// ValidatingAdmissionPolicies that deny, and of the bindings that have them
// deny.
// Passes when: it matches everything; or only cluster-wide objects are asked
// about.
// Fails when: it asks for labels: who writes an object writes its labels, and
// leaves the one out or puts the other in.
// Cannot tell when: webhook configurations, policies or bindings could not be
// read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-objectselector
var objectSelector = &check.Check{
	ID:       "admission/webhooks/object-selector",
	Item:     checklist.AdmissionWebhooks,
	Title:    "No policy depends on labels of the objects that it judges",
	Noun:     "policy",
	Severity: report.Medium,
	Why: "Users may skip what an `objectSelector` selects by: the labels are a part of the object that they send. " +
		"It is meant for what they opt in to, such as a sidecar, not for what they must not do.",
	Remediation: "Drop the `objectSelector`. Exempt by namespace name, by user (`matchConditions`), or in the policy itself.",
	Refs:        securitySources,
	Needs:       guardNeeds(),
	Run: func(e *check.Eval) {
		rs := collect(e)
		for _, g := range guards(e) {
			var r *result
			if asked := webhook.Requirements(g.objects); len(asked) > 0 && g.namespaced() {
				r = fails(fmt.Sprintf("judges only objects with the labels %q, which their authors set", texts(asked)),
					g.quote(g.match+"objectSelector."+asked[0].Field, texts(asked), "no objectSelector"))
			}
			rs.add(g.Subject, r)
		}
	},
}

// webhooks/namespace-selector
//
// Statement: nobody but administrators gets a namespace past a policy by its
// labels.
// Looks at: the namespaceSelector of the webhooks of known security products,
// of ValidatingAdmissionPolicies that deny, and of the bindings that have them
// deny; and who may update or patch Namespaces.
// Passes when: it asks for no label but kubernetes.io/metadata.name, which the
// API server sets; for one that Gatekeeper guards by a webhook of its own; or
// only administrators, the control plane and the product itself may change
// Namespaces.
// Fails when: other users or groups may. Where only service accounts may, a
// person has to say whose they are.
// Cannot tell when: roles and bindings are not those of a whole cluster (it has
// the ClusterRole cluster-admin, and the namespaces that each cluster has), and
// none of them gives the right.
//
// https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
var namespaceSelector = &check.Check{
	ID:       "admission/webhooks/namespace-selector",
	Item:     checklist.AdmissionWebhooks,
	Title:    "No policy depends on namespace labels that others than administrators set",
	Noun:     "policy",
	Severity: report.Medium,
	Why: "Whoever may change a Namespace takes it out of the policy, or never lets it in, and then runs there what the policy forbids. " +
		"Only `kubernetes.io/metadata.name` cannot be changed.",
	Remediation: "Select by `kubernetes.io/metadata.name`, or guard the label with a ValidatingAdmissionPolicy on Namespaces. Take `update` and `patch` of Namespaces from all but administrators.",
	Refs:        securitySources,
	Needs:       append(guardNeeds(inventory.Namespaces.Optional()), access.Needs...),
	Run: func(e *check.Eval) {
		rs, who, safe := collect(e), readLabellers(e), safeLabels(e)
		for _, g := range guards(e) {
			rs.add(g.Subject, judgeNamespaceSelector(g, who, safe))
		}
	},
}

func judgeNamespaceSelector(g guard, who labellers, safe map[string]bool) *result {
	if !g.namespaced() {
		return nil
	}
	for _, r := range webhook.Requirements(g.namespaces) {
		if safe[r.Key] {
			continue
		}
		at := g.quote(g.match+"namespaceSelector."+r.Field, r.Text, corev1.LabelMetadataName)
		switch {
		case len(who.people) > 0:
			return fails(fmt.Sprintf("depends on the label %q of namespaces, which %s may change", r.Key, report.Some(who.people)), append([]report.Evidence{at}, who.at...)...)
		case len(who.accounts) > 0:
			return &result{verdict: report.Manual, at: append([]report.Evidence{at}, who.at...),
				message: fmt.Sprintf("depends on the label %q of namespaces, which %s may change: are they trusted as administrators are?", r.Key, report.Some(who.accounts))}
		case !who.whole:
			r := unclear(fmt.Sprintf("depends on the label %q of namespaces, and who may change them is not in the input", r.Key), at)
			r.remedy = "scan the cluster, or add all its roles and bindings to the input"
			return r
		}
	}
	return nil
}

// safeLabels are the labels of namespaces that their editors cannot set as they
// like.
func safeLabels(e *check.Eval) map[string]bool {
	safe := map[string]bool{corev1.LabelMetadataName: true}
	for _, w := range webhook.All.Of(e) {
		if w.Spec.Name == webhook.GatekeeperLabelGuard && w.FailurePolicy() == admissionv1.Fail && w.Asked(admissionv1.Update, "", "namespaces") {
			safe[webhook.GatekeeperIgnoreLabel] = true
		}
	}
	return safe
}

func texts(rs []webhook.Requirement) string {
	var out []string
	for _, r := range rs {
		out = append(out, r.Text)
	}
	return strings.Join(out, ",")
}
