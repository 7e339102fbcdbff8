package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Verdict is the answer for a subject, a check or an item. The zero value is
// not a verdict and folds as Unknown.
type Verdict string

// The verdicts.
const (
	Fail          Verdict = "fail"           // a violation was observed
	Unknown       Verdict = "unknown"        // no violation seen, evidence missing: never a pass
	Manual        Verdict = "manual"         // a person has to state something
	Pass          Verdict = "pass"           // complete evidence, no violation
	NotApplicable Verdict = "not-applicable" // complete evidence, the precondition is absent
)

// Verdicts lists the verdicts in the order in which they win a fold.
var Verdicts = []Verdict{Fail, Unknown, Manual, Pass, NotApplicable}

// Fold combines verdicts: one failure decides, and a pass never hides an
// unknown. What is not a verdict counts as Unknown; no verdicts at all are
// NotApplicable.
func Fold(vs ...Verdict) Verdict {
	worst := len(Verdicts) - 1
	for _, v := range vs {
		i := slices.Index(Verdicts, v)
		if i < 0 {
			i = slices.Index(Verdicts, Unknown)
		}
		worst = min(worst, i)
	}
	return Verdicts[worst]
}

// Basis is what a pass rests on.
type Basis string

// The bases, strongest first.
const (
	Proved   Basis = "proved"   // the running system was tested
	Observed Basis = "observed" // configuration or objects were read
	Attested Basis = "attested" // a person said so
)

var bases = []Basis{Proved, Observed, Attested}

// Conclude applies the law of verdicts to the findings and gaps of one check
// and sets Verdict, Basis and Reason.
//
// Every subject must pass: one failing subject decides, and a pass needs
// complete evidence. Where one passing subject is enough (Any), the same law is
// mirrored: one passing subject decides, and a failure needs complete
// evidence. Waived findings do not count as failures, and a pass that rests on
// what a person attested says so.
func (c *CheckResult) Conclude() {
	// folded carries the verdicts of all subjects, a waived one as its own pass.
	folded := NotApplicable
	failing, unknown, manual, attested := map[Subject]bool{}, 0, 0, 0
	var firstUnknown, firstManual string
	for _, f := range c.Findings {
		if f.Waived != nil {
			folded = Fold(folded, Pass)
			continue
		}
		folded = Fold(folded, f.Verdict)
		if f.Attested != nil && f.Verdict == Pass {
			attested++
		}
		switch f.Verdict {
		case Fail:
			failing[f.Subject] = true
		case Manual:
			manual++
			firstManual = cmp.Or(firstManual, f.Message)
		case Unknown:
			unknown++
			firstUnknown = cmp.Or(firstUnknown, f.Message)
		}
	}
	if c.Passed > 0 {
		folded = Fold(folded, Pass)
	}
	switch {
	case c.Any && (c.Passed+attested > 0 || folded == Pass):
		c.Verdict = Pass
	case c.Any && len(c.Gaps) > 0, c.Any && unknown > 0:
		c.Verdict = Unknown
	case c.Any && c.Examined == 0:
		c.Verdict = Fail
	case len(c.Gaps) > 0:
		c.Verdict = Fold(folded, Unknown)
	default:
		c.Verdict = folded
	}

	if c.Basis == "" {
		c.Basis = Observed
	}
	switch c.Verdict {
	case Fail:
		c.Basis = ""
		c.Reason = fmt.Sprintf("%d of %s", len(failing), Plural(c.Examined, c.Noun))
		if c.Any {
			c.Reason = "none found among " + Plural(c.Examined, c.Noun)
		}
	case Unknown:
		c.Basis = ""
		switch {
		case len(c.Gaps) > 0:
			g := c.Gaps[0]
			c.Reason = g.String()
			if more := len(c.Gaps) - 1; more > 0 {
				c.Reason += fmt.Sprintf(" (and %s)", Plural(more, "more gap"))
			}
		case unknown > 1:
			c.Reason = fmt.Sprintf("%d of %s cannot be told, such as: %s", unknown, Plural(c.Examined, c.Noun), firstUnknown)
		default:
			c.Reason = firstUnknown
		}
	case Manual:
		c.Basis = ""
		c.Reason = firstManual
	case Pass:
		c.Reason = "all of " + Plural(c.Examined, c.Noun)
		if c.Any {
			c.Reason = Plural(c.Passed, c.Noun)
		}
		if w := c.waived(); w > 0 {
			c.Reason = fmt.Sprintf("%d of %s, %s waived", c.Passed, Plural(c.Examined, c.Noun), Plural(w, "finding"))
		}
		if attested > 0 && !(c.Any && c.Passed > 0) { // there, what was observed decides
			c.Basis = Attested
			c.Reason += fmt.Sprintf(", %d attested", attested)
		}
	case NotApplicable:
		c.Basis = ""
		c.Reason = "no " + c.Noun + " to judge"
	}
}

