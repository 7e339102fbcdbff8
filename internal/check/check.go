// Package check is the contract between checks and the engine: what a check
// is, and how it says what it saw. The verdict is not its business; the law is
// in [report.CheckResult.Conclude].
package check

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Check is a logically constant value.
type Check struct {
	// ID is permanent: "network/default-deny/ingress". It starts with the
	// item's ID and is also the waiver key, the docs path and the testdata folder.
	ID string
	// Item is the box that the check helps to decide.
	Item *checklist.Item
	// Title is a sentence that is true when the check passes.
	Title string
	// Noun names one examined subject: "workload", "namespace".
	Noun string
	// Why and Remediation are Markdown; the documentation is generated from them.
	Why, Remediation string
	Severity         report.Severity
	// Refs point to the same rule elsewhere.
	Refs []report.Reference
	// Any means that one passing subject is enough. By default every subject
	// must pass.
	Any bool
	// Needs lists all evidence that Run reads.
	Needs []inventory.Need
	// Run is pure: it reads the Eval and reports to it. Every examined subject
	// gets a Pass, or one or more of the others.
	Run func(*Eval)
}

// Eval is one evaluation of one check.
type Eval struct {
	inventory.View
	findings []*report.Finding
	judged   map[report.Subject]bool
	passed   int
	table    *report.Table
}

func (e *Eval) add(v report.Verdict, s report.Subject, msg string, ev []report.Evidence) *report.Finding {
	f := &report.Finding{Verdict: v, Subject: s, Message: msg, Evidence: ev}
	e.findings = append(e.findings, f)
	e.judged[s] = true
	return f
}

// Pass says that the subject holds.
func (e *Eval) Pass(report.Subject) { e.passed++ }

// Fail says that a violation was observed. The message states what was seen,
// in lower case, values quoted, without advice. The result may be given a
// Control, Count and Remedy.
func (e *Eval) Fail(s report.Subject, msg string, ev ...report.Evidence) *report.Finding {
	return e.add(report.Fail, s, msg, ev)
}

// Manual says that a person has to decide about the subject.
func (e *Eval) Manual(s report.Subject, msg string, ev ...report.Evidence) *report.Finding {
	return e.add(report.Manual, s, msg, ev)
}

// Unknown says that the subject cannot be judged on the evidence at hand.
func (e *Eval) Unknown(s report.Subject, msg string, ev ...report.Evidence) *report.Finding {
	return e.add(report.Unknown, s, msg, ev)
}

// Show adds what was seen as a whole to the result. It decides nothing.
func (e *Eval) Show(t *report.Table) { e.table = t }

// FailAbsent reports a failure that rests on not having found any object of
// the given kinds: where one of them could not be read in full for the
// namespace ("" means anywhere), it becomes Unknown, and its Remedy what closes
// the gap.
func (e *Eval) FailAbsent(s report.Subject, kinds []report.KindID, namespace, msg string, ev ...report.Evidence) *report.Finding {
	for _, k := range kinds {
		if gaps := e.Missing(k, namespace); len(gaps) > 0 {
			f := e.add(report.Unknown, s, msg+", but "+gaps[0].String(), ev)
			f.Remedy = gaps[0].How
			return f
		}
	}
	return e.add(report.Fail, s, msg, ev)
}

// Evaluate runs one check and concludes. A panic leaves a gap: failures that
// were already seen stand, a pass does not.
func Evaluate(c *Check, inv *inventory.Inventory) report.CheckResult {
	e := &Eval{View: inv.View(c.Needs), judged: map[report.Subject]bool{}}
	var gaps []report.Gap
	if p := contain(func() { c.Run(e) }); p != "" {
		gaps = append(gaps, report.Gap{
			Kind: inventory.AnyKind, Cause: report.CheckPanicked, Detail: "the check " + c.ID + " stopped: " + p,
			How: "this is a defect of plimsoll: please report it",
		})
	}
	for _, n := range c.Needs {
		if !n.Optional {
			for _, g := range inv.Gaps(n.Kind, "") {
				if !slices.Contains(gaps, g) {
					gaps = append(gaps, g)
				}
			}
		}
	}
	r := report.CheckResult{
		ID: c.ID, Title: c.Title, Noun: c.Noun, Severity: c.Severity, Any: c.Any,
		Remediation: strings.TrimSpace(c.Remediation),
		Examined:    len(e.judged) + e.passed, Passed: e.passed, Gaps: gaps,
		Findings: sorted(c.ID, e.findings), Table: e.table,
	}
	r.Conclude()
	return r
}

// contain runs f and describes its panic, if any.
func contain(f func()) (panicked string) {
	defer func() {
		if p := recover(); p != nil {
			panicked = fmt.Sprint(p) + " at " + origin(string(debug.Stack()))
		}
	}()
	f()
	return ""
}

// origin finds the line of ours that panicked in a stack trace: the first
// frame below the panic itself.
func origin(stack string) string {
	_, after, _ := strings.Cut(stack, "\npanic(")
	lines := strings.Split(after, "\n")
	if len(lines) < 4 {
		return "an unknown place"
	}
	place := strings.TrimSpace(lines[3])
	place, _, _ = strings.Cut(place, " +0x")
	if i := strings.LastIndex(place, "/internal/"); i >= 0 {
		place = place[i+1:]
	}
	return place
}

// sorted orders findings by subject, control and place, and gives them
// fingerprints that are unique within the check.
func sorted(id string, fs []*report.Finding) []report.Finding {
	slices.SortStableFunc(fs, func(a, b *report.Finding) int {
		return cmp.Or(report.CompareSubjects(a.Subject, b.Subject), cmp.Compare(a.Control, b.Control), cmp.Compare(place(a), place(b)))
	})
	out := make([]report.Finding, len(fs))
	seen := make(map[string]int, len(fs))
	for i, f := range fs {
		f.Fingerprint = report.Fingerprint(id, f.Subject, f.Control, "")
		// The same object in several files: told apart by the file, and by a
		// number where one file holds it twice.
		if seen[f.Fingerprint]++; seen[f.Fingerprint] > 1 {
			file, _, _ := strings.Cut(place(f), ":")
			f.Fingerprint = report.Fingerprint(id, f.Subject, f.Control, file)
			if seen[f.Fingerprint]++; seen[f.Fingerprint] > 1 {
				f.Fingerprint = report.Fingerprint(id, f.Subject, f.Control, fmt.Sprintf("%s#%d", file, seen[f.Fingerprint]))
			}
		}
		out[i] = *f
	}
	return out
}

func place(f *report.Finding) string {
	if len(f.Evidence) == 0 {
		return ""
	}
	return f.Evidence[0].At
}
