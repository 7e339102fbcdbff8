// Package escalation finds how a subject becomes more than it is: the shortest
// ways, right by right, to everything in the cluster or to a node.
//
// A graph leads from subjects, over what a right lets one come to hold, to
// [Admin]:
//
//	g := escalation.Build(r, access.Grants.Of(r), escalation.Options{})
//	for _, step := range g.Path(access.Account("shop", "web"), escalation.Admin) {
//		fmt.Println(step.From, step.Rule, step.To, step.By)
//	}
//
// Each step rests on grants that were read, or on what every cluster has. No
// path is not a proof that there is none: a role may let one change programs
// that hold more rights, or objects of kinds that this package does not know.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
package escalation

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Needs are the kinds that the graph is built from. Those beside the grants can
// only add paths, and they keep away ServiceAccounts that do not exist.
var Needs = append(slices.Clone(access.Needs),
	inventory.ServiceAccounts.Optional(), inventory.Secrets.Optional(), inventory.Nodes.Optional(),
	inventory.Pods.Optional(), inventory.Deployments.Optional(), inventory.StatefulSets.Optional(), inventory.DaemonSets.Optional(),
	inventory.ReplicaSets.Optional(), inventory.ReplicationControllers.Optional(), inventory.Jobs.Optional(), inventory.CronJobs.Optional(),
)

// State is something that one can come to hold: a subject, or one of the kinds
// below. An empty namespace stands for every one.
type State struct{ Kind, Namespace, Name string }

// The kinds of states beside those of subjects.
const (
	Pods         = "pods"         // run any pod that admission lets into the namespace
	Accounts     = "accounts"     // act as any ServiceAccount of the namespace
	Impersonated = "impersonated" // the same, even as those that do not exist
	Running      = "running"      // act within the pods that run in the namespace
	Tokens       = "tokens"       // read the Secrets of the namespace that hold tokens
	Users        = "users"        // act as any user
	Groups       = "groups"       // act as a member of any group but system:masters
	RoleIn       = "role"         // hold a ClusterRole in the namespace
)

// The states at which paths end.
var (
	// Admin may do everything.
	Admin = State{Kind: "cluster-admin"}
	// Node has root's rights on nodes of one's choice.
	Node = State{Kind: "node"}
)

// Of is the state of being a subject.
func Of(s access.Subject) State { return State(s) }

// Subject is the subject that the state is, false if it is none.
func (s State) Subject() (access.Subject, bool) {
	switch s.Kind {
	case rbacv1.UserKind, rbacv1.GroupKind, rbacv1.ServiceAccountKind:
		return access.Subject(s), true
	}
	return access.Subject{}, false
}

// Options are what the inventory does not say.
type Options struct {
	// Minor is the API server's minor version of Kubernetes 1; 0 if it is not known.
	Minor int
	// HostAccess says whether pods that reach their node (privileged, with the
	// node's files or processes) are let into a namespace. Nil means that
	// nothing keeps them out, as without Pod Security labels.
	HostAccess func(namespace string) bool
}

// Step is one step of a path.
type Step struct {
	From, To State
	// Rule is the id of the rule, Text what the rights let one do.
	Rule, Text string
	// By are the grants that it takes: one for each right that is needed, none
	// where every cluster lets one take the step.
	By []access.Access
}

// Path is a way from a subject.
type Path struct {
	Subject access.Subject
	Steps   []Step
}

// Graph holds all steps. It is safe for concurrent use.
type Graph struct {
	engine   *access.Engine
	ids      map[State]int32
	states   []State
	incoming [][]edge
	toAdmin  []edge
	toNode   []edge
}

// edge is a step from one state to another one.
type edge struct {
	from, to int32
	rule     *rule
	by       []access.Access
}

// Paths lists the subjects of the input that can come to a state, Admin or
// Node, with the shortest way of each, ordered by subject.
func (g *Graph) Paths(to State) []Path {
	var paths []Path
	for _, s := range g.engine.Subjects() {
		if steps := g.Path(s, to); steps != nil {
			paths = append(paths, Path{s, steps})
		}
	}
	return paths
}

// Path is the shortest way from a subject to Admin or Node; nil if there is
// none. The subject may be one that no binding names.
func (g *Graph) Path(s access.Subject, to State) []Step {
	next := g.toAdmin
	if to == Node {
		next = g.toNode
	}
	at, known := g.ids[Of(s)]
	if !known {
		var best []Step
		for _, group := range s.Groups() {
			id, ok := g.ids[Of(access.Group(group))]
			if !ok || next[id].rule == nil {
				continue
			}
			steps := g.steps(id, g.ids[to], next, []Step{{From: Of(s), To: g.states[id], Rule: member.id, Text: member.text}})
			if best == nil || len(steps) < len(best) {
				best = steps
			}
		}
		return best
	}
	if next[at].rule == nil {
		return nil
	}
	return g.steps(at, g.ids[to], next, nil)
}

func (g *Graph) steps(at, end int32, next []edge, steps []Step) []Step {
	for at != end {
		e := next[at]
		if e.rule == includes && len(steps) > 0 {
			steps[len(steps)-1].To = g.states[e.to] // one thing to a reader
		} else {
			steps = append(steps, Step{From: g.states[e.from], To: g.states[e.to], Rule: e.rule.id, Text: e.rule.text, By: e.by})
		}
		at = e.to
	}
	return steps
}

// state finds or makes the number of a state.
func (g *Graph) state(s State) int32 {
	id, ok := g.ids[s]
	if !ok {
		id = int32(len(g.states))
		g.ids[s] = id
		g.states = append(g.states, s)
		g.incoming = append(g.incoming, nil)
	}
	return id
}

func (g *Graph) connect(from, to State, r *rule, by ...access.Access) {
	f, t := g.state(from), g.state(to)
	if f != t {
		g.incoming[t] = append(g.incoming[t], edge{f, t, r, by})
	}
}

// search walks back from a state, breadth first, and returns the first edge of
// the shortest way from every other one: of several, that by the rule that
// stands first. What is no step to a reader counts nothing.
func (g *Graph) search(to State) []edge {
	next, far := make([]edge, len(g.states)), make([]int, len(g.states))
	done := make([]bool, len(g.states))
	level, later := []int32{g.state(to)}, []int32(nil)
	for len(level) > 0 {
		at := level[0]
		level = level[1:]
		if !done[at] {
			done[at] = true
			for _, e := range g.incoming[at] {
				cost := 1
				if e.rule == includes {
					cost = 0
				}
				n := next[e.from].rule
				d := far[at] + cost
				if done[e.from] || n != nil && (d > far[e.from] || d == far[e.from] && order[n] <= order[e.rule]) {
					continue
				}
				next[e.from], far[e.from] = e, d
				if cost == 0 {
					level = append(level, e.from)
				} else {
					later = append(later, e.from)
				}
			}
		}
		if len(level) == 0 {
			level, later = later, nil
		}
	}
	return next
}
