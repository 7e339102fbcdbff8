package access

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/authorizer"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var (
	authorizationRefs = []report.Reference{
		{Name: "Kubernetes: Authorization", URL: "https://kubernetes.io/docs/reference/access-authn-authz/authorization/"},
		{Name: "CIS Kubernetes Benchmark 1.2.6, 1.2.7, 1.2.8", URL: "https://www.cisecurity.org/benchmark/kubernetes"},
	}
	// authorizationNeeds are API servers and what they decide by. Manifests without
	// any have none to judge; a cluster that hides its own leaves a gap.
	authorizationNeeds = []inventory.Need{inventory.Pods.Need(), inventory.Authorizations.Need()}
)

// rbac/authorization-mode
//
// Statement: no API server allows every request.
// Looks at: the flags --authorization-mode and --authorization-config of every
// API server that runs as a pod of kube-system, and the AuthorizationConfiguration
// that is given. Without either flag an API server allows everything.
// Passes when: AlwaysAllow is not among the authorizers.
// Fails when: it is, wherever it stands: the others are asked in vain. By the
// flag, requests without credentials are refused all the same; by the
// configuration they are not.
// Cannot tell when: the API server is none of the cluster's pods, as in managed
// control planes; its command line hides flags; the configuration that it names
// is not given; or it would not start with what it says.
//
// The table lists the authorizers of every API server. A webhook that does not
// answer has no opinion, unless it is said to deny; AlwaysDeny has none either.
//
// https://kubernetes.io/docs/reference/access-authn-authz/authorization/#authorization-modules
var authorizationMode = &check.Check{
	ID:          "access/rbac/authorization-mode",
	Item:        checklist.RBAC,
	Title:       "No API server allows every request",
	Noun:        "API server configuration",
	Severity:    report.Critical,
	Why:         "With AlwaysAllow, whoever has any credential rules the cluster: every pod has one. Roles and bindings mean nothing.",
	Remediation: "Start every API server with `--authorization-mode=Node,RBAC`, or take `AlwaysAllow` out of its AuthorizationConfiguration.",
	Refs:        authorizationRefs,
	Needs:       authorizationNeeds,
	Run: func(e *check.Eval) {
		servers := authorizer.All.Of(e)
		for _, c := range servers.Chains {
			if !c.Has(authorizer.AlwaysAllow) {
				passKnown(e, c)
				continue
			}
			message := "allows every request of whoever authenticates"
			switch {
			case c.Default:
				message = "has no --authorization-mode, and so " + message
			case c.Config != nil:
				message = "allows every request, those without credentials included unless --anonymous-auth is false"
			}
			failChain(e, servers, c, message, authorizer.AlwaysAllow)
		}
		if len(servers.Chains) > 0 {
			e.Show(chainTable(servers))
		}
	},
}

// rbac/node-and-rbac
//
// Statement: every API server asks the Node and the RBAC authorizer.
// Looks at: the authorizers of every API server, as authorization-mode does.
// Passes when: both are among them; or everything is allowed, which
// authorization-mode tells of.
// Fails when: one of the two is missing.
// Cannot tell when: as for authorization-mode.
//
// https://kubernetes.io/docs/reference/access-authn-authz/node/
var nodeAndRBAC = &check.Check{
	ID:       "access/rbac/node-and-rbac",
	Item:     checklist.RBAC,
	Title:    "Every API server asks the Node and the RBAC authorizer",
	Noun:     "API server configuration",
	Severity: report.Medium,
	Why: "The Node authorizer lets a kubelet read only what the pods of its node use; without it, every node needs rights to all Secrets. " +
		"Without RBAC, what may be done stands in files or programs outside of the cluster, which nobody reviews with the roles.",
	Remediation: "Start every API server with `--authorization-mode=Node,RBAC`, and the admission plugin NodeRestriction; or list both in its AuthorizationConfiguration.",
	Refs:        authorizationRefs,
	Needs:       authorizationNeeds,
	Run: func(e *check.Eval) {
		servers := authorizer.All.Of(e)
		for _, c := range servers.Chains {
			var missing []string
			for _, kind := range []string{authorizer.Node, authorizer.RBAC} {
				if !c.Has(kind) {
					missing = append(missing, fmt.Sprintf("%q", kind))
				}
			}
			if c.Unclear != "" || c.Has(authorizer.AlwaysAllow) || len(missing) == 0 {
				passKnown(e, c)
				continue
			}
			failChain(e, servers, c, "does not ask the authorizer "+strings.Join(missing, " and "), "")
		}
	},
}

// passKnown passes a chain of which nothing is to be said, where all of it is
// known.
func passKnown(e *check.Eval, c *authorizer.Chain) {
	if c.Unclear == "" {
		e.Pass(c.Subject())
		return
	}
	e.Unknown(c.Subject(), c.Unclear, c.Evidence("")...).Remedy = c.How
}

// failChain reports what is wrong with what one or several API servers decide
// by. The evidence is what names an authorizer.
func failChain(e *check.Eval, all *authorizer.Servers, c *authorizer.Chain, message, kind string) {
	if n := len(c.Pods); n > 0 && all.Count > 1 {
		message = fmt.Sprintf("%s (%d of %d API servers)", message, n, all.Count)
	}
	f := e.Fail(c.Subject(), message, c.Evidence(kind)...)
	if len(c.Pods) > 1 {
		f.Count = len(c.Pods)
	}
}

// chainTable lists what is asked, and by how many API servers.
func chainTable(all *authorizer.Servers) *report.Table {
	t := &report.Table{Title: "Authorizers, in the order in which they are asked", Columns: []string{"authorizers", "API servers"}}
	for _, c := range all.Chains {
		text, servers := chainText(c), "not seen"
		if c.Unclear != "" {
			text = strings.TrimPrefix(text+", not clear", ", ")
		}
		if len(c.Pods) > 0 {
			servers = strconv.Itoa(len(c.Pods))
		}
		t.Rows = append(t.Rows, []string{text, servers})
	}
	slices.SortFunc(t.Rows, slices.Compare)
	return t
}

// chainText names the authorizers, and of webhooks what a configuration says.
func chainText(c *authorizer.Chain) string {
	var parts []string
	for _, a := range c.Authorizers {
		part := a.Type
		if w := a.Webhook; w != nil {
			part += fmt.Sprintf(" %s (failure policy %s", a.Name, w.FailurePolicy)
			if n := len(w.MatchConditions); n > 0 {
				part += fmt.Sprintf(", match conditions: %d", n)
			}
			part += ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}
