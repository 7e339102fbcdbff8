package group

import (
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Waived is the number of findings of a box that a person has accepted.
func Waived(it *report.Item) int {
	n := 0
	for i := range it.Checks {
		for j := range it.Checks[i].Findings {
			if it.Checks[i].Findings[j].Waived != nil {
				n++
			}
		}
	}
	return n
}

// ByWaiver is the number of boxes that hold although findings in them fail,
// because those were accepted.
func ByWaiver(r *report.Report) int {
	n := 0
	for i := range r.Items {
		if it := &r.Items[i]; !it.Companion && it.Verdict == report.Pass && Waived(it) > 0 {
			n++
		}
	}
	return n
}

// Accepted is what one person stated about findings of one check.
type Accepted struct {
	// Type is "waived" or "attested".
	Type  string
	Item  *report.Item
	Check *report.CheckResult
	// Reason is why it is accepted, or what is stated.
	Reason string
	// By may be empty. Until is the last day, YYYY-MM-DD.
	By, Until string
	Findings  []*report.Finding
}

// Acceptances lists everything that counts because a person said so, in the
// order of the checklist.
func Acceptances(r *report.Report) []Accepted {
	type statement struct {
		check        *report.CheckResult
		what, reason string
		by, until    string
	}
	var out []Accepted
	at := map[statement]int{}
	for i := range r.Items {
		it := &r.Items[i]
		for j := range it.Checks {
			c := &it.Checks[j]
			for k := range c.Findings {
				f := &c.Findings[k]
				var s statement
				switch {
				case f.Waived != nil:
					s = statement{c, "waived", f.Waived.Reason, f.Waived.By, f.Waived.Until}
				case f.Attested != nil:
					s = statement{c, "attested", f.Attested.Statement, f.Attested.By, f.Attested.Until}
				default:
					continue
				}
				n, ok := at[s]
				if !ok {
					n = len(out)
					at[s] = n
					out = append(out, Accepted{Type: s.what, Item: it, Check: c, Reason: s.reason, By: s.by, Until: s.until})
				}
				out[n].Findings = append(out[n].Findings, f)
			}
		}
	}
	return out
}

// Who says by whom and until when.
func (a *Accepted) Who() string {
	var parts []string
	if a.By != "" {
		parts = append(parts, "by "+a.By)
	}
	if a.Until != "" {
		parts = append(parts, "until "+a.Until)
	}
	return strings.Join(parts, ", ")
}