func (c *CheckResult) waived() int {
	n := 0
	for _, f := range c.Findings {
		if f.Waived != nil {
			n++
		}
	}
	return n
}

// String says what is missing and why, in one line.
func (g Gap) String() string {
	var b strings.Builder
	b.WriteString(string(g.Kind))
	if g.Scope != "" {
		b.WriteString(" in " + g.Scope)
	}
	b.WriteString(": " + string(g.Cause))
	if g.Detail != "" {
		b.WriteString(" (" + g.Detail + ")")
	}
	return b.String()
}

// NotImplemented is the reason of a box that has no check yet.
const NotImplemented = "not implemented yet"

// LeftOut is the reason of a box whose checks were left out on request.
const LeftOut = "left out of this scan"

// Conclude folds the checks of an item: fail, unknown, manual, pass,
// not-applicable. A check of severity Info says its part and never decides,
// unless the item has no other.
func (it *Item) Conclude() {
	it.Basis, it.Reason = "", ""
	if len(it.Checks) == 0 {
		it.Verdict, it.Reason = Unknown, NotImplemented
		if len(it.Skipped) > 0 {
			it.Reason = LeftOut
		}
		return
	}
	deciding := make([]*CheckResult, 0, len(it.Checks))
	for i := range it.Checks {
		it.Checks[i].Conclude()
		if it.Checks[i].Severity != Info {
			deciding = append(deciding, &it.Checks[i])
		}
	}
	if len(deciding) == 0 {
		for i := range it.Checks {
			deciding = append(deciding, &it.Checks[i])
		}
	}
	it.Verdict = NotApplicable
	for _, c := range deciding {
		it.Verdict = Fold(it.Verdict, c.Verdict)
	}
	weakest := 0
	var reasons []string
	for _, c := range deciding {
		if c.Verdict != it.Verdict {
			continue
		}
		weakest = max(weakest, slices.Index(bases, c.Basis))
		reason := c.Reason
		if it.Verdict == Fail {
			reason = c.ID[len(it.ID):] + ": " + reason
			reason = strings.TrimPrefix(strings.TrimPrefix(reason, "/"), ": ")
		}
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	it.Reason = strings.Join(reasons, "; ")
	switch {
	case it.Verdict != Pass && it.Verdict != NotApplicable:
	case len(it.Skipped) > 0:
		it.Verdict = Unknown
		it.Reason = Plural(len(it.Skipped), "check") + " left out of this scan; the others: " + it.Reason
	case it.Verdict == Pass:
		it.Basis = bases[weakest]
	}
}

// Conclude applies the law to every item and counts the summary anew. It is
// called when the findings are complete, and again when waivers were applied.
func (r *Report) Conclude() {
	r.Summary = Summary{Items: map[Verdict]int{}, Companion: map[Verdict]int{}, Findings: map[Severity]int{}}
	for _, v := range Verdicts {
		r.Summary.Items[v], r.Summary.Companion[v] = 0, 0
	}
	for _, s := range Severities {
		r.Summary.Findings[s] = 0
	}
	for i := range r.Items {
		it := &r.Items[i]
		it.Conclude()
		if it.Companion {
			r.Summary.Companion[it.Verdict]++
		} else {
			r.Summary.Items[it.Verdict]++
		}
		for _, c := range it.Checks {
			r.Summary.Waived += c.waived()
			for _, f := range c.Findings {
				if c.Verdict == Fail && f.Verdict == Fail && f.Waived == nil {
					r.Summary.Findings[c.Severity]++
				}
			}
		}
	}
}
