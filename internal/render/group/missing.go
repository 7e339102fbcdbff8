package group

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Missing is one thing that keeps boxes from being decided, and what would
// bring it.
type Missing struct {
	// Verdict is Unknown where evidence is missing and Manual where a person
	// has to state something.
	Verdict report.Verdict
	// NoCheck is true for boxes that this version cannot decide at all.
	NoCheck bool
	// LeftOut is true for boxes with checks that were left out on request.
	LeftOut bool
	// What names the evidence that is missing, and is empty where it has no name.
	What string
	// Why says why it is missing.
	Why string
	// How says what would bring it: a command, a flag, a right. It may be empty.
	How string
	// Items are the boxes that wait for it, in upstream order. A box may wait
	// for something else too.
	Items []*report.Item

	kinds, scopes, details set
}

// Absences lists what keeps boxes unknown, then what a person has to state,
// then the boxes whose checks were left out, then those without a check; in each, what most boxes wait for is first.
func Absences(r *report.Report) []Missing {
	c := collector{places: map[place]int{}}
	for i := range r.Items {
		if it := &r.Items[i]; it.Verdict == report.Unknown || it.Verdict == report.Manual {
			c.item(it)
		}
	}
	for i := range c.all {
		m := &c.all[i]
		m.What = what(m.kinds.names, m.scopes.names)
		if len(m.details.names) == 1 {
			m.Why = m.details.names[0]
		}
	}
	slices.SortStableFunc(c.all, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(len(b.Items), len(a.Items)))
	})
	return c.all
}

func (m *Missing) rank() int {
	switch {
	case m.NoCheck:
		return 3
	case m.LeftOut:
		return 2
	case m.Verdict == report.Manual:
		return 1
	}
	return 0
}

// place tells apart what is closed apart: for other reasons or by other acts.
type place struct {
	verdict report.Verdict
	cause   report.Cause
	act     string
}

// collector gathers what items wait for, in the order in which it is met.
type collector struct {
	all    []Missing
	places map[place]int
}

// item adds what one undecided item waits for.
func (c *collector) item(it *report.Item) {
	if len(it.Skipped) > 0 {
		m := c.wait(it, place{act: report.LeftOut})
		m.LeftOut, m.Why, m.How = true, report.LeftOut, "scan without --skip and --checks"
		m.Verdict = report.Unknown
	} else if len(it.Checks) == 0 {
		m := c.wait(it, place{act: it.Reason})
		m.NoCheck, m.Why = true, it.Reason
	}
	for _, check := range deciding(it) {
		if it.Verdict == report.Unknown && len(check.Gaps) > 0 {
			// Subjects that could not be judged follow from the gaps.
			for _, g := range check.Gaps {
				c.gap(it, g)
			}
			continue
		}
		for _, p := range patterns(check.Findings, it.Verdict) {
			remedy := p.Findings[0].Remedy
			m := c.wait(it, place{verdict: it.Verdict, act: cmp.Or(remedy, p.Message)})
			m.Why, m.How = p.Message, remedy
		}
	}
}

func (c *collector) gap(it *report.Item, g report.Gap) {
	if g.Cause == report.Unsupported {
		// Nobody can close it: one line says for which kinds.
		m := c.wait(it, place{it.Verdict, g.Cause, ""})
		m.Why = because(g.Cause)
		m.kinds.add(kind(g.Kind))
		return
	}
	m := c.wait(it, place{it.Verdict, g.Cause, cmp.Or(g.How, string(g.Kind))})
	m.Why, m.How = because(g.Cause), g.How
	m.kinds.add(kind(g.Kind))
	m.scopes.add(g.Scope)
	m.details.add(g.Detail)
}

// wait records that an item waits for what is in its place.
func (c *collector) wait(it *report.Item, p place) *Missing {
	n, ok := c.places[p]
	if !ok {
		n = len(c.all)
		c.places[p] = n
		c.all = append(c.all, Missing{Verdict: it.Verdict})
	}
	m := &c.all[n]
	if len(m.Items) == 0 || m.Items[len(m.Items)-1] != it {
		m.Items = append(m.Items, it)
	}
	return m
}

// deciding are the checks that gave the item its verdict.
func deciding(it *report.Item) []report.CheckResult {
	var out, informative []report.CheckResult
	for _, c := range it.Checks {
		switch {
		case c.Verdict != it.Verdict:
		case c.Severity == report.Info:
			informative = append(informative, c)
		default:
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return informative
	}
	return out
}

// set is a list of different names, in the order in which they came.
type set struct {
	names []string
	has   map[string]bool
}

func (s *set) add(name string) {
	if name == "" || s.has[name] {
		return
	}
	if s.has == nil {
		s.has = map[string]bool{}
	}
	s.has[name] = true
	s.names = append(s.names, name)
}

// kind says a kind's id in the words that people use: "Deployment" for
// "apps/v1/Deployment", "node facts" for "node/facts".
func kind(k report.KindID) string {
	id := string(k)
	last := id[strings.LastIndexByte(id, '/')+1:]
	switch {
	case id == "*":
		return "anything"
	case last == "" || 'a' <= last[0] && last[0] <= 'z':
		return strings.ReplaceAll(id, "/", " ")
	}
	return last
}

// what names kinds and scopes, a few of each.
func what(kinds, scopes []string) string {
	s := Some(kinds, 3)
	if len(scopes) > 0 {
		s += " in " + Some(scopes, 3)
	}
	return s
}

// Some joins names, at most a number of them.
func Some(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most-1], ", "), len(names)-most+1)
}

// Boxes names the boxes that wait, or counts them where they are many.
func (m *Missing) Boxes() string {
	if len(m.Items) > 3 {
		return Noun(len(m.Items), "box")
	}
	var numbers []string
	for _, it := range m.Items {
		numbers = append(numbers, it.Number)
	}
	return strings.Join(numbers, " ")
}

// Reason says in one clause what is missing and why.
func (m *Missing) Reason() string {
	if m.What == "" {
		return m.Why
	}
	return m.What + ": " + m.Why
}

// because says in words why evidence is missing.
func because(c report.Cause) string {
	switch c {
	case report.NotCollected:
		return "not collected"
	case report.NotGiven:
		return "not in the input"
	case report.Forbidden:
		return "forbidden for this identity"
	case report.NotServed:
		return "not served by this cluster"
	case report.Unreadable:
		return "could not be read"
	case report.Truncated:
		return "read in part only"
	case report.TimedOut:
		return "no answer in time"
	case report.Failed:
		return "the server answered with an error"
	case report.Conflict:
		return "two sources disagree"
	case report.Unsupported:
		return "this version cannot read them yet"
	case report.CheckPanicked:
		return "a defect of plimsoll"
	}
	return string(c)
}
