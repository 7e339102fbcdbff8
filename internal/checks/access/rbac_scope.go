package access

import (
	"fmt"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/cluster-wide-could-be-namespaced
//
// Statement: rights to what lies in namespaces are granted there.
// Looks at: ClusterRoleBindings that somebody made, to accounts of one namespace,
// of roles with nothing but rights to change objects that lie in namespaces.
// Passes when: the role also covers what lies in none, or objects of other
// projects; or only reads; or a check of its own tells of it.
// Fails when: a RoleBinding could grant all of it. Programs that work on all
// namespaces need it as it is: the check never decides.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
var couldBeNamespaced = &check.Check{
	ID:          "access/rbac/cluster-wide-could-be-namespaced",
	Item:        checklist.RBAC,
	Title:       "Rights to what lies in namespaces are granted there",
	Noun:        "binding for the whole cluster",
	Severity:    report.Info,
	Why:         "A ClusterRoleBinding grants the same in every namespace, those that are made later included.",
	Remediation: "Use RoleBindings in the namespaces that the program works in. They may bind the same ClusterRole.",
	Refs:        sources,
	Needs:       grantNeeds,
	Run: func(e *check.Eval) {
		v := look(e, "access/rbac/cluster-wide-could-be-namespaced")
		told := map[*access.Grant]bool{}
		for of := range v.toldRules() {
			told[of.Grant] = true
		}
		for _, g := range v.Grants() {
			if !g.ClusterWide() || g.Role == nil {
				continue
			}
			subjects := slices.Collect(g.Subjects())
			if told[g] || len(subjects) == 0 || slices.ContainsFunc(subjects, func(s access.Subject) bool { return v.elsewhere(s, subjects[0]) }) || !namespacedOnly(g.Role) {
				e.Pass(g.Binding.Subject)
				continue
			}
			e.Fail(g.Binding.Subject, fmt.Sprintf("grants %q in the whole cluster, which is about what lies in namespaces, to %s", g.Role.Kind+" "+g.Role.Name, v.holders(subjects)),
				g.Binding.Evidence("roleRef.name", g.Role.Name, ""))
		}
	},
}

// elsewhere reports whether a subject is no account, is allowed it, or is of
// another namespace than the first one.
func (v *review) elsewhere(s, first access.Subject) bool {
	return s.Kind != rbacv1.ServiceAccountKind || s.Namespace != first.Namespace || v.allowed(s) || cause.Broad(s)
}

// namespacedOnly reports whether all rules of a role are about objects of
// Kubernetes that lie in namespaces, and one of them changes such objects.
func namespacedOnly(role *access.Role) bool {
	writes := false
	for _, rule := range role.Rules {
		if len(rule.NonResourceURLs) > 0 || len(rule.APIGroups) == 0 {
			return false
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				if !namespaced[group][resource] {
					return false
				}
			}
		}
		writes = writes || slices.ContainsFunc(rule.Verbs, changes)
	}
	return writes
}

// namespaced are the resources that the inventory knows to lie in namespaces,
// and a few more that programs write.
var namespaced = func() map[string]map[string]bool {
	by := map[string]map[string]bool{}
	add := func(group string, resources ...string) {
		for _, r := range resources {
			if by[group] == nil {
				by[group] = map[string]bool{}
			}
			by[group][r] = true
		}
	}
	for _, r := range inventory.Resources {
		if r.Namespaced {
			add(r.Group, r.Resource)
		}
	}
	add("", "endpoints", "events", "persistentvolumeclaims", "pods/log", "pods/exec", "pods/status", "services/status")
	add("apps", "deployments/scale", "statefulsets/scale", "deployments/status")
	add("autoscaling", "horizontalpodautoscalers")
	add("coordination.k8s.io", "leases")
	add("events.k8s.io", "events")
	add("networking.k8s.io", "ingresses", "ingresses/status")
	add("policy", "poddisruptionbudgets")
	return by
}()
