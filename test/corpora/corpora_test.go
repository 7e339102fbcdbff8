package corpora

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/plimsoll-sec/plimsoll/internal/checks"
	"github.com/plimsoll-sec/plimsoll/internal/engine"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/source/files"
)

// floors are the least precision and recall of each item that has checks and
// labels: what is reached now. They are raised with the checks, never lowered.
var floors = map[string]struct{ precision, recall float64 }{
	"1.1": {1, 0},         // kubeconfigs and audit logs are not read yet
	"1.6": {0.659, 0.920}, // a label is about one rule of a peer, and the box has many: most samples break another one
	"2.2": {0.971, 0.920}, // policies of Cilium are not read yet
	"2.3": {1, 0.522},     // most inputs name no namespace, or were saved without CustomResourceDefinitions
	"3.1": {1, 0.400},     // rights in one namespace are listed for the review
	"3.2": {0.991, 0.997}, // three labels of DeploymentConfigs have no oracle, and it says otherwise of their twins
	"3.3": {1, 1},
	"3.4": {0.857, 0.857},
	"3.5": {0.666, 0.933}, // peers still take the annotations for effective
	"3.6": {1, 0.6},       // where nothing is set, nodes decide, which manifests do not show
	"6.1": {1, 0.2},       // four of the five values are masks
	"6.4": {1, 0.666},
	"7.2": {1, 0.473}, // the image's user is not read yet
	"7.3": {0.809, 0.944},
	"8.2": {1, 1},
}

// label is one expected verdict: somebody's opinion.
type label struct {
	ID, Case, Item, Agree, Expect, Oracle, Direction, Doubt, Schema string

	Also, Control []string
	Object        *object
	Objects       []object
	InputKind     string `json:"input_kind"`
}

type object struct{ Kind, Namespace, Name string }

// input is a case: what the tool is run on.
type input struct {
	Case   string
	Inputs []string
}

// outcomes say how the tool's verdict compares with the one that is expected.
// A verdict that is not known is never a hit.
var outcomes = map[string]map[string]string{
	"fail": {"fail": "TP", "pass": "FN", "unknown": "FN?"},
	"pass": {"fail": "FP", "pass": "TN", "unknown": "TN?"},
}

// TestLabels runs the checks over each labelled case and compares.
func TestLabels(t *testing.T) {
	root := corpora(t)
	implemented := map[string]bool{}
	for _, c := range checks.All {
		implemented[c.Item.Number] = true
	}
	inputs := map[string][]string{}
	for _, c := range lines[input](t, filepath.Join(root, "cases.jsonl")) {
		for _, in := range c.Inputs {
			inputs[c.Case] = append(inputs[c.Case], filepath.Join(root, in))
		}
	}
	labelled, err := filepath.Glob(filepath.Join(root, "*", "labels.jsonl"))
	if err != nil || len(labelled) == 0 {
		t.Fatalf("no labels in %s: %v", root, err)
	}
	known := disagreements(t)
	exact, proxies := table{}, table{}
	var apart []string
	answers := map[string][]answer{}
	for _, name := range labelled {
		for _, l := range lines[label](t, name) {
			if !implemented[l.Item] || l.Agree == "extra" || l.InputKind != "manifest" || l.Doubt != "" || l.Schema != "" {
				continue
			}
			if _, ok := answers[l.Case]; !ok {
				answers[l.Case] = ask(t, inputs[l.Case])
			}
			got := compare(l, answers[l.Case])
			if l.Agree == "proxy" { // narrower or stricter than the box: shown, not held against it
				proxies.count(l.Item, got)
				if got != "TP" && got != "TN" {
					apart = append(apart, fmt.Sprintf("%s %s %s", l.Item, got, l.ID))
				}
				continue
			}
			exact.count(l.Item, got)
			listed := known[l.ID]
			delete(known, l.ID)
			switch agrees := got == "TP" || got == "TN"; {
			case agrees && listed:
				t.Errorf("%s: now agrees: take it out of disagreements.txt", l.ID)
			case !agrees && !listed:
				t.Errorf("%s (case %s): %s: mend the check, or list the label with the reason in disagreements.txt", l.ID, l.Case, got)
			}
		}
	}
	for id := range known {
		t.Errorf("%s: disagreements.txt lists a label that there is not", id)
	}
	slices.Sort(apart)
	t.Logf("labels that ask for less, more or something else than the box (agree=proxy):\n%s\nof which\n  %s", proxies, strings.Join(apart, "\n  "))
	t.Logf("labels that ask what the box asks (agree=exact):\n%s", exact)
	for item, n := range exact {
		floor, ok := floors[item]
		if p, r := n.precision(), n.recall(); !ok || p < floor.precision || r < floor.recall {
			t.Errorf("item %s: precision %.4f, recall %.4f; the floor is %v", item, p, r, floor)
		}
	}
	for item := range floors {
		if exact[item] == nil {
			t.Errorf("item %s has a floor and no labels", item)
		}
	}
}

// table counts outcomes by item.
type table map[string]outcome

type outcome map[string]int

func (t table) count(item, got string) {
	if t[item] == nil {
		t[item] = outcome{}
	}
	t[item][got]++
}

