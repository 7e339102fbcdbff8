package access

import (
	"iter"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// right is something that the good practices warn of.
type right struct {
	id   string
	does string // "read Secrets"
	// requests are what it consists of: any one is enough. Their namespace says
	// where it counts: "" outside of namespaces, [cause.System] there or in the
	// whole cluster, [access.Any] wherever it is granted.
	requests []access.Request
	// mild is true where it takes more to come to have other rights by it.
	mild bool
	// with narrows it, if set.
	with func(*access.Engine, access.Access) bool
}

// rights lists all of them, for the checks that speak of any.
var rights = []*right{
	secretsRead, workloadCreate, persistentVolumeCreate, nodesProxy, escalate, bind, impersonate, csrApprove, tokenCreate, webhookConfigWrite, namespacePatch, roleWrite,
}

// ask lists requests for verbs on resources, written "resource.group/subresource".
func ask(namespace, name, verbs string, resources ...string) []access.Request {
	var requests []access.Request
	for verb := range strings.SplitSeq(verbs, "|") {
		for _, text := range resources {
			text, sub, _ := strings.Cut(text, "/")
			resource, group, _ := strings.Cut(text, ".")
			requests = append(requests, access.Request{Verb: verb, Group: group, Resource: resource, Subresource: sub, Namespace: namespace, Name: name})
		}
	}
	return requests
}

// anyName asks for objects whatever their name; everyName for all of them, so
// that rules which are limited to some names do not count.
const (
	anyName   = access.Any
	everyName = ""
)

// ways yields how subjects come to have a right by what somebody made. A role
// of Kubernetes' own that is granted in an ordinary namespace (admin, edit) is
// used as it is meant.
func (r *right) ways(x *cause.Index) iter.Seq[access.Access] {
	return func(yield func(access.Access) bool) {
		for _, request := range r.requests {
			for a := range x.Engine.Ways(request) {
				meant := !x.OwnRule(a) && !a.ClusterWide() && a.Binding.Namespace != cause.System
				if x.Own(a.Grant) && !meant && (r.with == nil || r.with(x.Engine, a)) && !yield(a) {
					return
				}
			}
		}
	}
}

// gives finds a rule by which a role gives the right where it is granted: in
// its namespace, or in the whole cluster.
func (r *right) gives(x *cause.Index, role *access.Role) (access.Rule, bool) {
	for _, request := range r.requests {
		if role.Kind == "Role" && request.Namespace != access.Any && request.Namespace != role.Namespace {
			continue
		}
		if rule, ok := role.Allows(request); ok && (r.with == nil || r.with(x.Engine, access.Access{Grant: &access.Grant{Role: role}, Rule: rule})) {
			return rule, true
		}
	}
	return access.Rule{}, false
}

// where says in which part of the cluster a cause gives the right.
func (r *right) where(c *cause.Cause) string {
	if r.requests[0].Namespace == "" {
		return r.does
	}
	return r.does + " " + c.Scope()
}

// ready lists, for each binding of a role of Kubernetes' own, which rights it
// gives. It is one cause: the first of them tells of all.
var ready = &inventory.Fact[map[*access.Grant][]*right]{
	Needs: access.Needs,
	Build: func(v inventory.View) map[*access.Grant][]*right {
		x, by := cause.Made.Of(v), map[*access.Grant][]*right{}
		for _, r := range rights {
			for a := range r.ways(x) {
				if !x.OwnRule(a) && !slices.Contains(by[a.Grant], r) {
					by[a.Grant] = append(by[a.Grant], r)
				}
			}
		}
		return by
	},
}

// others says what else a binding of a role of Kubernetes' own gives.
func others(list []*right) string {
	text := ""
	for _, r := range list[min(1, len(list)):] {
		text += ", " + r.does
	}
	return text
}

// check completes the check of the right. It leaves to others what they tell:
// bindings of cluster-admin, wildcards, and subjects that are nobody in
// particular.
func (r *right) check(c check.Check) *check.Check {
	c.ID, c.Item = checklist.RBAC.ID+"/"+r.id, checklist.RBAC
	c.Noun, c.Refs, c.Needs = "grant", sources, grantNeeds
	c.Run = func(e *check.Eval) {
		v := look(e, c.ID)
		for _, found := range v.Causes(v.told(r.ways(v.Index))) {
			by := ready.Of(v)[found.Grants[0]]
			if len(by) > 0 && found.Subject == found.Grants[0].Binding.Subject {
				if by[0] == r {
					v.fail(found, r.where(found)+others(by))
				}
				continue
			}
			v.fail(found, r.where(found))
		}
		v.pass()
	}
	return &c
}

// told leaves out the ways that other checks tell of.
func (v *review) told(ways iter.Seq[access.Access]) iter.Seq[access.Access] {
	wild := worstWildcards.Of(v)
	return func(yield func(access.Access) bool) {
		for a := range v.ordinary(ways) {
			byWildcard := v.OwnRule(a) && (everyResource(a.Rule) || everyVerb(a.Rule)) && wild[a.Rule.Object] != nil
			if !admin(a.Grant) && !byWildcard && !yield(a) {
				return
			}
		}
	}
}

// ordinary leaves out subjects that are nobody in particular, and those that
// the user allows it.
func (v *review) ordinary(ways iter.Seq[access.Access]) iter.Seq[access.Access] {
	return func(yield func(access.Access) bool) {
		for a := range ways {
			if !cause.Broad(a.Subject) && !v.allowed(a.Subject) && !yield(a) {
				return
			}
		}
	}
}

// all is every right there is.
var all = access.Request{Verb: "*", Group: "*", Resource: "*"}

// admin reports whether a grant gives everything in its namespace, or in the
// whole cluster. Whatever a manifest says of cluster-admin, the API server puts
// back at its start what is missing.
func admin(g *access.Grant) bool {
	ref := g.Binding.Value.RoleRef
	if ref.Kind == "ClusterRole" && ref.Name == "cluster-admin" {
		return true
	}
	_, everything := g.Role.Allows(all)
	return everything
}

func everyVerb(r access.Rule) bool { return slices.Contains(r.Verbs, rbacv1.VerbAll) }

// everyResource takes subresources of everything, "*/scale", as well.
func everyResource(r access.Rule) bool {
	return slices.ContainsFunc(r.Resources, func(s string) bool { return s == rbacv1.ResourceAll || strings.HasPrefix(s, "*/") })
}
