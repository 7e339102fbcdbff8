package check

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func seal(names []string, gaps ...report.Gap) *inventory.Inventory {
	b := &inventory.Builder{}
	b.Collected(inventory.LimitRanges.ID, inventory.Namespaces.ID)
	for _, n := range names {
		inventory.Put(b, inventory.Namespaces, report.Subject{Kind: "Namespace", APIVersion: "v1", Name: n},
			inventory.Origin{Source: "files", Place: n + ".yaml", Line: 1}, inventory.Meta{})
	}
	b.Gap(gaps...)
	return b.Seal(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
}

var needs = []inventory.Need{inventory.Namespaces.Need(), inventory.LimitRanges.Optional()}

func TestFailAbsent(t *testing.T) {
	c := &Check{ID: "x", Noun: "namespace", Needs: needs, Run: func(e *Eval) {
		for ns := range inventory.All(e, inventory.Namespaces) {
			e.FailAbsent(ns.Subject, []report.KindID{inventory.LimitRanges.ID}, ns.Name, "nothing found", ns.Evidence("", "", ""))
		}
	}}
	got := Evaluate(c, seal([]string{"a", "b"}, report.Gap{Kind: inventory.LimitRanges.ID, Scope: "b", Cause: report.Forbidden}))
	want := map[string]report.Verdict{"a": report.Fail, "b": report.Unknown}
	for _, f := range got.Findings {
		if f.Verdict != want[f.Subject.Name] {
			t.Errorf("%s: %s", f.Subject.Name, f.Verdict)
		}
	}
	if got.Verdict != report.Fail || got.Examined != 2 {
		t.Errorf("%s, examined %d", got.Verdict, got.Examined)
	}
}

// A panic keeps the witness that was seen, and never leaves a pass.
func TestPanic(t *testing.T) {
	boom := func(fail bool) *Check {
		return &Check{ID: "x", Noun: "namespace", Needs: needs, Run: func(e *Eval) {
			for ns := range inventory.All(e, inventory.Namespaces) {
				if fail {
					e.Fail(ns.Subject, "seen")
				} else {
					e.Pass(ns.Subject)
				}
				panic("boom")
			}
		}}
	}
	inv := seal([]string{"a", "b"})
	if got := Evaluate(boom(true), inv); got.Verdict != report.Fail {
		t.Error(got.Verdict)
	}
	got := Evaluate(boom(false), inv)
	if got.Verdict != report.Unknown || len(got.Gaps) != 1 || got.Gaps[0].Cause != report.CheckPanicked {
		t.Fatalf("%+v", got)
	}
	if d := got.Gaps[0].Detail; !strings.Contains(d, "boom") || !strings.Contains(d, "internal/check/check_test.go:") {
		t.Errorf("the panic is described as %q", d)
	}
}

func TestUndeclaredNeed(t *testing.T) {
	c := &Check{ID: "x", Noun: "pod", Needs: needs, Run: func(e *Eval) {
		for range inventory.All(e, inventory.Pods) {
		}
	}}
	got := Evaluate(c, seal(nil))
	if got.Verdict != report.Unknown || len(got.Gaps) != 1 || !strings.Contains(got.Gaps[0].Detail, "undeclared need v1/Pod") {
		t.Errorf("%+v", got)
	}
}

func TestFindingsAreSortedAndDistinct(t *testing.T) {
	run := func(order []string) report.CheckResult {
		return Evaluate(&Check{ID: "x", Noun: "pod", Needs: needs, Run: func(e *Eval) {
			for _, at := range order {
				e.Fail(report.Subject{Kind: "Pod", Name: "web"}, "seen", report.Evidence{At: at})
			}
		}}, seal(nil))
	}
	a, b := run([]string{"a.yaml:1", "b.yaml:1", "b.yaml:9"}), run([]string{"b.yaml:9", "a.yaml:1", "b.yaml:1"})
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("the order of reports matters:\n%s", d)
	}
	seen := map[string]bool{}
	for _, f := range a.Findings {
		if seen[f.Fingerprint] {
			t.Errorf("%s has the fingerprint of another", f.Evidence[0].At)
		}
		seen[f.Fingerprint] = true
	}
	if _, err := json.Marshal(a); err != nil {
		t.Error(err)
	}
}
