package pods

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// enforcement and system-namespaces
//
// Statement: every namespace enforces the baseline or the restricted standard.
// Looks at: Namespace objects: the labels pod-security.kubernetes.io/enforce
// and enforce-version; else the default in the PodSecurity plugin's configuration;
// and the namespaces that it exempts. Workloads only serve to say which level
// could be enforced today. Namespaces of Kubernetes itself are judged by
// system-namespaces: privileged is fitting for kube-system as long as workloads
// there do not meet baseline.
// Passes when: baseline or restricted is enforced.
// Fails when: nothing or privileged is, the namespace is exempt, the API
// server's flags turn the plugin off, or a label
// has a value that does not parse (upstream takes such a level for restricted);
// levels that are only warned about or audited stop no pod.
// Cannot tell when: the default decides and was not read, or something else may
// enforce a policy on pods that is not read yet: Kyverno, Gatekeeper,
// Kubewarden, a ValidatingAdmissionPolicy that denies.
//
// https://kubernetes.io/docs/concepts/security/pod-security-admission/
var (
	enforcement = enforces("enforcement", report.Medium,
		"Every namespace enforces the baseline or restricted standard",
		"Without an enforced level, whoever may create a pod in the namespace may create a privileged one, and with it own the node. "+
			"The `warn` and `audit` modes tell somebody about it, but the pod runs.",
		"Label the namespace with the strictest level that its workloads meet: `kubectl label namespace NAME pod-security.kubernetes.io/enforce=baseline`. "+
			"Try it first with `--dry-run=server`: the API server names the pods that would be refused.")
	systemNamespaces = enforces("system-namespaces", report.Low,
		"The namespaces of Kubernetes itself enforce a standard where they can",
		"kube-public and kube-node-lease hold no workloads, and nobody looks there for one. "+
			"kube-system needs privileged workloads on most clusters: then privileged is the level that fits, and few may create pods there.",
		"Enforce `restricted` on kube-public and kube-node-lease, and on kube-system the level that its workloads meet.")
)

func enforces(name string, severity report.Severity, title, why, remediation string) *check.Check {
	return &check.Check{
		ID:       "pods/security-standards/" + name,
		Item:     checklist.SecurityStandards,
		Title:    title,
		Noun:     "namespace",
		Severity: severity,
		Why:      why, Remediation: remediation,
		Refs: []report.Reference{podSecurityStandards, {Name: "CIS Kubernetes Benchmark 5.2.1", URL: "https://www.cisecurity.org/benchmark/kubernetes"}},
		Needs: slices.Concat(otherEnforcers(), inventory.Optional(workload.Needs()), []inventory.Need{inventory.Namespaces.Need(), inventory.PodSecurityDefaults.Optional(),
			inventory.ValidatingAdmissionPolicies.Optional(), inventory.ValidatingAdmissionPolicyBindings.Optional()}),
		Run: func(e *check.Eval) {
			policies := podsecurity.Enforced.Of(e)
			if pod := policies.Off; pod != nil { // one cause for all namespaces
				if name == "enforcement" {
					e.Fail(pod.Subject, "the API server runs without the PodSecurity plugin: labels of namespaces enforce nothing",
						pod.Evidence("spec.containers[0].command", "--disable-admission-plugins=…PodSecurity…", "PodSecurity on")).Remedy = "take PodSecurity out of --disable-admission-plugins"
				}
				return
			}
			tenants := map[string][]*workload.Workload{}
			for w := range running(e) {
				tenants[w.Namespace] = append(tenants[w.Namespace], w)
			}
			for ns := range inventory.All(e, inventory.Namespaces) {
				if inventory.SystemNamespace(ns.Name) == (name == "system-namespaces") {
					judgeEnforcement(e, ns, policies.Of(ns), tenants[ns.Name])
				}
				delete(tenants, ns.Name)
			}
			if len(e.Missing(inventory.Namespaces.ID, "")) > 0 {
				return
			}
			delete(tenants, "") // a manifest without a namespace names none
			for namespace, ws := range tenants {
				if inventory.SystemNamespace(namespace) == (name == "system-namespaces") {
					e.Unknown(report.Subject{Kind: "Namespace", APIVersion: "v1", Name: namespace},
						"has workloads, and there is no Namespace object of it in the input", ws[0].Evidence("metadata.namespace", namespace, ""))
				}
			}
		},
	}
}

