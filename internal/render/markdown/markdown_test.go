package markdown

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"

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
	rendertest.Golden(t, "ordinary.md", []byte(show(t, rendertest.Ordinary(), Options{})))
	rendertest.Golden(t, "empty.md", []byte(show(t, rendertest.Empty(), Options{})))
	rendertest.Golden(t, "hostile.md", []byte(show(t, rendertest.Hostile(), Options{})))
}

// TestTicks: a box is ticked if and only if it holds.
func TestTicks(t *testing.T) {
	r := rendertest.Ordinary()
	out := show(t, r, Options{})
	anchors := map[string]string{}
	for _, it := range checklist.AllItems() {
		anchors[it.ID] = it.Anchor()
	}
	boxes := regexp.MustCompile(`(?m)^- \[([ x])\] (\S) \*\*([A\d.]+)\*\* \[.*\]\((https://kubernetes\.io/docs/\S+#\S+)\): .+$`).FindAllStringSubmatch(out, -1)
	if len(boxes) != len(r.Items) {
		t.Fatalf("%d boxes, want %d", len(boxes), len(r.Items))
	}
	for i, it := range r.Items {
		b := boxes[i]
		if ticked := b[1] == "x"; b[3] != it.Number || ticked != (it.Verdict == report.Pass) || b[2] != marks[it.Verdict] || b[4] != anchors[it.ID] {
			t.Errorf("box %s (%s) is %q", it.Number, it.Verdict, b[0])
		}
	}
}

// TestLimit: whatever there is to say, the report stays below the limit, has
// all boxes, closes what it opens, and says what it leaves out.
func TestLimit(t *testing.T) {
	for name, r := range map[string]*report.Report{"ordinary": rendertest.Ordinary(), "hostile": rendertest.Hostile(), "large": rendertest.Large(50_000)} {
		floor := len(show(t, r, Options{Limit: 1}))
		for _, o := range []Options{{}, {Limit: floor + 200}, {Limit: floor + 500}, {Limit: floor + 1000}, {Limit: floor + 3000}, {Limit: 30_000}, {MaxFindings: -1}, {MaxFindings: 1}} {
			out := show(t, r, o)
			limit := o.Limit
			if limit == 0 {
				limit = GitHubLimit
			}
			if len(out) > max(limit, floor) {
				t.Errorf("%s %+v: %d bytes", name, o, len(out))
			}
			if n := strings.Count(out, "\n- ["); n != len(r.Items) {
				t.Errorf("%s %+v: %d boxes", name, o, n)
			}
			if open, closed := strings.Count(out, "<details>"), strings.Count(out, "</details>"); open != closed {
				t.Errorf("%s %+v: %d blocks are opened, %d closed", name, o, open, closed)
			}
			shown := len(regexp.MustCompile(`(?m)^\| [^?✎|].* \| .* \| .* \|$`).FindAllString(body(out), -1))
			said := 0
			for _, m := range regexp.MustCompile(`(?m)^(?:… )?([\d,]+) (?:more )?findings?(?: of .* left out.*)?$`).FindAllStringSubmatch(out, -1) {
				n := 0
				for _, d := range strings.ReplaceAll(m[1], ",", "") {
					n = 10*n + int(d-'0')
				}
				said += n
			}
			total := 0
			for _, f := range group.Failures(r) {
				total += f.Findings
			}
			if shown+said != total {
				t.Errorf("%s %+v: %d findings are shown and %d are said to be left out, there are %d", name, o, shown, said, total)
			}
		}
	}
}

// body is the part with the findings, without the heads of its tables.
func body(out string) string {
	_, out, _ = strings.Cut(out, "### Worst first")
	out, _, _ = strings.Cut(out, "### Accepted")
	out, _, _ = strings.Cut(out, "### To decide")
	return strings.ReplaceAll(out, "| subject | seen | where |", "")
}

// TestAccepted: what passes only because it was accepted says so, and by whom.
func TestAccepted(t *testing.T) {
	out := show(t, rendertest.Ordinary(), Options{})
	for _, want := range []string{
		"- [x] ✔ **3.5** [A seccomp profile confines every container](https://kubernetes.io/docs/concepts/security/security-checklist/#pod-security): 210 of 212 containers, 2 findings waived (observed) (2 waived)\n",
		"### Accepted: 2 findings waived\n",
		"| 3.5 waived `pods/seccomp/effective`: DaemonSet `legacy/agent [agent]`, DaemonSet `legacy/sync [sync]` | the vendor ships a profile in version 4 | ops@&#8203;shop.example, 2026-12-31 |\n",
		"| 2.4 attested `network/encryption/mesh`: Cluster `shop-prod` | the nodes are joined by WireGuard | net@&#8203;shop.example, 2026-12-31 |\n",
		"- waiver pods/seccomp/effective in legacy/\\*, `plimsoll.yaml:9`: 2 findings\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no\n%sin\n%s", want, out)
		}
	}
}

