package admission

import (
	"cmp"
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var (
	goodPractices   = report.Reference{Name: "Admission Webhook Good Practices", URL: "https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/"}
	dynamicControl  = report.Reference{Name: "Dynamic Admission Control", URL: "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"}
	threatModel     = report.Reference{Name: "Kubernetes Admission Control Threat Model", URL: "https://github.com/kubernetes/sig-security/blob/main/sig-security-docs/papers/admission-control/kubernetes-admission-control-threat-model.md"}
	celPolicies     = report.Reference{Name: "Validating Admission Policy", URL: "https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/"}
	webhookSources  = []report.Reference{goodPractices, dynamicControl}
	securitySources = []report.Reference{goodPractices, threatModel}
)

// result is what was found out about one part of an object; nil means that it
// holds.
type result struct {
	verdict report.Verdict
	message string
	remedy  string
	at      []report.Evidence
	// absent lists the kinds on whose absence a failure rests, in a namespace.
	absent    []report.KindID
	namespace string
}

func fails(message string, at ...report.Evidence) *result {
	return &result{verdict: report.Fail, message: message, at: at}
}

func unclear(message string, at ...report.Evidence) *result {
	return &result{verdict: report.Unknown, message: message, at: at}
}

// givenMore is how to let be seen what the input leaves open.
const givenMore = "scan the cluster, or add the rest of its objects to the input"

// notGiven is unclear for want of objects that are not in the input.
func notGiven(message string, at ...report.Evidence) *result {
	return &result{verdict: report.Unknown, message: message, remedy: givenMore, at: at}
}

// resting says that the result rests on not having found objects of the kinds.
func (r *result) resting(namespace string, kinds ...report.KindID) *result {
	r.absent, r.namespace = kinds, namespace
	return r
}

// results collects what was found out about the parts of objects. What is the
// same for several parts of one object is one finding, on the first of them:
// the webhooks of a configuration are mostly written by one hand.
type results struct {
	*check.Eval
	found map[string]*report.Finding
}

func collect(e *check.Eval) *results { return &results{e, map[string]*report.Finding{}} }

func (rs *results) add(s report.Subject, r *result) {
	if r == nil {
		rs.Pass(s)
		return
	}
	object := s
	object.Part = ""
	key := fmt.Sprint(object, r.verdict, r.message)
	if f := rs.found[key]; f != nil {
		f.Count = max(f.Count, 1) + 1
		f.Evidence = append(f.Evidence, r.at[:min(1, len(r.at))]...)
		return
	}
	var f *report.Finding
	switch r.verdict {
	case report.Fail:
		f = rs.FailAbsent(s, r.absent, r.namespace, r.message, r.at...)
	case report.Manual:
		f = rs.Manual(s, r.message, r.at...)
	default:
		f = rs.Unknown(s, r.message, r.at...)
	}
	f.Remedy = cmp.Or(r.remedy, f.Remedy)
	rs.found[key] = f
}

// each judges the webhooks that pass a filter, those excepted that are asked
// about nothing.
func each(e *check.Eval, of func(*webhook.Webhook) bool, judge func(*webhook.Webhook) *result) {
	rs := collect(e)
	for _, w := range webhook.All.Of(e) {
		if !w.Idle() && of(w) {
			rs.add(w.Part(), judge(w))
		}
	}
}

func every(*webhook.Webhook) bool { return true }

// enforcing selects the webhooks of security products.
func enforcing(w *webhook.Webhook) bool { return w.Product != "" }
