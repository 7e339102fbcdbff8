package admission

import (
	"cmp"
	"slices"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podpolicy"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var podPolicyRefs = []report.Reference{
	{Name: "Kubernetes: Pod Security Admission", URL: "https://kubernetes.io/docs/concepts/security/pod-security-admission/"},
	{Name: "Kubernetes: Enforcing Pod Security Standards", URL: "https://kubernetes.io/docs/setup/best-practices/enforcing-pod-security-standards/"},
}

// pod-policy/enforced
//
// Statement: a policy on the security of pods is enforced at admission.
// Looks at: the level that each namespace enforces with the PodSecurity plugin,
// by its label or by the default of the plugin's configuration; the plugin
// itself in the flags of API servers; and the policies of Kyverno, Gatekeeper
// and Kubewarden and the ValidatingAdmissionPolicies that refuse pods.
// Passes when: one namespace enforces baseline or restricted, or the default
// does; or policies enforce every control of baseline in one namespace. Which
// namespaces do not is the matter of pods/security-standards/enforcement.
// Fails when: nothing does so anywhere. That a namespace of Kubernetes itself
// enforces nothing says nothing: it may need what no standard allows.
// Cannot tell when: nothing was found and something was not read: the plugin's
// configuration, policies, or what a policy asks of pods.
//
// https://kubernetes.io/docs/concepts/security/pod-security-admission/
var podPolicyEnforced = &check.Check{
	ID:       "admission/pod-policy/enforced",
	Item:     checklist.AdmissionPolicy,
	Title:    "A pod security policy is enforced at admission",
	Noun:     "namespace",
	Severity: report.Medium,
	Any:      true,
	Why: "Without a policy at admission, whoever may create a pod anywhere in the cluster may create a privileged one, and with it own the node and all that runs there. " +
		"RBAC cannot tell a harmless pod from a harmful one.",
	Remediation: "Enforce a Pod Security Standard: label namespaces with `pod-security.kubernetes.io/enforce`, or set a default in the PodSecurity plugin's configuration.",
	Refs:        podPolicyRefs,
	Needs:       podPolicyNeeds(),
	Run: func(e *check.Eval) {
		policies := podsecurity.Enforced.Of(e)
		if pod := policies.Off; pod != nil {
			e.Fail(pod.Subject, "the API server runs without the PodSecurity plugin: labels of namespaces enforce nothing",
				pod.Evidence("spec.containers[0].command", "--disable-admission-plugins=…PodSecurity…", "PodSecurity on"))
		}
		for d := range inventory.All(e, inventory.PodSecurityDefaults) {
			level, err := api.ParseLevel(d.Value.Enforce)
			if err == nil && d.Value.Enforce != "" && level != api.LevelPrivileged && policies.Off == nil {
				e.Pass(d.Subject)
			}
		}
		for ns := range inventory.All(e, inventory.Namespaces) {
			judgePodPolicy(e, ns, policies.Of(ns))
		}
	},
}

func podPolicyNeeds() []inventory.Need {
	return slices.Concat(podpolicy.Enforced.Needs,
		[]inventory.Need{inventory.Namespaces.Need(), inventory.PodSecurityDefaults.Optional(), inventory.Pods.Optional()})
}

func judgePodPolicy(e *check.Eval, ns inventory.Object[inventory.Meta], p podsecurity.Policy) {
	held := podpolicy.Enforced.Of(e).In(ns)
	if p.Enforces() || held.Level() != api.LevelPrivileged {
		e.Pass(ns.Subject)
		return
	}
	if podsecurity.Enforced.Of(e).Off != nil && held.Doubt() == "" { // the one cause
		return
	}
	if inventory.SystemNamespace(ns.Name) { // it may need what no standard allows
		return
	}
	msg := "nothing holds the pods of the namespace to a standard"
	if text := held.String(); text != "" {
		msg += ": " + text
	}
	label := ns.Evidence("metadata.labels["+api.EnforceLevelLabel+"]", cmp.Or(ns.Value.Labels[api.EnforceLevelLabel], podsecurity.None), string(api.LevelBaseline))
	if doubt := held.Doubt(); doubt != "" {
		e.Unknown(ns.Subject, msg+", but "+doubt, label)
		return
	}
	var kinds []report.KindID
	if !p.Labelled && !p.Exempt {
		kinds = append(kinds, inventory.PodSecurityDefaults.ID)
	}
	e.FailAbsent(ns.Subject, append(kinds, inventory.Kinds(podpolicy.Decisive())...), ns.Name, msg, label)
}

// pod-policy/third-party
//
// Statement: a standard that a namespace claims to enforce does not rest on
// policies of other projects alone.
// Looks at: the namespaces in which such policies enforce every control of
// baseline, and the level that the PodSecurity plugin enforces there.
// Passes when: the plugin enforces baseline or restricted too.
// Fails when: it does not, for information: a webhook can be down or left out,
// and the plugin is part of the API server.
// Cannot tell when: Namespace objects could not be read, or the plugin's
// configuration where it decides.
//
// https://kubernetes.io/docs/concepts/security/pod-security-standards/#alternatives
var podPolicyThirdParty = &check.Check{
	ID:       "admission/pod-policy/third-party",
	Item:     checklist.AdmissionPolicy,
	Title:    "Standards do not rest on policies of other projects alone",
	Noun:     "namespace",
	Severity: report.Info,
	Why: "Policies of Kyverno, Gatekeeper and Kubewarden hold while their webhook is registered, answers, and sees the request; each of the three can be changed without touching a policy. " +
		"What the policies ask was read from their known shapes, which a dry run against the cluster can prove.",
	Remediation: "Label the namespace with the level as well: the PodSecurity plugin costs nothing beside the other policies, and is always there.",
	Refs:        podPolicyRefs,
	Needs:       podPolicyNeeds(),
	Run: func(e *check.Eval) {
		policies := podsecurity.Enforced.Of(e)
		for ns := range inventory.All(e, inventory.Namespaces) {
			p, held := policies.Of(ns), podpolicy.Enforced.Of(e).In(ns)
			switch {
			case held.Level() == api.LevelPrivileged:
			case p.Enforces():
				e.Pass(ns.Subject)
			default:
				e.FailAbsent(ns.Subject, []report.KindID{inventory.PodSecurityDefaults.ID}, "", string(held.Level())+" rests on policies of other projects: "+held.String(),
					ns.Evidence("metadata.labels["+api.EnforceLevelLabel+"]", cmp.Or(ns.Value.Labels[api.EnforceLevelLabel], podsecurity.None), string(held.Level())))
			}
		}
	},
}
