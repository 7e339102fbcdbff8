package terminal

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/render/rendertest"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func show(t *testing.T, r *report.Report, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	for _, width := range []int{60, 80, 100, 140} {
		rendertest.Golden(t, fmt.Sprintf("ordinary.%d.txt", width), []byte(show(t, rendertest.Ordinary(), Options{Width: width})))
	}
	rendertest.Golden(t, "ordinary.100x50.txt", []byte(show(t, rendertest.Ordinary(), Options{Width: 100, Height: 50})))
	rendertest.Golden(t, "ordinary.color.txt", []byte(show(t, rendertest.Ordinary(), Options{Width: 100, Color: true})))
	rendertest.Golden(t, "ordinary.ascii.txt", []byte(show(t, rendertest.Ordinary(), Options{Width: 80, ASCII: true})))
	rendertest.Golden(t, "ordinary.verbose.txt", []byte(show(t, rendertest.Ordinary(), Options{Width: 100, Verbose: true})))
	rendertest.Golden(t, "empty.100.txt", []byte(show(t, rendertest.Empty(), Options{Width: 100})))
	rendertest.Golden(t, "hostile.100.txt", []byte(show(t, rendertest.Hostile(), Options{Width: 100})))
	rendertest.Golden(t, "large.100x50.txt", []byte(show(t, rendertest.Large(50_000), Options{Width: 100, Height: 50})))
	rendertest.Golden(t, "namespaces.100.txt", []byte(show(t, rendertest.Namespaces(200), Options{Width: 100})))
	rendertest.Golden(t, "namespaces.100x50.txt", []byte(show(t, rendertest.Namespaces(200), Options{Width: 100, Height: 50})))
}

