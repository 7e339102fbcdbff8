package access

import (
	"fmt"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/abac"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/authorizer"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var (
	abacRefs  = []report.Reference{{Name: "Kubernetes: Using ABAC Authorization", URL: "https://kubernetes.io/docs/reference/access-authn-authz/abac/"}}
	abacNeeds = needs(authorizationNeeds, []inventory.Need{inventory.ABACPolicies.Need()})
)

// rbac/abac
//
// Statement: no API server decides by ABAC policies.
// Looks at: the authorizers of every API server, as authorization-mode does, and
// ABAC policy files that are given by themselves.
// Passes when: ABAC is not among the authorizers.
// Fails when: it is; or a policy file is given, and no API server.
// Cannot tell when: as for authorization-mode.
//
// https://kubernetes.io/docs/reference/access-authn-authz/abac/
var abacMode = &check.Check{
	ID:       "access/rbac/abac",
	Item:     checklist.RBAC,
	Title:    "No API server decides by ABAC policies",
	Noun:     "API server configuration",
	Severity: report.Medium,
	Why: "ABAC policies lie in a file of the control plane. A change takes a restart of the API server, they know no verbs but reading and all others, " +
		"they cover subresources such as `pods/exec` with the resource, and nobody sees them who reviews roles and bindings.",
	Remediation: "Write the policies as roles and bindings, watch the audit log for what is still allowed by ABAC, and take `ABAC` out of `--authorization-mode`.",
	Refs:        abacRefs,
	Needs:       abacNeeds,
	Run: func(e *check.Eval) {
		servers := authorizer.All.Of(e)
		for _, c := range servers.Chains {
			if !c.Has(authorizer.ABAC) {
				passKnown(e, c)
				continue
			}
			message := "decides by ABAC policies"
			if c.PolicyFile != "" {
				message += fmt.Sprintf(" in %q", c.PolicyFile)
			}
			failChain(e, servers, c, message, authorizer.ABAC)
		}
		if len(servers.Chains) == 0 {
			failFiles(e)
		}
	},
}

// apiServers are where it is looked for an API server that does not read the
// policies that were given.
var apiServers = []report.KindID{inventory.Pods.ID, inventory.Authorizations.ID}

// failFiles reports policy files that some API server reads which is not seen.
func failFiles(e *check.Eval) {
	found := map[string]*report.Finding{}
	for p := range inventory.All(e, inventory.ABACPolicies) {
		if f := found[p.Name]; f != nil {
			f.Count = max(f.Count, 1) + 1
			continue
		}
		s := p.Subject
		s.Part, s.Copy = "", 0
		found[p.Name] = e.FailAbsent(s, apiServers, cause.System, "holds ABAC policies", p.Evidence("", abac.Holder(p.Value)+": "+abac.Right(p.Value), ""))
	}
}

// rbac/abac-everybody
//
// Statement: no ABAC policy lets everybody take over the cluster.
// Looks at: the policies of the file that is given, where an API server decides by
// ABAC, or none is in the input. "*" in place of a user or group stands for
// everybody who authenticates.
// Passes when: no policy for all users, all ServiceAccounts, those of a namespace,
// an account "default" or the anonymous allows, in the whole cluster or in
// kube-system, what the other checks warn of; or allowedSubjects names them.
// Fails when: one does. A policy covers subresources too: who may read nodes may
// run commands in their pods by nodes/proxy.
// Cannot tell when: the policy file of an API server is not given, or a line of it
// could not be read; and as for authorization-mode.
//
// https://kubernetes.io/docs/reference/access-authn-authz/abac/#policy-file-format
var abacEverybody = &check.Check{
	ID:          "access/rbac/abac-everybody",
	Item:        checklist.RBAC,
	Title:       "No ABAC policy lets everybody take over the cluster",
	Noun:        "policy or API server configuration",
	Severity:    report.Critical,
	Why:         "Every pod has a credential by which its ServiceAccount authenticates, so that such a policy gives the cluster to whoever breaks into any of them.",
	Remediation: "Take the policy out of the file. Bind a role with what is needed to those who need it.",
	Refs:        abacRefs,
	Needs:       needs(abacNeeds, []inventory.Need{inventory.Settings.Optional()}),
	Run: func(e *check.Eval) {
		servers := authorizer.All.Of(e)
		policies := slices.Collect(inventory.All(e, inventory.ABACPolicies))
		used := len(servers.Chains) == 0
		for _, c := range servers.Chains {
			switch {
			case !c.Has(authorizer.ABAC):
				passKnown(e, c)
			case len(policies) == 0:
				f := e.Unknown(c.Subject(), "decides by ABAC policies, and they are not in the input", c.Evidence(authorizer.ABAC)...)
				f.Remedy = inventory.HowABACPolicies
			default:
				used = true
			}
		}
		if used {
			judgePolicies(e, policies, len(servers.Chains) == 0)
		}
	},
}

// judgePolicies judges policies that an API server reads; an unseen one, where
// there is none in the input.
func judgePolicies(e *check.Eval, policies []inventory.Object[inventory.ABACPolicy], unseen bool) {
	allowed := cause.Allowed(e, "access/rbac/abac-everybody")
	for _, p := range policies {
		s, ok := abac.Subject(p.Value)
		r := gained(p.Value)
		if !ok || !cause.Broad(s) || allowed(s) || r == nil {
			e.Pass(p.Subject)
			continue
		}
		message := fmt.Sprintf("lets %q %s, and so %s", abac.Holder(p.Value), abac.Right(p.Value), r.does)
		at := p.Evidence("spec", abac.Right(p.Value), "")
		if unseen {
			e.FailAbsent(p.Subject, apiServers, cause.System, message, at)
		} else {
			e.Fail(p.Subject, message, at)
		}
	}
}

// gained is the first right that leads to more and that a policy gives in
// kube-system or in the whole cluster; nil where it gives none.
func gained(p inventory.ABACPolicy) *right {
	for _, r := range worst {
		for _, q := range r.requests {
			if q.Namespace == access.Any {
				q.Namespace = cause.System
			}
			all := q // who lists the objects of all namespaces names none
			if all.Namespace = ""; abac.Covers(p, q) || (q.Verb == "list" || q.Verb == "watch") && abac.Covers(p, all) {
				return r
			}
		}
	}
	return nil
}
