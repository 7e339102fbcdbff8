package rendertest

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Evil holds texts that someone who may name a file, a label or an object
// could choose in order to deceive a reader of the report.
var Evil = []string{
	"\x1b[2J\x1b[1;1H\x1b[32mall clear\x1b[0m",
	"\x1b]0;owned\x07\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
	"\u009b31mC1 control",
	"two\nlines\r\nand\ttabs\vand\fothers\x00\x7f",
	"bidi \u202egnp.exe\u202c \u2066isolate\u2069 \u200fmark",
	"zero\u200bwidth\u200d\ufeff\u00ad and \u2028separators\u2029",
	"invalid \xff\xfe\xc3 bytes",
	"tags \U000e0041\U000e0042 and filler \u3164\u115f\u2800",
	"zalgo " + "e" + strings.Repeat("\u0301", 200),
	"| pipe | `tick` ``two`` \\| back\\slash",
	"<img src=x onerror=alert(1)> <!-- --> </details> &lt;",
	"@kubernetes/sig-security @octocat cc #1 kubernetes/kubernetes#12345 GH-7",
	"https://github.com/kubernetes/kubernetes/issues/1 www.evil.example me@evil.example",
	"[link](https://evil.example) ![image](https://evil.example/p.png) *bold* _it_ ~~s~~ $x$ :tada:",
	"# heading\n- [x] forged box\n```\ncode\n```",
	strings.Repeat("界", 300),
	strings.Repeat("long", 2000),
	"👩‍💻 emoji 🇩🇪",
}

// Hostile is a report in which every text that a cluster or file can bring is
// one of Evil.
func Hostile() *report.Report {
	r := Empty()
	n := 0
	evil := func() string { n++; return Evil[n%len(Evil)] }
	r.Scan.Cluster = report.Cluster{Name: evil(), Version: evil(), Distribution: evil(), Provider: evil(), Nodes: -1, Workloads: -1, Pods: -1}
	r.Tool = report.Tool{Name: evil(), Version: evil()}
	r.Scan.Scope, r.Scan.Skipped = Evil, Evil
	source := report.Source{Type: "files", Detail: evil(), Objects: 3}
	for _, e := range Evil {
		source.Problems = append(source.Problems, report.Problem{At: e, Message: evil()})
		source.Ignored = append(source.Ignored, report.Count{What: e, Count: 1, Example: evil()})
		source.Notes = append(source.Notes, report.Count{What: e, Count: 2, Example: evil()})
		r.Statements = append(r.Statements, report.Statement{Type: "waiver", At: e, Detail: evil(), State: "expired", Message: evil()})
	}
	r.Scan.Sources = []report.Source{source}
	var findings []report.Finding
	for _, e := range Evil {
		findings = append(findings, report.Finding{Verdict: report.Fail, Message: evil(), Remedy: e, Control: evil(),
			Subject:  report.Subject{Kind: evil(), APIVersion: evil(), Namespace: evil(), Name: e, Part: evil()},
			Evidence: seen(evil(), evil(), evil(), evil())})
	}
	var accepted []report.Finding
	for i, e := range Evil {
		f := report.Finding{Verdict: report.Fail, Message: evil(), Subject: report.Subject{Kind: evil(), Namespace: evil(), Name: e}}
		if i%2 == 0 {
			f.Waived = &report.Waived{Reason: e, By: evil(), Until: evil()}
		} else {
			f.Verdict, f.Attested = report.Pass, &report.Attestation{Statement: e, By: evil(), Until: evil()}
		}
		accepted = append(accepted, f)
		r.Statements = append(r.Statements, report.Statement{Type: evil(), At: evil(), Detail: e, State: "used"})
	}
	set(r, checklist.Seccomp, failed("pods/seccomp/"+evil(), evil(), report.Medium, "container", 0, accepted...))
	for _, e := range Evil {
		r.Statements = append(r.Statements, report.Statement{Type: evil(), At: evil(), Detail: evil(), State: e, Message: evil()})
	}
	many := failed("network/default-deny/ingress", evil(), report.Medium, "namespace", 1, findings...)
	many.Remediation = strings.Join(Evil, " ")
	set(r, checklist.DefaultDeny, many)
	for i, it := range []*checklist.Item{checklist.SystemMasters, checklist.RBAC, checklist.MemoryLimits, checklist.LSM, checklist.ImageProvenance} {
		set(r, it, failed(it.ID+"/one", evil(), report.High, evil(), i, findings[i]))
	}
	set(r, checklist.UnprivilegedUser, failed("images/unprivileged/user", evil(), report.Severity(evil()), "container", 0, findings[0]))
	gaps := report.CheckResult{ID: "secrets/bound-tokens/x", Title: evil(), Severity: report.High, Noun: evil()}
	for _, e := range Evil {
		gaps.Gaps = append(gaps.Gaps, report.Gap{Kind: report.KindID("v1/" + evil()), Scope: e, Cause: report.Forbidden, Detail: evil(), How: evil()})
	}
	for _, e := range Evil {
		source.Problems = append(source.Problems, report.Problem{At: "request", Message: "forbidden: " + e})
		gaps.Gaps = append(gaps.Gaps, report.Gap{Kind: "v1/Secret", Cause: report.Forbidden, Detail: e})
	}
	r.Scan.Sources = []report.Source{source}
	set(r, checklist.BoundTokens, gaps)
	r.Conclude()
	return r
}

// Large is a report with n findings, spread over namespaces and checks as a
// large cluster would have them.
func Large(n int) *report.Report {
	r := Ordinary()
	items := []*checklist.Item{checklist.MemoryLimits, checklist.Seccomp, checklist.UnprivilegedUser, checklist.ImageProvenance, checklist.TokenMounts}
	for i, it := range items {
		var findings []report.Finding
		for j := range n / len(items) {
			findings = append(findings, report.Finding{Verdict: report.Fail, Message: fmt.Sprintf("container %q does not do what it should", fmt.Sprintf("app-%d", j%7)),
				Subject:  object("Deployment", fmt.Sprintf("namespace-%04d", j/10), fmt.Sprintf("workload-%d", j%10), fmt.Sprintf("app-%d", j%7)),
				Evidence: seen(fmt.Sprintf("live:/apis/apps/v1/namespaces/namespace-%04d/deployments/workload-%d@%d", j/10, j%10, j), fmt.Sprintf("spec.template.spec.containers[%d].resources", j%7), "(none)", "set"),
				Remedy:   "set it in the template"})
		}
		set(r, it, failed(it.ID+"/large", "Every container does what it should", report.Severities[1+i%3], "container", 1000, findings...))
	}
	r.Conclude()
	return r
}
