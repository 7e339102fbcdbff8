package review

import (
	"cmp"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/holdings"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Risk is what a grant may lead to.
type Risk struct {
	// Severity is critical where everybody, or pods that ask for no account,
	// come to rule the cluster by the grant; high where its subject comes to, or
	// escalates in the whole cluster or in kube-system; medium where it
	// escalates in another namespace; low where it changes anything; info
	// where it only reads.
	Severity report.Severity
	Meanings []escalation.Meaning
}

// String is the severity with the rules that it comes from.
func (r Risk) String() string {
	var ids []string
	for _, m := range r.Meanings {
		if !slices.Contains(ids, m.Rule) {
			ids = append(ids, m.Rule)
		}
	}
	switch {
	case len(ids) > 0:
		return string(r.Severity) + ": " + strings.Join(ids, ", ")
	case r.Severity == report.Low:
		return "low: changes objects"
	case r.Severity == report.Info:
		return "none: reads only"
	}
	return string(r.Severity) + ": leads to cluster-admin"
}

// RiskOf judges a grant. The graph must be of the same inventory.
func RiskOf(h *holdings.Holding, g *escalation.Graph, minor int) Risk {
	namespace := ""
	if !h.ClusterWide() {
		namespace = cmp.Or(h.Binding.Namespace, access.Any) // a manifest need not say which
	}
	r := Risk{report.Info, escalation.Meanings(h.Role, namespace, minor)}
	takeover := leads(h, g)
	switch {
	case takeover && everybody(h.Subject):
		r.Severity = report.Critical
	case takeover, len(r.Meanings) > 0 && (h.ClusterWide() || inventory.SystemNamespace(namespace)):
		r.Severity = report.High
	case len(r.Meanings) > 0:
		r.Severity = report.Medium
	case changes(h.Role):
		r.Severity = report.Low
	}
	return r
}

// leads reports whether the shortest way of the subject to cluster-admin
// begins with the grant.
func leads(h *holdings.Holding, g *escalation.Graph) bool {
	for _, step := range g.Path(h.Subject, escalation.Admin) {
		if len(step.By) > 0 { // those before it say in which groups the subject is
			return slices.ContainsFunc(step.By, func(a access.Access) bool { return a.Grant == h.Grant })
		}
	}
	return false
}

func everybody(s access.Subject) bool {
	switch s {
	case access.Group(access.Authenticated), access.Group(access.Unauthenticated), access.Group(access.AllAccounts), access.NewUser(access.Anonymous):
		return true
	}
	return s.Kind == rbacv1.ServiceAccountKind && s.Name == "default" ||
		s.Kind == rbacv1.GroupKind && strings.HasPrefix(s.Name, access.AllAccounts+":")
}

func changes(r *access.Role) bool {
	return r != nil && slices.ContainsFunc(r.Rules, func(rule access.Rule) bool {
		return slices.ContainsFunc(rule.Verbs, func(v string) bool { return v != "get" && v != "list" && v != "watch" })
	})
}