// TestManyNamespaces: what every namespace fails takes a screen, says how many
// they are, and names those with most findings.
func TestManyNamespaces(t *testing.T) {
	r := rendertest.Namespaces(200)
	for width := 60; width <= 180; width += 10 {
		out := show(t, r, Options{Width: width})
		_, findings, _ := strings.Cut(out, "  Worst first")
		findings, _, _ = strings.Cut(findings, "\n\n")
		if n := strings.Count(findings, "\n") + 1; n > roomy {
			t.Errorf("width %d: findings take %d lines", width, n)
		}
		if !strings.Contains(findings, "\n  in 200 namespaces: catalog-dev-0 (48)") {
			t.Errorf("width %d: the worst namespaces are not named:\n%s", width, findings)
		}
	}
	out := show(t, r, Options{Width: 140})
	for _, want := range []string{
		// Of those that fail as a whole, the ones in which most is to be done.
		"200 of 200 namespaces: catalog-dev-0, payments-test-0, ledger-test-0, ",
		"599 of 639 containers in 200 namespaces: catalog-dev-0 (5), catalog-dev-10 (5), ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]+m")

// TestNothingEscapes proves for every report and screen that lines are no
// wider than the screen, and that what comes from a cluster or file cannot
// move the cursor, colour, hide or reorder anything.
func TestNothingEscapes(t *testing.T) {
	reports := map[string]*report.Report{"ordinary": rendertest.Ordinary(), "empty": rendertest.Empty(), "hostile": rendertest.Hostile(), "nothing": {}}
	for name, r := range reports {
		for width := narrowest; width <= 200; width += 7 {
			for _, o := range []Options{{}, {Color: true}, {ASCII: true}, {ASCII: true, Color: true}, {Verbose: true}, {Height: 50}, {MaxFindings: -1, Color: true}} {
				o.Width = width
				out := show(t, r, o)
				if !o.Color && strings.Contains(out, "\x1b") {
					t.Fatalf("%s %+v: an escape without colour", name, o)
				}
				for i, line := range strings.Split(strings.TrimSuffix(sgr.ReplaceAllString(out, ""), "\n"), "\n") {
					if w := displaywidth.String(line); w > width {
						t.Errorf("%s %+v: line %d is %d wide: %s", name, o, i+1, w, line)
					}
					if plain := group.Plain(line); plain != line {
						t.Errorf("%s %+v: line %d is not plain: %s", name, o, i+1, plain)
					}
					if o.ASCII && group.ASCII(line) != line {
						t.Errorf("%s %+v: line %d is not ASCII: %s", name, o, i+1, line)
					}
				}
				for _, it := range checklist.Items() {
					if !strings.Contains(out, it.Number) {
						t.Errorf("%s %+v: box %s is not there", name, o, it.Number)
					}
				}
			}
		}
	}
}

// TestColourChangesNothing: the words are the same with and without.
func TestColourChangesNothing(t *testing.T) {
	for name, r := range map[string]*report.Report{"ordinary": rendertest.Ordinary(), "hostile": rendertest.Hostile()} {
		plain := show(t, r, Options{Width: 100})
		colour := show(t, r, Options{Width: 100, Color: true})
		if strip := sgr.ReplaceAllString(colour, ""); strip != plain {
			t.Errorf("%s: colour changes the text", name)
		}
		if !strings.Contains(colour, "\x1b[31;1m") {
			t.Errorf("%s: no colour", name)
		}
	}
}

// TestFits: on a 100 × 50 terminal the screen and the prompt after it do not scroll.
func TestFits(t *testing.T) {
	for name, r := range map[string]*report.Report{"ordinary": rendertest.Ordinary(), "empty": rendertest.Empty(), "large": rendertest.Large(50_000), "namespaces": rendertest.Namespaces(200)} {
		out := show(t, r, Options{Width: 100, Height: 50})
		if n := strings.Count(out, "\n"); n >= 50 {
			t.Errorf("%s takes %d lines", name, n)
		}
		if name != "empty" && !strings.Contains(out, "  ✘ critical ") && !strings.Contains(out, "  ✘ high ") {
			t.Errorf("%s does not show what is worst", name)
		}
	}
}

// TestLow: on a low terminal what is worst is what remains on the screen.
func TestLow(t *testing.T) {
	for name, r := range map[string]*report.Report{"ordinary": rendertest.Ordinary(), "large": rendertest.Large(50_000)} {
		lines := strings.Split(strings.TrimSuffix(show(t, r, Options{Width: 80, Height: 24}), "\n"), "\n")
		seen := strings.Join(lines[len(lines)-23:], "\n") // the last line is the prompt's
		for _, want := range []string{"  35 boxes  ", "  Worst first  ", "  ✘ critical ", "\n                  → "} {
			if !strings.Contains(seen, want) {
				t.Errorf("%s: no %q in the last lines:\n%s", name, want, seen)
			}
		}
		if n := len(regexp.MustCompile(`(?m)^  ✘ \w+ +\w\.\d`).FindAllString(seen, -1)); n < least {
			t.Errorf("%s: the last lines hold %d failing checks:\n%s", name, n, seen)
		}
	}
}

// TestWhoWhereWhat: several kinds of findings say whom, where, and what to do,
// also on a tight screen.
func TestWhoWhereWhat(t *testing.T) {
	r := rendertest.Empty()
	var findings []report.Finding
	add := func(name, message, field string) {
		findings = append(findings, report.Finding{Verdict: report.Fail, Message: message,
			Subject:  report.Subject{Kind: "DaemonSet", Namespace: "monitoring", Name: name},
			Evidence: []report.Evidence{{At: "agents.yaml:7", Field: field, Got: "x", Want: "y"}}})
	}
	add("logs", `hostPath volumes (volume "varlog")`, "spec.template.spec.volumes[0].hostPath")
	add("node", `hostPath volumes (volumes "proc", "sys")`, "spec.template.spec.volumes[0].hostPath")
	add("logs", "privileged", "spec.template.spec.containers[0].securityContext.privileged")
	r.Items[14].Checks = []report.CheckResult{{ID: "pods/security-standards/baseline", Title: "Every workload meets baseline", Severity: report.High, Noun: "workload",
		Examined: 3, Passed: 1, Findings: findings, Remediation: "Remove the `fields` that are named. Or else."}}
	r.Conclude()
	for _, height := range []int{0, 44} {
		out := show(t, r, Options{Width: 120, Height: height})
		for _, want := range []string{
			"  ✘ high     3.2  2 of 3 workloads violate: Every workload meets baseline\n",
			"                  2× hostPath volumes (volumes …)\n                     DaemonSet monitoring/logs, monitoring/node · such as spec.template.spec.volumes[0].hostPath\n",
			"                  1× privileged\n                     DaemonSet monitoring/logs · ",
			"                  → Remove the fields that are named.  plimsoll explain pods/security-standards/baseline\n",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("height %d: there is no\n%sin\n%s", height, want, out)
			}
		}
	}
}

// TestAcceptedIsNeverHidden: neither that findings were waived, nor why, by
// whom and until when.
func TestAcceptedIsNeverHidden(t *testing.T) {
	for _, o := range []Options{{Width: 100}, {Width: 100, Height: 50}, {Width: 80, Height: 24}, {Width: 140, Verbose: true}} {
		out := show(t, rendertest.Ordinary(), o)
		for _, want := range []string{"every container 2 waived", "1 by waiver", "Accepted 2 findings waived", "the vendor ships", "ops@shop.example, until 2026-12-31", "net@shop.example, until 2026-12-31"} {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				t.Errorf("%+v: there is no %q in\n%s", o, want, out)
			}
		}
	}
}

