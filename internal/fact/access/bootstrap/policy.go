package bootstrap

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Oldest and Newest are the minors, of Kubernetes 1, whose policy is known by
// heart. Of those before Oldest it is known what they granted, since clusters
// that were upgraded keep it.
const (
	Oldest = 30
	Newest = 37
)

// AggregateLabel begins the labels by which a ClusterRole becomes part of the
// role that the rest of the label names: admin, edit or view.
const AggregateLabel = "rbac.authorization.k8s.io/aggregate-to-"

// Entry is a role or binding of the policy over all known minors.
type Entry struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Span
	// AggregateTo names the roles that a ClusterRole is part of, Aggregation
	// says which others are part of it.
	AggregateTo []string                `json:"aggregateTo,omitempty"`
	Aggregation *rbacv1.AggregationRule `json:"aggregation,omitempty"`
	RoleRef     *rbacv1.RoleRef         `json:"roleRef,omitempty"`
	Rules       []Rule                  `json:"rules,omitempty"`
	Subjects    []Subject               `json:"subjects,omitempty"`
}

// Rule is a rule, and the minors that have it.
type Rule struct {
	rbacv1.PolicyRule
	Span
}

// Subject is a subject, and the minors that have it.
type Subject struct {
	rbacv1.Subject
	Span
}

// Span says in which minors something is part of the policy: as they are
// delivered, or with every alpha and beta feature turned on. The latter is
// known since v1.33, and of roles that are not those of controllers.
type Span struct {
	Default Minors `json:"in,omitzero"`
	Gated   Minors `json:"gated,omitzero"`
}

// in reports whether a cluster of the minor has it by default.
func (s Span) in(minor int) bool { return s.Default.Has(nearest(minor)) }

// required reports whether a cluster of the minor has it whatever features are on.
func (s Span) required(minor int) bool {
	first, last := window(minor)
	for m := first; m <= last; m++ {
		if !s.in(m) {
			return false
		}
	}
	return true
}

// window is the range of minors that must all have something for it to be
// expected in a cluster of the minor: what came later may hang on a feature
// that is turned off.
func window(minor int) (first, last int) {
	if minor == 0 {
		return Oldest, Newest
	}
	return minor - 2, minor
}

// nearest is the known minor that stands for another one.
func nearest(minor int) int { return max(firstKnown, min(minor, Newest)) }

const firstKnown = 20

// Minors is a set of minor versions, written as "20-33,36".
type Minors uint64

// Has reports whether the set holds the minor.
func (m Minors) Has(minor int) bool { return m&(1<<minor) != 0 }

// Add puts a minor into the set.
func (m *Minors) Add(minor int) { *m |= 1 << minor }

// MarshalText writes the set as ranges.
func (m Minors) MarshalText() ([]byte, error) {
	var ranges []string
	for first := 0; first < 64; first++ {
		if !m.Has(first) {
			continue
		}
		last := first
		for last < 63 && m.Has(last+1) {
			last++
		}
		text := strconv.Itoa(first)
		if last > first {
			text += "-" + strconv.Itoa(last)
		}
		ranges = append(ranges, text)
		first = last
	}
	return []byte(strings.Join(ranges, ",")), nil
}

// UnmarshalText reads ranges.
func (m *Minors) UnmarshalText(text []byte) error {
	for part := range strings.SplitSeq(string(text), ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(from)
		if err != nil {
			return fmt.Errorf("reading minors %q: %w", text, err)
		}
		last, err := strconv.Atoi(to)
		if err != nil || first < 0 || last > 63 {
			return fmt.Errorf("reading minors %q: not a range", text)
		}
		for minor := first; minor <= last; minor++ {
			m.Add(minor)
		}
	}
	return nil
}

// policyFile is written by test/bootstrap.
//
//go:embed policy.json
var policyFile []byte

type key struct{ kind, namespace, name string }

var policy = sync.OnceValue(func() map[key]*Entry {
	var file struct {
		Objects []*Entry `json:"objects"`
	}
	if err := json.Unmarshal(policyFile, &file); err != nil {
		panic(err) // the file is part of the program, and tested
	}
	entries := map[key]*Entry{}
	for _, e := range file.Objects {
		entries[key{e.Kind, e.Namespace, e.Name}] = e
	}
	return entries
})

func (e *Entry) rulesIn(minor int) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, r := range e.Rules {
		if r.in(minor) {
			rules = append(rules, r.PolicyRule)
		}
	}
	return rules
}

// origin is where objects come from that no source of a scan brought.
var origin = inventory.Origin{Source: "bootstrap", Place: "made by the API server"}

func (e *Entry) subject() report.Subject {
	return report.Subject{Kind: e.Kind, APIVersion: rbacv1.SchemeGroupVersion.String(), Namespace: e.Namespace, Name: e.Name}
}

// Roles returns the roles that the API server of a minor makes at its start, as
// it writes them: of those that are aggregated, a controller fills in the rules.
func Roles(minor int) []inventory.Object[inventory.Role] {
	var roles []inventory.Object[inventory.Role]
	for _, e := range policy() {
		if e.RoleRef != nil || !e.in(minor) {
			continue
		}
		r := inventory.Role{Rules: e.rulesIn(minor), Aggregation: e.Aggregation}
		for _, to := range e.AggregateTo {
			r.Labels = map[string]string{AggregateLabel + to: "true"}
		}
		roles = append(roles, inventory.Object[inventory.Role]{Subject: e.subject(), Origin: origin, Value: r})
	}
	return sorted(roles)
}

// Bindings returns the bindings that the API server of a minor makes at its start.
func Bindings(minor int) []inventory.Object[inventory.RoleBinding] {
	var bindings []inventory.Object[inventory.RoleBinding]
	for _, e := range policy() {
		if e.RoleRef == nil || !e.in(minor) {
			continue
		}
		b := inventory.RoleBinding{RoleRef: *e.RoleRef}
		for _, s := range e.Subjects {
			if s.in(minor) {
				b.Subjects = append(b.Subjects, s.Subject)
			}
		}
		bindings = append(bindings, inventory.Object[inventory.RoleBinding]{Subject: e.subject(), Origin: origin, Value: b})
	}
	return sorted(bindings)
}

func sorted[T any](objects []inventory.Object[T]) []inventory.Object[T] {
	slices.SortFunc(objects, func(a, b inventory.Object[T]) int { return report.CompareSubjects(a.Subject, b.Subject) })
	return objects
}