func TestProse(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"Set `a_b: <c>`,\nthen *go*.": "Set <code>a&#95;b&#58; &#60;c&#62;</code>, then \\*go\\*.",
		"an `open span @x":            "an \\`open span @&#8203;x",
		"`policyTypes: [Ingress]` is": "`policyTypes: [Ingress]` is",
	} {
		if got := prose(in); got != want {
			t.Errorf("prose(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestManyNamespaces: what is cut is counted by namespace.
func TestManyNamespaces(t *testing.T) {
	out := show(t, rendertest.Namespaces(200), Options{})
	for _, want := range []string{"In 200 namespaces: `catalog-dev-0` (5), ", " and 195 more\n", "… 180 more findings\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	if len(out) > GitHubLimit {
		t.Errorf("%d bytes", len(out))
	}
}

// TestMildestAreCutFirst: what is worst is there as long as anything is.
func TestMildestAreCutFirst(t *testing.T) {
	r := rendertest.Ordinary()
	full := len(show(t, r, Options{}))
	out := show(t, r, Options{Limit: full - 2000})
	if !strings.Contains(out, "debug-all") || strings.Contains(out, "job-19") {
		t.Errorf("a shorter report does not keep the worst findings:\n%s", out)
	}
}

var (
	// ours is what the renderer itself writes.
	ours = regexp.MustCompile("`[^`<]*`|<code>[^<]*</code>|</?details>|</?summary>|&#8203;|&#124;|&#36;|&amp;|&lt;|&gt;|" +
		`\\.|\]\(https://kubernetes\.io/docs/[a-z/#-]+\)|^- \[[ x]\] \S \*\*[A\d.]+\*\* \[|^##+ `)
	// live is what GitHub would format, link, mention or hide.
	live = regexp.MustCompile("(?i)[<>`*_~$\\[\\]\\\\]|&[a-z#]|@\\w|#\\d|gh-\\d|://|www\\.")
)

// TestNothingEscapes: outside code, nothing that came from the scan is left
// that formats, links, mentions, or ends a table, block or line.
func TestNothingEscapes(t *testing.T) {
	for name, r := range map[string]*report.Report{"hostile": rendertest.Hostile(), "ordinary": rendertest.Ordinary()} {
		out := show(t, r, Options{Limit: -1, MaxFindings: -1})
		for i, line := range strings.Split(out, "\n") {
			if plain := group.Plain(line); plain != line {
				t.Errorf("%s line %d is not plain: %s", name, i+1, plain)
			}
			if cells := strings.Count(line, "|"); cells != 0 && cells != 4 && cells != 8 {
				t.Errorf("%s line %d has another number of cells: %s", name, i+1, line)
			}
			if m := live.FindString(ours.ReplaceAllString(line, "\u00b7")); m != "" {
				t.Errorf("%s line %d holds %q: %s", name, i+1, m, line)
			}
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain, words.":    "plain, words.",
		"@team #1":         "@&#8203;team #&#8203;1",
		"a|b":              "a&#124;b",
		"`x` *y* _z_ ~w~":  "\\`x\\` \\*y\\* \\_z\\_ \\~w\\~",
		`a\|b`:             `a\\&#124;b`,
		"<b>&amp;":         "&lt;b&gt;&amp;amp;",
		"[a](https://x.y)": `\[a\](https:&#8203;//x.y)`,
		"two\nlines":       `two\\u000alines`,
		"$x$ GH-7 www.x.y": "&#36;x&#36; GH-&#8203;7 www&#8203;.x.y",
		"\u202e":           `\\u202e`,
	} {
		if got := text(in); got != want {
			t.Errorf("text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for in, want := range map[string]string{
		"":           "",
		"web.yaml:3": "`web.yaml:3`",
		"@team #1":   "`@team #1`",
		"<b>":        "<code>&#60;b&#62;</code>",
		"a|b":        "<code>a&#124;b</code>",
		"a`b":        "<code>a&#96;b</code>",
		`a\`:         "<code>a&#92;</code>",
		" a":         "<code> a</code>",
		"`@x <b>|":   "<code>&#96;&#64;x &#60;b&#62;&#124;</code>",
	} {
		if got := code(in); got != want {
			t.Errorf("code(%q) = %q, want %q", in, got, want)
		}
	}
	if got := code(strings.Repeat("界", 500)); len([]rune(got)) != textCut+3 {
		t.Errorf("a long value takes %d characters", len([]rune(got)))
	}
}

func BenchmarkWrite(b *testing.B) {
	r := rendertest.Large(50_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, r, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteAll(b *testing.B) {
	r := rendertest.Large(50_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, r, Options{Limit: -1, MaxFindings: -1}); err != nil {
			b.Fatal(err)
		}
	}
}
