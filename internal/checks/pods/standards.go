package pods

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var podSecurityStandards = report.Reference{Name: "Pod Security Standards", URL: "https://kubernetes.io/docs/concepts/security/pod-security-standards/"}

// security-standards/violations and restricted-violations
//
// Statement: every workload meets the standard that its namespace enforces.
// Looks at: workloads in namespaces that enforce baseline or restricted, by
// label or by the default of the cluster; at the version that is enforced.
// Admission looks at pods that are created: a workload may be older than the
// label, and a controller's template is only warned about.
// Passes when: upstream's evaluator allows the pod. Exempt namespaces and
// runtime classes are left to baseline.
// Fails when: it does not; once for every control, those of baseline under
// violations, those that only restricted has under restricted-violations.
// Cannot tell when: the namespace's object, or the cluster's default where that
// decides, was not read, and the workload does not meet restricted anyway.
//
// https://kubernetes.io/docs/concepts/security/pod-security-admission/
var (
	violations = violates("violations", report.High, api.LevelBaseline,
		"No workload violates baseline where its namespace enforces it")
	restrictedViolations = violates("restricted-violations", report.Medium, api.LevelRestricted,
		"No workload violates restricted where its namespace enforces it")
)

func violates(name string, severity report.Severity, level api.Level, title string) *check.Check {
	return &check.Check{
		ID:       "pods/security-standards/" + name,
		Item:     checklist.SecurityStandards,
		Title:    title,
		Noun:     "workload",
		Severity: severity,
		Why: "Pod Security admission refuses pods when they are created, and looks at nothing else: a workload that was there before the label runs on, with all its privileges, " +
			"until a pod is replaced and refused. Until then it can do what the namespace seems to rule out, and afterwards it is down.",
		Remediation: "Change the fields that are named so that the pod meets the standard, or move the workload to a namespace whose level fits it.",
		Refs:        []report.Reference{podSecurityStandards},
		Needs:       workload.With(inventory.Namespaces.Need(), inventory.PodSecurityDefaults.Optional()),
		Run:         func(e *check.Eval) { judgeEnforced(e, level) },
	}
}

// judgeEnforced judges the controls of a level where that level, or a stricter
// one, is enforced.
func judgeEnforced(e *check.Eval, level api.Level) {
	policies := podsecurity.Enforced.Of(e)
	unclear := map[string][]*workload.Workload{} // by namespace: its level is not known
	for w := range workload.Running(e) {
		p, ok := policies.For(w.Namespace)
		switch {
		case !ok && len(e.Missing(inventory.Namespaces.ID, w.Namespace)) > 0: // the gap says it
		case !ok || !p.Known:
			switch at := meets(w, api.LatestVersion()); {
			case api.CompareLevels(at, level) >= 0:
				e.Pass(w.Subject)
			default:
				unclear[w.Namespace] = append(unclear[w.Namespace], w)
			}
		case p.Enforces() && api.CompareLevels(p.Enforce.Level, level) >= 0 && !policies.ExemptPod(w.Spec()):
			found := slices.DeleteFunc(podsecurity.Evaluate(p.Enforce, w.PodAnnotations(), w.Spec()),
				func(v podsecurity.Violation) bool { return v.Level != level })
			judge(e, w, found, fmt.Sprintf("violates %q, which its namespace enforces: ", p.Enforce.String()))
		}
	}
	for namespace, ws := range unclear {
		_, read := policies.For(namespace)
		judgeUnclear(e, namespace, read, ws)
	}
}

// giveNamespaces is how to let the levels of namespaces be seen.
const giveNamespaces = "scan the cluster, or add the namespaces to the input"

// judgeUnclear reports once for all workloads of a namespace that may violate
// its level.
func judgeUnclear(e *check.Eval, namespace string, read bool, ws []*workload.Workload) {
	s := report.Subject{Kind: "Namespace", APIVersion: "v1", Name: namespace}
	why := fmt.Sprintf("namespace %q is not in the input", namespace)
	switch {
	case read:
		why = fmt.Sprintf("namespace %q sets no level, and the default of the cluster was not read", namespace)
	case namespace == "":
		s.Name = podsecurity.None
		why = "no namespace is named"
	}
	f := e.Unknown(s, fmt.Sprintf("%s: the level that %s may violate is not known", why, report.Plural(len(ws), "workload")),
		ws[0].Evidence("metadata.namespace", cmp.Or(namespace, podsecurity.None), "a namespace whose level is known"))
	f.Remedy = giveNamespaces
	if read {
		f.Remedy = inventory.HowPodSecurityDefaults
	}
	if len(ws) > 1 {
		f.Count = len(ws)
	}
}

