package group

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/render/rendertest"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func TestFailures(t *testing.T) {
	type pattern struct {
		Message  string
		Findings int
	}
	type failure struct {
		Number, Check string
		Patterns      []pattern
	}
	var got []failure
	for _, f := range Failures(rendertest.Ordinary()) {
		entry := failure{Number: f.Item.Number, Check: f.Check.ID}
		n := 0
		for _, p := range f.Patterns {
			entry.Patterns = append(entry.Patterns, pattern{p.Message, len(p.Findings)})
			n += len(p.Findings)
		}
		if n != f.Findings {
			t.Errorf("%s: %d findings, its patterns have %d", f.Check.ID, f.Findings, n)
		}
		got = append(got, entry)
	}
	// The waived findings of pods/seccomp/effective are not there.
	want := []failure{
		{"1.6", "access/rbac/unauthenticated-binding", []pattern{{`"system:unauthenticated" is bound to "cluster-admin"`, 1}}},
		{"1.1", "access/system-masters/credentials", []pattern{{`"admin.conf" holds a client certificate in "system:masters"`, 1}}},
		{"1.6", "access/rbac/wildcard-verbs", []pattern{{`all verbs on "secrets", "pods"`, 1}}},
		{"3.2", "pods/security-standards/enforced", []pattern{{`no level is enforced, its workloads meet "restricted"`, 1}}},
		{"8.2", "admission/pod-policy/any", nil},
		{"2.2", "network/policy-coverage/egress", []pattern{{"no policy selects its pods for egress", 12}}},
		{"2.3", "network/default-deny/ingress", []pattern{{"no NetworkPolicy selects all pods and denies ingress", 15}}},
		{"3.3", "pods/memory-limits/limit", []pattern{{"container … has no memory limit", 10}, {`limit "2Gi" is above the request "512Mi"`, 1}}},
		{"7.2", "images/unprivileged/user", []pattern{{`container "nginx" runs as user 0`, 1}}},
		{"7.3", "images/provenance/digest", []pattern{{"image … is named by tag", 40}}},
		{"A.1", "application/design/default-namespace", []pattern{{`is in the namespace "default"`, 2}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

// TestFailuresOfAnAnyCheck: a witness that did not decide is not a failure.
func TestFailuresOfAnAnyCheck(t *testing.T) {
	r := rendertest.Empty()
	r.Items[0].Checks = []report.CheckResult{{ID: "access/system-masters/any", Severity: report.High, Any: true, Examined: 2, Passed: 1,
		Findings: []report.Finding{{Verdict: report.Fail, Message: "this one does not"}}}}
	r.Conclude()
	if got := Failures(r); len(got) != 0 {
		t.Errorf("%d failures of a check that holds", len(got))
	}
}

func TestRemedy(t *testing.T) {
	finding := func(remedy string) *report.Finding { return &report.Finding{Remedy: remedy} }
	for _, tt := range []struct {
		remedies []string
		want     string
	}{
		{[]string{"a"}, "a"}, {[]string{"a", "a"}, "a"}, {[]string{"a", "b"}, ""}, {[]string{"a", ""}, ""}, {[]string{"", "a"}, ""}, {[]string{""}, ""}, {nil, ""},
	} {
		var f Failure
		for _, r := range tt.remedies {
			f.Patterns = append(f.Patterns, Pattern{Findings: []*report.Finding{finding(r)}})
		}
		if got, shared := f.Remedy(); got != tt.want || shared != (tt.want != "") {
			t.Errorf("remedy of %q is %q, %v", tt.remedies, got, shared)
		}
	}
}

func TestClaim(t *testing.T) {
	r := rendertest.Ordinary()
	got := map[string]string{}
	for _, f := range Failures(r) {
		got[f.Check.ID] = f.Claim()
	}
	for id, want := range map[string]string{
		"access/rbac/wildcard-verbs": "1 of 62 roles violates: No role grants all verbs",
		"pods/memory-limits/limit":   "11 of 212 containers violate: Every container has a memory limit that its request reserves",
		"admission/pod-policy/any":   "none found among 0 policy engines: A policy for pods is enforced at admission",
	} {
		if got[id] != want {
			t.Errorf("%s claims %q, want %q", id, got[id], want)
		}
	}
}

func TestAdvice(t *testing.T) {
	for in, want := range map[string]string{
		"":                                 "",
		"Remove it. Then wait.":            "Remove it.",
		"no full stop":                     "no full stop",
		"Set `a.b. c`\nto it.\n\nThen go.": "Set a.b. c to it.",
		"Use a tool, e.g. this one. And":   "Use a tool, e.g. this one.",
		"Since v1.30 set `x: {}`.":         "Since v1.30 set x: {}.",
	} {
		if got := Advice(in); got != want {
			t.Errorf("Advice(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAcceptances(t *testing.T) {
	var got []string
	for _, a := range Acceptances(rendertest.Ordinary()) {
		got = append(got, strings.Join([]string{a.Item.Number, a.Type, a.Check.ID, Number(len(a.Findings)), a.Reason, a.Who()}, "|"))
	}
	want := []string{
		"2.4|attested|network/encryption/mesh|1|the nodes are joined by WireGuard|by net@shop.example, until 2026-12-31",
		"3.5|waived|pods/seccomp/effective|2|the vendor ships a profile in version 4|by ops@shop.example, until 2026-12-31",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("acceptances (-want +got):\n%s", diff)
	}
	if n := ByWaiver(rendertest.Ordinary()); n != 1 {
		t.Errorf("%d boxes hold by waiver, want 1", n)
	}
}

// TestProblems: those that leave boxes open come first and say so.
func TestProblems(t *testing.T) {
	r := rendertest.Empty()
	r.Scan.Sources = []report.Source{{Type: "files", Problems: []report.Problem{
		{At: "a.yaml:5", Message: "this key was there before"},
		{At: "b.yaml:3", Message: "not YAML"},
		{At: "GET /api/v1/secrets", Message: "forbidden: secrets are not for you"},
	}}}
	gaps := func(details ...string) (c report.CheckResult) {
		c.Severity = report.High
		for _, d := range details {
			c.Gaps = append(c.Gaps, report.Gap{Kind: "*", Cause: report.Unreadable, Detail: d})
		}
		return c
	}
	r.Items[0].Checks = []report.CheckResult{gaps("b.yaml:3: not YAML"), gaps("b.yaml:3: not YAML")}
	for i := range 4 {
		r.Items[5+i].Checks = []report.CheckResult{gaps("secrets are not for you")}
	}
	for i := range r.Items {
		if it := &r.Items[i]; len(it.Checks) > 0 {
			for j := range it.Checks {
				it.Checks[j].ID = it.ID + "/x"
			}
		}
	}
	r.Conclude()
	var got []string
	for _, p := range Problems(r) {
		got = append(got, p.At+"|"+p.Effect())
	}
	want := []string{"b.yaml:3|leaves 1.1 open", "GET /api/v1/secrets|leaves 4 boxes open", "a.yaml:5|"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// TestLeftOut: a box of which some checks were left out says so beside what
// else it waits for.
func TestLeftOut(t *testing.T) {
	r := rendertest.Empty()
	r.Items[0].Skipped = []string{r.Items[0].ID + "/x"}
	r.Items[1].Skipped = []string{r.Items[1].ID + "/x"}
	r.Items[1].Checks = []report.CheckResult{{ID: r.Items[1].ID + "/y", Severity: report.High, Gaps: []report.Gap{{Kind: "v1/Pod", Cause: report.Forbidden, How: "ask"}}}}
	r.Conclude()
	var got []string
	for _, m := range Absences(r) {
		got = append(got, m.Boxes()+"|"+m.Reason())
	}
	want := []string{"1.2|Pod: forbidden for this identity", "1.1 1.2|left out of this scan", "33 boxes|not implemented yet"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("absences (-want +got):\n%s", diff)
	}
}

func TestShape(t *testing.T) {
	for message, want := range map[string]string{
		"no quotes":                         "no quotes",
		`image "a:1" is named by tag`:       "image … is named by tag",
		`containers "a", "b" and "c" run`:   "containers … run",
		`an "escaped \" quote" here`:        "an … here",
		`"a" is bound to "b"`:               "… is bound to …",
		`an unclosed "quote`:                `an unclosed "quote`,
		`metadata.labels["app"] is "web" …`: "metadata.labels[…] is … …",
		"2 of 13 workloads (1 of v1.27)":    "… of … workloads (… of v1.27)",
		"runs as user 0":                    "runs as user 0",
	} {
		if got := shape(message); got != want {
			t.Errorf("shape(%q) = %q, want %q", message, got, want)
		}
	}
}

func TestNamespaces(t *testing.T) {
	at := func(kind, namespace, name string) *report.Finding {
		return &report.Finding{Subject: report.Subject{Kind: kind, Namespace: namespace, Name: name}}
	}
	got := Namespaces([]*report.Finding{
		at("Pod", "b", "x"), at("Pod", "a", "x"), at("Namespace", "", "c"), at("Pod", "c", "x"), at("ClusterRole", "", "x"),
	})
	if diff := cmp.Diff([]Namespace{{"c", 2}, {"a", 1}, {"b", 1}}, got); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
}

// TestCountsAreOneKind: what differs in numbers says the same.
func TestCountsAreOneKind(t *testing.T) {
	var findings []report.Finding
	for _, m := range []string{"meets baseline (1 workload)", "meets baseline (12 workloads)", "meets restricted (12 workloads)"} {
		findings = append(findings, report.Finding{Verdict: report.Fail, Message: m})
	}
	got := patterns(findings, report.Fail)
	if len(got) != 2 || got[0].Message != "meets baseline (… workloads)" || got[1].Message != "meets restricted (12 workloads)" {
		t.Errorf("%+v", got)
	}
}

func TestAbsences(t *testing.T) {
	type missing struct {
		Verdict          report.Verdict
		Boxes, What, Why string
		How              string
	}
	var got []missing
	for _, m := range Absences(rendertest.Ordinary()) {
		got = append(got, missing{m.Verdict, m.Boxes(), m.What, m.Why, m.How})
	}
	want := []missing{
		{report.Unknown, "6.4 6.5 A.2", "Secret, LimitRange in pay, ledger", "forbidden for this identity", "kubectl apply -f deploy/rbac.yaml"},
		{report.Unknown, "1.3 1.4", "node facts, node certificates", "no node was asked", "kubectl apply -f deploy/agent.yaml, then --node-facts"},
		{report.Unknown, "6.4", "audit events", "no audit log was given", "--audit-log '/var/log/kubernetes/audit*.log'"},
		{report.Manual, "3.4 5.1", "", "no tiers of sensitivity are declared", "declare tiers in plimsoll.yaml"},
		{report.Manual, "1.5", "", "no access review is on record", "plimsoll access review, then state it in plimsoll.yaml"},
		{report.Unknown, "5.2 6.1", "", "left out of this scan", "scan without --skip and --checks"},
		{report.Unknown, "10 boxes", "", "not implemented yet", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("absences (-want +got):\n%s", diff)
	}
}

// TestAbsencesOfFindings: where no evidence is missing, what the check said of
// its subjects is what keeps the box open.
func TestAbsencesOfFindings(t *testing.T) {
	r := rendertest.Empty()
	unknown := func(name, message string) report.Finding {
		return report.Finding{Verdict: report.Unknown, Message: message, Subject: report.Subject{Name: name}}
	}
	r.Items[0].Checks = []report.CheckResult{
		{ID: "access/system-masters/a", Severity: report.High, Findings: []report.Finding{unknown("a", `image "a" is not here`), unknown("b", `image "b" is not here`)}},
		{ID: "access/system-masters/b", Severity: report.Info, Findings: []report.Finding{unknown("c", "this does not decide")}},
	}
	r.Conclude()
	m := Absences(r)[0]
	if m.NoCheck || m.Why != "image … is not here" || m.Boxes() != "1.1" {
		t.Errorf("got %+v", m)
	}
	if len(Absences(r)) != 2 {
		t.Errorf("%d absences, want this one and the boxes without a check", len(Absences(r)))
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"plain — text, “quoted” 界 é ✔": "plain — text, “quoted” 界 é ✔",
		"\x1b[31m":                     `\u001b[31m`,
		"a\nb\r\tc\x00\x7f":            `a\u000ab\u000d\u0009c\u0000\u007f`,
		"\u009b1m\u0085":               `\u009b1m\u0085`,
		"\u202eevil\u2069":             `\u202eevil\u2069`,
		"a\u200bb\ufeffc\u00add\ufe0f": `a\u200bb\ufeffc\u00add\ufe0f`,
		"\u2028\u2029\u00a0\u3000":     `\u2028\u2029\u00a0\u3000`,
		"\u3164\u115f\u2800\U000e0041": `\u3164\u115f\u2800\U000e0041`,
		"bad \xff\xc3 utf8 \ufffd":     "bad \\xff\\xc3 utf8 \ufffd",
		"":                             "",
	} {
		if got := Plain(text); got != want {
			t.Errorf("Plain(%q) = %q, want %q", text, got, want)
		}
	}
	if got, want := ASCII("界 é\x1b"), `\u754c \u00e9\u001b`; got != want {
		t.Errorf("ASCII = %q, want %q", got, want)
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range rendertest.Evil {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Plain(s)
		if !utf8.ValidString(got) {
			t.Errorf("Plain(%q) is not UTF-8", s)
		}
		if again := Plain(got); again != got {
			t.Errorf("Plain(%q) is not plain: %q becomes %q", s, got, again)
		}
		for _, r := range ASCII(s) {
			if r < ' ' || r > '~' {
				t.Errorf("ASCII(%q) holds %q", s, r)
			}
		}
	})
}

func TestName(t *testing.T) {
	for want, s := range map[string]report.Subject{
		"shop":             {Kind: "Namespace", Name: "shop"},
		"shop/web":         {Kind: "Deployment", Namespace: "shop", Name: "web"},
		"shop/web [app]":   {Kind: "Deployment", Namespace: "shop", Name: "web", Part: "app"},
		"[kube-apiserver]": {Part: "kube-apiserver"},
		"":                 {},
	} {
		if got := Name(s); got != want {
			t.Errorf("Name(%+v) = %q, want %q", s, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for want, got := range map[string]string{
		"1 box": Noun(1, "box"), "0 boxes": Noun(0, "box"), "12,345 findings": Noun(12345, "finding"),
		"-1": Number(-1), "-1,000": Number(-1000), "999": Number(999), "1,000,000": Number(1000000),
		"12 ms": Duration(12), "1.9 s": Duration(1893), "2 min 5 s": Duration(125_400),
		"a, b, c": Some([]string{"a", "b", "c"}, 3), "a, b and 2 more": Some([]string{"a", "b", "c", "d"}, 3),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestIdentity(t *testing.T) {
	for name, want := range map[string]string{
		"ordinary": "shop-prod · v1.37.2 · kubeadm · 12 nodes · 148 workloads · 612 pods",
		"empty":    "files: empty/ · 0 objects",
	} {
		r := map[string]*report.Report{"ordinary": rendertest.Ordinary(), "empty": rendertest.Empty()}[name]
		if got := strings.Join(Identity(r), " · "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
