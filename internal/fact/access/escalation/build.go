package escalation

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// hold is a right that a subject has, in a namespace ("" for everywhere) and
// for some names (nil for all).
type hold struct {
	namespace string
	names     []string
	by        []access.Access
}

type builder struct {
	Graph
	// holds are the holders of each term.
	holds      map[*term]map[access.Subject][]hold
	namespaces []string
	accounts   map[access.Subject]bool // those that exist; nil if that is not known
	pods       []pod
	tokens     []token
	// roles are the states of roles that one may bind, still to be followed.
	roles []State
	seen  map[State]bool
}

// Build makes the graph of an inventory, of which r must have declared [Needs].
func Build(r inventory.Reader, e *access.Engine, o Options) *Graph {
	b := &builder{Graph: Graph{engine: e, ids: map[State]int32{}}, holds: map[*term]map[access.Subject][]hold{}, seen: map[State]bool{}}
	b.observe(r)
	b.structure(r, o)
	for _, rule := range rules {
		if rule.holds(o.Minor) {
			b.apply(rule)
		}
	}
	b.followRoles(o.Minor)
	g := &b.Graph
	g.state(Admin)
	g.state(Node)
	g.toAdmin, g.toNode = g.search(Admin), g.search(Node)
	g.incoming = nil
	return g
}

// apply connects everybody who holds all terms of a rule with what it gives.
func (b *builder) apply(r *rule) {
	for _, t := range r.terms {
		b.hold(t)
	}
	holders := map[access.Subject]bool{}
	for _, t := range r.terms {
		for s := range b.holds[t] {
			holders[s] = true
		}
	}
	for _, s := range slices.SortedFunc(maps.Keys(holders), func(a, b access.Subject) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	}) {
		all := make([][]hold, len(r.terms))
		for i, t := range r.terms {
			all[i] = slices.Clone(b.holds[t][s])
			if len(r.terms) > 1 { // a right may come with a group
				for _, group := range s.Groups() {
					all[i] = append(all[i], b.holds[t][access.Group(group)]...)
				}
			}
		}
		b.combine(r, Of(s), all)
	}
}

// hold finds who has a right. Terms are shared by rules.
func (b *builder) hold(t *term) {
	if b.holds[t] != nil {
		return
	}
	found := map[access.Subject][]hold{}
	for _, request := range t.requests {
		for a := range b.engine.Ways(request) {
			h, ok := t.holdOf(a.Rule, request)
			if !ok {
				continue
			}
			if !a.ClusterWide() {
				if h.namespace = a.Binding.Namespace; h.namespace == "" {
					continue // of a manifest: where it will hold is not known
				}
			}
			if slices.ContainsFunc(found[a.Subject], func(x hold) bool { return x.covers(h) }) {
				continue
			}
			h.by = []access.Access{a}
			found[a.Subject] = append(found[a.Subject], h)
		}
	}
	b.holds[t] = found
}

func (t *term) holdOf(rule access.Rule, request access.Request) (hold, bool) {
	if len(rule.ResourceNames) == 0 || request.Name != access.Any {
		return hold{}, true
	}
	return hold{names: rule.ResourceNames}, !t.whole
}

// covers reports whether y adds nothing to x.
func (x hold) covers(y hold) bool {
	return (x.namespace == "" || x.namespace == y.namespace) && (x.names == nil || slices.Equal(x.names, y.names))
}

// combine connects a state with what a rule gives wherever all terms are held
// together. The first term says for which names.
func (b *builder) combine(r *rule, from State, all [][]hold) {
	var done []hold
	for _, first := range all[0] {
		for _, namespace := range scopes(first, all[1:]) {
			h := hold{namespace: namespace, names: first.names, by: slices.Clone(first.by)}
			for _, others := range all[1:] {
				i := slices.IndexFunc(others, func(o hold) bool { return o.namespace == "" || o.namespace == namespace })
				if i < 0 {
					h.by = nil
					break
				}
				h.by = append(h.by, others[i].by...)
			}
			if h.by == nil && from.Kind != RoleIn || slices.ContainsFunc(done, func(d hold) bool { return d.covers(h) }) {
				continue
			}
			done = append(done, h)
			for _, to := range r.to(b, from, namespace, h.names) {
				b.connect(from, to, r, h.by...)
			}
		}
	}
}

// scopes lists the namespaces in which the terms may be held together.
func scopes(first hold, others [][]hold) []string {
	if first.namespace != "" {
		return []string{first.namespace}
	}
	all := []string{""}
	for _, holds := range others {
		for _, h := range holds {
			if !slices.Contains(all, h.namespace) {
				all = append(all, h.namespace)
			}
		}
	}
	return all
}

// bound remembers that somebody may bind a role.
func (b *builder) bound(r *access.Role, namespace string) {
	s := State{Kind: RoleIn, Namespace: namespace, Name: r.Name}
	if !b.seen[s] {
		b.seen[s] = true
		b.roles = append(b.roles, s)
	}
}

