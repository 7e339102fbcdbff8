// Package checktest runs checks over fixtures, and proves of every check what
// the design promises of all of them.
//
// A fixture is a txtar archive in testdata/<check id>/<case>.txtar. Its files
// are manifests, read as the files source reads them. A comment
//
//	# want fail "regexp"
//
// stands on the line that the finding's first evidence points to ("want
// unknown" and "want manual" likewise), or, as "want fail below", on a line of
// its own above one that cannot hold a comment. Surplus and missing findings both fail
// the test. Special files: "want" (a line "verdict: pass"), "gaps" (lines
// "kind scope cause", scope "-" for everywhere), "collected" (a kind a line that
// no source brings yet, as if one had), "config" (YAML of tiers).
package checktest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/source/files"
)

// Observed is the moment at which fixtures are observed.
var Observed = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// Run runs every check of a suite over its fixtures, in subtests named by
// check and case, and the automatic tests of [Laws] over each.
func Run(t *testing.T, suite []*check.Check) {
	t.Helper()
	for _, c := range suite {
		t.Run(c.ID, func(t *testing.T) {
			names, err := filepath.Glob(filepath.Join("testdata", filepath.FromSlash(c.ID), "*.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			verdicts := map[report.Verdict]bool{}
			for _, name := range names {
				t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
					f, err := load(name)
					if err != nil {
						t.Fatal(err)
					}
					got := check.Evaluate(c, f.seal(0))
					verdicts[got.Verdict] = true
					f.compare(t, got)
					laws(t, c, f)
				})
			}
			for _, v := range []report.Verdict{report.Pass, report.Fail} {
				if !verdicts[v] && !(v == report.Fail && verdicts[report.Manual]) {
					t.Errorf("no fixture gives the verdict %q", v)
				}
			}
		})
	}
}

// Example evaluates a fixture that people are shown, and says what is found on
// each line ("web.yaml:12"), in the order of the findings.
func Example(c *check.Check, name string) (verdict report.Verdict, found map[string][]report.Finding, err error) {
	f, err := load(name)
	if err != nil {
		return "", nil, err
	}
	r := check.Evaluate(c, f.seal(0))
	found = map[string][]report.Finding{}
	for _, finding := range r.Findings {
		if len(finding.Evidence) > 0 {
			at := finding.Evidence[0].At
			found[at] = append(found[at], finding)
		}
	}
	return r.Verdict, found, nil
}

// fixture is one parsed txtar archive.
type fixture struct {
	files   []files.File
	wants   []want
	verdict report.Verdict
	gaps    []report.Gap
	setting inventory.Setting
	// collected are kinds that were read without finding anything.
	collected []report.KindID
}

// want is an expected finding.
type want struct {
	at      string // "web.yaml:12"
	verdict report.Verdict
	message *regexp.Regexp
}

func (w want) String() string { return fmt.Sprintf("%s: %s %q", w.at, w.verdict, w.message) }

var wantComment = regexp.MustCompile(`# want (fail|unknown|manual)( below)? ("(?:[^"\\]|\\.)*")`)

func load(name string) (*fixture, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f := &fixture{}
	for _, file := range txtar.Parse(data).Files {
		switch file.Name {
		case "want":
			f.verdict = report.Verdict(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(file.Data)), "verdict:")))
		case "gaps":
			for line := range strings.Lines(string(file.Data)) {
				words := strings.Fields(line)
				if len(words) != 3 {
					return nil, fmt.Errorf("%s: gaps: %q is not \"kind scope cause\"", name, line)
				}
				f.gaps = append(f.gaps, report.Gap{Kind: report.KindID(words[0]), Scope: strings.TrimPrefix(words[1], "-"), Cause: report.Cause(words[2])})
			}
		case "collected":
			for kind := range strings.FieldsSeq(string(file.Data)) {
				f.collected = append(f.collected, report.KindID(kind))
			}
		case "config":
			if err := yaml.UnmarshalStrict(file.Data, &f.setting); err != nil {
				return nil, fmt.Errorf("%s: config: %w", name, err)
			}
		default:
			f.files = append(f.files, files.File{Name: file.Name, Data: file.Data})
			if err := f.readWants(file); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if !slices.Contains(report.Verdicts, f.verdict) {
		return nil, fmt.Errorf("%s: the file \"want\" must say \"verdict: …\"", name)
	}
	return f, nil
}

func (f *fixture) readWants(file txtar.File) error {
	n := 0
	for line := range strings.Lines(string(file.Data)) {
		n++
		for _, m := range wantComment.FindAllStringSubmatch(line, -1) {
			text, err := strconv.Unquote(m[3])
			if err != nil {
				return fmt.Errorf("%s:%d: %w", file.Name, n, err)
			}
			re, err := regexp.Compile(text)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", file.Name, n, err)
			}
			at := n
			if m[2] != "" {
				at++
			}
			f.wants = append(f.wants, want{fmt.Sprintf("%s:%d", file.Name, at), report.Verdict(m[1]), re})
		}
	}
	return nil
}

// seal builds the inventory of the fixture. turn rotates the order of the
// files, which must change nothing.
func (f *fixture) seal(turn int, more ...files.File) *inventory.Inventory {
	b := &inventory.Builder{}
	in := slices.Concat(f.files, more)
	if len(in) > 0 {
		turn %= len(in)
		in = slices.Concat(in[turn:], in[:turn])
	}
	files.ReadFiles(b, in)
	inventory.Put(b, inventory.Settings, report.Subject{Kind: "Config", Name: "plimsoll.yaml"}, inventory.Origin{Source: "config", Place: "plimsoll.yaml"}, f.setting)
	b.Collected(f.collected...)
	b.Gap(f.gaps...)
	return b.Seal(Observed)
}

// compare matches findings with wants, one to one.
func (f *fixture) compare(t *testing.T, got report.CheckResult) {
	t.Helper()
	if got.Verdict != f.verdict {
		t.Errorf("verdict %s (%s), want %s", got.Verdict, got.Reason, f.verdict)
	}
	left := slices.Clone(f.wants)
	for _, finding := range got.Findings {
		at := "(nowhere)"
		if len(finding.Evidence) > 0 {
			at = finding.Evidence[0].At
		}
		i := slices.IndexFunc(left, func(w want) bool {
			return w.at == at && w.verdict == finding.Verdict && w.message.MatchString(finding.Message)
		})
		if i < 0 {
			t.Errorf("surplus finding at %s: %s %q (%s/%s %s)", at, finding.Verdict, finding.Message, finding.Subject.Namespace, finding.Subject.Name, finding.Subject.Part)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, w := range left {
		t.Errorf("missing finding %s", w)
	}
}
