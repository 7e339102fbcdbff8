package admission

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// webhooks/psa-exemptions
//
// Statement: the PodSecurity plugin exempts no more than the control plane
// needs.
// Looks at: the exemptions in the plugin's configuration.
// Passes when: there are none, or none but the namespace kube-system.
// Fails when: a service account is exempt: one of a controller makes pods for
// everybody who may create a workload, any other for whoever runs a pod with
// it; the namespaces default, kube-public or kube-node-lease are; or a runtime
// class is whose handler is that of ordinary containers (runc, crun). Whether
// other users, namespaces and runtime classes should be exempt, a person has to
// say.
// Cannot tell when: the plugin's configuration was not given. No API shows it.
//
// https://kubernetes.io/docs/concepts/security/pod-security-admission/#exemptions
var psaExemptions = &check.Check{
	ID:       "admission/webhooks/psa-exemptions",
	Item:     checklist.AdmissionWebhooks,
	Title:    "The PodSecurity plugin exempts no more than the control plane needs",
	Noun:     "exemption",
	Severity: report.Medium,
	Why: "What is exempt is held to no level at all, whatever the labels of the namespace say, and nothing is audited or warned about. " +
		"Exempting the account of a controller exempts everybody who may create what the controller makes pods of.",
	Remediation: "Take service accounts, `default` and ordinary runtime classes out of `exemptions`; label the namespaces that need more with the level that they need.",
	Refs:        []report.Reference{{Name: "Pod Security Admission: exemptions", URL: "https://kubernetes.io/docs/concepts/security/pod-security-admission/#exemptions"}},
	Needs:       []inventory.Need{inventory.PodSecurityDefaults.Need(), inventory.RuntimeClasses.Optional()},
	Run: func(e *check.Eval) {
		rs := collect(e)
		for d := range inventory.All(e, inventory.PodSecurityDefaults) {
			all := exemptions(e, d)
			if len(all) == 0 {
				e.Pass(d.Subject)
			}
			for _, x := range all {
				s := d.Subject
				s.Part = x.part
				rs.add(s, x.result)
			}
		}
	},
}

// exemption is one entry of the lists, and what is wrong with it.
type exemption struct {
	*result
	part string
}

func exemptions(e *check.Eval, d inventory.Object[inventory.PodSecurityDefault]) []exemption {
	var out []exemption
	for i, name := range d.Value.ExemptUsernames {
		at := d.Evidence(fmt.Sprintf("exemptions.usernames[%d]", i), name, "")
		out = append(out, exemption{exemptUser(name, at), "user " + name})
	}
	for i, name := range d.Value.ExemptNamespaces {
		at := d.Evidence(fmt.Sprintf("exemptions.namespaces[%d]", i), name, "")
		out = append(out, exemption{exemptNamespace(name, at), "namespace " + name})
	}
	for i, name := range d.Value.ExemptRuntimeClasses {
		at := d.Evidence(fmt.Sprintf("exemptions.runtimeClasses[%d]", i), name, "")
		out = append(out, exemption{exemptRuntimeClass(e, name, at), "runtime class " + name})
	}
	return out
}

func exemptUser(name string, at report.Evidence) *result {
	account, ok := strings.CutPrefix(name, "system:serviceaccount:")
	if !ok {
		return asks(fmt.Sprintf("exempts the pods that user %q creates", name), at)
	}
	if namespace, controller, _ := strings.Cut(account, ":"); namespace == metav1.NamespaceSystem && strings.HasSuffix(controller, "-controller") {
		return fails(fmt.Sprintf("exempts the service account of the %s, and with it everybody who may create what it makes pods of", controller), at)
	}
	return fails(fmt.Sprintf("exempts the service account %q, and with it whoever runs a pod with it", account), at)
}

func exemptNamespace(name string, at report.Evidence) *result {
	switch name {
	case metav1.NamespaceSystem:
		return nil
	case metav1.NamespaceDefault, metav1.NamespacePublic, corev1.NamespaceNodeLease:
		return fails(fmt.Sprintf("exempts the namespace %q, where nothing needs it", name), at)
	}
	return asks(fmt.Sprintf("exempts the namespace %q from every level", name), at)
}

func exemptRuntimeClass(e *check.Eval, name string, at report.Evidence) *result {
	if c, ok := inventory.Get(e, inventory.RuntimeClasses, "", name); ok && slices.Contains([]string{"runc", "crun"}, c.Value.Handler) {
		return fails(fmt.Sprintf("exempts the pods of runtime class %q, which are ordinary containers: whoever names it is exempt", name), at,
			c.Evidence("handler", c.Value.Handler, "a sandbox"))
	}
	return asks(fmt.Sprintf("exempts the pods of runtime class %q: whoever names it is exempt", name), at)
}

// asks leaves the question to a person.
func asks(message string, at ...report.Evidence) *result {
	return &result{verdict: report.Manual, message: message, at: at}
}
