package waiver

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// The states of a [report.Statement].
const (
	used    = "used"
	unused  = "unused"
	expired = "expired"
	refused = "refused"
)

// Apply brings waivers and attestations to a report and concludes it anew. It
// undoes what an earlier Apply did, so that the report always shows exactly
// what was stated this time; applying the same twice changes nothing.
//
// A waiver covers findings that fail, an attestation those that are manual; gaps
// and what is unknown nobody can accept. Where two cover the same finding, the
// one that ends last is named and both count it. What has ended has no effect.
// r.Statements holds one statement for each, in the given order.
//
// labelsOf returns the labels of a subject's object: nil where they are not
// known, an empty map where it has none; a nil func knows none. today is the day
// of the evidence, [report.Scan.Observed], never that of the clock.
func Apply(r *report.Report, ws []Waiver, as []Attestation, labelsOf func(report.Subject) map[string]string, today time.Time) {
	if labelsOf == nil {
		labelsOf = func(report.Subject) map[string]string { return nil }
	}
	today = today.UTC().Truncate(24 * time.Hour)
	waived, attested := make([]tally, len(ws)), make([]tally, len(as))
	byObject, others := index(ws)
	for i := range r.Items {
		for j := range r.Items[i].Checks {
			c := &r.Items[i].Checks[j]
			undo(c)
			waive(c, ws, byObject, others, waived, labelsOf, today)
			attest(c, as, attested, today)
		}
	}
	r.Statements = nil
	for i := range ws {
		r.Statements = append(r.Statements, ws[i].statement(waived[i], r, today))
	}
	for i := range as {
		r.Statements = append(r.Statements, as[i].statement(attested[i], r, today))
	}
	r.Conclude()
}

// object is a Kubernetes object without its API version and parts.
type object struct{ group, kind, namespace, name string }

func objectOf(s report.Subject) object {
	group, _, ok := strings.Cut(s.APIVersion, "/")
	if !ok {
		group = "" // the core group
	}
	return object{group, s.Kind, s.Namespace, s.Name}
}

// index finds waivers by the one object that they are limited to, since
// annotations may be as many as objects, and apart from them the others.
func index(ws []Waiver) (byObject map[object][]int, others []int) {
	byObject = map[object][]int{}
	for i, w := range ws {
		if w.Object == nil {
			others = append(others, i)
			continue
		}
		o := objectOf(*w.Object)
		byObject[o] = append(byObject[o], i)
	}
	return byObject, others
}

// tally is what a statement was found to speak of.
type tally struct {
	checks int
	// covered counts the findings that it can answer, unknown those that
	// nobody can, other the rest.
	covered, unknown, other int
}

// count adds a finding, and says whether the statement answers it.
func (t *tally) count(f *report.Finding, answers report.Verdict) bool {
	switch f.Verdict {
	case answers:
		t.covered++
		return true
	case report.Unknown:
		t.unknown++
	default:
		t.other++
	}
	return false
}

func undo(c *report.CheckResult) {
	for i := range c.Findings {
		f := &c.Findings[i]
		f.Waived = nil
		if f.Attested != nil {
			f.Attested, f.Verdict = nil, report.Manual
		}
	}
}

func waive(c *report.CheckResult, ws []Waiver, byObject map[object][]int, others []int, tallies []tally, labelsOf func(report.Subject) map[string]string, today time.Time) {
	named := make([]bool, len(ws))
	for i := range ws {
		named[i] = ws[i].Refused == "" && slices.ContainsFunc(ws[i].Rules, func(rule string) bool { return Covers(rule, c.ID) })
		if named[i] {
			tallies[i].checks++
		}
	}
	for j := range c.Findings {
		f := &c.Findings[j]
		var last *Waiver
		for _, candidates := range [][]int{others, byObject[objectOf(f.Subject)]} {
			for _, i := range candidates {
				w := &ws[i]
				if !named[i] || !w.covers(f, labelsOf) || !tallies[i].count(f, report.Fail) || today.After(w.Until) {
					continue
				}
				if last == nil || w.compare(last) < 0 {
					last = w
				}
			}
		}
		if last != nil {
			f.Waived = &report.Waived{Reason: last.Reason, By: last.Owner, Until: last.Until.Format(time.DateOnly)}
		}
	}
}

func attest(c *report.CheckResult, as []Attestation, tallies []tally, today time.Time) {
	last := make([]*Attestation, len(c.Findings))
	for i := range as {
		a := &as[i]
		if !Covers(a.Rule, c.ID) {
			continue
		}
		tallies[i].checks++
		for j := range c.Findings {
			if !tallies[i].count(&c.Findings[j], report.Manual) || today.After(a.Expires) || a.early(today) {
				continue
			}
			if last[j] == nil || a.compare(last[j]) < 0 {
				last[j] = a
			}
		}
	}
	for j, a := range last {
		if a != nil {
			f := &c.Findings[j]
			f.Verdict = report.Pass
			f.Attested = &report.Attestation{Statement: a.Statement, By: a.By, Until: a.Expires.Format(time.DateOnly)}
		}
	}
}

func (w *Waiver) statement(t tally, r *report.Report, today time.Time) report.Statement {
	s := report.Statement{Type: "waiver", At: w.At, Detail: w.String()}
	switch {
	case w.Refused != "":
		s.State, s.Message = refused, w.Refused
	case today.After(w.Until):
		s.State = expired
		s.Message = fmt.Sprintf("it ended on %s; failing findings that count again: %d", w.Until.Format(time.DateOnly), t.covered)
	case t.covered > 0:
		s.State, s.Matched = used, t.covered
	default:
		s.State, s.Message = unused, t.idle(w.Rules, r, "failing")
	}
	return s
}

func (a *Attestation) statement(t tally, r *report.Report, today time.Time) report.Statement {
	s := report.Statement{Type: "attestation", At: a.At, Detail: a.String()}
	switch {
	case a.early(today):
		s.State = refused
		s.Message = fmt.Sprintf("it is dated %s, after the evidence of %s", a.Date.Format(time.DateOnly), today.Format(time.DateOnly))
	case today.After(a.Expires):
		s.State = expired
		s.Message = fmt.Sprintf("it ended on %s; manual findings that are open again: %d", a.Expires.Format(time.DateOnly), t.covered)
	case t.covered > 0:
		s.State, s.Matched = used, t.covered
	default:
		s.State, s.Message = unused, t.idle([]string{a.Rule}, r, "manual")
	}
	return s
}

// early says whether the statement was made after the evidence was taken: it
// may have answered for something else. A day of grace, because the day has
// begun elsewhere when UTC has the day before.
func (a *Attestation) early(today time.Time) bool { return a.Date.After(today.AddDate(0, 0, 1)) }

// idle says why a statement matches nothing.
func (t tally) idle(rules []string, r *report.Report, wanted string) string {
	named := func(id string) bool {
		return slices.ContainsFunc(rules, func(rule string) bool { return Covers(rule, id) })
	}
	switch {
	case t.unknown > 0:
		return fmt.Sprintf("it matches only what is unknown, which nobody can accept; findings that lack evidence: %d", t.unknown)
	case t.other > 0:
		return fmt.Sprintf("it matches no %s finding, only others", wanted)
	case t.checks > 0:
		return fmt.Sprintf("no %s finding matches it", wanted)
	case slices.ContainsFunc(r.Scan.Skipped, named):
		return "its checks were left out of this scan"
	case slices.ContainsFunc(r.Items, func(it report.Item) bool { return named(it.ID) }):
		return "no check of that item took part in this scan"
	}
	return "no item or check has that name"
}
