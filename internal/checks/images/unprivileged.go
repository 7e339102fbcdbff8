package images

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// unprivileged/user
//
// Statement: containers run as an unprivileged user.
// Looks at: the user of every container, init and ephemeral ones included, of
// every workload but pods that have finished: the container's runAsUser, else
// the pod's, else the image's.
// Passes when: the user is a number other than 0; or none is set and
// runAsNonRoot is true, because the kubelet then starts no container whose
// image runs as root or as a name that it cannot verify.
// Fails when: the user is 0. runAsNonRoot does not help then: the container
// does not start. A user namespace (hostUsers: false) does not either: root in
// it is nobody on the node, but still root in the container. Groups are not
// looked at: group 0 owns files, and has no right of its own.
// Cannot tell when: neither the pod nor the container says, so that the image
// decides, and images are not read.
//
// Windows has user names: ContainerAdministrator and SYSTEM are its root, and a
// host process is one whatever its name. runAsNonRoot alone proves nothing
// there: the kubelet lets an image through that names no user, and that may be
// ContainerAdministrator.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kuberuntime/security_context_others.go (verifyRunAsNonRoot)
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubelet/kuberuntime/security_context_windows.go
var unprivilegedUser = &check.Check{
	ID:       "images/unprivileged/user",
	Item:     checklist.UnprivilegedUser,
	Title:    "Every container runs as an unprivileged user",
	Noun:     "container",
	Severity: report.Medium,
	Why: "Root in a container is root to the kernel, short of the capabilities that were dropped. " +
		"A flaw in the runtime or a careless mount is then enough to own the node; an unprivileged user needs another flaw first.",
	Remediation: "Build images with a numeric `USER`. In the pod's `securityContext` set `runAsNonRoot: true`, and `runAsUser` where the image has no numeric user.",
	Refs: []report.Reference{
		{Name: "CIS Kubernetes Benchmark 5.2.7", URL: "https://www.cisecurity.org/benchmark/kubernetes"},
		{Name: "Pod Security Standards, restricted: running as non-root", URL: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"},
		{Name: "Configure a Security Context", URL: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"},
	},
	Needs: workload.Needs(),
	Run: func(e *check.Eval) {
		for _, w := range workload.All.Of(e) {
			if w.Finished() {
				continue
			}
			for c := range w.Containers() {
				u := windowsUser(w, c)
				// A pod that does not say so can still be for Windows.
				if !w.OnWindows() && u.verdict != report.Fail {
					u = linuxUser(w, c)
				}
				u.report(e, w, w.Part(c.Name))
			}
		}
	},
}

// user is what is known of the user that a container runs as.
type user struct {
	verdict  report.Verdict
	message  string
	evidence []report.Evidence
}

func (u user) report(e *check.Eval, w *workload.Workload, s report.Subject) {
	var f *report.Finding
	switch u.verdict {
	case report.Pass:
		e.Pass(s)
		return
	case report.Fail:
		f = e.Fail(s, u.message, u.evidence...)
	default:
		f = e.Unknown(s, u.message, u.evidence...)
		f.Remedy = "set runAsUser or runAsNonRoot, or look at the image's USER"
	}
	w.Counted(f)
}

// setting is a field that a container may set for itself, else the pod for all.
type setting[T any] struct {
	value *T
	field string // where it is set; where it would be if it is not
}

func effective[T any](c workload.Container, name string, own, pod *T) setting[T] {
	if own == nil && pod != nil {
		return setting[T]{pod, "spec.securityContext." + name}
	}
	return setting[T]{own, c.Field + ".securityContext." + name}
}

func linuxUser(w *workload.Workload, c workload.Container) user {
	own, pod := contexts(w, c)
	uid := effective(c, "runAsUser", own.RunAsUser, pod.RunAsUser)
	nonRoot := effective(c, "runAsNonRoot", own.RunAsNonRoot, pod.RunAsNonRoot)
	switch {
	case uid.value != nil && *uid.value != 0:
		return user{verdict: report.Pass}
	case uid.value != nil:
		u := user{report.Fail, "runs as user 0", []report.Evidence{w.PodEvidence(uid.field, "0", "a user other than 0")}}
		if hostUsers := w.Spec().HostUsers; hostUsers != nil && !*hostUsers {
			u.message += " of a user namespace"
			u.evidence = append(u.evidence, w.PodEvidence("spec.hostUsers", "false", ""))
		}
		if nonRoot.value != nil && *nonRoot.value {
			u.message += ", which runAsNonRoot forbids: it cannot start"
			u.evidence = append(u.evidence, w.PodEvidence(nonRoot.field, "true", ""))
		}
		return u
	case nonRoot.value != nil && *nonRoot.value:
		return user{verdict: report.Pass}
	case nonRoot.value != nil:
		return user{report.Unknown, "may run as root: runAsNonRoot is false, and the image's user is not known",
			[]report.Evidence{w.PodEvidence(nonRoot.field, "false", "true")}}
	}
	return user{report.Unknown, "says nothing of its user, and the image's user is not known",
		[]report.Evidence{w.PodEvidence(uid.field, "(not set)", "a user other than 0, or runAsNonRoot: true")}}
}

func windowsUser(w *workload.Workload, c workload.Container) user {
	own, pod := contexts(w, c)
	var ownOptions, podOptions corev1.WindowsSecurityContextOptions
	if own.WindowsOptions != nil {
		ownOptions = *own.WindowsOptions
	}
	if pod.WindowsOptions != nil {
		podOptions = *pod.WindowsOptions
	}
	host := effective(c, "windowsOptions.hostProcess", ownOptions.HostProcess, podOptions.HostProcess)
	name := effective(c, "windowsOptions.runAsUserName", ownOptions.RunAsUserName, podOptions.RunAsUserName)
	switch {
	case host.value != nil && *host.value:
		return user{report.Fail, "runs as a process of the Windows host", []report.Evidence{w.PodEvidence(host.field, "true", "false")}}
	case name.value != nil && administrator(*name.value):
		return user{report.Fail, "runs as " + strconv.Quote(*name.value), []report.Evidence{w.PodEvidence(name.field, *name.value, "ContainerUser")}}
	case name.value != nil && *name.value != "":
		return user{verdict: report.Pass}
	}
	return user{report.Unknown, "names no Windows user, and the image's user is not known",
		[]report.Evidence{w.PodEvidence(name.field, "(not set)", "ContainerUser")}}
}

// administrator reports whether a Windows user name has all rights. Case does
// not count; a domain may stand before the name.
func administrator(name string) bool {
	name = strings.ToLower(name[strings.LastIndexByte(name, '\\')+1:])
	return name == "containeradministrator" || name == "administrator" || name == "system"
}

// contexts returns the security contexts of the container and of its pod, empty
// ones where there are none.
func contexts(w *workload.Workload, c workload.Container) (*corev1.SecurityContext, *corev1.PodSecurityContext) {
	own, pod := c.SecurityContext, w.Spec().SecurityContext
	if own == nil {
		own = &corev1.SecurityContext{}
	}
	if pod == nil {
		pod = &corev1.PodSecurityContext{}
	}
	return own, pod
}
