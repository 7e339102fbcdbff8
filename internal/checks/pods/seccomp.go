package pods

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var restrictSyscalls = report.Reference{Name: "Restrict a container's syscalls with seccomp", URL: "https://kubernetes.io/docs/tutorials/security/seccomp/"}

// seccomp/profile
//
// Statement: a seccomp profile confines every container.
// Looks at: every container, ephemeral ones too, of pods that are not bound to
// Windows nodes: the container's securityContext.seccompProfile, else the
// pod's. The annotations that came before these fields are read by nothing any
// more: not by the kubelet since v1.27 (getSeccompProfile in
// pkg/kubelet/kuberuntime/helpers.go), not by Pod Security policies since
// v1.19; API servers up to v1.26 copied them to the fields of new pods.
// SeccompProfile objects of the Security Profiles Operator are looked up where
// a Localhost profile names one.
// Passes when: the profile is RuntimeDefault, or Localhost with a name.
// Fails when: it is Unconfined; or the container is privileged, because
// runtimes then apply none, whatever is written; or nothing is set, and the
// kubelets' seccompDefault is off, as it is by default; or the profile's object
// is not there, is disabled, or blocks no system call.
// Cannot tell when: nothing is set, and the kubelets' configuration is not
// known or differs between nodes, or a ProfileBinding may set a profile when
// the pod is created; or the profile's object could not be read.
//
// https://kubernetes.io/docs/reference/node/seccomp/
var seccompProfile = &check.Check{
	ID:       "pods/seccomp/profile",
	Item:     checklist.Seccomp,
	Title:    "A seccomp profile confines every container",
	Noun:     "container",
	Severity: report.Medium,
	Why: "Without a profile a container may make every system call of the node's kernel, among them the few hundred that no application needs " +
		"and that most escapes go through.",
	Remediation: "Set `securityContext.seccompProfile.type: RuntimeDefault` on the pod; it holds for all its containers that set none of their own. " +
		"`seccompDefault: true` in the kubelet's configuration confines what sets nothing.",
	Refs:  []report.Reference{restrictSyscalls, {Name: "KEP-2413", URL: "https://github.com/kubernetes/enhancements/issues/2413"}},
	Needs: workload.With(inventory.KubeletSeccompDefaults.Optional(), inventory.SPOSeccompProfiles.Optional(), inventory.SPOProfileBindings.Optional()),
	Run: func(e *check.Eval) {
		kubelets := kubeletDefault(e)
		for w := range workload.Running(e) {
			if w.OnWindows() {
				continue
			}
			for c := range w.Containers() {
				if f := judgeProfile(e, w, c, kubelets); f != nil {
					w.Counted(f)
				}
			}
		}
	},
}

func judgeProfile(e *check.Eval, w *workload.Workload, c workload.Container, kubelets kubelets) *report.Finding {
	s := w.Part(c.Name)
	profile, field := profileOf(w, c)
	if c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged {
		msg := "the container is privileged: no seccomp profile is applied"
		if profile != nil {
			msg = fmt.Sprintf("the container is privileged: its seccomp profile %q is not applied", profile.Type)
		}
		return e.Fail(s, msg, w.PodEvidence(c.Field+".securityContext.privileged", "true", "false"))
	}
	if profile == nil {
		if key, value := annotation(w, c); key != "" && !kubelets.on && len(e.Missing(inventory.KubeletSeccompDefaults.ID, "")) == 0 {
			return e.Fail(s, fmt.Sprintf("the seccomp profile %q is set by an annotation, which is not read since v1.27", value),
				w.PodEvidence("metadata.annotations["+key+"]", value, "securityContext.seccompProfile"),
				w.PodEvidence(field, podsecurity.None, string(corev1.SeccompProfileTypeRuntimeDefault)))
		}
		at := w.PodEvidence(field, podsecurity.None, string(corev1.SeccompProfileTypeRuntimeDefault))
		switch {
		case kubelets.on && !kubelets.off:
			e.Pass(s)
			return nil
		case kubelets.on:
			return e.Unknown(s, "no seccomp profile is set; seccompDefault is on for some kubelets and off for others", at)
		}
		if name, bound := seccompBinding(e, w, c); bound {
			return e.Unknown(s, fmt.Sprintf("no seccomp profile is set; ProfileBinding %q may set one when the pod is created", name), at)
		}
		return e.FailAbsent(s, []report.KindID{inventory.KubeletSeccompDefaults.ID, inventory.SPOProfileBindings.ID}, w.Namespace,
			"no seccomp profile is set, and kubelets apply none by default", at)
	}
	switch {
	case profile.Type == corev1.SeccompProfileTypeRuntimeDefault:
		e.Pass(s)
		return nil
	case localFile(profile) != "":
		return judgeSeccompFile(e, s, localFile(profile), w.PodEvidence(field, string(profile.Type), "a profile that blocks system calls"))
	case profile.Type == corev1.SeccompProfileTypeLocalhost: // no API server takes it, no kubelet starts it
		return e.Fail(s, "the seccomp profile is \"Localhost\", and none is named", w.PodEvidence(field, string(profile.Type), "localhostProfile, or RuntimeDefault"))
	}
	// The kubelet takes what it does not know for Unconfined.
	return e.Fail(s, fmt.Sprintf("the seccomp profile is %q", profile.Type),
		w.PodEvidence(field, cmp.Or(string(profile.Type), podsecurity.None), string(corev1.SeccompProfileTypeRuntimeDefault)))
}

