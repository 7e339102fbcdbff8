package waiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// today is the day of the evidence in these tests.
var today = time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)

// workload is the subject of most findings here.
func workload(name, part string) report.Subject {
	return report.Subject{Kind: "Deployment", APIVersion: "apps/v1", Namespace: "shop", Name: name, Part: part}
}

func fail(s report.Subject, at, control string) report.Finding {
	return report.Finding{Verdict: report.Fail, Message: "no memory limit", Subject: s, Control: control, Evidence: []report.Evidence{{At: at}}}
}

// sample is a report with two failing checks, one that a person has to answer,
// one that lacks evidence, one that passes and an item without checks.
func sample() *report.Report {
	cluster := report.Subject{Kind: "Cluster"}
	r := &report.Report{Items: []report.Item{
		{Number: "2.4", ID: "network/encryption"},
		{Number: "3.2", ID: "pods/security-standards", Checks: []report.CheckResult{{
			ID: "pods/security-standards/baseline", Severity: report.High, Noun: "workload", Examined: 3, Passed: 1, Findings: []report.Finding{
				fail(workload("web", ""), "web.yaml:9", "hostPathVolumes"), fail(workload("web", ""), "web.yaml:12", "hostPorts"),
				fail(workload("api", ""), "api.yaml:3", "hostPorts"),
			},
		}}},
		{Number: "3.3", ID: "pods/memory-limits", Checks: []report.CheckResult{{
			ID: "pods/memory-limits/set", Severity: report.Low, Noun: "workload", Examined: 2, Findings: []report.Finding{
				fail(workload("web", "nginx"), "web.yaml:20", ""), fail(workload("web", "nginx"), "staging/web.yaml:20", ""),
				fail(workload("api", "main"), "api.yaml:8", ""),
			},
		}}},
		{Number: "5.2", ID: "placement/isolation", Checks: []report.CheckResult{{
			ID: "placement/isolation", Severity: report.Medium, Noun: "cluster", Examined: 1,
			Findings: []report.Finding{{Verdict: report.Manual, Message: "no tiers are declared", Subject: cluster}},
		}}},
		{Number: "6.4", ID: "secrets/token-mounts", Checks: []report.CheckResult{{
			ID: "secrets/token-mounts", Severity: report.Medium, Noun: "workload", Examined: 1,
			Findings: []report.Finding{{Verdict: report.Unknown, Message: "its account could not be read", Subject: workload("web", "")}},
		}}},
		{Number: "7.3", ID: "images/provenance", Checks: []report.CheckResult{{ID: "images/provenance", Severity: report.Low, Noun: "image", Examined: 2, Passed: 2}}},
	}}
	r.Scan.Observed = today
	r.Conclude()
	return r
}

// accept is a waiver that holds.
func accept(rule string, subjects ...Subject) Waiver {
	return Waiver{At: "plimsoll.yaml:3", Rules: []string{rule}, Subjects: subjects, Reason: "why", Owner: "ann", Until: day("2027-01-31")}
}

func attested(rule string) Attestation {
	return Attestation{At: "plimsoll.yaml:9", Rule: rule, Statement: "reviewed", By: "bob", Date: day("2026-10-01"), Expires: day("2027-10-01")}
}

// item summarises an item: its verdict, basis and reason.
func item(r *report.Report, number string) string {
	for _, it := range r.Items {
		if it.Number == number {
			return fmt.Sprintf("%s %s: %s", it.Verdict, it.Basis, it.Reason)
		}
	}
	return "none"
}