func TestMaxFindings(t *testing.T) {
	r := rendertest.Ordinary()
	all := len(group.Failures(r))
	for limit, want := range map[int]int{0: most, 1: 1, 5: 5, -1: all, 1000: all} {
		out := show(t, r, Options{Width: 100, MaxFindings: limit})
		_, worst, _ := strings.Cut(out, "Worst first")
		if got := len(regexp.MustCompile(`(?m)^  ✘ \w+ +\w\.\d`).FindAllString(worst, -1)); got != want {
			t.Errorf("MaxFindings %d shows %d, want %d", limit, got, want)
		}
		if rest := strings.Contains(out, "--all shows them"); rest != (want < all) {
			t.Errorf("MaxFindings %d: says that there is more: %v", limit, rest)
		}
	}
}

// TestNotImplementedIsNeverGreen: the words and the mark of a box without a check.
func TestNotImplementedIsNeverGreen(t *testing.T) {
	out := show(t, rendertest.Empty(), Options{Width: 100, Color: true})
	if strings.Contains(out, "✔ 1") || !strings.Contains(out, "35 boxes    not implemented yet") {
		t.Errorf("got\n%s", out)
	}
}

// TestFiles: where files were scanned, places are files and lines.
func TestFiles(t *testing.T) {
	r := rendertest.Empty()
	finding := func(name string, line int) report.Finding {
		return report.Finding{Verdict: report.Fail, Message: fmt.Sprintf("container %q has no memory limit", name),
			Subject:  report.Subject{Kind: "Deployment", Namespace: "shop", Name: name, Part: name},
			Evidence: []report.Evidence{{At: fmt.Sprintf("shop.yaml:%d", line), Field: "spec.x", Got: "(none)", Want: "set"}}}
	}
	r.Items[15].Checks = []report.CheckResult{{ID: "pods/memory-limits/limit", Severity: report.Medium, Noun: "container", Examined: 3, Findings: []report.Finding{finding("web", 3), finding("pay", 31)}}}
	r.Items[14].Checks = []report.CheckResult{{ID: "pods/security-standards/x", Severity: report.High, Noun: "workload", Examined: 3, Findings: []report.Finding{finding("db", 7)}}}
	for i := range 12 {
		r.Scan.Sources[0].Problems = append(r.Scan.Sources[0].Problems, report.Problem{At: fmt.Sprintf("bad-%d.yaml:4", i), Message: "did not find expected key"})
	}
	r.Scan.Sources[0].Ignored = []report.Count{{What: "not Kubernetes", Count: 1312, Example: "package.json"}}
	r.Conclude()
	out := show(t, r, Options{Width: 100})
	for _, want := range []string{
		"plimsoll 0.1.0   files: empty/ · 0 objects ",
		"  ✘ high     3.2  container \"db\" has no memory limit\n                  Deployment shop/db [db] · shop.yaml:7 · spec.x: (none), want set\n",
		"  ✘ medium   3.3  container … has no memory limit\n                  2 of 3 containers: Deployment shop/web, shop/pay\n                  such as shop.yaml:3 · spec.x: (none), want set\n",
		"  Problems in the input   12\n    bad-0.yaml:4: did not find expected key\n",
		"    bad-9.yaml:4: did not find expected key\n    … 2 more problems\n",
		"  Not evidence  1,312 not Kubernetes\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no\n%sin\n%s", want, out)
		}
	}
}

func TestTruncationKeepsWideRunesWhole(t *testing.T) {
	p := newPage(Options{Width: 80})
	for columns := 1; columns < 12; columns++ {
		got := p.fit("決済システム", columns)
		if w := p.width(got); w > columns || strings.ContainsRune(got, '\ufffd') {
			t.Errorf("%q is %d columns wide, want at most %d", got, w, columns)
		}
	}
	if got, want := p.fit("決済システム", 6), "決済…"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrap(t *testing.T) {
	p := newPage(Options{Width: 80})
	for _, tt := range []struct {
		text           string
		columns, lines int
		want           string
	}{
		{"", 10, 3, ""},
		{"one two three four", 10, 3, "one two|three four"},
		{"one two three four", 10, 1, "one two t…"},
		{"abcdefghijklmnop", 6, 3, "abcdef|ghijkl|mnop"},
		{"ab cdefghijklmnop", 6, 3, "ab cde|fghijk|lmnop"},
		{"決済システム", 5, 3, "決済|シス|テム"},
		{"決", 1, 3, "…"},
	} {
		if got := strings.Join(p.wrap(tt.text, tt.columns, tt.lines), "|"); got != tt.want {
			t.Errorf("wrap(%q, %d, %d) = %q, want %q", tt.text, tt.columns, tt.lines, got, tt.want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteError(t *testing.T) {
	if err := Write(broken{}, rendertest.Empty(), Options{}); err == nil {
		t.Error("a failed write is not reported")
	}
}

func BenchmarkWrite(b *testing.B) {
	r := rendertest.Large(50_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, r, Options{Width: 100, Height: 50, Color: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteVerbose(b *testing.B) {
	r := rendertest.Large(50_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, r, Options{Width: 100, Verbose: true}); err != nil {
			b.Fatal(err)
		}
	}
}
