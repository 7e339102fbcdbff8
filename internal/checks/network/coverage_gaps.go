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

// policy-coverage/host-network and system-host-network
//
// Statement: no workload is out of the reach of network policies.
// Looks at: every workload but pods that have finished. Those of kube-system and
// the like are listed by system-host-network: the control plane, kube-proxy and
// network plugins have to be there, so that they do not decide the item.
// Passes when: its pods have a network of their own.
// Fails when: hostNetwork is set. The pod then has the node's address, and what
// a NetworkPolicy does to it is undefined; in practice it is ignored.
// Cannot tell when: workloads could not be read.
//
// https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-and-hostnetwork-pods
var (
	coverageHostNetwork = hostNetwork("host-network", report.Medium,
		"No workload is on the host network, where policies do not reach",
		"Remove `hostNetwork: true`; publish ports with a Service instead. For node agents that need it, filter on the node, and accept the finding with a waiver.")
	coverageSystemHostNetwork = hostNetwork("system-host-network", report.Info,
		"The workloads of Kubernetes itself have networks of their own",
		"Know what is listed: it has to be as trusted as the node. Filter its ports on the node.")
)

func hostNetwork(name string, severity report.Severity, title, remediation string) *check.Check {
	return &check.Check{
		ID:       "network/policy-coverage/" + name,
		Item:     checklist.PolicyCoverage,
		Title:    title,
		Noun:     "workload",
		Severity: severity,
		Why: "A pod on the host network has the address of its node. Network policies for pods do not hold for it, in neither direction, " +
			"and rules of other policies cannot tell its traffic from that of the node.",
		Remediation: remediation,
		Refs:        references,
		Needs:       workload.Needs(),
		Run: func(e *check.Eval) {
			for _, w := range workload.All.Of(e) {
				if w.Finished() || inventory.SystemNamespace(w.Namespace) != (name == "system-host-network") {
					continue
				}
				if !w.Spec().HostNetwork {
					e.Pass(w.Subject)
					continue
				}
				w.Counted(e.Fail(w.Subject, "runs on the host network, where no NetworkPolicy reaches it", w.PodEvidence("spec.hostNetwork", "true", "false")))
			}
		},
	}
}

// policy-coverage/empty-selection
//
// Statement: every policy selects a workload.
// Looks at: NetworkPolicies with a pod selector that is not empty, in
// namespaces that have workloads. An empty selector is about all pods, those to
// come included; where nothing runs there is nothing to miss.
// Passes when: the selector matches the pod labels of a workload, or may match
// them by a label that its controller adds.
// Fails when: it matches none: a typo in a label, or a rest of what is gone; or,
// in manifests, pods that an operator makes or labels later. It leaves no
// workload uncovered, and so does not decide the item.
// Cannot tell when: workloads could not be read, or the selector is invalid.
var coverageEmptySelection = &check.Check{
	ID:       "network/policy-coverage/empty-selection",
	Item:     checklist.PolicyCoverage,
	Title:    "Every network policy selects a workload",
	Noun:     "policy",
	Severity: report.Info,
	Why: "A policy that selects nothing protects nothing, and looks as if it did. Mostly a label was misspelt or has changed, " +
		"and the pods that the policy was written for are open.",
	Remediation: "Compare `spec.podSelector` with the labels of the pod template (not of the Deployment). Delete the policy if its workload is gone.",
	Refs:        references,
	Needs:       workload.With(inventory.NetworkPolicies.Need()),
	Run: func(e *check.Eval) {
		byNamespace := map[string][]*workload.Workload{}
		for _, w := range workload.All.Of(e) {
			if !w.Finished() {
				byNamespace[w.Namespace] = append(byNamespace[w.Namespace], w)
			}
		}
		for namespace, policies := range netpol.Policies.Of(e) {
			for _, p := range policies {
				if !p.SelectsAll() && len(byNamespace[namespace]) > 0 {
					judgeSelection(e, p, byNamespace[namespace])
				}
			}
		}
	},
}

func judgeSelection(e *check.Eval, p *netpol.Policy, workloads []*workload.Workload) {
	if p.Invalid != nil {
		e.Unknown(p.Subject, "the selector cannot be evaluated: "+p.Invalid.Error(), p.Evidence("spec.podSelector", "", "a valid selector"))
		return
	}
	for _, w := range workloads {
		if p.Match(podsOf(w)) != netpol.No {
			e.Pass(p.Subject)
			return
		}
	}
	e.FailAbsent(p.Subject, inventory.Kinds(workload.Needs()), p.Namespace, fmt.Sprintf("selects no workload; its namespace has %d", len(workloads)),
		p.Evidence("spec.podSelector", p.Selector(), "labels of a workload's pods"))
}

// policy-coverage/allow-all
//
// Statement: no policy lets everything through.
// Looks at: the rules of every NetworkPolicy, in each direction that it holds for.
// Passes when: some peer or port stays closed, and the namespace has workloads
// that it can be good for.
// Fails when: a rule has neither peers nor ports, or rules without ports name
// both 0.0.0.0/0 and ::/0 without exceptions.
// Cannot tell when: policies could not be read.
var coverageAllowAll = &check.Check{
	ID:       "network/policy-coverage/allow-all",
	Item:     checklist.PolicyCoverage,
	Title:    "No network policy allows everything",
	Noun:     "policy",
	Severity: report.Medium,
	Why: "Policies add up: one that allows all traffic opens the pods that it selects, whatever the others say. " +
		"They count as covered by a policy, and nothing is filtered.",
	Remediation: "Name the peers and ports that are needed. An empty rule (`- {}`) and an empty `from` or `to` mean everything; no rule at all means nothing.",
	Refs:        references,
	Needs:       append(inventory.Optional(workload.Needs()), inventory.NetworkPolicies.Need()),
	Run: func(e *check.Eval) {
		inhabited := map[string]bool{}
		for _, w := range workload.All.Of(e) {
			inhabited[w.Namespace] = true
		}
		for namespace, policies := range netpol.Policies.Of(e) {
			for _, p := range policies {
				judgeRules(e, p, inhabited[namespace])
			}
		}
	},
}

func judgeRules(e *check.Eval, p *netpol.Policy, inhabited bool) {
	for _, d := range netpol.Directions {
		if !p.Isolates(d) {
			continue
		}
		s := p.Subject
		s.Part = strings.ToLower(string(d))
		if open := p.AllowsAll(d); len(open) > 0 {
			e.Fail(s, fmt.Sprintf("allows all %s", s.Part), open...)
		} else if inhabited {
			e.Pass(s)
		}
	}
}
