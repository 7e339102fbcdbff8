package network

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/netpol"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// default-deny/ingress, default-deny/egress and default-deny/system
//
// Statement: every namespace denies all traffic by default.
// Looks at: every Namespace object and the NetworkPolicies in it, and the
// namespaces that workloads and NetworkPolicies name: they are there, with or
// without their object. The namespaces that Kubernetes makes for itself stand
// under default-deny/system.
// Passes when: a policy with an empty pod selector holds for the direction and
// has no rule for it. Both directions may be denied by one policy or by two.
// Policies beside it that allow something do not undo it.
// Fails when: there is none; or when a policy beside it allows everything to
// every pod, so that nothing is denied.
// Cannot tell when: nothing fails, and there are no Namespace objects, so that
// there may be others; the one policy that denies names no namespace; policies
// could not be read; or a family of policies that is not read yet is present.
//
// https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies
var (
	defaultDenyIngress = defaultDeny("ingress", "Every namespace denies ingress by default", report.Medium, netpol.Ingress)
	defaultDenyEgress  = defaultDeny("egress", "Every namespace denies egress by default", report.Medium, netpol.Egress)
	defaultDenySystem  = defaultDeny("system", "The namespaces of Kubernetes itself deny all traffic by default", report.Low, netpol.Directions...)
)

func defaultDeny(name, title string, severity report.Severity, directions ...netpol.Direction) *check.Check {
	return &check.Check{
		ID:       "network/default-deny/" + name,
		Item:     checklist.DefaultDeny,
		Title:    title,
		Noun:     "namespace",
		Severity: severity,
		Why: "Without a default deny, a new pod is open until somebody writes a policy for it. " +
			"With one, it is closed until somebody says what it needs: a forgotten policy is noticed by its owner, not by an intruder.",
		Remediation: "Apply to each namespace a NetworkPolicy with `podSelector: {}`, `policyTypes: [Ingress, Egress]` and no rules; " +
			"then allow what is needed with policies beside it, DNS first.",
		Refs:  references,
		Needs: withForeign(append(inventory.Optional(workload.Needs()), inventory.Namespaces.Need(), inventory.NetworkPolicies.Need())...),
		Run: func(e *check.Eval) {
			policies := netpol.Policies.Of(e)
			seen := map[string]bool{"": true} // a manifest without a namespace names none
			judge := func(namespace string, at report.Evidence) {
				if !seen[namespace] && inventory.SystemNamespace(namespace) == (name == "system") {
					judgeDefaultDeny(e, namespace, directions, policies, at)
				}
				seen[namespace] = true
			}
			for ns := range inventory.All(e, inventory.Namespaces) {
				judge(ns.Name, ns.Evidence("metadata.name", ns.Name, wantedDeny))
			}
			for _, w := range workload.All.Of(e) {
				judge(w.Namespace, w.Evidence("metadata.namespace", w.Namespace, wantedDeny))
			}
			for p := range inventory.All(e, inventory.NetworkPolicies) {
				judge(p.Namespace, p.Evidence("metadata.namespace", p.Namespace, wantedDeny))
			}
		},
	}
}

const wantedDeny = "a NetworkPolicy that selects every pod and has no rules"

func judgeDefaultDeny(e *check.Eval, namespace string, directions []netpol.Direction, policies map[string][]*netpol.Policy, at report.Evidence) {
	subject := report.Subject{Kind: "Namespace", APIVersion: "v1", Name: namespace}
	var missing []string
	var may *netpol.Policy // one that would deny, if it is of the namespace
	for _, d := range directions {
		deny, open := defaults(d, policies[namespace])
		direction := strings.ToLower(string(d))
		if deny == nil {
			if p := unplaced(policies, namespace, func(p *netpol.Policy) bool { return p.DeniesByDefault(d) }); p != nil {
				may = p
			} else {
				missing = append(missing, direction)
			}
		} else if open != nil {
			e.Fail(subject, fmt.Sprintf("NetworkPolicy %q denies %s by default, but %q allows all of it to every pod", deny.Name, direction, open.Name),
				append(open.AllowsAll(d), deny.Evidence("spec.podSelector", "{}", ""))...)
			return
		}
	}
	switch {
	case len(missing) > 0:
		e.FailAbsent(subject, isolating(), namespace, "no NetworkPolicy denies "+strings.Join(missing, " and ")+" by default", at)
	case may != nil:
		e.Unknown(subject, fmt.Sprintf("NetworkPolicy %q denies by default, and names no namespace: it may be of this one", may.Name),
			at, may.Evidence("metadata.name", may.Name, ""))
	default:
		e.Pass(subject)
	}
}

// defaults finds the policy that denies the direction by default, and one that
// opens it again for every pod.
func defaults(d netpol.Direction, policies []*netpol.Policy) (deny, open *netpol.Policy) {
	for _, p := range policies {
		if p.DeniesByDefault(d) {
			deny = p
		}
		if p.SelectsAll() && len(p.AllowsAll(d)) > 0 {
			open = p
		}
	}
	return deny, open
}
