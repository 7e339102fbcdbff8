package webhook

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// Asked reports whether the rules have the webhook asked about an operation on
// a resource, whatever its API version: "pods", or "pods/exec" for a
// subresource. Selectors and conditions are not looked at.
//
// https://github.com/kubernetes/apiserver/blob/v0.37.2/pkg/admission/plugin/webhook/predicates/rules/rules.go
func (w *Webhook) Asked(op admissionv1.OperationType, group, resource string) bool {
	return slices.ContainsFunc(w.Spec.Rules, func(r admissionv1.RuleWithOperations) bool {
		return inScope(r.Scope, resource) && slices.ContainsFunc(r.Operations, func(o admissionv1.OperationType) bool { return o == admissionv1.OperationAll || o == op }) &&
			named(r.APIGroups, group) && slices.ContainsFunc(r.Resources, func(s string) bool { return covers(s, resource) })
	})
}

// clusterWide are the resources outside of namespaces that checks ask about.
var clusterWide = []string{"namespaces", "clusterroles", "clusterrolebindings"}

func inScope(scope *admissionv1.ScopeType, resource string) bool {
	if scope == nil || *scope == admissionv1.AllScopes {
		return true
	}
	return (*scope == admissionv1.ClusterScope) == slices.Contains(clusterWide, resource)
}

// Wildcard finds the rule that asks about every resource of every group in
// namespaces when it is created or changed; -1 if there is none.
func (w *Webhook) Wildcard() int {
	return slices.IndexFunc(w.Spec.Rules, func(r admissionv1.RuleWithOperations) bool {
		return slices.Contains(r.APIGroups, "*") && (slices.Contains(r.Resources, "*") || slices.Contains(r.Resources, "*/*")) && Namespaced(r) &&
			slices.ContainsFunc(r.Operations, func(o admissionv1.OperationType) bool {
				return o == admissionv1.OperationAll || o == admissionv1.Create || o == admissionv1.Update
			})
	})
}

// Namespaced reports whether a rule can match objects in namespaces.
func Namespaced(r admissionv1.RuleWithOperations) bool {
	return r.Scope == nil || *r.Scope != admissionv1.ClusterScope
}

func named(list []string, name string) bool {
	return slices.Contains(list, "*") || slices.Contains(list, name)
}

// covers reports whether a rule's resource, "pods", "*", "pods/*" or "*/*",
// names a resource.
func covers(rule, resource string) bool {
	rule, ruleSub, _ := strings.Cut(rule, "/")
	resource, sub, _ := strings.Cut(resource, "/")
	return (rule == "*" || rule == resource) && (ruleSub == "*" || ruleSub == sub)
}

// oneVersion are the groups of Kubernetes all of whose resources are served
// in one version only, in every release from v1.25 on.
//
// https://kubernetes.io/docs/reference/using-api/deprecation-guide/
var oneVersion = []string{"", "apps", "batch", "policy", "rbac.authorization.k8s.io"}

// Slips finds the rule that, compared exactly, lets an object pass by in an API
// version that it does not name; -1 if there is none.
func Slips(rules []admissionv1.RuleWithOperations) int {
	return slices.IndexFunc(rules, func(r admissionv1.RuleWithOperations) bool {
		return !slices.Contains(r.APIVersions, "*") &&
			slices.ContainsFunc(r.APIGroups, func(g string) bool { return !slices.Contains(oneVersion, g) })
	})
}
