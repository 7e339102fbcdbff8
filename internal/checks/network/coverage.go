package network

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/netpol"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// policy-coverage/ingress and egress
//
// Statement: a network policy isolates every workload in the direction.
// Looks at: every workload of every kind, jobs and bare PodTemplates included;
// not at pods that have finished, nor at pods on the host network, which no
// NetworkPolicy reaches (coverage/host-network).
// Passes when: a NetworkPolicy of the workload's namespace selects its pods and
// holds for the direction (policyTypes, with the API server's defaults). What
// the policy lets through is not the question here (coverage/allow-all).
// Fails when: no NetworkPolicy does.
// Cannot tell when: policies could not be read, a policy of the namespace has a
// selector that cannot be evaluated or asks for a label whose value a controller
// chooses, or a family of policies that is not read yet is present; or the one
// policy that selects the pods may be of another namespace.
//
// Namespaces are compared as they are written: a manifest without one is
// deployed beside those of its directory, chart or kustomization without one,
// and may be deployed beside others.
var (
	coverageIngress = coverage(netpol.Ingress,
		"An ingress policy covers every workload",
		"A pod that no policy selects for ingress accepts connections from every other pod, "+
			"and from whatever else can reach the pod network. One compromised pod can then talk to all of them.")
	coverageEgress = coverage(netpol.Egress,
		"An egress policy covers every workload",
		"A pod that no policy selects for egress can open connections to anywhere: other workloads, the cloud's metadata API, the Internet. "+
			"That is how a compromised pod spreads, takes data out and fetches tools. A policy without `policyTypes` covers egress only if it has egress rules.")
)

func coverage(d netpol.Direction, title, why string) *check.Check {
	direction := strings.ToLower(string(d))
	return &check.Check{
		ID:       "network/policy-coverage/" + direction,
		Item:     checklist.PolicyCoverage,
		Title:    title,
		Noun:     "workload",
		Severity: report.Medium,
		Why:      why,
		Remediation: fmt.Sprintf("Add a NetworkPolicy to the namespace whose `podSelector` matches the labels of the pods and whose `policyTypes` list `%s`. "+
			"A default deny for the whole namespace, with rules for what is needed beside it, covers new workloads too.", d),
		Refs:  references,
		Needs: withForeign(workload.With(inventory.NetworkPolicies.Need())...),
		Run: func(e *check.Eval) {
			policies := netpol.Policies.Of(e)
			for _, w := range workload.All.Of(e) {
				if !w.Finished() && !w.Spec().HostNetwork {
					judgeCoverage(e, d, w, policies)
				}
			}
		},
	}
}

func judgeCoverage(e *check.Eval, d netpol.Direction, w *workload.Workload, policies map[string][]*netpol.Policy) {
	var other, invalid, may *netpol.Policy // one that selects the pods for the other direction only; two that may select them
	for _, p := range policies[w.Namespace] {
		answer, beside := p.Match(podsOf(w)), inventory.Beside(p.Object, w.Object)
		switch {
		case p.Invalid != nil && p.Isolates(d):
			invalid = p
		case answer == netpol.No:
		case !p.Isolates(d):
			other = p
		case answer == netpol.Yes && beside:
			e.Pass(w.Subject)
			return
		default:
			may = p
		}
	}
	if may == nil {
		may = unplaced(policies, w.Namespace, func(p *netpol.Policy) bool {
			return p.Isolates(d) && p.Invalid == nil && p.Match(podsOf(w)) != netpol.No
		})
	}
	direction := strings.ToLower(string(d))
	at := w.PodEvidence("metadata.labels", labelList(w.PodLabels()), "labels that a policy for "+direction+" selects")
	var f *report.Finding
	switch {
	case invalid != nil:
		f = e.Unknown(w.Subject, fmt.Sprintf("the selector of NetworkPolicy %q cannot be evaluated: %v", invalid.Name, invalid.Invalid),
			at, invalid.Evidence("spec.podSelector", "", "a valid selector"))
	case may != nil && may.Namespace != w.Namespace:
		f = e.Unknown(w.Subject, fmt.Sprintf("NetworkPolicy %q may select it for %s: one of the two names no namespace", may.Name, direction),
			at, may.Evidence("spec.podSelector", may.Selector(), ""))
	case may != nil && !inventory.Beside(may.Object, w.Object):
		f = e.Unknown(w.Subject, fmt.Sprintf("NetworkPolicy %q of another directory may select it for %s: neither names a namespace", may.Name, direction),
			at, may.Evidence("spec.podSelector", may.Selector(), ""))
	case may != nil:
		f = e.Unknown(w.Subject, fmt.Sprintf("NetworkPolicy %q may select it for %s: a controller chooses the value of a label that it asks for", may.Name, direction),
			at, may.Evidence("spec.podSelector", may.Selector(), ""))
	case other != nil:
		f = e.FailAbsent(w.Subject, isolating(), w.Namespace, fmt.Sprintf("NetworkPolicy %q selects it for %s only", other.Name, strings.ToLower(typeList(other))),
			at, other.Evidence("spec.policyTypes", typeList(other), string(d)))
	default:
		f = e.FailAbsent(w.Subject, isolating(), w.Namespace, fmt.Sprintf("no NetworkPolicy selects it for %s", direction), at)
	}
	w.Counted(f)
}

// unplaced finds a policy that is not written to be of the namespace and may
// be: one that names none, or any where the namespace itself is not named.
func unplaced(policies map[string][]*netpol.Policy, namespace string, fits func(*netpol.Policy) bool) *netpol.Policy {
	candidates := []string{""}
	if namespace == "" {
		candidates = slices.Sorted(maps.Keys(policies))
	}
	for _, c := range candidates {
		if i := slices.IndexFunc(policies[c], fits); c != namespace && i >= 0 {
			return policies[c][i]
		}
	}
	return nil
}

// podsOf are the pods of a workload as selectors see them.
func podsOf(w *workload.Workload) netpol.Pods {
	return netpol.Pods{Kind: w.Kind, Name: w.Name, Labels: w.PodLabels()}
}

// labelList renders labels as a selector would, sorted.
func labelList(labels map[string]string) string {
	list := make([]string, 0, len(labels))
	for k, v := range labels {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	if len(list) == 0 {
		return "(none)"
	}
	return strings.Join(list, ",")
}

func typeList(p *netpol.Policy) string {
	var list []string
	for _, d := range netpol.Directions {
		if p.Isolates(d) {
			list = append(list, string(d))
		}
	}
	return strings.Join(list, ", ")
}
