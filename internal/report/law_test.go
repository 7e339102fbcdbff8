package report

import (
	"math/rand"
	"testing"
)

func finding(v Verdict, name string) Finding {
	return Finding{Verdict: v, Message: "seen", Subject: Subject{Kind: "Pod", Name: name}}
}

func waived(name string) Finding {
	f := finding(Fail, name)
	f.Waived = &Waived{Reason: "accepted", Until: "2027-01-01"}
	return f
}

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		in   []Verdict
		want Verdict
	}{
		{nil, NotApplicable},
		{[]Verdict{Pass, NotApplicable}, Pass},
		{[]Verdict{Pass, Manual}, Manual},
		{[]Verdict{Manual, Unknown, Pass}, Unknown},
		{[]Verdict{Unknown, Fail, Pass}, Fail},
		{[]Verdict{Pass, ""}, Unknown},
		{[]Verdict{Pass, "green"}, Unknown},
	} {
		if got := Fold(tt.in...); got != tt.want {
			t.Errorf("Fold(%v) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestConcludeCheck(t *testing.T) {
	gap := []Gap{{Kind: "v1/Pod", Cause: Forbidden}}
	for _, tt := range []struct {
		name string
		in   CheckResult
		want Verdict
	}{
		{"nothing to judge", CheckResult{}, NotApplicable},
		{"nothing seen, evidence missing", CheckResult{Gaps: gap}, Unknown},
		{"all hold", CheckResult{Examined: 2, Passed: 2}, Pass},
		{"all hold, evidence missing", CheckResult{Examined: 2, Passed: 2, Gaps: gap}, Unknown},
		{"one witness", CheckResult{Examined: 2, Passed: 1, Findings: []Finding{finding(Fail, "a")}}, Fail},
		{"one witness, evidence missing", CheckResult{Examined: 2, Passed: 1, Findings: []Finding{finding(Fail, "a")}, Gaps: gap}, Fail},
		{"one unknown", CheckResult{Examined: 2, Passed: 1, Findings: []Finding{finding(Unknown, "a")}}, Unknown},
		{"a person decides", CheckResult{Examined: 1, Findings: []Finding{finding(Manual, "a")}}, Manual},
		{"all failures waived", CheckResult{Examined: 1, Findings: []Finding{waived("a")}}, Pass},
		{"one of two waived", CheckResult{Examined: 2, Findings: []Finding{waived("a"), finding(Fail, "b")}}, Fail},
		{"waived, evidence missing", CheckResult{Examined: 1, Findings: []Finding{waived("a")}, Gaps: gap}, Unknown},

		{"any: one is there", CheckResult{Any: true, Examined: 3, Passed: 1, Findings: []Finding{finding(Fail, "a"), finding(Fail, "b")}}, Pass},
		{"any: one is there, evidence missing", CheckResult{Any: true, Examined: 1, Passed: 1, Gaps: gap}, Pass},
		{"any: none", CheckResult{Any: true}, Fail},
		{"any: none, evidence missing", CheckResult{Any: true, Gaps: gap}, Unknown},
		{"any: only bad ones", CheckResult{Any: true, Examined: 1, Findings: []Finding{finding(Fail, "a")}}, Fail},
		{"any: only bad ones, evidence missing", CheckResult{Any: true, Examined: 1, Findings: []Finding{finding(Fail, "a")}, Gaps: gap}, Unknown},
		{"any: one cannot be told", CheckResult{Any: true, Examined: 2, Findings: []Finding{finding(Fail, "a"), finding(Unknown, "b")}}, Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.in
			c.Noun = "pod"
			c.Conclude()
			if c.Verdict != tt.want {
				t.Errorf("%s, want %s", c.Verdict, tt.want)
			}
			if c.Reason == "" {
				t.Error("no reason")
			}
			if (c.Basis != "") != (c.Verdict == Pass) {
				t.Errorf("verdict %s has the basis %q", c.Verdict, c.Basis)
			}
			before := c.Verdict
			if c.Conclude(); c.Verdict != before {
				t.Errorf("concluding again gives %s", c.Verdict)
			}
		})
	}
}

// Whatever a check reports, missing evidence never leaves a pass or a
// not-applicable, and taking evidence away never makes a verdict greener.
func TestGapsNeverTurnGreen(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 5000 {
		c := CheckResult{Noun: "pod", Passed: r.Intn(3)}
		for range r.Intn(4) {
			c.Findings = append(c.Findings, finding([]Verdict{Fail, Unknown, Manual}[r.Intn(3)], string(rune('a'+r.Intn(4)))))
		}
		c.Examined = c.Passed + len(c.Findings)
		c.Conclude()
		with := c
		with.Gaps = []Gap{{Kind: "v1/Pod", Cause: TimedOut}}
		with.Conclude()
		if with.Verdict == Pass || with.Verdict == NotApplicable {
			t.Fatalf("%s with a gap: %+v", with.Verdict, c)
		}
		if (with.Verdict == Fail) != (c.Verdict == Fail) {
			t.Fatalf("the gap turned %s into %s", c.Verdict, with.Verdict)
		}
	}
}

func TestConcludeItem(t *testing.T) {
	check := func(s Severity, n, failing int, gaps ...Gap) CheckResult {
		c := CheckResult{ID: "x/y/z", Severity: s, Noun: "pod", Examined: n, Passed: n - failing, Gaps: gaps}
		for i := range failing {
			c.Findings = append(c.Findings, finding(Fail, string(rune('a'+i))))
		}
		return c
	}
	gap := Gap{Kind: "v1/Pod", Cause: Forbidden}
	for _, tt := range []struct {
		name   string
		checks []CheckResult
		want   Verdict
	}{
		{"no checks", nil, Unknown},
		{"both pass", []CheckResult{check(High, 1, 0), check(Low, 1, 0)}, Pass},
		{"one fails", []CheckResult{check(High, 1, 0), check(Low, 1, 1)}, Fail},
		{"one cannot see", []CheckResult{check(High, 1, 0), check(Low, 1, 0, gap)}, Unknown},
		{"one has nothing to judge", []CheckResult{check(High, 1, 0), check(Low, 0, 0)}, Pass},
		{"info fails", []CheckResult{check(High, 1, 0), check(Info, 2, 2)}, Pass},
		{"info only", []CheckResult{check(Info, 2, 2)}, Fail},
	} {
		it := Item{ID: "x/y", Checks: tt.checks}
		it.Conclude()
		if it.Verdict != tt.want || it.Reason == "" {
			t.Errorf("%s: %s %q, want %s", tt.name, it.Verdict, it.Reason, tt.want)
		}
	}
	it := Item{ID: "x/y"}
	if it.Conclude(); it.Reason != NotImplemented {
		t.Errorf("an item without checks says %q", it.Reason)
	}
}

func TestBasisIsTheWeakest(t *testing.T) {
	it := Item{ID: "x/y", Checks: []CheckResult{
		{ID: "x/y/a", Severity: High, Examined: 1, Passed: 1, Basis: Proved},
		{ID: "x/y/b", Severity: High, Examined: 1, Passed: 1, Basis: Attested},
	}}
	if it.Conclude(); it.Basis != Attested {
		t.Errorf("basis %q", it.Basis)
	}
}

func TestSummary(t *testing.T) {
	r := Report{Items: []Item{
		{ID: "a/b", Checks: []CheckResult{{ID: "a/b/c", Severity: High, Noun: "pod", Examined: 2, Findings: []Finding{finding(Fail, "x"), waived("y")}}}},
		{ID: "a/c"},
	}}
	r.Conclude()
	s := r.Summary
	if s.Items[Fail] != 1 || s.Items[Unknown] != 1 || s.Findings[High] != 1 || s.Waived != 1 {
		t.Errorf("%+v", s)
	}
	if len(s.Items) != len(Verdicts) || len(s.Findings) != len(Severities) {
		t.Error("a summary names every verdict and severity")
	}
}

func TestFingerprint(t *testing.T) {
	s := Subject{Kind: "Deployment", APIVersion: "apps/v1", Namespace: "shop", Name: "web"}
	base := Fingerprint("a/b/c", s, "", "")
	older := s
	older.APIVersion = "apps/v1beta1"
	if Fingerprint("a/b/c", older, "", "") != base {
		t.Error("the API version enters the fingerprint")
	}
	pod1 := Subject{Kind: "Pod", APIVersion: "v1", Namespace: "shop", Name: "web-x1", Stable: "ReplicaSet/web"}
	pod2 := pod1
	pod2.Name = "web-x2"
	if Fingerprint("a/b/c", pod1, "", "") != Fingerprint("a/b/c", pod2, "", "") {
		t.Error("a generated name enters the fingerprint")
	}
	other := s
	other.Part = "sidecar"
	for _, f := range []string{Fingerprint("a/b/d", s, "", ""), Fingerprint("a/b/c", other, "", ""), Fingerprint("a/b/c", s, "hostPorts", ""), Fingerprint("a/b/c", s, "", "two.yaml")} {
		if f == base {
			t.Error("two findings share a fingerprint")
		}
	}
}
