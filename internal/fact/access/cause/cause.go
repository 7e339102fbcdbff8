// Package cause traces rights back to what somebody made: the role that gives
// them, or the binding where the role is Kubernetes' own. One role that is
// bound a hundred times is one cause.
//
// What Kubernetes, kubeadm and the known distributions grant by themselves is
// left out. Where somebody changed it, the change itself is what there is to
// say: see [Index.Binding] and [Index.Role].
package cause

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// System is the namespace whose ServiceAccounts run the cluster: a right there
// is as good as one everywhere.
const System = "kube-system"

// Index knows who made what.
type Index struct {
	Engine   *access.Engine
	bindings map[*access.Grant]bootstrap.Verdict
	roles    map[*inventory.Object[inventory.Role]]bootstrap.Verdict
	made     []*access.Grant
}

// Made is the index of an inventory.
var Made = &inventory.Fact[*Index]{Needs: access.Needs, Build: build}

func build(v inventory.View) *Index {
	x := &Index{
		Engine:   access.Grants.Of(v),
		bindings: map[*access.Grant]bootstrap.Verdict{},
		roles:    map[*inventory.Object[inventory.Role]]bootstrap.Verdict{},
	}
	judge := func(r *access.Role) {
		for _, o := range r.Objects {
			if _, done := x.roles[o]; !done {
				x.roles[o] = bootstrap.OfRole(*o, 0)
			}
		}
	}
	for r := range x.Engine.ClusterRoles() { // those that are part of others, too
		judge(r)
	}
	for g := range x.Engine.All() {
		x.bindings[g] = bootstrap.OfBinding(g.Binding, 0)
		if g.Role != nil {
			judge(g.Role)
		}
		if x.Own(g) {
			x.made = append(x.made, g)
		}
	}
	return x
}

// Binding says who made the binding of a grant, Role who made an object that
// holds rules.
func (x *Index) Binding(g *access.Grant) bootstrap.Verdict { return x.bindings[g] }

// Role says who made an object that holds rules.
func (x *Index) Role(o *inventory.Object[inventory.Role]) bootstrap.Verdict { return x.roles[o] }

// Own reports whether somebody made the binding.
func (x *Index) Own(g *access.Grant) bool {
	return !g.Implied && x.bindings[g].Maker == bootstrap.Somebody
}

// OwnRole reports whether somebody made the object.
func (x *Index) OwnRole(o *inventory.Object[inventory.Role]) bool {
	return x.roles[o].Maker == bootstrap.Somebody
}

// OwnRule reports whether somebody wrote the rule by which a subject may do
// something. What is aggregated into a role of Kubernetes' own is its.
func (x *Index) OwnRule(a access.Access) bool {
	return x.OwnRole(a.Rule.Object) && (a.Role == nil || x.OwnRole(a.Role.Objects[0]))
}

// Grants lists the grants that somebody made: those for the whole cluster first.
func (x *Index) Grants() []*access.Grant { return x.made }

// Cause is what somebody made that gives a right.
type Cause struct {
	report.Subject
	// At quotes the rule, or the binding's role.
	At report.Evidence
	// Rule is the first that gives the right.
	Rule access.Rule
	// Grants are the bindings that give it, Holders the subjects that have it.
	Grants  []*access.Grant
	Holders []access.Subject

	holds map[access.Subject]bool
	by    map[*access.Grant]bool
}

