// Package group arranges a report for people: failures that call for one
// action stand together, gaps that one act would close stand together, and
// text that came from a cluster or a file is made safe to show. Every renderer
// for people shares it.
package group

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Verdicts lists the verdicts in the order in which they are counted out to a
// reader.
var Verdicts = []report.Verdict{report.Pass, report.Fail, report.Unknown, report.Manual, report.NotApplicable}

// Companions is the number of items outside of the boxes.
func Companions(r *report.Report) int {
	n := 0
	for i := range r.Items {
		if r.Items[i].Companion {
			n++
		}
	}
	return n
}

// Proved is the number of boxes that hold because the running system was
// tested.
func Proved(r *report.Report) int {
	n := 0
	for _, it := range r.Items {
		if !it.Companion && it.Verdict == report.Pass && it.Basis == report.Proved {
			n++
		}
	}
	return n
}

// Failure is one failing check with its failing findings, arranged by what was
// observed.
type Failure struct {
	Item  *report.Item
	Check *report.CheckResult
	// Patterns holds the findings that are not waived, most frequent first. It
	// is empty where nothing of what was wanted exists at all.
	Patterns []Pattern
	// Findings is the number of findings in all patterns.
	Findings int
}

// Pattern is a set of findings that say the same of different subjects.
type Pattern struct {
	// Message is what they say. Where they differ in quoted values and counts
	// only, each of those is an ellipsis.
	Message  string
	Findings []*report.Finding
}

// Failures groups the failing findings of failing checks, worst severity
// first, then in the order of the checklist. Waived findings and failing
// witnesses of a check that holds all the same are not failures.
func Failures(r *report.Report) []Failure {
	var out []Failure
	for i := range r.Items {
		it := &r.Items[i]
		for j := range it.Checks {
			c := &it.Checks[j]
			if c.Verdict != report.Fail {
				continue
			}
			f := Failure{Item: it, Check: c, Patterns: patterns(c.Findings, report.Fail)}
			for _, p := range f.Patterns {
				f.Findings += len(p.Findings)
			}
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b Failure) int { return cmp.Compare(a.Check.Severity.Rank(), b.Check.Severity.Rank()) })
	return out
}

// Remedy is what to change, if that is the same for every finding.
func (f *Failure) Remedy() (remedy string, shared bool) {
	for i, p := range f.Patterns {
		for j, finding := range p.Findings {
			if i+j > 0 && finding.Remedy != remedy {
				return "", false
			}
			remedy = finding.Remedy
		}
	}
	return remedy, remedy != ""
}

// Claim is the title of the check with how much of what was examined violates
// it, so that a title that is true when the check passes is not read as such.
func (f *Failure) Claim() string {
	verb := " violate: "
	switch {
	case f.Check.Any:
		verb = ": "
	case f.subjects() == 1:
		verb = " violates: "
	}
	return f.Check.Reason + verb + f.Check.Title
}

// subjects is the number of subjects that fail.
func (f *Failure) subjects() int {
	all := map[report.Subject]bool{}
	for _, p := range f.Patterns {
		for _, finding := range p.Findings {
			all[finding.Subject] = true
		}
	}
	return len(all)
}

// patterns arranges the findings with a verdict that are not waived.
func patterns(findings []report.Finding, v report.Verdict) []Pattern {
	var out []Pattern
	at := map[string]int{}
	for i := range findings {
		f := &findings[i]
		if f.Verdict != v || f.Waived != nil {
			continue
		}
		said := shape(f.Message)
		key := plurals.ReplaceAllString(strings.ReplaceAll(said, "s …", " …"), "$1") // one value or several
		n, ok := at[key]
		if !ok {
			n = len(out)
			at[key] = n
			out = append(out, Pattern{Message: f.Message})
		}
		p := &out[n]
		if p.Message != f.Message && !strings.Contains(p.Message, "…") {
			p.Message = said
		}
		p.Findings = append(p.Findings, f)
	}
	slices.SortStableFunc(out, func(a, b Pattern) int { return cmp.Compare(len(b.Findings), len(a.Findings)) })
	return out
}

// quoted matches a quoted value or a list of them, as the messages of checks
// write the names and values that they saw.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(?:(?:, | and |, and )"(?:[^"\\]|\\.)*")*`)

// counts matches the number of something, plurals the noun after it.
var (
	counts  = regexp.MustCompile(`(^|[ (])\d+ `)
	plurals = regexp.MustCompile(`(… [a-z]+)s\b`)
)

// shape is the message without the values that it quotes and the numbers that
// it counts.
func shape(message string) string {
	if strings.Contains(message, `"`) {
		message = quoted.ReplaceAllLiteralString(message, "…")
	}
	return counts.ReplaceAllString(message, "$1… ")
}
