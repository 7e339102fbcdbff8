package access

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Request is what somebody wants to do: to a resource, or to a path that is
// none ("/metrics").
type Request struct {
	Verb string
	// Group is the API group, "" for the core group.
	Group       string
	Resource    string
	Subresource string
	// Namespace is "" for what lies in no namespace and for all namespaces at
	// once; Name is "" for requests that name no object.
	Namespace, Name string
	// Path is that of a request for no resource; the other fields but Verb are
	// empty then.
	Path string
}

// Any in Request.Namespace or Request.Name stands for at least one.
const Any = "\x00any"

// Allows reports whether a rule allows a request, wherever the rule is granted.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/rbac/v1/evaluation_helpers.go
func Allows(rule *rbacv1.PolicyRule, r Request) bool {
	if !has(rule.Verbs, r.Verb) {
		return false
	}
	if r.Path != "" {
		return slices.ContainsFunc(rule.NonResourceURLs, func(url string) bool { return matchesPath(url, r.Path) })
	}
	return has(rule.APIGroups, r.Group) && matchesResource(rule.Resources, r) && matchesName(rule.ResourceNames, r)
}

func has(list []string, value string) bool {
	return slices.Contains(list, value) || slices.Contains(list, "*")
}

// matchesResource takes "*" for everything, "*/scale" for a subresource of
// everything. "pods/*" is no wildcard.
func matchesResource(resources []string, r Request) bool {
	return slices.ContainsFunc(r.resources(), func(want string) bool { return slices.Contains(resources, want) })
}

// resources lists the words for the resource that rules may use.
func (r Request) resources() []string {
	if r.Subresource == "" {
		return []string{r.Resource, rbacv1.ResourceAll}
	}
	return []string{r.Resource + "/" + r.Subresource, rbacv1.ResourceAll, "*/" + r.Subresource}
}

// matchesName takes names literally: "*" is none. Requests to create an object
// do not tell its name, nor do those for a whole collection of them.
func matchesName(names []string, r Request) bool {
	if len(names) == 0 || slices.Contains(names, r.Name) {
		return true
	}
	return r.Name == Any && (r.Subresource != "" || r.Verb != "create" && r.Verb != "deletecollection")
}

func matchesPath(url, path string) bool {
	return url == path || strings.HasSuffix(url, "*") && strings.HasPrefix(path, strings.TrimRight(url, "*"))
}

// covers reports whether a grant holds where the request is made.
func (g *Grant) covers(r Request) bool {
	if g.ClusterWide() {
		return true
	}
	return r.Path == "" && (r.Namespace == Any || r.Namespace != "" && r.Namespace == g.Binding.Namespace)
}

// Allows finds the first rule of the role that allows a request, wherever the
// role is granted. A role that is not there, nil, allows nothing.
func (role *Role) Allows(r Request) (Rule, bool) {
	if role != nil {
		for _, rule := range role.Rules {
			if Allows(rule.PolicyRule, r) {
				return rule, true
			}
		}
	}
	return Rule{}, false
}