func (n outcome) precision() float64 { return share(n["TP"], n["FP"]) }
func (n outcome) recall() float64    { return share(n["TP"], n["FN"]+n["FN?"]) }

func (t table) String() string {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "item\tTP\tFP\tFN\tTN\tunknown\tprecision\trecall\t")
	for _, item := range slices.Sorted(maps.Keys(t)) {
		n := t[item]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%.3f\t%.3f\t\n", item, n["TP"], n["FP"], n["FN"], n["TN"],
			n["FN?"]+n["TN?"], n.precision(), n.recall())
	}
	w.Flush()
	return out.String()
}

// share is the hits' part of hits and misses, 1 where there are neither.
func share(hits, misses int) float64 {
	if hits+misses == 0 {
		return 1
	}
	return float64(hits) / float64(hits+misses)
}

// answer is what the tool says of a case: a finding, or that a check could not
// tell, in the words of the labels.
type answer struct {
	item     string
	check    string // the last part of its id
	controls []string
	object   object // without a name: the case as a whole
	unknown  bool
}

// ask judges one case on exactly its inputs.
func ask(t *testing.T, paths []string) []answer {
	t.Helper()
	b := &inventory.Builder{}
	if _, err := files.Read(t.Context(), b, files.Options{Paths: paths}); err != nil {
		t.Fatal(err)
	}
	// The labels of 3.4 take every workload for sensitive.
	inventory.Put(b, inventory.Settings, report.Subject{Kind: "Config"}, inventory.Origin{Source: "config"},
		inventory.Setting{Tiers: []inventory.Tier{{Name: "every", Sensitive: true}}})
	r := engine.Evaluate(b.Seal(time.Unix(0, 0)), checks.All)
	answers := []answer{}
	for _, item := range r.Items {
		for _, c := range item.Checks {
			name := c.ID[strings.LastIndexByte(c.ID, '/')+1:]
			if len(c.Gaps) > 0 {
				answers = append(answers, answer{item: item.Number, check: name, controls: []string{name}, unknown: true})
			}
			for _, f := range c.Findings {
				if f.Verdict != report.Fail && c.Severity == report.Info {
					continue // it does not decide the item
				}
				answers = append(answers, answer{
					item: item.Number, check: name, controls: controls(item.Number, name, f.Control), unknown: f.Verdict != report.Fail,
					object: object{f.Subject.Kind, f.Subject.Namespace, f.Subject.Name},
				})
			}
		}
	}
	return answers
}

// controls are the words of the labels for what a finding of 3.2 is about: the
// control and the levels that it breaks; what is not about a pod's fields goes
// by the name of its check, which no label has. Other items have no controls.
func controls(item, check, control string) []string {
	switch {
	case item != "3.2":
		return nil
	case control == "":
		return []string{check}
	}
	for _, c := range policy.DefaultChecks() {
		if string(c.ID) == control && c.Level == api.LevelBaseline {
			return []string{control, string(api.LevelBaseline), string(api.LevelRestricted)}
		}
	}
	return []string{control, string(api.LevelRestricted)}
}

// compare holds a label against the answers of its case, as score.py of the
// corpora does.
func compare(l label, answers []answer) string {
	objects := l.Objects
	if l.Object != nil {
		objects = append(objects, *l.Object)
	}
	verdict := "pass"
	for _, a := range answers {
		switch {
		case a.item != l.Item && !slices.Contains(l.Also, a.item):
		case l.Direction != "" && a.check != l.Direction && !strings.HasSuffix(a.check, "host-network"):
		case len(objects) > 0 && a.object.Name != "" && !slices.ContainsFunc(objects, a.object.same):
		case len(l.Control) > 0 && len(a.controls) > 0 && !slices.ContainsFunc(a.controls, func(c string) bool { return slices.Contains(l.Control, c) }):
		case !a.unknown:
			verdict = "fail"
		case verdict == "pass":
			verdict = "unknown"
		}
	}
	// The upstream evaluator's verdict overrides the label's.
	return outcomes[cmp.Or(l.Oracle, l.Expect)][verdict]
}

// same compares what both sides name.
func (o object) same(other object) bool {
	agree := func(a, b string) bool { return a == "" || b == "" || a == b }
	return agree(o.Kind, other.Kind) && agree(o.Name, other.Name) && agree(o.Namespace, other.Namespace)
}

// lines decodes a file of JSON lines.
func lines[T any](t *testing.T, name string) []T {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for line := range bytes.Lines(data) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: line %d: %v", name, len(out)+1, err)
		}
		out = append(out, v)
	}
	return out
}

// disagreements reads the labels that the checks are known to disagree with,
// each with its reason.
func disagreements(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile("disagreements.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, ok := strings.Cut(line, ": ")
		if !ok || reason == "" || out[id] {
			t.Errorf("disagreements.txt: %q is not \"label-id: reason\", or stands there twice", line)
		}
		out[id] = true
	}
	return out
}

// corpora is the folder of labelled inputs, which is not part of the project.
func corpora(t *testing.T) string {
	t.Helper()
	root := os.Getenv("PLIMSOLL_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	if _, err := os.Stat(filepath.Join(root, "cases.jsonl")); err != nil {
		t.Skipf("the corpora are not in %s: set PLIMSOLL_CORPORA", root)
	}
	return root
}
