package pods

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podpolicy"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// security-standards/enforcement and system-namespaces
//
// Statement: every namespace enforces the baseline or the restricted standard,
// or a level that fits what runs in it.
// Looks at: Namespace objects: the labels pod-security.kubernetes.io/enforce
// and enforce-version; else the default in the PodSecurity plugin's configuration;
// the namespaces that it exempts; and the policies of Kyverno, Gatekeeper and
// Kubewarden and the ValidatingAdmissionPolicies that refuse pods. Workloads say
// which level could be enforced today. Namespaces of Kubernetes itself are
// judged by system-namespaces: privileged is fitting for kube-system as long as
// workloads there do not meet baseline.
// Passes when: baseline or restricted is enforced; policies enforce every
// control of baseline together; or the label says privileged, and workloads do
// not meet baseline (baseline lists them).
// Fails when: nothing is enforced, or privileged where it is not needed; the
// namespace is exempt; the API server's flags turn the plugin off; or a label
// has a value that does not parse (upstream takes such a level for restricted).
// Levels that are only warned about or audited stop no pod, nor do policies
// that audit, warn or do not run.
// Cannot tell when: the default decides and was not read; policies were not
// read, or ask for something of pods that is not understood.
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
		Refs:  []report.Reference{podSecurityStandards, {Name: "CIS Kubernetes Benchmark 5.2.1", URL: "https://www.cisecurity.org/benchmark/kubernetes"}},
		Needs: enforcementNeeds(),
		Run: func(e *check.Eval) {
			policies := podsecurity.Enforced.Of(e)
			if policies.Off != nil {
				if name == "enforcement" {
					judgeOff(e, policies.Off)
				}
				return
			}
			tenants := map[string][]*workload.Workload{}
			for w := range workload.Running(e) {
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
						"has workloads, and there is no Namespace object of it in the input", ws[0].Evidence("metadata.namespace", namespace, "")).Remedy = giveNamespaces
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
	held := podpolicy.Enforced.Of(e).In(ns)
	if p.Enforces() || held.Level() != api.LevelPrivileged {
		e.Pass(ns.Subject)
		return
	}
	t := today(e, ns.Name, p.Enforce.Version, workloads)
	mayNeedPrivileged := ns.Name == "kube-system" || p.Labelled && !p.Exempt
	if mayNeedPrivileged && t.level == api.LevelPrivileged {
		e.Pass(ns.Subject) // privileged fits; kube-system need not say so
		return
	}
	msg := strings.Join(slices.DeleteFunc([]string{state(ns, p), held.String(), t.String()}, func(s string) bool { return s == "" }), "; ")
	label := ns.Evidence("metadata.labels["+api.EnforceLevelLabel+"]", cmp.Or(ns.Value.Labels[api.EnforceLevelLabel], podsecurity.None), string(t.wanted()))
	var f *report.Finding
	if doubt := held.Doubt(); doubt != "" {
		f = e.Unknown(ns.Subject, msg+", but "+doubt, label)
	} else {
		f = e.FailAbsent(ns.Subject, whatDecides(p, t, mayNeedPrivileged), ns.Name, msg, label)
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
