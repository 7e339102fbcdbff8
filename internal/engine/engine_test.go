package engine

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func evidence() *inventory.Inventory {
	b := &inventory.Builder{}
	b.Collected(inventory.Namespaces.ID)
	inventory.Put(b, inventory.Namespaces, report.Subject{Kind: "Namespace", APIVersion: "v1", Name: "shop"}, inventory.Origin{Place: "ns.yaml", Line: 1}, inventory.Meta{})
	return b.Seal(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
}

func checkOf(it *checklist.Item, name string, run func(*check.Eval, report.Subject)) *check.Check {
	return &check.Check{
		ID: it.ID + "/" + name, Item: it, Title: "T", Noun: "namespace", Severity: report.High,
		Needs: []inventory.Need{inventory.Namespaces.Need()},
		Run: func(e *check.Eval) {
			for ns := range inventory.All(e, inventory.Namespaces) {
				run(e, ns.Subject)
			}
		},
	}
}

func pass(e *check.Eval, s report.Subject) { e.Pass(s) }
func fail(e *check.Eval, s report.Subject) { e.Fail(s, "seen") }
func boom(*check.Eval, report.Subject)     { panic("boom") }

func item(t *testing.T, r *report.Report, it *checklist.Item) report.Item {
	t.Helper()
	i := slices.IndexFunc(r.Items, func(x report.Item) bool { return x.ID == it.ID })
	if i < 0 {
		t.Fatalf("no item %s", it.ID)
	}
	return r.Items[i]
}

// One check's panic is its own: the others are judged, and its box is open.
func TestEvaluate(t *testing.T) {
	left := checklist.Seccomp.ID + "/other"
	r := Evaluate(evidence(), []*check.Check{
		checkOf(checklist.DefaultDeny, "a", pass),
		checkOf(checklist.MemoryLimits, "a", pass), checkOf(checklist.MemoryLimits, "b", fail),
		checkOf(checklist.CPULimits, "a", pass), checkOf(checklist.CPULimits, "b", boom),
		checkOf(checklist.Seccomp, "a", pass),
	}, left, checklist.LSM.ID+"/a")
	if len(r.Items) != 35 {
		t.Fatalf("%d items", len(r.Items))
	}
	for it, want := range map[*checklist.Item]report.Verdict{
		checklist.DefaultDeny:  report.Pass,
		checklist.MemoryLimits: report.Fail,
		checklist.CPULimits:    report.Unknown, // a panic
		checklist.Seccomp:      report.Unknown, // a check was left out
		checklist.LSM:          report.Unknown,
		checklist.RBAC:         report.Unknown,
	} {
		if got := item(t, r, it); got.Verdict != want || got.Reason == "" {
			t.Errorf("%s is %s (%s), want %s", it.ID, got.Verdict, got.Reason, want)
		}
	}
	if got := item(t, r, checklist.LSM).Reason; got != report.LeftOut {
		t.Errorf("an item that was left out says %q", got)
	}
	if got := item(t, r, checklist.RBAC).Reason; got != report.NotImplemented {
		t.Errorf("an item without checks says %q", got)
	}
}

// What stands outside of the checklist is there where it was judged, is counted
// apart, and its findings count.
func TestEvaluateCompanion(t *testing.T) {
	design, socket := checklist.ApplicationDesign, checklist.RuntimeSocket
	r := Evaluate(evidence(), []*check.Check{checkOf(design, "a", pass), checkOf(socket, "a", fail)},
		design.ID+"/b", checklist.ImagePull.ID+"/a")
	if len(r.Items) != 37 {
		t.Fatalf("%d items, want the 35 and two more", len(r.Items))
	}
	for it, want := range map[*checklist.Item]report.Verdict{design: report.Unknown, socket: report.Fail} {
		if got := item(t, r, it); got.Verdict != want || !got.Companion {
			t.Errorf("%s is %s, companion %v", it.ID, got.Verdict, got.Companion)
		}
	}
	sum := func(counts map[report.Verdict]int) (n int) {
		for _, c := range counts {
			n += c
		}
		return n
	}
	if s := r.Summary; sum(s.Items) != 35 || sum(s.Companion) != 2 || s.Items[report.Fail] != 0 || s.Findings[report.High] != 1 {
		t.Errorf("summary %+v", s)
	}
}

func TestEvaluateIsDeterministic(t *testing.T) {
	var list []*check.Check
	for _, it := range checklist.Items() {
		list = append(list, checkOf(it, "a", pass), checkOf(it, "b", fail), checkOf(it, "c", boom))
	}
	var first string
	for range 20 {
		text, err := json.Marshal(Evaluate(evidence(), list))
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		} else if first != string(text) {
			t.Fatal("two evaluations of one inventory differ")
		}
	}
}
