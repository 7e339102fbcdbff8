package group

import (
	"cmp"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Namespace is one with findings, and their number.
type Namespace struct {
	Name     string
	Findings int
}

// Namespaces counts findings by namespace, most first. A finding about a
// Namespace counts for it; one about what is in none is left out.
func Namespaces(findings []*report.Finding) []Namespace {
	counts := map[string]int{}
	for _, f := range findings {
		if name := namespace(f.Subject); name != "" {
			counts[name]++
		}
	}
	out := make([]Namespace, 0, len(counts))
	for name, n := range counts {
		out = append(out, Namespace{name, n})
	}
	slices.SortFunc(out, func(a, b Namespace) int {
		return cmp.Or(cmp.Compare(b.Findings, a.Findings), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func namespace(s report.Subject) string {
	if s.Kind == "Namespace" {
		return s.Name
	}
	return s.Namespace
}

// All lists the failing findings of the check.
func (f *Failure) All() []*report.Finding {
	var all []*report.Finding
	for _, p := range f.Patterns {
		all = append(all, p.Findings...)
	}
	return all
}

// Worst counts the findings of failures by namespace, most first. What is only
// informative does not count.
func Worst(failures []Failure) []Namespace {
	var all []*report.Finding
	for i := range failures {
		if f := &failures[i]; f.Check.Severity != report.Info {
			all = append(all, f.All()...)
		}
	}
	return Namespaces(all)
}
