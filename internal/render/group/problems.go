package group

import (
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Problem is something wrong with the input, and the boxes that it leaves open.
type Problem struct {
	report.Problem
	// Items are unknown for want of what could not be read. It is empty where
	// the problem bears on no verdict, as for a key that is there twice.
	Items []*report.Item
}

// Problems lists what is wrong with the input, that which leaves boxes open first.
func Problems(r *report.Report) []Problem {
	open := map[string][]*report.Item{}
	for i := range r.Items {
		it := &r.Items[i]
		if it.Verdict != report.Unknown {
			continue
		}
		for _, c := range deciding(it) {
			for _, g := range c.Gaps {
				if waiting := open[g.Detail]; len(waiting) == 0 || waiting[len(waiting)-1] != it {
					open[g.Detail] = append(waiting, it)
				}
			}
		}
	}
	var holding, others []Problem
	for _, s := range r.Scan.Sources {
		for _, p := range s.Problems {
			// The gap of a file says where and what; that of a request says
			// what, after its cause.
			items := open[p.At+": "+p.Message]
			if _, detail, ok := strings.Cut(p.Message, ": "); ok && items == nil {
				items = open[detail]
			}
			if len(items) > 0 {
				holding = append(holding, Problem{p, items})
			} else {
				others = append(others, Problem{p, nil})
			}
		}
	}
	return append(holding, others...)
}

// Effect says which boxes the problem leaves open, if any.
func (p *Problem) Effect() string {
	switch n := len(p.Items); {
	case n == 0:
		return ""
	case n > 3:
		return "leaves " + Noun(n, "box") + " open"
	}
	var numbers []string
	for _, it := range p.Items {
		numbers = append(numbers, it.Number)
	}
	return "leaves " + strings.Join(numbers, " ") + " open"
}
