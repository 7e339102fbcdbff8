package admission

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/ca-bundle
//
// Statement: the API server can verify whom it asks.
// Looks at: the caBundle of every webhook, at the time of the scan.
// Passes when: one of its certificates is valid, a CA's or the webhook's own,
// which is trusted as it stands; or the webhook has a URL and no bundle, so that
// the system's roots hold; or, in a manifest, an annotation has cert-manager or
// OpenShift write the bundle.
// Fails when: a webhook of a Service that was read from a cluster has no
// bundle; or no certificate in it can be read or is valid. No call succeeds
// then: with failurePolicy Ignore the webhook does nothing, with Fail it stops
// what it matches.
// Cannot tell when: a manifest holds no bundle. Many controllers write their
// own when they start.
//
// https://github.com/kubernetes/client-go/blob/v0.37.2/transport/transport.go (rootCertPool)
var caBundle = &check.Check{
	ID:       "admission/webhooks/ca-bundle",
	Item:     checklist.AdmissionWebhooks,
	Title:    "The API server can verify every webhook",
	Noun:     "webhook",
	Severity: report.Medium,
	Why: "The bundle is how the API server knows that it talks to the webhook and to nobody else. Without a valid certificate in it no call succeeds: " +
		"a webhook that may be ignored then enforces nothing, and nobody notices.",
	Remediation: "Let cert-manager, or the controller itself, write and renew the bundle, and alert on failing calls (`apiserver_admission_webhook_fail_open_count`).",
	Refs:        webhookSources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		each(e, every, func(w *webhook.Webhook) *result { return judgeBundle(w, e.Observed()) })
	},
}

// injectors are the annotations that have a controller write the CA bundle.
//
// https://cert-manager.io/docs/concepts/ca-injector/
// https://docs.openshift.com/container-platform/latest/security/certificates/service-serving-certificate.html
var injectors = []string{
	"cert-manager.io/inject-ca-from",
	"cert-manager.io/inject-ca-from-secret",
	"cert-manager.io/inject-apiserver-ca",
	"certmanager.k8s.io/inject-ca-from",
	"service.beta.openshift.io/inject-cabundle",
}

// injected reports whether a manifest leaves the bundle to a controller. Of an
// object that was read from a cluster, the bundle itself says more.
func injected(w *webhook.Webhook) bool {
	for _, a := range injectors {
		if w.Value.Annotations[a] != "" {
			return !w.Saved()
		}
	}
	return false
}

func judgeBundle(w *webhook.Webhook, now time.Time) *result {
	bundle := bytes.TrimSpace(w.Spec.ClientConfig.CABundle)
	at := w.Quote("clientConfig.caBundle", "(none)", "the CA of the webhook's certificate")
	switch {
	case injected(w), len(bundle) == 0 && w.Spec.ClientConfig.URL != nil:
		return nil
	case len(bundle) == 0 && w.Saved():
		return fails("has no CA bundle: no call to "+w.Address()+" can be verified, so that none succeeds", at)
	case len(bundle) == 0:
		r := unclear("has no CA bundle here: what writes it is not in the input", at)
		r.remedy = "scan the cluster, or have cert-manager write the bundle (annotation cert-manager.io/inject-ca-from)"
		return r
	}
	all := webhook.Authorities(bundle)
	valid := webhook.Valid(all, now)
	switch {
	case len(valid) > 0:
		return nil
	case len(all) == 0:
		at.Got = fmt.Sprintf("%d bytes without a certificate", len(bundle))
		return fails("has a CA bundle without a certificate that can be read: no call succeeds", at)
	}
	c := all[len(all)-1]
	at.Got = quoteValidity(c)
	if now.Before(c.NotBefore) {
		return fails(fmt.Sprintf("has a CA bundle that is not valid before %s", day(c.NotBefore)), at)
	}
	return fails(fmt.Sprintf("has a CA bundle that expired on %s", day(c.NotAfter)), at)
}

// webhooks/ca-expiry
//
// Statement: the CA of every webhook outlives the next month.
// Looks at: the certificates of every caBundle that are valid at the time of
// the scan.
// Passes when: one of them is still valid in 30 days.
// Fails when: the last of them ends before.
// Cannot tell when: webhook configurations could not be read. A bundle without
// a valid certificate stands under ca-bundle.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook
var caExpiry = &check.Check{
	ID:       "admission/webhooks/ca-expiry",
	Item:     checklist.AdmissionWebhooks,
	Title:    "The CA of every webhook is valid for another 30 days",
	Noun:     "webhook",
	Severity: report.Low,
	Why: "When the last certificate of the bundle ends, so do the calls: from one second to the next, a webhook that fails closed stops the cluster's changes, " +
		"and one that fails open stops enforcing.",
	Remediation: "Renew the CA, and let a controller renew it from now on. While both are in the bundle, the serving certificate can be changed without a gap.",
	Refs:        webhookSources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		verified(e, func(w *webhook.Webhook, valid []*x509.Certificate) *result {
			last := valid[0]
			for _, c := range valid {
				if c.NotAfter.After(last.NotAfter) {
					last = c
				}
			}
			if last.NotAfter.After(e.Observed().Add(renewal)) {
				return nil
			}
			return fails(fmt.Sprintf("has a CA bundle that expires on %s", day(last.NotAfter)), w.Quote("clientConfig.caBundle", quoteValidity(last), "more than 30 days"))
		})
	},
}

// renewal is the time in which a CA should have been renewed.
const renewal = 30 * 24 * time.Hour

// webhooks/ca-strength
//
// Statement: the keys that vouch for webhooks cannot be forged.
// Looks at: the keys of the certificates of every caBundle that are valid at the
// time of the scan. Who signed them does not count: what is in the bundle is
// trusted as it stands.
// Passes when: none is an RSA key of less than 2048 bits.
// Fails when: one is.
// Cannot tell when: webhook configurations could not be read.
//
// https://nvlpubs.nist.gov/nistpubs/SpecialPublications/NIST.SP.800-57pt1r5.pdf
var caStrength = &check.Check{
	ID:       "admission/webhooks/ca-strength",
	Item:     checklist.AdmissionWebhooks,
	Title:    "The CA of every webhook has a strong key",
	Noun:     "webhook",
	Severity: report.Low,
	Why: "Whoever computes the private key of a certificate in the bundle can answer in the webhook's place: " +
		"allow everything, change what is created, and read all that is sent to it.",
	Remediation: "Make a new CA with an ECDSA P-256 key or an RSA key of 2048 bits or more.",
	Refs:        webhookSources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		verified(e, func(w *webhook.Webhook, valid []*x509.Certificate) *result {
			for _, c := range valid {
				if weak := webhook.WeakKey(c); weak != "" {
					return fails("trusts a certificate with "+weak, w.Quote("clientConfig.caBundle", weak+", "+quoteValidity(c), "2048 bits or more"))
				}
			}
			return nil
		})
	},
}

// verified judges the webhooks that have a valid certificate in their bundle.
func verified(e *check.Eval, judge func(*webhook.Webhook, []*x509.Certificate) *result) {
	valid := func(w *webhook.Webhook) []*x509.Certificate {
		return webhook.Valid(webhook.Authorities(w.Spec.ClientConfig.CABundle), e.Observed())
	}
	each(e, func(w *webhook.Webhook) bool { return !injected(w) && len(valid(w)) > 0 },
		func(w *webhook.Webhook) *result { return judge(w, valid(w)) })
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func quoteValidity(c *x509.Certificate) string {
	return strings.TrimSpace(c.Subject.String() + " from " + day(c.NotBefore) + " to " + day(c.NotAfter))
}
