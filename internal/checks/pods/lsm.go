package pods

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var (
	restrictAccess = report.Reference{Name: "Restrict a container's access to resources with AppArmor", URL: "https://kubernetes.io/docs/tutorials/security/apparmor/"}
	assignLabels   = report.Reference{Name: "Assign SELinux labels to a container", URL: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#assign-selinux-labels-to-a-container"}
)

// lsm/profile
//
// Statement: AppArmor or SELinux confines every container.
// Looks at: every container, ephemeral ones too, of pods that do not run on
// Windows: the AppArmor profile and the SELinux options that hold for it. For
// what asks for nothing, at the nodes that its pods are bound to or may run on:
// what they do by default is told by the name of their operating system. Where
// the Security Profiles Operator makes a profile, at its object.
// Passes when: a profile or SELinux options are set that confine; or nothing is
// set, and the nodes confine by default.
// Fails when: the AppArmor profile is Unconfined or no profile at all, or the
// SELinux type confines nothing; or the profile's object only logs; or the
// container is privileged: runtimes then apply neither.
// Cannot tell when: nothing is set, and no node was seen, its operating system
// is not known, or its SELinux only logs; or the container is privileged and has
// a Localhost profile, which containerd applies and CRI-O does not. Pods on
// nodes that have neither module are not judged.
//
// https://kubernetes.io/docs/concepts/security/linux-kernel-security-constraints/
var lsmProfile = &check.Check{
	ID:       "pods/lsm/profile",
	Item:     checklist.LSM,
	Title:    "AppArmor or SELinux confines every container",
	Noun:     "container",
	Severity: report.Medium,
	Why: "AppArmor and SELinux hold a container to its own files and rights even where it runs as root, or has broken out of its namespaces. " +
		"Several escapes from container runtimes have failed on nodes for this reason alone.",
	Remediation: "Set `securityContext.appArmorProfile.type: RuntimeDefault` on the pod, or on nodes with SELinux leave `seLinuxOptions.type` to the runtime. " +
		"Where nothing is set, scan the cluster: its nodes say what they do by default.",
	Refs:  []report.Reference{restrictAccess, assignLabels},
	Needs: workload.With(inventory.Nodes.Optional(), inventory.SPOAppArmorProfiles.Optional(), inventory.SPOSelinuxProfiles.Optional()),
	Run: func(e *check.Eval) {
		nodes := modulesOf(e)
		for w := range workload.Running(e) {
			if w.OnWindows() {
				continue
			}
			if key, wrong := strayAnnotation(w); key != "" {
				w.Counted(e.Fail(w.Subject, fmt.Sprintf("the annotation %q %s", key, wrong),
					w.PodEvidence("metadata.annotations["+key+"]", w.PodAnnotations()[key], "securityContext.appArmorProfile")))
			}
			judgeModules(e, w, nodes.of(w))
		}
	},
}

// judgeModules judges what each container says, and those that say nothing
// together: their nodes decide for all of them.
func judgeModules(e *check.Eval, w *workload.Workload, nodes answer) {
	does, why := nodes.does, nodes.why
	if does == neither {
		return
	}
	var silent []workload.Container
	for c := range w.Containers() {
		v := judgeModule(e, w, c)
		switch {
		case v.silent && (does == profiled || does == labelled && !hostProcesses(w)):
			e.Pass(w.Part(c.Name))
		case v.silent:
			silent = append(silent, c)
		case v.fail != "":
			w.Counted(e.Fail(w.Part(c.Name), v.fail, v.at))
		case v.unknown != "":
			w.Counted(e.Unknown(w.Part(c.Name), v.unknown, v.at))
		case v.seLinux && does == permitted:
			w.Counted(e.Unknown(w.Part(c.Name), "SELinux options are set; SELinux only logs by default: "+why, v.at))
		case v.seLinux && does != profiled && hostProcesses(w):
			w.Counted(e.Unknown(w.Part(c.Name), "SELinux options are set; "+sharesHost, v.at))
		default:
			e.Pass(w.Part(c.Name))
		}
	}
	if len(silent) == 0 {
		return
	}
	var remedy string
	switch does {
	case permitted:
		why, remedy = "SELinux only logs by default: "+why, "let SELinux enforce on the nodes"
	case labelled:
		why, remedy = sharesHost, "take hostPID and hostIPC from the pod"
	default:
		why = "what its nodes do by default is not known: " + why
		remedy = "set securityContext.appArmorProfile, or scan the cluster, whose nodes say what they do"
	}
	field := "spec.securityContext.appArmorProfile"
	if len(silent) == 1 {
		field = silent[0].Field + ".securityContext.appArmorProfile"
	}
	f := e.Unknown(w.Subject, fmt.Sprintf("neither an AppArmor profile nor SELinux options are set for %s; %s", report.Plural(len(silent), "container"), why),
		w.PodEvidence(field, podsecurity.None, string(corev1.AppArmorProfileTypeRuntimeDefault)))
	f.Remedy = remedy
	w.Counted(f)
}

const sharesHost = "the pod shares the host's processes or IPC, and runtimes may then leave out the SELinux label"

// hostProcesses reports whether the pod shares its node's processes or IPC:
// CRI-O then sets no SELinux label (server/container_create.go).
func hostProcesses(w *workload.Workload) bool { return w.Spec().HostPID || w.Spec().HostIPC }

// opinion is what one container's settings come to; none of it means that they
// confine the container.
type opinion struct {
	silent, seLinux bool
	fail, unknown   string
	at              report.Evidence
}

func judgeModule(e *check.Eval, w *workload.Workload, c workload.Container) opinion {
	profile, options := appArmorOf(w, c), seLinuxOf(w, c)
	if c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged {
		at := w.PodEvidence(c.Field+".securityContext.privileged", "true", "false")
		if name := localProfile(profile.value); name != "" {
			return opinion{unknown: fmt.Sprintf("the container is privileged: whether the AppArmor profile %q is applied depends on the container runtime", name), at: at}
		}
		return opinion{fail: "the container is privileged: neither AppArmor nor SELinux confines it", at: at}
	}
	if p := profile.value; p != nil {
		at := w.PodEvidence(profile.field, string(p.Type), string(corev1.AppArmorProfileTypeRuntimeDefault))
		name := localProfile(p)
		o, found := appArmorObject(e, name)
		switch {
		case p.Type == corev1.AppArmorProfileTypeLocalhost && name == "": // no API server takes it, no kubelet starts it
			return opinion{fail: "the AppArmor profile is \"Localhost\", and none is named", at: at}
		case p.Type != corev1.AppArmorProfileTypeRuntimeDefault && p.Type != corev1.AppArmorProfileTypeLocalhost:
			at.Got = cmp.Or(at.Got, podsecurity.None)
			return opinion{fail: fmt.Sprintf("the AppArmor profile is %q", p.Type), at: at}
		case found && o.Value.Spec.Off():
			return opinion{fail: fmt.Sprintf("AppArmorProfile %q is disabled: no node has it", name), at: at}
		case found && o.Value.Complains():
			return opinion{fail: fmt.Sprintf("AppArmorProfile %q only logs", name), at: at}
		}
	}
	if s := options.value; s != nil {
		at := w.PodEvidence(options.field, cmp.Or(s.Type, podsecurity.None), "container_t")
		o, found := seLinuxObject(e, s.Type)
		switch {
		case slices.Contains(unconfinedTypes, s.Type):
			return opinion{fail: fmt.Sprintf("the SELinux type %q confines nothing", s.Type), at: at}
		case found && o.Value.Permits():
			return opinion{fail: fmt.Sprintf("SelinuxProfile %q only logs", o.Name), at: at}
		}
		return opinion{seLinux: profile.value == nil, at: at}
	}
	return opinion{silent: profile.value == nil}
}
