// Package webhook gives every admission webhook one shape, with the defaults of
// the API server filled in: what it is asked about, whose answer counts, and
// whether a security product is known to rest on it.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
package webhook

import (
	"cmp"
	"fmt"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// All is every webhook of every configuration, the validating ones first, in
// the order of the configurations. A check that uses it declares [Needs].
var All = &inventory.Fact[[]*Webhook]{Needs: Needs(), Build: build}

// Needs are the kinds that webhooks come from.
func Needs() []inventory.Need {
	return []inventory.Need{inventory.ValidatingWebhookConfigurations.Need(), inventory.MutatingWebhookConfigurations.Need()}
}

// With lists the needs of webhooks and more.
func With(more ...inventory.Need) []inventory.Need { return append(Needs(), more...) }

// Webhook is one webhook of a configuration.
type Webhook struct {
	inventory.Object[inventory.WebhookConfiguration]
	// Spec is the webhook as written. Its rules, selectors and conditions can be
	// read as they stand; the methods know the defaults of the rest.
	Spec *admissionv1.MutatingWebhook
	// Mutating is true where the webhook may change what it is shown.
	Mutating bool
	// Product is the security product that the webhook belongs to; empty where
	// none is known.
	Product string
	index   int
}

func build(v inventory.View) []*Webhook {
	var all []*Webhook
	for _, k := range []inventory.Kind[inventory.WebhookConfiguration]{inventory.ValidatingWebhookConfigurations, inventory.MutatingWebhookConfigurations} {
		for o := range inventory.All(v, k) {
			for i := range o.Value.Webhooks {
				spec := &o.Value.Webhooks[i]
				all = append(all, &Webhook{
					Object: o, Spec: spec, Mutating: k.ID == inventory.MutatingWebhookConfigurations.ID,
					Product: product(spec.Name), index: i,
				})
			}
		}
	}
	return all
}

// Part is the subject of the webhook: its configuration, narrowed to its name.
func (w *Webhook) Part() report.Subject {
	s := w.Subject
	s.Part = w.Spec.Name
	return s
}

// Quote quotes a field of the webhook.
func (w *Webhook) Quote(field, got, want string) report.Evidence {
	return w.Evidence(fmt.Sprintf("webhooks[%d].%s", w.index, field), got, want)
}

// Saved reports whether the object comes from an API server, which gives each
// a UID. What a manifest leaves out may be filled in when it is applied; of a
// saved object, nothing more is to come.
func (w *Webhook) Saved() bool { return w.Value.UID != "" }

// Idle reports whether the webhook is asked about nothing: a controller that
// keeps its own configuration takes out the rules that nobody needs. In a
// manifest, it is still to write them.
func (w *Webhook) Idle() bool { return len(w.Spec.Rules) == 0 && w.Saved() }

// FailurePolicy is what becomes of a request when the webhook does not answer.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/admissionregistration/v1/defaults.go
// also for the defaults below.
func (w *Webhook) FailurePolicy() admissionv1.FailurePolicyType {
	return or(w.Spec.FailurePolicy, admissionv1.Fail)
}

// MatchPolicy says whether the rules also hold for the same object in another
// API version.
func (w *Webhook) MatchPolicy() admissionv1.MatchPolicyType {
	return or(w.Spec.MatchPolicy, admissionv1.Equivalent)
}

// Timeout is how long the API server waits for the answer, in seconds.
func (w *Webhook) Timeout() int32 { return or(w.Spec.TimeoutSeconds, 10) }

// SideEffects says whether the webhook changes something beside the object;
// empty where it is not written down, which v1 refuses.
func (w *Webhook) SideEffects() admissionv1.SideEffectClass { return or(w.Spec.SideEffects, "") }

// Reinvoked reports whether a mutating webhook is asked again about an object
// that changed after it was asked.
func (w *Webhook) Reinvoked() bool {
	return or(w.Spec.ReinvocationPolicy, admissionv1.NeverReinvocationPolicy) == admissionv1.IfNeededReinvocationPolicy
}

// Port is the port of the Service that is called.
func (w *Webhook) Port() int32 {
	if w.Spec.ClientConfig.Service == nil {
		return 0
	}
	return or(w.Spec.ClientConfig.Service.Port, 443)
}

// Address names what is called: a Service or a URL.
func (w *Webhook) Address() string {
	if s := w.Spec.ClientConfig.Service; s != nil {
		return "Service " + strings.TrimPrefix(s.Namespace+"/"+s.Name, "/")
	}
	return cmp.Or(or(w.Spec.ClientConfig.URL, ""), "nothing")
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
