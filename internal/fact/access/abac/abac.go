// Package abac answers what ABAC policies allow, exactly as the API server's
// ABAC authorizer decides it:
//
//	for p := range inventory.All(v, inventory.ABACPolicies) {
//		if abac.Allows(p.Value, id, request) {
//			fmt.Println("allowed by", p.Locate("")) // allowed by policy.jsonl:3
//		}
//	}
//
// A policy is about verbs only in that it may be read-only, and about resources
// with all their subresources and names.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/auth/authorizer/abac/abac.go
package abac

import (
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Allows reports whether a policy lets somebody make a request.
func Allows(p inventory.ABACPolicy, id access.Identity, r access.Request) bool {
	return Names(p, id) && Covers(p, r)
}

// Names reports whether a policy is about somebody. Where it has a user and a
// group, both must be theirs.
func Names(p inventory.ABACPolicy, id access.Identity) bool {
	if p.User == "" && p.Group == "" {
		return false
	}
	return (p.User == "" || p.User == id.User) && (p.Group == "" || slices.Contains(id.Groups, p.Group))
}

// Covers reports whether a policy allows a request to those that it names.
func Covers(p inventory.ABACPolicy, r access.Request) bool {
	switch {
	case p.Readonly && !readOnly(r.Verb):
		return false
	case r.Path != "":
		return coversPath(p.NonResourcePath, r.Path)
	}
	return coversNamespace(p.Namespace, r) && matches(p.Resource, r.Resource) && matches(p.APIGroup, r.Group)
}

// readOnly takes the verbs that the API server calls so.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/apiserver/pkg/authorization/authorizer/interfaces.go
func readOnly(verb string) bool { return verb == "get" || verb == "list" || verb == "watch" }

func matches(pattern, value string) bool { return pattern == "*" || pattern == value }

func coversPath(pattern, path string) bool {
	return pattern == path || strings.HasSuffix(pattern, "*") && strings.HasPrefix(path, strings.TrimRight(pattern, "*"))
}

// coversNamespace takes a policy without a namespace for what it is: one for
// requests that name none. Those list the objects of all namespaces, too.
func coversNamespace(namespace string, r access.Request) bool {
	if r.Namespace == access.Any {
		return namespace != "" || r.Verb == "list" || r.Verb == "watch"
	}
	return matches(namespace, r.Namespace)
}

// Subject is whom a policy names; a user, where it names a group as well. It is
// false where it names nobody.
func Subject(p inventory.ABACPolicy) (access.Subject, bool) {
	if p.User != "" {
		return access.NewUser(p.User), true
	}
	return access.Group(p.Group), p.Group != ""
}

// Holder names who has the policy: "User ann", "User ann in Group ops".
func Holder(p inventory.ABACPolicy) string {
	s, _ := Subject(p)
	if p.User != "" && p.Group != "" {
		return s.String() + " in " + access.Group(p.Group).String()
	}
	return s.String()
}

// Right writes what a policy allows in words: "read pods in namespace shop".
func Right(p inventory.ABACPolicy) string {
	verb := "do everything with"
	if p.Readonly {
		verb = "read"
	}
	var rights []string
	if p.Resource != "" {
		rights = append(rights, verb+" "+resourceText(p)+" in "+Scope(p))
	}
	if p.NonResourcePath != "" {
		path := p.NonResourcePath
		if path == "*" {
			path = "all paths that are no resources"
		}
		rights = append(rights, verb+" "+path)
	}
	if len(rights) == 0 {
		return "do nothing"
	}
	return strings.Join(rights, ", ")
}

func resourceText(p inventory.ABACPolicy) string {
	switch {
	case p.Resource == "*" && p.APIGroup == "*":
		return "all resources"
	case p.Resource == "*" && p.APIGroup == "":
		return "all resources of the core group"
	case p.Resource == "*":
		return "all resources of " + p.APIGroup
	case p.APIGroup == "*":
		return p.Resource + " of all API groups"
	case p.APIGroup != "":
		return p.Resource + "." + p.APIGroup
	}
	return p.Resource
}

// Scope is where a policy for resources holds.
func Scope(p inventory.ABACPolicy) string {
	switch p.Namespace {
	case "*":
		return "the whole cluster"
	case "":
		return "no namespace"
	}
	return "namespace " + p.Namespace
}