// security-standards/baseline, restricted and system-workloads
//
// Statement: every workload meets the baseline standard; and, as information,
// the restricted one.
// Looks at: workloads whose namespace is not known to enforce the standard
// already (those are judged by violations), at the namespace's version, else
// the latest. Workloads in the namespaces of Kubernetes itself are listed by
// system-workloads: kube-proxy, network and storage plugins need privileges to
// do their work, so that they are information and do not fail the item.
// Passes when: upstream's evaluator allows the pod. A Namespace object is not
// needed: a manifest is judged by itself.
// Fails when: it does not; once for every control. What is reported for
// baseline is not repeated for restricted.
// Cannot tell when: workloads could not be read.
var (
	baseline = standard("baseline", report.High, api.LevelBaseline,
		"Every workload meets the baseline Pod Security Standard",
		"Each control of baseline closes a known way from a container to its node: host namespaces, host paths, privileged mode, added capabilities. "+
			"A workload that needs one of them has to be trusted like the node itself.",
		"Remove the fields that are named, such as `privileged: true`, `hostNetwork: true` or a hostPath volume. Where a workload cannot do without, put it into a namespace of its own, give few people access to it, and waive the finding with the reason.",
		func(w *workload.Workload) bool { return !inventory.SystemNamespace(w.Namespace) })
	restricted = standard("restricted", report.Info, api.LevelRestricted,
		"Every workload meets the restricted Pod Security Standard",
		"Restricted asks for what most applications can do without noticing: no root, no added capabilities, no privilege escalation, a seccomp profile. "+
			"What of it is missing is listed so that the level can be raised; it does not fail the item.",
		"Set the fields that are named, then enforce `restricted` on the namespace.",
		func(w *workload.Workload) bool { return !inventory.SystemNamespace(w.Namespace) })
	systemWorkloads = standard("system-workloads", report.Info, api.LevelBaseline,
		"The workloads of Kubernetes itself meet the baseline Pod Security Standard",
		"Components in kube-system often have to be privileged: kube-proxy, network and storage plugins. They are listed because each of them is as powerful as its node, "+
			"and because an intruder likes to hide among them; they do not fail the item.",
		"Know each workload that is listed, and why it needs what it has. Move applications out of kube-system.",
		func(w *workload.Workload) bool { return inventory.SystemNamespace(w.Namespace) })
)

func standard(name string, severity report.Severity, level api.Level, title, why, remediation string, of func(*workload.Workload) bool) *check.Check {
	return &check.Check{
		ID:       "pods/security-standards/" + name,
		Item:     checklist.SecurityStandards,
		Title:    title,
		Noun:     "workload",
		Severity: severity,
		Why:      why, Remediation: remediation,
		Refs:  []report.Reference{podSecurityStandards},
		Needs: workload.With(inventory.Namespaces.Optional(), inventory.PodSecurityDefaults.Optional()),
		Run: func(e *check.Eval) {
			policies := podsecurity.Enforced.Of(e)
			for w := range workload.Running(e) {
				if !of(w) {
					continue
				}
				lv := api.LevelVersion{Level: level, Version: api.LatestVersion()}
				if p, ok := policies.For(w.Namespace); ok {
					if p.Enforces() && !policies.ExemptPod(w.Spec()) && api.CompareLevels(p.Enforce.Level, level) >= 0 {
						continue // judged by violations
					}
					lv.Version = p.Enforce.Version
				}
				judge(e, w, own(w, lv), "violates "+string(level)+": ")
			}
		},
	}
}

// own evaluates a level and leaves out what the level below reports already.
func own(w *workload.Workload, lv api.LevelVersion) []podsecurity.Violation {
	found := podsecurity.Evaluate(lv, w.PodAnnotations(), w.Spec())
	if lv.Level != api.LevelRestricted || len(found) == 0 {
		return found
	}
	lv.Level = api.LevelBaseline
	below := map[string]bool{}
	for _, v := range podsecurity.Evaluate(lv, w.PodAnnotations(), w.Spec()) {
		for _, f := range v.Fields {
			below[f.Path] = true
		}
	}
	found = slices.DeleteFunc(found, func(v podsecurity.Violation) bool { return v.Level != api.LevelRestricted })
	for i := range found {
		found[i].Fields = slices.DeleteFunc(found[i].Fields, func(f podsecurity.Field) bool { return below[f.Path] })
	}
	return slices.DeleteFunc(found, func(v podsecurity.Violation) bool { return len(v.Fields) == 0 })
}

// judge reports one finding for each control, or the pass.
func judge(e *check.Eval, w *workload.Workload, found []podsecurity.Violation, prefix string) {
	if len(found) == 0 {
		e.Pass(w.Subject)
		return
	}
	for _, v := range found {
		var fields []report.Evidence
		for _, f := range v.Fields {
			fields = append(fields, w.PodEvidence(f.Path, f.Got, f.Want))
		}
		w.Counted(e.Fail(w.Subject, prefix+v.Text, fields...)).Control = v.Control
	}
}

// meets is the strictest standard that the workload meets.
func meets(w *workload.Workload, v api.Version) api.Level {
	return podsecurity.Strictest(v, w.PodAnnotations(), w.Spec())
}