func judgeEnforcement(e *check.Eval, ns inventory.Object[inventory.Meta], p podsecurity.Policy, workloads []*workload.Workload) {
	for _, label := range []string{api.EnforceLevelLabel, api.EnforceVersionLabel} {
		if value, ok := ns.Value.Labels[label]; ok && !known(label, value) {
			e.Fail(ns.Subject, fmt.Sprintf("the label %q has the value %q, which Pod Security does not know: the API server refuses it, or holds pods to restricted", label, value),
				ns.Evidence("metadata.labels["+label+"]", value, "privileged, baseline or restricted; a version is latest or like v1.37"))
			return
		}
	}
	if p.Enforces() {
		e.Pass(ns.Subject)
		return
	}
	t := today(e, ns.Name, p.Enforce.Version, workloads)
	if ns.Name == "kube-system" && t.level == api.LevelPrivileged {
		e.Pass(ns.Subject) // privileged fits, enforced or not
		return
	}
	label := ns.Evidence("metadata.labels["+api.EnforceLevelLabel+"]", cmp.Or(ns.Value.Labels[api.EnforceLevelLabel], podsecurity.None), string(t.wanted()))
	msg := state(ns, p) + "; " + t.String()
	var f *report.Finding
	if by := denyingPolicy(e, ns); by != "" {
		f = e.Unknown(ns.Subject, fmt.Sprintf("%s, but pods may be held to a standard by ValidatingAdmissionPolicy %q, which this version does not read yet", msg, by), label)
	} else {
		f = e.FailAbsent(ns.Subject, whatDecides(ns.Name, p, t), ns.Name, msg, label)
	}
	command := fmt.Sprintf("kubectl label --overwrite namespace %s %s=%s", ns.Name, api.EnforceLevelLabel, t.wanted())
	switch {
	case t.partial: // what was not read may need more than the level that would be advised
	case p.Exempt:
		f.Remedy = "take the namespace out of the exemptions of the PodSecurity plugin, then: " + command
	case len(t.violators) > 0:
		f.Remedy = "change or move what does not meet baseline, then: " + command
	default:
		f.Remedy = command
	}
}

// whatDecides lists the evidence without which the failure is not certain.
func whatDecides(namespace string, p podsecurity.Policy, t standing) []report.KindID {
	var kinds []report.KindID
	if !p.Labelled && !p.Exempt {
		kinds = append(kinds, inventory.PodSecurityDefaults.ID)
	}
	if namespace == "kube-system" && t.partial { // a workload that was not read may be what needs privileged
		for _, n := range workload.Needs() {
			kinds = append(kinds, n.Kind)
		}
	}
	for _, n := range otherEnforcers() {
		kinds = append(kinds, n.Kind)
	}
	return append(kinds, inventory.ValidatingAdmissionPolicies.ID, inventory.ValidatingAdmissionPolicyBindings.ID)
}

// state says what the namespace asks for instead.
func state(ns inventory.Object[inventory.Meta], p podsecurity.Policy) string {
	if p.Exempt {
		return "the PodSecurity plugin's configuration exempts the namespace"
	}
	if p.Labelled {
		return `the enforced level is "privileged"`
	}
	var only []string
	for _, mode := range []struct{ name, label string }{{"warned about", api.WarnLevelLabel}, {"audited", api.AuditLevelLabel}} {
		if level := ns.Value.Labels[mode.label]; level != "" && level != string(api.LevelPrivileged) {
			only = append(only, fmt.Sprintf("%q is only %s", level, mode.name))
		}
	}
	if len(only) == 0 {
		return "no level is enforced"
	}
	return "no level is enforced, " + strings.Join(only, ", ")
}

// standing is what the workloads of a namespace meet today.
type standing struct {
	level     api.Level
	workloads int
	violators []string // what does not meet baseline
	partial   bool     // not all workloads were read
}

func today(e *check.Eval, namespace string, v api.Version, workloads []*workload.Workload) standing {
	s := standing{level: api.LevelRestricted, workloads: len(workloads)}
	for _, w := range workloads {
		level := meets(w, v)
		if api.CompareLevels(level, s.level) < 0 {
			s.level = level
		}
		if level == api.LevelPrivileged {
			s.violators = append(s.violators, w.Kind+" "+w.Name)
		}
	}
	s.partial = slices.ContainsFunc(workload.Needs(), func(n inventory.Need) bool { return len(e.Missing(n.Kind, namespace)) > 0 })
	return s
}

// wanted is the level to enforce: what the workloads meet, at least baseline.
func (s standing) wanted() api.Level {
	if s.level == api.LevelPrivileged {
		return api.LevelBaseline
	}
	return s.level
}

func (s standing) String() string {
	read := ""
	if s.partial {
		read = " that could be read"
	}
	all := counting(s.workloads, "workload") + read
	switch n := len(s.violators); {
	case s.workloads == 0:
		return "it has no workloads" + read
	case n > 0:
		named := slices.Compact(slices.Clone(s.violators)) // one name may stand in several files
		among := ""
		if len(named) > 3 {
			named, among = named[:3], "among them "
		}
		return fmt.Sprintf("%d of %s do not meet baseline: %s%s", n, all, among, strings.Join(named, ", "))
	}
	return fmt.Sprintf("what runs in it meets %s today (%s)", s.level, all)
}
