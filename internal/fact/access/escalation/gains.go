package escalation

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
)

// pods are the pods that run in a namespace, or those of certain names.
func pods(g *builder, _ State, namespace string, names []string) []State {
	if names == nil {
		return []State{{Kind: Running, Namespace: namespace}}
	}
	var states []State
	for _, p := range g.pods {
		if (namespace == "" || p.namespace == namespace) && slices.Contains(names, p.name) {
			states = append(states, p.gains()...)
		}
	}
	return states
}

func accounts(kind string) func(*builder, State, string, []string) []State {
	return func(g *builder, _ State, namespace string, names []string) []State {
		if names == nil {
			return []State{{Kind: kind, Namespace: namespace}}
		}
		var states []State
		for _, ns := range g.each(namespace) {
			for _, name := range names {
				if kind == Impersonated || g.exists(ns, name) {
					states = append(states, Of(access.Account(ns, name)))
				}
			}
		}
		return states
	}
}

// tokens are the accounts whose token a Secret is known to hold.
func tokens(g *builder, _ State, namespace string, names []string) []State {
	if names == nil {
		return []State{{Kind: Tokens, Namespace: namespace}}
	}
	var states []State
	for _, t := range g.tokens {
		if (namespace == "" || t.account.Namespace == namespace) && slices.Contains(names, t.secret) {
			states = append(states, Of(t.account))
		}
	}
	return states
}

func users(_ *builder, _ State, _ string, names []string) []State {
	if names == nil {
		return []State{{Kind: Users}}
	}
	var states []State
	for _, name := range names {
		states = append(states, State{Kind: rbacv1.UserKind, Name: name})
	}
	return states
}

func groups(_ *builder, _ State, _ string, names []string) []State {
	if names == nil {
		return []State{Of(access.Group(access.Masters)), {Kind: Groups}}
	}
	var states []State
	for _, name := range names {
		states = append(states, Of(access.Group(name)))
	}
	return states
}

// bound are the ClusterRoles that one may bind to oneself.
func bound(g *builder, _ State, namespace string, names []string) []State {
	if names == nil {
		names = []string{"cluster-admin"}
	}
	var states []State
	for _, name := range names {
		if r := g.engine.Role("ClusterRole", "", name); r != nil {
			states = append(states, State{Kind: RoleIn, Namespace: namespace, Name: name})
			g.bound(r, namespace)
		}
	}
	return states
}

// relabelled is a node, if the namespace to create pods in is one whose labels
// may be changed.
func relabelled(_ *builder, _ State, namespace string, names []string) []State {
	if names != nil && namespace != "" && !slices.Contains(names, namespace) {
		return nil
	}
	return []State{Node}
}

// rewritten is where the role holds that one may write new rules into: it has
// to reach the one who does.
func rewritten(kind string) func(*builder, State, string, []string) []State {
	return func(g *builder, s State, namespace string, names []string) []State {
		if s.Kind == RoleIn { // the role itself
			return everything(s.Namespace)
		}
		subject, ok := s.Subject()
		if !ok {
			return nil
		}
		var states []State
		for _, r := range g.engine.GrantsOf(subject) {
			ref := r.Binding.Value.RoleRef
			if r.Role == nil || r.ByName || ref.Kind != kind || names != nil && !slices.Contains(names, ref.Name) {
				continue
			}
			switch {
			case r.ClusterWide():
				states = append(states, Admin)
			case kind == "ClusterRole" || namespace == "" || namespace == r.Binding.Namespace:
				states = append(states, everything(r.Binding.Namespace)...)
			}
		}
		return states
	}
}

// everything is what having all rights in a namespace gives.
func everything(namespace string) []State {
	if namespace == "" {
		return []State{Admin}
	}
	return []State{{Kind: Pods, Namespace: namespace}, {Kind: Impersonated, Namespace: namespace}}
}
