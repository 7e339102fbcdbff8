// Package holdings lists who holds which role by which binding, one subject of
// one binding at a time, as a review of access goes through them; and compares
// the list with the record of a review.
//
// What Kubernetes itself grants, and nobody changed, is apart: there is nothing
// to decide about it, and it is another with each version.
//
// # The digest
//
// The digest of a list is a SHA-256 over all roles and bindings of the input,
// whatever their order and that of what they hold. Each is one line of JSON:
//
//	["ClusterRole","","reader",[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]]
//	["RoleBinding","shop","web","ClusterRole","reader",["ServiceAccount shop/web"]]
//
// The rules of a role are those that take effect; the values in a rule are
// sorted and each there once, and so are rules, subjects and lines. Metadata does
// not count. The digest of a right is the same over the kind and name of the
// role and its rules.
package holdings

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Holding is a role that a subject holds by a binding.
type Holding struct {
	access.Subject
	*access.Grant
	// Right is the digest of what the role grants.
	Right string
	// BindingBy and RoleBy say who made the two objects, and what was changed.
	BindingBy, RoleBy bootstrap.Verdict
}

// Original reports whether Kubernetes itself made the holding, and nobody
// changed it: the subject is one that it names, and the role grants no more.
func (h *Holding) Original() bool {
	return h.Role != nil && made(h.BindingBy) && !h.added() && made(h.RoleBy) && !h.RoleBy.Grants()
}

// made reports whether the content of what Kubernetes makes is known.
func made(v bootstrap.Verdict) bool { return v.Maker != bootstrap.Somebody && !v.ByName }

// added reports whether the subject, or the role, is not of the binding's maker.
func (h *Holding) added() bool {
	for _, c := range h.BindingBy.Changes {
		if c.What == bootstrap.RoleRef {
			return true
		}
		grant := *h.Grant
		if grant.Binding.Value.Subjects = c.Subjects; c.What == bootstrap.Added && slices.Contains(slices.Collect(grant.Subjects()), h.Subject) {
			return true
		}
	}
	return false
}

// BindingName is the binding as records have it: "RoleBinding shop/web".
func (h *Holding) BindingName() string {
	b := h.Binding
	name := b.Name
	if b.Namespace != "" {
		name = b.Namespace + "/" + name
	}
	if b.Copy > 0 { // files of one input define it in several ways
		name += fmt.Sprintf(" (%d)", b.Copy+1)
	}
	return b.Kind + " " + name
}

// RoleName is the role as records have it: "ClusterRole edit".
func (h *Holding) RoleName() string {
	ref := h.Binding.Value.RoleRef
	return ref.Kind + " " + ref.Name
}

// List is all holdings of an inventory.
type List struct {
	// Holdings are those to be reviewed, by subject and binding.
	Holdings []*Holding
	// Originals are those that Kubernetes itself made, and nobody changed. Of
	// manifests, these are only the ones that stand in them.
	Originals []*Holding
	// Digest is that of all roles and bindings.
	Digest string

	byGrant map[given]*Holding
}

// given is a grant to one of its subjects.
type given struct {
	*access.Grant
	access.Subject
}

// Of finds the holding of a subject by a grant; it is nil for an implied grant.
func (l *List) Of(s access.Subject, g *access.Grant) *Holding { return l.byGrant[given{g, s}] }

// All is the list of an inventory.
var All = &inventory.Fact[*List]{Needs: access.Needs, Build: build}

