package secrets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var configMapReferences = []report.Reference{
	{Name: "ConfigMaps provide no secrecy", URL: "https://kubernetes.io/docs/concepts/configuration/configmap/"},
	{Name: "What the role view may read, and why not Secrets", URL: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles"},
	{Name: "Good practices for Kubernetes Secrets", URL: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"},
	{Name: "CWE-312: cleartext storage of sensitive information", URL: "https://cwe.mitre.org/data/definitions/312.html"},
}

// spot is a part of an object that holds credentials: one finding.
type spot struct {
	part  string
	leaks []inventory.Leak
}

// spots arranges leaks by the part of the object that each is in; partOf says
// which, "" for a leak that another check reports.
func spots(leaks []inventory.Leak, partOf func(inventory.Leak) string) []spot {
	var out []spot
	for _, l := range leaks {
		part := partOf(l)
		if part == "" {
			continue
		}
		i := slices.IndexFunc(out, func(s spot) bool { return s.part == part })
		if i < 0 {
			i = len(out)
			out = append(out, spot{part: part})
		}
		out[i].leaks = append(out[i].leaks, l)
	}
	for _, s := range out {
		slices.SortStableFunc(s.leaks, func(a, b inventory.Leak) int { return cmp.Compare(a.Line, b.Line) })
	}
	return out
}

// control is the rules that found something, sorted: a waiver of one does not
// hold for what another finds later.
func (s spot) control() string {
	var rules []string
	for _, l := range s.leaks {
		rules = append(rules, l.Rule)
	}
	slices.Sort(rules)
	return strings.Join(slices.Compact(rules), "+")
}

func (s spot) message() string {
	if len(s.leaks) == 1 {
		msg := "holds " + s.leaks[0].Title
		if place := inside(s.leaks[0]); place != "" {
			msg += fmt.Sprintf(" at %q", place)
		}
		return msg
	}
	var titles []string
	for _, l := range s.leaks {
		if !slices.Contains(titles, l.Title) {
			titles = append(titles, l.Title)
		}
	}
	return fmt.Sprintf("holds %d credentials: %s", len(s.leaks), strings.Join(titles, ", "))
}

// inside is the place of a credential in a text that has a structure.
func inside(l inventory.Leak) string {
	_, place, _ := strings.Cut(l.Key, ": ")
	return place
}

// annotationOf is the annotation that holds the leak, "" for another field.
func annotationOf(l inventory.Leak) string {
	_, key, _ := strings.Cut(l.Field, "metadata.annotations[")
	return strings.TrimSuffix(key, "]")
}

// failSpot reports what a part of an object holds, with the hints instead of
// the values.
func failSpot[T any](e *check.Eval, o inventory.Object[T], s spot) *report.Finding {
	var evidence []report.Evidence
	for _, l := range s.leaks {
		var where []string
		if place := inside(l); place != "" {
			where = append(where, place)
		}
		seen := o.Evidence(l.Field, "", "")
		// A binary item is written in base64, which has other lines.
		if at := o.LocateLine(l.Field, l.Line); at != seen.At && !strings.HasPrefix(l.Field, "binaryData[") {
			seen.At = at
		} else if l.Line > 0 {
			where = append(where, fmt.Sprintf("line %d", l.Line))
		}
		seen.Got = l.Hint
		if len(where) > 0 {
			seen.Got = strings.TrimSuffix(strings.Join(where, ", ")+": "+l.Hint, ": ")
		}
		evidence = append(evidence, seen)
	}
	subject := o.Subject
	subject.Part = s.part
	f := e.Fail(subject, s.message(), evidence...)
	f.Control = s.control()
	return f
}

// passed counts what holds nothing among the parts of a subject that were
// looked at; a subject that has none of them counts as one.
func passed(e *check.Eval, s report.Subject, parts, failed int) {
	if failed == 0 {
		parts = max(parts, 1)
	}
	for range parts - failed {
		e.Pass(s)
	}
}

// cause tells whether pods hold what their controller's template holds.
type cause struct {
	of            report.Subject
	part, control string
}

// judgeWorkloads reports the spots of workloads, of which each has a number of
// parts. Pods that differ from their template, because a webhook changed them,
// are counted with it for what both hold.
func judgeWorkloads(e *check.Eval, partOf func(*workload.Workload, inventory.Leak) string, parts func(*workload.Workload) int) {
	found := map[cause]*report.Finding{}
	pods := map[cause]int{}
	judge := func(w *workload.Workload) {
		list := spots(w.Value.Leaks, func(l inventory.Leak) string { return partOf(w, l) })
		passed(e, w.Subject, parts(w), len(list))
		for _, s := range list {
			of := w.Subject
			if w.Controller != (report.Subject{}) {
				of = w.Controller
			}
			c := cause{of, s.part, s.control()}
			if found[c] == nil || of == w.Subject {
				found[c] = failSpot(e, w.Object, s)
				pods[c] = 0
			}
			if pods[c] += w.Pods; pods[c] > 1 {
				found[c].Count = pods[c]
			}
		}
	}
	var changed []*workload.Workload
	for _, w := range workload.All.Of(e) {
		if w.Controller == (report.Subject{}) {
			judge(w)
		} else {
			changed = append(changed, w)
		}
	}
	for _, w := range changed {
		judge(w)
	}
}
