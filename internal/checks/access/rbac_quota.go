package access

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/quota-missing
//
// Statement: a ResourceQuota bounds what people create in a namespace.
// Looks at: namespaces where a RoleBinding lets users or groups create objects,
// those of Kubernetes itself and kube-system aside.
// Passes when: the namespace has a ResourceQuota.
// Fails when: it has none.
// Cannot tell when: roles, bindings or ResourceQuotas could not be read.
//
// Programs, and who may create objects in the whole cluster, are not tenants of
// one namespace: a quota there would not bound them.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#object-creation-dos
var quotaMissing = &check.Check{
	ID:       "access/rbac/quota-missing",
	Item:     checklist.RBAC,
	Title:    "A ResourceQuota bounds what people create in a namespace",
	Noun:     "namespace",
	Severity: report.Low,
	Why: "Objects lie in etcd, which has room for a few gigabytes. Who creates many, or large ones, stops the whole cluster; " +
		"by accident it takes a loop in a script.",
	Remediation: "Create a ResourceQuota with `count/…` limits for the kinds that are used there, and limits for CPU and memory.",
	Refs:        []report.Reference{goodPractices, {Name: "Resource Quotas", URL: "https://kubernetes.io/docs/concepts/policy/resource-quotas/"}},
	Needs:       needs(access.Needs, []inventory.Need{inventory.ResourceQuotas.Need(), inventory.Settings.Optional()}),
	Run: func(e *check.Eval) {
		x, allowed := cause.Made.Of(e), cause.Allowed(e, "access/rbac/quota-missing")
		var last string
		for _, g := range x.Grants() {
			ns := g.Binding.Namespace
			if g.ClusterWide() || ns == last || inventory.SystemNamespace(ns) || g.Role == nil || !creates(g.Role) {
				continue
			}
			subjects := slices.Collect(g.Subjects())
			i := slices.IndexFunc(subjects, func(s access.Subject) bool {
				return s.Kind != rbacv1.ServiceAccountKind && !strings.HasPrefix(s.Name, "system:") && !allowed(s)
			})
			if i < 0 {
				continue
			}
			last = ns // bindings are ordered by namespace
			s := report.Subject{Kind: "Namespace", APIVersion: "v1", Name: ns}
			if hasQuota(e, ns) {
				e.Pass(s)
				continue
			}
			e.FailAbsent(s, []report.KindID{inventory.ResourceQuotas.ID}, ns,
				fmt.Sprintf("%q may create objects there, and no ResourceQuota bounds them", subjects[i]), g.Binding.Evidence("subjects", subjects[i].String(), ""))
		}
	},
}

func hasQuota(e *check.Eval, namespace string) bool {
	for range inventory.In(e, inventory.ResourceQuotas, namespace) {
		return true
	}
	return false
}

// creates reports whether a role lets one create objects that are stored.
// Subresources are parts of others, and reviews are answered and forgotten.
func creates(role *access.Role) bool {
	return slices.ContainsFunc(role.Rules, func(r access.Rule) bool {
		return (slices.Contains(r.Verbs, "create") || everyVerb(r)) && len(r.ResourceNames) == 0 &&
			slices.ContainsFunc(r.Resources, func(s string) bool { return !strings.Contains(s, "/") && !strings.HasSuffix(s, "reviews") })
	})
}