// followRoles applies all rules to the roles that one may bind.
func (b *builder) followRoles(minor int) {
	for len(b.roles) > 0 {
		s := b.roles[0]
		b.roles = b.roles[1:]
		role := b.engine.Role("ClusterRole", "", s.Name)
		for _, r := range rules {
			if !r.holds(minor) {
				continue
			}
			all := r.heldBy(role, s.Namespace)
			if all != nil {
				b.combine(r, s, all)
			}
		}
	}
}

// structure connects what holds in every cluster.
func (b *builder) structure(r inventory.Reader, o Options) {
	for _, s := range slices.Concat(b.engine.Subjects(), b.implied()) {
		for _, group := range s.Groups() {
			b.connect(Of(s), Of(access.Group(group)), member)
		}
		switch s.Kind {
		case rbacv1.UserKind:
			b.connect(State{Kind: Users}, Of(s), includes)
		case rbacv1.GroupKind:
			if s.Name != access.Masters {
				b.connect(State{Kind: Groups}, Of(s), includes)
			}
		case rbacv1.ServiceAccountKind:
			if b.exists(s.Namespace, s.Name) {
				b.connect(State{Kind: Accounts, Namespace: s.Namespace}, Of(s), includes)
			}
			b.connect(State{Kind: Impersonated, Namespace: s.Namespace}, Of(s), includes)
		}
	}
	b.connect(Of(access.Group(access.Masters)), Admin, includes)
	b.connect(Node, State{Kind: Running}, nodePods)
	for n := range inventory.All(r, inventory.Nodes) {
		if _, ok := n.Value.Labels["node-role.kubernetes.io/control-plane"]; ok {
			b.connect(Node, Admin, nodeRoot)
			break
		}
	}
	for _, ns := range b.namespaces {
		for _, kind := range []string{Pods, Accounts, Impersonated, Running, Tokens} {
			b.connect(State{Kind: kind}, State{Kind: kind, Namespace: ns}, includes)
		}
		at := State{Kind: Accounts, Namespace: ns}
		b.connect(State{Kind: Pods, Namespace: ns}, at, includes)
		// Whichever account it is: each namespace has one at least.
		b.connect(at, Of(access.Group(access.AllAccounts+":"+ns)), includes)
		if o.HostAccess == nil || o.HostAccess(ns) {
			b.connect(State{Kind: Pods, Namespace: ns}, Node, hostPod)
		}
	}
	for _, p := range b.pods {
		for _, to := range p.gains() {
			how := includes
			if to == Node {
				how = inPods
			}
			b.connect(State{Kind: Running, Namespace: p.namespace}, to, how)
		}
	}
	for _, t := range b.tokens {
		b.connect(State{Kind: Tokens, Namespace: t.account.Namespace}, Of(t.account), includes)
	}
	for _, ns := range b.namespaces {
		of := access.Group(access.AllAccounts + ":" + ns)
		for _, group := range of.Groups() {
			b.connect(Of(of), Of(access.Group(group)), member)
		}
	}
}

// implied lists the subjects that only implied grants name.
func (b *builder) implied() []access.Subject {
	named := map[access.Subject]bool{}
	for _, s := range b.engine.Subjects() {
		named[s] = true
	}
	var subjects []access.Subject
	for g := range b.engine.All() {
		for s := range g.Subjects() {
			if !named[s] {
				named[s] = true
				subjects = append(subjects, s)
			}
		}
	}
	return subjects
}

// exists reports whether a ServiceAccount may be there: it is, or they were
// not all read.
func (b *builder) exists(namespace, name string) bool {
	return b.accounts == nil || name == "default" || b.accounts[access.Account(namespace, name)]
}

// each lists the namespaces that "" stands for.
func (b *builder) each(namespace string) []string {
	if namespace == "" {
		return b.namespaces
	}
	return []string{namespace}
}

// token is a Secret that holds the token of an account.
type token struct {
	secret  string
	account access.Subject
}

// observe reads what runs in which namespace.
func (b *builder) observe(r inventory.Reader) {
	namespaces := map[string]bool{"kube-system": true, "default": true}
	for g := range b.engine.All() {
		namespaces[g.Binding.Namespace] = true
		for s := range g.Subjects() {
			namespaces[s.Namespace] = true
		}
	}
	if b.engine.Live && inventory.Len(r, inventory.ServiceAccounts) > 0 {
		b.accounts = map[access.Subject]bool{}
	}
	mounts := map[access.Subject]*bool{}
	for o := range inventory.All(r, inventory.ServiceAccounts) {
		s := access.Account(o.Namespace, o.Name)
		mounts[s] = o.Value.Automount
		if b.accounts != nil {
			b.accounts[s] = true
		}
	}
	for o := range inventory.All(r, inventory.Secrets) {
		if name := o.Value.Annotations[corev1.ServiceAccountNameKey]; o.Value.Type == corev1.SecretTypeServiceAccountToken && name != "" {
			b.tokens = append(b.tokens, token{o.Name, access.Account(o.Namespace, name)})
		}
	}
	b.pods = readPods(r, mounts)
	for _, p := range b.pods {
		namespaces[p.namespace] = true
	}
	delete(namespaces, "")
	b.namespaces = slices.Sorted(maps.Keys(namespaces))
}
