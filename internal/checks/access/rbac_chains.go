package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// chain writes the steps of a path in one line.
func chain(steps []escalation.Step) string {
	var parts []string
	for _, s := range steps {
		part := s.Text
		if subject, ok := s.To.Subject(); ok {
			part += fmt.Sprintf(" (%q)", subject)
		} else if s.To.Namespace != "" {
			part += fmt.Sprintf(" (%q)", "namespace "+s.To.Namespace)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " → ")
}

func rulesOf(steps []escalation.Step) string {
	var ids []string
	for _, s := range steps {
		ids = append(ids, s.Rule)
	}
	return strings.Join(ids, " ")
}

// trail quotes, for each right that a step takes, the binding, and the rule
// where somebody wrote it.
func (v *review) trail(steps []escalation.Step) []report.Evidence {
	var evidence []report.Evidence
	for _, s := range steps {
		for _, a := range s.By {
			evidence = append(evidence, a.Binding.Evidence("subjects", a.Subject.String(), ""))
			if v.OwnRule(a) {
				evidence = append(evidence, cause.RuleEvidence(a.Rule))
			}
		}
	}
	return evidence
}

// way is a path that a subject takes, and others like it.
type way struct {
	subject access.Subject
	steps   []escalation.Step
	more    int
}

// pathTable shows the shortest ways first, as many as fit.
func pathTable(ways map[string]*way) *report.Table {
	const shown = 10
	sorted := slices.SortedFunc(maps.Values(ways), func(a, b *way) int {
		return cmp.Or(cmp.Compare(len(a.steps), len(b.steps)), cmp.Compare(rulesOf(a.steps), rulesOf(b.steps)))
	})
	t := &report.Table{Title: "Shortest ways to cluster-admin", Columns: []string{"subjects", "way"}, Left: max(0, len(sorted)-shown)}
	for _, w := range sorted[:len(sorted)-t.Left] {
		name := w.subject.String()
		if w.more > 0 {
			name += fmt.Sprintf(" and %d more", w.more)
		}
		t.Rows = append(t.Rows, []string{name, chain(w.steps)})
	}
	return t
}
