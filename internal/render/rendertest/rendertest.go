// Package rendertest has the reports that the tests of renderers share, and
// compares what they render with golden files.
package rendertest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Golden compares got with internal/render/testdata/name; with -update it
// rewrites the file.
func Golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("..", "testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run the test with -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); if that is right, run the test with -update:\n%s", name, diff)
	}
}

// Empty is the report of a scan that nothing was given to: all boxes are
// there, none has a check.
func Empty() *report.Report {
	r := &report.Report{
		Schema: report.SchemaV1,
		Tool:   report.Tool{Name: "plimsoll", Version: "0.1.0"},
		Scan: report.Scan{
			Observed:   time.Date(2026, 8, 20, 14, 3, 0, 0, time.UTC),
			DurationMS: 12,
			Sources:    []report.Source{{Type: "files", Detail: "empty/"}},
			Cluster:    report.Cluster{Nodes: -1, Workloads: -1, Pods: -1},
		},
	}
	for _, it := range checklist.Items() {
		r.Items = append(r.Items, empty(it))
	}
	r.Conclude()
	return r
}

// set gives an item its checks. An item outside of the boxes is there only once
// it has some.
func set(r *report.Report, item *checklist.Item, checks ...report.CheckResult) {
	if item.Companion() {
		r.Items = append(r.Items, empty(item))
	}
	for i := range r.Items {
		if r.Items[i].ID == item.ID {
			r.Items[i].Checks = checks
		}
	}
}

func empty(it *checklist.Item) report.Item {
	return report.Item{Number: it.Number, ID: it.ID, Section: it.Section, Companion: it.Companion(), Title: it.Title, Checks: []report.CheckResult{}}
}

// passed is a check in which everything holds.
func passed(id, title string, severity report.Severity, noun string, n int) report.CheckResult {
	return report.CheckResult{ID: id, Title: title, Severity: severity, Noun: noun, Examined: n, Passed: n}
}

// failed is a check with findings among some subjects that hold.
func failed(id, title string, severity report.Severity, noun string, holding int, findings ...report.Finding) report.CheckResult {
	subjects := map[report.Subject]bool{}
	for i := range findings {
		subjects[findings[i].Subject] = true
		findings[i].Fingerprint = report.Fingerprint(id, findings[i].Subject, findings[i].Control, "")
	}
	return report.CheckResult{
		ID: id, Title: title, Severity: severity, Noun: noun,
		Examined: len(subjects) + holding, Passed: holding, Findings: findings,
	}
}

func object(kind, namespace, name, part string) report.Subject {
	version := map[string]string{"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "CronJob": "batch/v1"}[kind]
	if version == "" {
		version = "v1"
	}
	return report.Subject{Kind: kind, APIVersion: version, Namespace: namespace, Name: name, Part: part}
}

func seen(at, field, got, want string) []report.Evidence {
	return []report.Evidence{{At: at, Field: field, Got: got, Want: want}}
}
