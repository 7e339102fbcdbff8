package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/waiver"
)

// Parse reads a configuration. name is the file, for messages. What is wrong is
// returned as [Problems], all at once.
func Parse(name string, data []byte, known Known) (*Config, error) {
	r := &reader{file: name, known: namesOf(known)}
	root, ok := r.parse(data)
	if !ok {
		return nil, r.err()
	}
	var doc document
	r.value(root, reflect.ValueOf(&doc).Elem(), place{line: 1}, field{})
	c := r.build(&doc)
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// build makes the configuration, noting what is wrong between keys that are
// each right. Keys with mistakes are there as if they were not given.
func (r *reader) build(d *document) *Config {
	c := &Config{AnnotationWaivers: d.Annotations.Waivers.value != "forbid", place: r.file}
	for _, w := range d.Waivers {
		c.Waivers = append(c.Waivers, r.waiver(w))
	}
	for _, a := range d.Attestations {
		if a.Date.given() && a.Expires.given() && a.Expires.time.Before(a.Date.time) {
			r.problem(a.Expires.place, "is before the date, %s", a.Date.time.Format(time.DateOnly))
		}
		c.Attestations = append(c.Attestations, waiver.Attestation{
			At: r.at(a.place), Rule: a.Item.value, Statement: a.Statement.value, By: a.By.value, Date: a.Date.time, Expires: a.Expires.time,
		})
	}
	declared := map[string]int{}
	for _, t := range d.Tiers {
		if line, twice := declared[t.Name.value]; twice && t.Name.given() {
			r.problem(t.Name.place, "tier %s is there twice, first on line %d", quote(t.Name.value), line)
		}
		declared[t.Name.value] = t.Name.line
		c.Tiers = append(c.Tiers, r.tier(t))
	}
	for _, a := range d.AllowedSubjects {
		switch account := a.Kind.value == "ServiceAccount"; {
		case account && !a.says("namespace"):
			r.problem(a.place, `key "namespace" is missing: a ServiceAccount is in one, "*" for any`)
		case !account && a.Kind.given() && a.Namespace.given():
			r.problem(a.Namespace.place, "a %s is in no namespace: delete the key", a.Kind.value)
		}
		c.AllowedSubjects = append(c.AllowedSubjects, inventory.AllowedSubject{
			Checks: r.covered(rules(a.Rules)), Kind: a.Kind.value, Name: a.Name.value, Namespace: a.Namespace.value,
		})
	}
	for _, x := range d.Exclude {
		c.Exclude = append(c.Exclude, x.value)
	}
	return c
}

func (r *reader) at(p place) string { return fmt.Sprintf("%s:%d", r.file, p.line) }

// covered lists the items and checks that any of the rules covers.
func (r *reader) covered(rules []string) []string {
	var ids []string
	for _, id := range r.known.ids {
		if slices.ContainsFunc(rules, func(rule string) bool { return waiver.Covers(rule, id) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

func rules(rs []rule) []string {
	var out []string
	for _, x := range rs {
		out = append(out, x.value)
	}
	return out
}

func (r *reader) waiver(e waiverEntry) waiver.Waiver {
	w := waiver.Waiver{At: r.at(e.place), Rules: rules(e.Rules), Reason: e.Reason.value, Owner: e.Owner.value, Until: e.Until.time}
	for _, c := range e.Controls {
		w.Controls = append(w.Controls, c.value)
	}
	for _, s := range e.Subjects {
		if s.given() && len(s.keys) == 0 {
			r.problem(s.place, "says nothing: give at least one of its keys")
		}
		w.Subjects = append(w.Subjects, waiver.Subject{
			Kind: s.Kind.value, Namespace: s.Namespace.value, Name: s.Name.value, Part: s.Part.value, Labels: s.Labels.selector,
		})
	}
	switch {
	case e.Everywhere.given() && !e.Everywhere.value:
		r.problem(e.Everywhere.place, "must be true, or left out")
	case e.Everywhere.given() && e.says("subjects"):
		r.problem(e.Everywhere.place, "contradicts subjects: delete one of the two")
	case e.given() && !e.says("subjects", "everywhere"):
		r.problem(e.place, `key "subjects" is missing: say which, or "everywhere: true" for all`)
	}
	return w
}

// sensitive is the name of the tier that is sensitive by its name.
const sensitive = "sensitive"

func (r *reader) tier(t tier) inventory.Tier {
	out := inventory.Tier{Name: t.Name.value, Sensitive: t.Sensitive.value || t.Name.value == sensitive}
	if t.Name.value == sensitive && t.Sensitive.given() && !t.Sensitive.value {
		r.problem(t.Sensitive.place, "a tier of the name %q is sensitive: rename it, or delete this key", sensitive)
	}
	for _, g := range t.Namespaces {
		out.Namespaces = append(out.Namespaces, g.value)
	}
	if t.given() && !t.says("namespaces", "selector") {
		r.problem(t.place, `says nothing of its workloads: give namespaces (["*"] for all) or a selector`)
	}
	if t.Selector.given() {
		out.Selector = r.selector(t.Selector)
	}
	return out
}

func (r *reader) selector(s selector) *metav1.LabelSelector {
	sel := &metav1.LabelSelector{}
	for _, key := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		metav1.AddLabelToSelector(sel, key, s.MatchLabels[key].value)
	}
	for _, e := range s.Expressions {
		q := metav1.LabelSelectorRequirement{Key: e.Key.value, Operator: metav1.LabelSelectorOperator(e.Operator.value)}
		for _, v := range e.Values {
			q.Values = append(q.Values, v.value)
		}
		if !e.Key.given() || !e.Operator.given() {
			return sel // reported already
		}
		sel.MatchExpressions = append(sel.MatchExpressions, q)
	}
	parsed, err := metav1.LabelSelectorAsSelector(sel)
	switch {
	case err != nil:
		r.problem(s.place, "is not a label selector: %v", err)
	case parsed.Empty():
		r.problem(s.place, "selects everything: give matchLabels or matchExpressions")
	}
	return sel
}
