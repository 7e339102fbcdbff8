package imagepolicy

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// hook is one webhook and the name of its configuration.
type hook struct {
	config string
	spec   *admissionv1.MutatingWebhook
}

// engine is a controller that verifies images, by its webhooks.
type engine struct {
	name string
	has  func(hook) bool
	// fills is true where the controller writes the rules of its webhooks: in a
	// manifest, they have none.
	fills bool
	// selector is that of the project's own manifests, for an input that has
	// policies and no webhook.
	selector *metav1.LabelSelector
}

func (p *Policies) readHooks(v inventory.View) {
	for _, k := range []inventory.Kind[inventory.WebhookConfiguration]{inventory.ValidatingWebhookConfigurations, inventory.MutatingWebhookConfigurations} {
		p.unread = p.unread || len(v.Missing(k.ID, "")) > 0
		for o := range inventory.All(v, k) {
			for i := range o.Value.Webhooks {
				h := hook{o.Name, &o.Value.Webhooks[i]}
				for _, e := range engines {
					if e.has(h) {
						p.hooks[e] = append(p.hooks[e], h)
					}
				}
			}
		}
	}
	if len(v.Missing(inventory.EndpointSlices.ID, "")) == 0 {
		p.endpoints = map[string]int{}
		for s := range inventory.All(v, inventory.EndpointSlices) {
			p.endpoints[s.Namespace+"/"+s.Value.Labels[discoveryv1.LabelServiceName]] += s.Value.Ready
		}
	}
}

// gate narrows what a policy does to what the webhooks of its engine let it do.
func (p *Policies) gate(o opinion, e *engine, saved bool, im *Image, ns namespace) opinion {
	if o.answer == no {
		return o
	}
	return o.through(p.called(e, saved, im, ns))
}

// called reports whether the engine is asked when the workload, or a pod of
// it, is created, and whether its answer counts. saved says that its policies
// come from an API server: there, without a webhook, they do nothing. What
// manifests do not hold may be installed by others.
func (p *Policies) called(e *engine, saved bool, im *Image, ns namespace) (answer, string) {
	hooks := p.hooks[e]
	switch {
	case len(hooks) > 0:
		answer, why := no, ""
		for _, h := range hooks {
			a, w := p.calledBy(e, h, im, ns)
			if a == yes {
				return yes, ""
			}
			if why == "" || a > answer {
				answer, why = a, w
			}
		}
		return answer, why
	case !saved:
		return admitted(ns, e.selector)
	case p.unread:
		return maybe, "matches it, but whether " + e.name + " is called is not known: the webhook configurations were not read"
	}
	return no, "matches it, but " + e.name + " is not called: it has no webhook"
}

func (p *Policies) calledBy(e *engine, h hook, im *Image, ns namespace) (answer, string) {
	if len(h.spec.Rules) == 0 && !e.fills || len(h.spec.Rules) > 0 && !slices.ContainsFunc(im.objects(), h.asked) {
		return no, "matches it, but the webhook of " + e.name + " is not called for it"
	}
	if a, why := admitted(ns, h.spec.NamespaceSelector); a != yes {
		return a, why
	}
	if s := h.spec.ClientConfig.Service; s != nil && p.endpoints != nil && p.endpoints[s.Namespace+"/"+s.Name] == 0 {
		return no, "matches it, but no ready pod serves the webhook of " + e.name
	}
	if h.spec.FailurePolicy != nil && *h.spec.FailurePolicy == admissionv1.Ignore {
		return no, "matches it, but the webhook of " + e.name + " lets pass what is not answered (failurePolicy Ignore)"
	}
	if selects(h.spec.ObjectSelector, im.Pod.Labels) != yes {
		return maybe, "matches it, but the webhook of " + e.name + " leaves out some objects (objectSelector)"
	}
	if len(h.spec.MatchConditions) > 0 {
		return maybe, "matches it, but the webhook of " + e.name + " has matchConditions, which are not evaluated"
	}
	return yes, ""
}

// admitted says whether a webhook with the selector is called in the namespace.
func admitted(ns namespace, s *metav1.LabelSelector) (answer, string) {
	switch ns.selected(s) {
	case no:
		return no, "matches it, but its webhook leaves out the namespace"
	case maybe:
		return maybe, "matches it, but whether its webhook is called in the namespace is not known: that depends on the labels of the Namespace"
	}
	return yes, ""
}

// asked reports whether the rules have the webhook called when an object is created.
func (h hook) asked(o object) bool {
	has := func(list []string, s string) bool { return slices.Contains(list, "*") || slices.Contains(list, s) }
	return slices.ContainsFunc(h.spec.Rules, func(r admissionv1.RuleWithOperations) bool {
		inScope := r.Scope == nil || *r.Scope != admissionv1.ClusterScope
		return inScope && has(r.APIGroups, o.group) && (has(r.Resources, o.resource()) || slices.ContainsFunc(r.Resources, func(s string) bool { return s == "*/*" || s == o.resource()+"/*" })) &&
			slices.ContainsFunc(r.Operations, func(op admissionv1.OperationType) bool {
				return op == admissionv1.OperationAll || op == admissionv1.Create
			})
	})
}

// The engines, by the names that their projects give to their webhooks.
//
// https://github.com/kyverno/kyverno/blob/main/pkg/config/config.go
// https://github.com/sigstore/policy-controller/blob/main/config/500-webhook-configuration.yaml
// https://github.com/IBM/portieris/blob/main/helm/portieris/templates/webhooks.yaml
// https://github.com/sse-secure-systems/connaisseur/tree/master/charts/connaisseur/templates
var (
	kyvernoEngine    = &engine{name: "Kyverno", has: func(h hook) bool { return strings.HasPrefix(h.spec.Name, "mutate.kyverno.svc") }}
	kyvernoCELEngine = &engine{name: "Kyverno", has: func(h hook) bool {
		return strings.Contains(h.spec.Name, "kyverno.svc") && strings.Contains(h.spec.Name, "ivpol")
	}}
	sigstoreEngine = &engine{
		name: "policy-controller", fills: true,
		has: func(h hook) bool { return h.spec.Name == "policy.sigstore.dev" },
		selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "policy.sigstore.dev/include", Operator: metav1.LabelSelectorOpIn, Values: []string{"true"}},
		}},
	}
	portierisEngine = &engine{
		name: "Portieris",
		has:  func(h hook) bool { return h.spec.Name == "trust.hooks.securityenforcement.admission.cloud.ibm.com" },
		selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "securityenforcement.admission.cloud.ibm.com/namespace", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"skip"}},
		}},
	}
	connaisseurEngine = &engine{name: "Connaisseur", has: func(h hook) bool {
		return strings.HasPrefix(h.spec.Name, "connaisseur-svc.") || h.config == "connaisseur-webhook"
	}}

	engines = []*engine{kyvernoEngine, kyvernoCELEngine, sigstoreEngine, portierisEngine, connaisseurEngine}
)