func TestApply(t *testing.T) {
	web := workload("web", "")
	annotation := Waiver{Rules: []string{"pods/*"}, Reason: "why", Until: day("2027-01-31"), Object: &web}
	annotated := func(at string) Waiver { w := annotation; w.At = at; return w }
	until := func(w Waiver, s string) Waiver { w.Until = day(s); return w }
	for name, tt := range map[string]struct {
		ws []Waiver
		as []Attestation
		// items are those that change, by number.
		items map[string]string
		want  []report.Statement
	}{
		"nothing stated": {items: map[string]string{
			"2.4": "unknown : not implemented yet",
			"3.2": "fail : baseline: 2 of 3 workloads",
			"3.3": "fail : set: 2 of 2 workloads",
			"5.2": "manual : no tiers are declared",
			"6.4": "unknown : its account could not be read",
			"7.3": "pass observed: all of 2 images",
		}},
		"all failures waived": {
			ws:    []Waiver{accept("pods/memory-limits")},
			items: map[string]string{"3.3": "pass observed: 0 of 2 workloads, 3 findings waived", "3.2": "fail : baseline: 2 of 3 workloads"},
			want:  []report.Statement{{Detail: "pods/memory-limits everywhere", State: used, Matched: 3}},
		},
		"a part of the failures": {
			ws:    []Waiver{accept("pods/memory-limits/set", Subject{Name: "api", Part: "main"})},
			items: map[string]string{"3.3": "fail : set: 1 of 2 workloads"},
			want:  []report.Statement{{Detail: "pods/memory-limits/set for anything named api part main", State: used, Matched: 1}},
		},
		"a glob over ids": {
			ws:    []Waiver{accept("pods/*", Subject{Name: "api"}, Subject{Labels: selector("app=web")})},
			items: map[string]string{"3.2": "pass observed: 1 of 3 workloads, 3 findings waived", "3.3": "pass observed: 0 of 2 workloads, 3 findings waived"},
			want:  []report.Statement{{Detail: "pods/* for anything named api or anything with labels app=web", State: used, Matched: 6}},
		},
		"controls": {
			ws: []Waiver{func() Waiver {
				w := accept("3.2")
				w.Rules[0], w.Controls = "pods/*", []string{"hostPathVolumes"}
				return w
			}()},
			items: map[string]string{"3.2": "fail : baseline: 2 of 3 workloads", "3.3": "fail : set: 2 of 2 workloads"},
			want:  []report.Statement{{Detail: "pods/* (hostPathVolumes) everywhere", State: used, Matched: 1}},
		},
		"an annotation covers its object in its file": {
			ws:    []Waiver{annotated("web.yaml:1")},
			items: map[string]string{"3.2": "fail : baseline: 1 of 3 workloads", "3.3": "fail : set: 2 of 2 workloads"},
			want:  []report.Statement{{At: "web.yaml:1", Detail: "pods/* for Deployment shop/web", State: used, Matched: 3}},
		},
		"an annotation on a live object": {
			ws:    []Waiver{annotated("live:/apis/apps/v1/namespaces/shop/deployments/web@7")},
			items: map[string]string{"3.3": "fail : set: 1 of 2 workloads"},
			want:  []report.Statement{{At: "live:/apis/apps/v1/namespaces/shop/deployments/web@7", Detail: "pods/* for Deployment shop/web", State: used, Matched: 4}},
		},
		"until today": {
			ws:    []Waiver{until(accept("pods/memory-limits"), "2026-11-23")},
			items: map[string]string{"3.3": "pass observed: 0 of 2 workloads, 3 findings waived"},
			want:  []report.Statement{{Detail: "pods/memory-limits everywhere", State: used, Matched: 3}},
		},
		"until yesterday": {
			ws:    []Waiver{until(accept("pods/memory-limits"), "2026-11-22")},
			items: map[string]string{"3.3": "fail : set: 2 of 2 workloads"},
			want:  []report.Statement{{Detail: "pods/memory-limits everywhere", State: expired, Message: "it ended on 2026-11-22; failing findings that count again: 3"}},
		},
		"one cause, two waivers": {
			ws:    []Waiver{accept("pods/memory-limits"), until(accept("pods/memory-limits"), "2026-12-24"), until(accept("pods/memory-limits"), "2025-01-01")},
			items: map[string]string{"3.3": "pass observed: 0 of 2 workloads, 3 findings waived"},
			want: []report.Statement{
				{Detail: "pods/memory-limits everywhere", State: used, Matched: 3}, {Detail: "pods/memory-limits everywhere", State: used, Matched: 3},
				{Detail: "pods/memory-limits everywhere", State: expired, Message: "it ended on 2025-01-01; failing findings that count again: 3"},
			},
		},
		"what cannot be waived": {
			ws: []Waiver{accept("secrets/token-mounts"), accept("placement/*"), accept("images/provenance"), accept("network/encryption"), accept("pods/nonsense"), accept("*", Subject{Name: "nobody"})},
			items: map[string]string{
				"6.4": "unknown : its account could not be read", "5.2": "manual : no tiers are declared", "7.3": "pass observed: all of 2 images", "2.4": "unknown : not implemented yet",
			},
			want: []report.Statement{
				{Detail: "secrets/token-mounts everywhere", State: unused, Message: "it matches only what is unknown, which nobody can accept; findings that lack evidence: 1"},
				{Detail: "placement/* everywhere", State: unused, Message: "it matches no failing finding, only others"},
				{Detail: "images/provenance everywhere", State: unused, Message: "no failing finding matches it"},
				{Detail: "network/encryption everywhere", State: unused, Message: "no check of that item took part in this scan"},
				{Detail: "pods/nonsense everywhere", State: unused, Message: "no item or check has that name"},
				{Detail: "* for anything named nobody", State: unused, Message: "no failing finding matches it"},
			},
		},
		"refused": {
			ws:    []Waiver{{At: "web.yaml:3", Rules: []string{"pods/*"}, Object: &web, Until: day("2027-01-31"), Refused: "reason= is missing"}},
			items: map[string]string{"3.2": "fail : baseline: 2 of 3 workloads"},
			want:  []report.Statement{{At: "web.yaml:3", Detail: "pods/* for Deployment shop/web", State: refused, Message: "reason= is missing"}},
		},
		"attested": {
			as:    []Attestation{attested("placement/isolation")},
			items: map[string]string{"5.2": "pass attested: all of 1 cluster, 1 attested"},
			want:  []report.Statement{{Type: "attestation", Detail: "placement/isolation: reviewed", State: used, Matched: 1}},
		},
		"what cannot be attested": {
			as: []Attestation{attested("pods/memory-limits"), attested("secrets/token-mounts"), attested("network/encryption"), attested("images/provenance")},
			items: map[string]string{
				"3.3": "fail : set: 2 of 2 workloads", "6.4": "unknown : its account could not be read", "2.4": "unknown : not implemented yet", "7.3": "pass observed: all of 2 images",
			},
			want: []report.Statement{
				{Type: "attestation", Detail: "pods/memory-limits: reviewed", State: unused, Message: "it matches no manual finding, only others"},
				{Type: "attestation", Detail: "secrets/token-mounts: reviewed", State: unused, Message: "it matches only what is unknown, which nobody can accept; findings that lack evidence: 1"},
				{Type: "attestation", Detail: "network/encryption: reviewed", State: unused, Message: "no check of that item took part in this scan"},
				{Type: "attestation", Detail: "images/provenance: reviewed", State: unused, Message: "no manual finding matches it"},
			},
		},
		"attestations that do not hold": {
			as: []Attestation{
				func() Attestation { a := attested("placement/isolation"); a.Expires = day("2026-11-22"); return a }(),
				func() Attestation { a := attested("placement/isolation"); a.Date = day("2026-11-25"); return a }(),
			},
			items: map[string]string{"5.2": "manual : no tiers are declared"},
			want: []report.Statement{
				{Type: "attestation", Detail: "placement/isolation: reviewed", State: expired, Message: "it ended on 2026-11-22; manual findings that are open again: 1"},
				{Type: "attestation", Detail: "placement/isolation: reviewed", State: refused, Message: "it is dated 2026-11-25, after the evidence of 2026-11-23"},
			},
		},
		"attested on its last and first day": {
			as: []Attestation{
				func() Attestation { a := attested("placement/isolation"); a.Expires = day("2026-11-23"); return a }(),
				func() Attestation { a := attested("placement/isolation"); a.Date = day("2026-11-24"); return a }(),
			},
			items: map[string]string{"5.2": "pass attested: all of 1 cluster, 1 attested"},
			want: []report.Statement{
				{Type: "attestation", Detail: "placement/isolation: reviewed", State: used, Matched: 1},
				{Type: "attestation", Detail: "placement/isolation: reviewed", State: used, Matched: 1},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := sample()
			labels := func(s report.Subject) map[string]string { return map[string]string{"app": s.Name} }
			Apply(r, tt.ws, tt.as, labels, r.Scan.Observed)
			for number, want := range tt.items {
				if got := item(r, number); got != want {
					t.Errorf("%s is %q, want %q", number, got, want)
				}
			}
			for i := range tt.want {
				if tt.want[i].Type == "" {
					tt.want[i].Type = "waiver"
				}
				if tt.want[i].At == "" {
					tt.want[i].At = map[string]string{"waiver": "plimsoll.yaml:3", "attestation": "plimsoll.yaml:9"}[tt.want[i].Type]
				}
			}
			if d := cmp.Diff(tt.want, r.Statements); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestApplyKeepsFindings proves that what is accepted stays in the report with
// who accepted it, is counted, and that the waiver that ends last is named.
func TestApplyKeepsFindings(t *testing.T) {
	r := sample()
	short := accept("pods/*")
	short.Until, short.Owner = day("2026-12-24"), "zoe"
	brief := attested("placement/isolation")
	brief.Expires, brief.By = day("2026-12-24"), "zoe"
	Apply(r, []Waiver{short, accept("pods/memory-limits")}, []Attestation{attested("placement/isolation"), brief}, nil, today)

	f := r.Items[2].Checks[0].Findings[0]
	if f.Verdict != report.Fail || f.Message != "no memory limit" {
		t.Errorf("the finding became %s %q", f.Verdict, f.Message)
	}
	if d := cmp.Diff(&report.Waived{Reason: "why", By: "ann", Until: "2027-01-31"}, f.Waived); d != "" {
		t.Error(d)
	}
	if got := r.Items[1].Checks[0].Findings[0].Waived.By; got != "zoe" {
		t.Errorf("waived by %s, want zoe", got)
	}
	if r.Summary.Waived != 6 || r.Summary.Findings[report.High] != 0 || r.Summary.Findings[report.Low] != 0 {
		t.Errorf("summary %+v", r.Summary)
	}
	m := r.Items[3].Checks[0].Findings[0]
	if m.Verdict != report.Pass || m.Message != "no tiers are declared" {
		t.Errorf("the attested finding became %s %q", m.Verdict, m.Message)
	}
	if d := cmp.Diff(&report.Attestation{Statement: "reviewed", By: "bob", Until: "2027-10-01"}, m.Attested); d != "" {
		t.Error(d)
	}

	// Without the statements nothing of them is left.
	Apply(r, nil, nil, nil, today)
	if d := cmp.Diff(sample(), r); d != "" {
		t.Error(d)
	}
}

// TestApplyUnderTheLaw proves that accepting never replaces evidence.
func TestApplyUnderTheLaw(t *testing.T) {
	gap := report.Gap{Kind: "v1/Pod", Scope: "shop", Cause: report.Forbidden}
	manual := report.Finding{Verdict: report.Manual, Message: "say it", Subject: workload("api", "")}
	failing := fail(workload("web", ""), "web.yaml:1", "")
	for name, tt := range map[string]struct {
		check report.CheckResult
		want  string
	}{
		"waived, with gaps":                 {report.CheckResult{Examined: 1, Findings: []report.Finding{failing}, Gaps: []report.Gap{gap}}, "unknown : v1/Pod in shop: forbidden"},
		"attested, with gaps":               {report.CheckResult{Examined: 1, Findings: []report.Finding{manual}, Gaps: []report.Gap{gap}}, "unknown : v1/Pod in shop: forbidden"},
		"waived and attested":               {report.CheckResult{Examined: 2, Findings: []report.Finding{failing, manual}}, "pass attested: 0 of 2 workloads, 1 finding waived, 1 attested"},
		"attested beside observed":          {report.CheckResult{Examined: 9, Passed: 8, Findings: []report.Finding{manual}}, "pass attested: all of 9 workloads, 1 attested"},
		"one of any attested":               {report.CheckResult{Any: true, Examined: 2, Findings: []report.Finding{{Verdict: report.Fail, Subject: workload("other", "")}, manual}}, "pass attested: 0 workloads, 1 attested"},
		"one of any attested, one observed": {report.CheckResult{Any: true, Examined: 2, Passed: 1, Findings: []report.Finding{manual}}, "pass observed: 1 workload"},
		"any, its only failure":             {report.CheckResult{Any: true, Examined: 1, Findings: []report.Finding{failing}}, "pass observed: 0 of 1 workload, 1 finding waived"},
		"any, nothing there to waive":       {report.CheckResult{Any: true}, "fail : none found among 0 workloads"},
	} {
		tt.check.ID, tt.check.Noun, tt.check.Severity = "pods/lsm", "workload", report.Low
		r := &report.Report{Items: []report.Item{{Number: "3.6", ID: "pods/lsm", Checks: []report.CheckResult{tt.check}}}}
		Apply(r, []Waiver{accept("pods/lsm", Subject{Name: "web"})}, []Attestation{attested("pods/lsm")}, nil, today)
		want := tt.want
		if got := item(r, "3.6"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

var (
	rules = rapid.SampledFrom([]string{"*", "pods/*", "pods/memory-limits", "pods/security-standards/baseline", "placement/isolation", "secrets/*", "network/encryption"})
	ends  = rapid.SampledFrom([]time.Time{day("2026-11-22"), day("2026-11-23"), day("2027-01-31")})
)

func drawWaiver(t *rapid.T) Waiver {
	w := accept(rules.Draw(t, "rule"))
	w.Until, w.Owner, w.At = ends.Draw(t, "until"), rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "owner"), rapid.SampledFrom([]string{"web.yaml:1", "p.yaml:2"}).Draw(t, "at")
	switch rapid.IntRange(0, 3).Draw(t, "subject") {
	case 1:
		w.Subjects = []Subject{{Name: "web"}}
	case 2:
		o := workload("web", "")
		w.Object = &o
	case 3:
		w.Controls = []string{"hostPorts"}
	}
	return w
}

func drawAttestation(t *rapid.T) Attestation {
	a := attested(rules.Draw(t, "rule"))
	a.Expires, a.By = ends.Draw(t, "expires"), rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "by")
	return a
}

func TestApplyProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ws := rapid.SliceOfN(rapid.Custom(drawWaiver), 0, 6).Draw(t, "waivers")
		as := rapid.SliceOfN(rapid.Custom(drawAttestation), 0, 3).Draw(t, "attestations")
		once := sample()
		Apply(once, ws, as, nil, today)

		twice := sample()
		Apply(twice, ws, as, nil, today)
		Apply(twice, ws, as, nil, today)
		if d := cmp.Diff(once, twice); d != "" {
			t.Fatalf("twice is not once:\n%s", d)
		}

		// Everything but the order of the statements is the same in any order.
		shuffled := sample()
		Apply(shuffled, rapid.Permutation(ws).Draw(t, "order"), rapid.Permutation(as).Draw(t, "order of attestations"), nil, today)
		if d := cmp.Diff(once.Items, shuffled.Items); d != "" {
			t.Fatalf("the order matters:\n%s", d)
		}
		if d := cmp.Diff(once.Summary, shuffled.Summary); d != "" {
			t.Fatalf("the order matters:\n%s", d)
		}

		// Nothing that lacks evidence ever turns green.
		for _, number := range []string{"2.4", "6.4"} {
			if got, want := item(once, number), item(sample(), number); got != want {
				t.Fatalf("%s became %s", want, got)
			}
		}
	})
}

func BenchmarkApply(b *testing.B) {
	r := &report.Report{Items: []report.Item{{ID: "pods/lsm", Checks: []report.CheckResult{{ID: "pods/lsm", Noun: "workload"}}}}}
	c := &r.Items[0].Checks[0]
	for i := range 100_000 {
		c.Findings = append(c.Findings, fail(workload(fmt.Sprintf("web-%d", i), "main"), "web.yaml:1", ""))
	}
	var ws []Waiver
	for i := range 100 {
		ws = append(ws, accept("pods/*", Subject{Kind: "Deployment", Namespace: "shop", Name: fmt.Sprintf("web-%d*", i)}))
	}
	for i := range 5_000 {
		o := workload(fmt.Sprintf("web-%d", i), "")
		ws = append(ws, Waiver{At: "web.yaml:1", Rules: []string{"pods/*"}, Object: &o, Reason: "why", Until: day("2027-01-31")})
	}
	b.ReportAllocs()
	for b.Loop() {
		Apply(r, ws, nil, nil, today)
	}
	b.ReportMetric(float64(len(c.Findings)*b.N)/b.Elapsed().Seconds(), "findings/s")
}
