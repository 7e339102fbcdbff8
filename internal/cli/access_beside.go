package cli

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/abac"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/authorizer"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// besideKinds are files that say what decides beside RBAC. A cluster is not
// asked for all of its pods only to find its API servers.
var besideKinds = []report.KindID{inventory.Authorizations.ID, inventory.ABACPolicies.ID}

// withBeside adds to needs what besideOf reads.
func withBeside(needs []inventory.Need) []inventory.Need {
	for _, n := range append(slices.Clone(authorizer.All.Needs), inventory.ABACPolicies.Optional()) {
		if !slices.ContainsFunc(needs, func(m inventory.Need) bool { return m.Kind == n.Kind }) {
			needs = append(needs, n)
		}
	}
	return needs
}

// beside is what decides beside RBAC.
type beside struct {
	servers *authorizer.Servers
	// policies are those of ABAC that are in use, or may be.
	policies []inventory.Object[inventory.ABACPolicy]
	// gaps are what is missing of them.
	gaps []report.Gap
}

func besideOf(v inventory.View) beside {
	b := beside{servers: authorizer.All.Of(v)}
	on := slices.ContainsFunc(b.servers.Chains, func(c *authorizer.Chain) bool { return c.Has(authorizer.ABAC) })
	if on || len(b.servers.Chains) == 0 || b.unclear() {
		b.policies = slices.Collect(inventory.All(v, inventory.ABACPolicies))
	}
	if len(b.policies) > 0 || on {
		b.gaps = v.Missing(inventory.ABACPolicies.ID, "")
	}
	if on && len(b.policies) == 0 && len(b.gaps) == 0 {
		b.gaps = []report.Gap{{
			Kind: inventory.ABACPolicies.ID, Cause: report.NotGiven,
			Detail: "the API server decides by ABAC policies, which are not in the input", How: inventory.HowABACPolicies,
		}}
	}
	return b
}

func (b *beside) unclear() bool {
	return slices.ContainsFunc(b.servers.Chains, func(c *authorizer.Chain) bool { return c.Unclear != "" })
}

// may reports whether an API server asks an authorizer of the type, as far as is
// known.
func (b *beside) may(kind string) bool {
	return len(b.servers.Chains) == 0 || b.unclear() ||
		slices.ContainsFunc(b.servers.Chains, func(c *authorizer.Chain) bool { return c.Has(kind) })
}

// caveat says what the answer leaves out.
func (b *beside) caveat() string {
	var left []string
	if b.may(authorizer.Webhook) {
		left = append(left, "webhooks")
	}
	if b.may(authorizer.Node) {
		left = append(left, "the Node authorizer")
	}
	if len(b.policies) == 0 && b.may(authorizer.ABAC) {
		left = append(left, "ABAC")
	}
	text := ""
	if len(left) > 0 {
		text = "Not looked at: " + strings.Join(left, ", ") + "."
	}
	for _, c := range b.servers.Chains {
		switch {
		case c.Has(authorizer.AlwaysAllow):
			return "An API server allows every request (AlwaysAllow), whatever roles say."
		case c.Unclear == "" && !c.Has(authorizer.RBAC):
			text = "An API server does not ask RBAC: there, roles mean nothing. " + text
		}
	}
	return text
}

// abacJSON is an ABAC policy on the wire.
type abacJSON struct {
	Subject string `json:"subject"`
	Right   string `json:"right"`
	Scope   string `json:"scope"`
	At      string `json:"at"`
}

func newABACJSON(p inventory.Object[inventory.ABACPolicy]) abacJSON {
	scope := "cluster"
	if ns := p.Value.Namespace; ns != "" && ns != "*" {
		scope = "namespace " + ns
	}
	return abacJSON{Subject: abac.Holder(p.Value), Right: abac.Right(p.Value), Scope: scope, At: p.Locate("")}
}

// covering lists the policies that allow a request to somebody.
func (b *beside) covering(r access.Request) []abacJSON {
	out := []abacJSON{}
	for _, p := range b.policies {
		if _, ok := abac.Subject(p.Value); ok && abac.Covers(p.Value, r) {
			out = append(out, newABACJSON(p))
		}
	}
	return out
}

// naming lists the policies that are about a subject for certain.
func (b *beside) naming(s access.Subject) []abacJSON {
	out := []abacJSON{}
	for _, p := range b.policies {
		if abac.Names(p.Value, s.Identity()) {
			out = append(out, newABACJSON(p))
		}
	}
	return out
}

// node says what the Node authorizer does for a subject; "" for who is no node.
//
// https://kubernetes.io/docs/reference/access-authn-authz/node/
func (b *beside) node(s access.Subject) string {
	user := s.Kind == rbacv1.UserKind && slices.Contains(s.Groups(), access.Nodes)
	switch {
	case !user && s != access.Group(access.Nodes):
		return ""
	case len(b.servers.Chains) == 0 || b.unclear():
		return "The Node authorizer, where the API server asks it, also lets a node read what its pods use, and write its own status."
	case b.may(authorizer.Node):
		return "The Node authorizer decides beside: it lets a node read what its pods use, and write its own status."
	}
	return "The API server does not ask the Node authorizer: these grants are all."
}

// chainJSON is what API servers decide by, on the wire.
type chainJSON struct {
	Of          string `json:"of"`
	Authorizers string `json:"authorizers"`
	Unclear     string `json:"unclear,omitempty"`
}

func (b *beside) chains() []chainJSON {
	out := []chainJSON{}
	for _, c := range b.servers.Chains {
		s := c.Subject()
		out = append(out, chainJSON{Of: s.Kind + " " + strings.TrimPrefix(s.Namespace+"/"+s.Name, "/"), Authorizers: c.String(), Unclear: c.Unclear})
	}
	return out
}