// kubelets says what the kubelets' configurations do with containers that set
// no profile: some confine them (on), some do not (off).
type kubelets struct{ on, off bool }

func kubeletDefault(e *check.Eval) kubelets {
	var k kubelets
	for o := range inventory.All(e, inventory.KubeletSeccompDefaults) {
		k.on = k.on || o.Value.On
		k.off = k.off || !o.Value.On
	}
	// A configuration that could not be read may be off.
	k.off = k.off || len(e.Missing(inventory.KubeletSeccompDefaults.ID, "")) > 0
	return k
}

// profileOf is the profile that holds for a container, and the field that sets
// it or could.
func profileOf(w *workload.Workload, c workload.Container) (profile *corev1.SeccompProfile, field string) {
	field = c.Field + ".securityContext.seccompProfile.type"
	if c.SecurityContext != nil && c.SecurityContext.SeccompProfile != nil {
		return c.SecurityContext.SeccompProfile, field
	}
	if s := w.Spec().SecurityContext; s != nil && s.SeccompProfile != nil {
		return s.SeccompProfile, "spec.securityContext.seccompProfile.type"
	}
	return nil, field
}

// localFile is the file of a Localhost profile, below the kubelet's seccomp folder.
func localFile(p *corev1.SeccompProfile) string {
	if p.Type != corev1.SeccompProfileTypeLocalhost || p.LocalhostProfile == nil {
		return ""
	}
	return *p.LocalhostProfile
}

// annotation finds the annotation that once set the container's profile.
func annotation(w *workload.Workload, c workload.Container) (key, value string) {
	for _, key := range []string{"container.seccomp.security.alpha.kubernetes.io/" + c.Name, "seccomp.security.alpha.kubernetes.io/pod"} {
		if value, ok := w.PodAnnotations()[key]; ok {
			return key, value
		}
	}
	return "", ""
}

// seccomp/localhost
//
// Statement: somebody has looked at every profile that is not the runtime's own.
// Looks at: containers with a profile that confines.
// Passes when: it is RuntimeDefault, or a SeccompProfile object of the Security
// Profiles Operator says what is in it.
// Fails when: never.
// Cannot tell when: it is another Localhost one: a file on the nodes, which may
// allow everything; a person has to look. This does not decide the item.
var seccompLocalhost = &check.Check{
	ID:       "pods/seccomp/localhost",
	Item:     checklist.Seccomp,
	Title:    "Localhost seccomp profiles are known",
	Noun:     "container",
	Severity: report.Info,
	Why:      "A profile of the type Localhost is a file on each node. What it allows is not to be seen in the cluster's API; a profile for debugging allows everything and only logs.",
	Remediation: "Keep the profiles where they are reviewed, or manage them as SeccompProfile objects of the Security Profiles Operator. " +
		"Prefer `RuntimeDefault` where the workload runs with it.",
	Refs:  []report.Reference{restrictSyscalls},
	Needs: workload.With(inventory.SPOSeccompProfiles.Optional()),
	Run: func(e *check.Eval) {
		for w := range workload.Running(e) {
			for c := range w.Containers() {
				profile, field := profileOf(w, c)
				switch {
				case profile == nil || w.OnWindows():
				case profile.Type == corev1.SeccompProfileTypeRuntimeDefault:
					e.Pass(w.Part(c.Name))
				case localFile(profile) != "":
					if _, known := seccompObject(e, localFile(profile)); known {
						e.Pass(w.Part(c.Name))
						continue
					}
					w.Counted(e.Manual(w.Part(c.Name), fmt.Sprintf("confined by the profile %q of its node", localFile(profile)),
						w.PodEvidence(field, string(profile.Type), "")))
				}
			}
		}
	},
}
