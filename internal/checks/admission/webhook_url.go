package admission

import (
	"fmt"
	"net/netip"
	"net/url"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/url-plain
//
// Statement: no webhook is called in plain text.
// Looks at: the URL of the webhooks that have one.
// Passes when: its scheme is https. A Service is always called over TLS.
// Fails when: it is another: v1 refuses it, an API server before v1.9 took it.
// Cannot tell when: the URL cannot be parsed.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#url
var urlPlain = &check.Check{
	ID:       "admission/webhooks/url-plain",
	Item:     checklist.AdmissionWebhooks,
	Title:    "No webhook is called in plain text",
	Noun:     "webhook",
	Severity: report.Medium,
	Why: "A review holds the whole object, Secrets with their values included, and the answer decides what is admitted. " +
		"Whoever is on the way reads the one and writes the other.",
	Remediation: "Serve the webhook over TLS and write `https://`, or use a Service.",
	Refs:        webhookSources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		each(e, every, func(w *webhook.Webhook) *result {
			if w.Spec.ClientConfig.URL == nil {
				return nil
			}
			u, err := url.Parse(*w.Spec.ClientConfig.URL)
			at := w.Quote("clientConfig.url", *w.Spec.ClientConfig.URL, "https://…")
			switch {
			case err != nil:
				at.Got = "(not a URL)" // the parser's own words quote the URL, and with it a password
				return unclear("has a URL that cannot be parsed", at)
			case u.Scheme == "https":
				return nil
			}
			at.Got = u.Redacted()
			return fails(fmt.Sprintf("is called by the scheme %q", u.Scheme), at)
		})
	},
}

// webhooks/url-external
//
// Statement: webhooks are answered inside of the cluster.
// Looks at: the URL of the webhooks that have one.
// Passes when: the webhook names a Service.
// Fails when: it has a URL: what it is shown leaves the cluster, or is
// answered by something on the API server's own host. The check never decides.
// Cannot tell when: webhook configurations could not be read.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#url
var urlExternal = &check.Check{
	ID:       "admission/webhooks/url-external",
	Item:     checklist.AdmissionWebhooks,
	Title:    "Webhooks are answered inside of the cluster",
	Noun:     "webhook",
	Severity: report.Info,
	Why: "What is admitted, and a copy of it, is in the hands of whoever runs the server behind the URL. " +
		"No network policy, and no right in the cluster, has a say in it.",
	Remediation: "Know who runs it, and see that its rules match no more than it needs: above all, no Secrets.",
	Refs:        webhookSources,
	Needs:       webhook.Needs(),
	Run: func(e *check.Eval) {
		each(e, every, func(w *webhook.Webhook) *result {
			if w.Spec.ClientConfig.URL == nil {
				return nil
			}
			u, err := url.Parse(*w.Spec.ClientConfig.URL)
			if err != nil {
				return nil // url-plain says so
			}
			at := w.Quote("clientConfig.url", u.Redacted(), "a Service")
			address, err := netip.ParseAddr(u.Hostname())
			if u.Hostname() == "localhost" || err == nil && address.IsLoopback() {
				return fails(fmt.Sprintf("is answered on the API server's own host, by %q", u.Host), at)
			}
			return fails(fmt.Sprintf("is answered by %q", u.Host), at)
		})
	},
}