// Causes groups ways in which subjects may do something by what gives it to
// them, ordered by subject.
func (x *Index) Causes(ways iter.Seq[access.Access]) []*Cause {
	var causes []*Cause
	found := map[any]*Cause{}
	for a := range ways {
		if !x.Own(a.Grant) {
			continue
		}
		key, own := any(a.Grant), x.OwnRule(a)
		if own {
			key = a.Rule.Object
		}
		c := found[key]
		if c == nil {
			c = &Cause{Rule: a.Rule, holds: map[access.Subject]bool{}, by: map[*access.Grant]bool{}}
			if b := a.Binding; own {
				c.Subject, c.At = a.Rule.Object.Subject, RuleEvidence(a.Rule)
			} else {
				c.Subject, c.At = b.Subject, b.Evidence("roleRef.name", b.Value.RoleRef.Name, "")
			}
			found[key] = c
			causes = append(causes, c)
		}
		c.add(a)
	}
	slices.SortFunc(causes, func(a, b *Cause) int {
		if c := report.CompareSubjects(a.Subject, b.Subject); c != 0 {
			return c
		}
		return a.Copy - b.Copy
	})
	for _, c := range causes {
		c.sort()
	}
	return causes
}

func (c *Cause) add(a access.Access) {
	if a.Rule.Object == c.Rule.Object && a.Rule.Index < c.Rule.Index {
		c.Rule, c.At = a.Rule, at(c, a)
	}
	if !c.holds[a.Subject] {
		c.holds[a.Subject] = true
		c.Holders = append(c.Holders, a.Subject)
	}
	if !c.by[a.Grant] {
		c.by[a.Grant] = true
		c.Grants = append(c.Grants, a.Grant)
	}
}

// at is the evidence of an earlier rule, where the cause is a role.
func at(c *Cause, a access.Access) report.Evidence {
	if c.Subject == a.Rule.Object.Subject {
		return RuleEvidence(a.Rule)
	}
	return c.At
}

func (c *Cause) sort() {
	slices.SortFunc(c.Holders, func(a, b access.Subject) int { return strings.Compare(a.String(), b.String()) })
	slices.SortFunc(c.Grants, func(a, b *access.Grant) int {
		if d := report.CompareSubjects(a.Binding.Subject, b.Binding.Subject); d != 0 {
			return d
		}
		return a.Binding.Copy - b.Binding.Copy
	})
}

// Scope says where the right holds: "in the whole cluster".
func (c *Cause) Scope() string {
	var namespaces []string
	for _, g := range c.Grants {
		switch {
		case g.ClusterWide():
			return "in the whole cluster"
		case g.Binding.Namespace == "":
			return "in the namespace that it is applied to"
		case !slices.Contains(namespaces, g.Binding.Namespace):
			namespaces = append(namespaces, g.Binding.Namespace)
		}
	}
	if len(namespaces) == 1 {
		return fmt.Sprintf("in namespace %q", namespaces[0])
	}
	return fmt.Sprintf("in %d namespaces", len(namespaces))
}

// Evidence quotes what gives the right, and the first bindings of a role.
func (c *Cause) Evidence() []report.Evidence {
	evidence := []report.Evidence{c.At}
	for _, g := range c.Grants[:min(3, len(c.Grants))] {
		if g.Binding.Subject != c.Subject {
			evidence = append(evidence, g.Binding.Evidence("roleRef.name", g.Binding.Value.RoleRef.Name, ""))
		}
	}
	return evidence
}

// RuleEvidence quotes a rule.
func RuleEvidence(r access.Rule) report.Evidence {
	return r.Object.Evidence(fmt.Sprintf("rules[%d]", r.Index), RuleText(r), "")
}

// RuleText writes a rule in one line: "get, list on secrets".
func RuleText(r access.Rule) string {
	what := r.Resources
	if len(r.NonResourceURLs) > 0 {
		what = r.NonResourceURLs
	}
	text := few(r.Verbs) + " on " + few(what)
	if groups := slices.DeleteFunc(slices.Clone(r.APIGroups), func(g string) bool { return g == "" }); len(groups) > 0 {
		text += " of " + few(groups)
	}
	if len(r.ResourceNames) > 0 {
		text += " named " + few(r.ResourceNames)
	}
	return text
}

// few lists words, the first ones of many.
func few(words []string) string {
	const shown = 7 // the usual verbs
	text := strings.Join(words[:min(shown, len(words))], ", ")
	if more := len(words) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