func build(v inventory.View) *List {
	e, l, d := access.Grants.Of(v), &List{byGrant: map[given]*Holding{}}, newDigests()
	for g := range e.All() {
		if g.Implied {
			continue
		}
		verdict := bootstrap.OfBinding(g.Binding, 0)
		d.binding(g)
		for s := range g.Subjects() {
			h := &Holding{Subject: s, Grant: g, Right: d.right(g), BindingBy: verdict, RoleBy: d.verdict(g.Role)}
			l.byGrant[given{g, s}] = h
			if h.Original() {
				l.Originals = append(l.Originals, h)
			} else {
				l.Holdings = append(l.Holdings, h)
			}
		}
	}
	for _, k := range []inventory.Kind[inventory.Role]{inventory.ClusterRoles, inventory.Roles} {
		for o := range inventory.All(v, k) {
			if o.Copy == 0 { // the role is that of all files that define it
				d.role(e.Role(o.Kind, o.Namespace, o.Name))
			}
		}
	}
	l.Digest = d.sum()
	slices.SortFunc(l.Holdings, compare)
	slices.SortFunc(l.Originals, compare)
	return l
}

func compare(a, b *Holding) int {
	return cmp.Or(
		cmp.Compare(a.Subject.Kind, b.Subject.Kind), cmp.Compare(a.Subject.Namespace, b.Subject.Namespace), cmp.Compare(a.Subject.Name, b.Subject.Name),
		cmp.Compare(a.BindingName(), b.BindingName()),
	)
}

// digests hashes roles once, however often they are bound.
type digests struct {
	lines    []string
	rules    map[*access.Role][]rbacv1.PolicyRule
	rights   map[*access.Role]string
	verdicts map[*access.Role]bootstrap.Verdict
}

func newDigests() *digests {
	return &digests{rules: map[*access.Role][]rbacv1.PolicyRule{}, rights: map[*access.Role]string{}, verdicts: map[*access.Role]bootstrap.Verdict{}}
}

// verdict says who made a role; of several objects of its name, the first that
// is not as its maker made it counts.
func (d *digests) verdict(r *access.Role) bootstrap.Verdict {
	if r == nil {
		return bootstrap.Verdict{}
	}
	v, ok := d.verdicts[r]
	if !ok {
		for _, o := range r.Objects {
			if v = bootstrap.OfRole(*o, 0); !v.Original() {
				break
			}
		}
		d.verdicts[r] = v
	}
	return v
}

func (d *digests) right(g *access.Grant) string {
	ref := g.Binding.Value.RoleRef
	if g.Role == nil {
		return hash(line(ref.Kind, ref.Name, nil))
	}
	right, ok := d.rights[g.Role]
	if !ok {
		right = hash(line(ref.Kind, ref.Name, d.normal(g.Role)))
		d.rights[g.Role] = right
	}
	return right
}

func (d *digests) role(r *access.Role) {
	d.lines = append(d.lines, line(r.Kind, r.Namespace, r.Name, d.normal(r)))
}

func (d *digests) binding(g *access.Grant) {
	var subjects []string
	for s := range g.Subjects() {
		subjects = append(subjects, s.String())
	}
	slices.Sort(subjects)
	b := g.Binding
	d.lines = append(d.lines, line(b.Kind, b.Namespace, b.Name, b.Value.RoleRef.Kind, b.Value.RoleRef.Name, subjects))
}

// normal brings the rules of a role into the one order that all equal ones have.
func (d *digests) normal(r *access.Role) []rbacv1.PolicyRule {
	rules, ok := d.rules[r]
	if !ok {
		for _, rule := range r.Rules {
			rules = append(rules, rbacv1.PolicyRule{
				Verbs: set(rule.Verbs), APIGroups: set(rule.APIGroups), Resources: set(rule.Resources),
				ResourceNames: set(rule.ResourceNames), NonResourceURLs: set(rule.NonResourceURLs),
			})
		}
		slices.SortFunc(rules, func(a, b rbacv1.PolicyRule) int { return strings.Compare(line(a), line(b)) })
		rules = slices.CompactFunc(rules, func(a, b rbacv1.PolicyRule) bool { return line(a) == line(b) })
		d.rules[r] = rules
	}
	return rules
}

func (d *digests) sum() string {
	slices.Sort(d.lines)
	return hash(strings.Join(d.lines, "\n"))
}

func set(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }

func line(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings and lists of them
	}
	return string(text)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}
