package podpolicy

import (
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// parts are what policies hold pods to: a control of the standards, or a part
// of one that policies take apart, as "hostNamespaces/hostPID". What was asked of AppArmor is
// "appArmorProfile/annotations" or "appArmorProfile/fields".
type parts map[string]bool

// split lists the controls that policies take apart.
var split = map[string][]string{
	"hostNamespaces":          {"hostNetwork", "hostPID", "hostIPC"},
	"seLinuxOptions":          {"type", "user", "role"},
	"capabilities_restricted": {"drop", "add"},
}

// stricter lists what holds pods to a control too.
var stricter = map[string]string{
	"capabilities_baseline":   "capabilities_restricted/add",
	"seccompProfile_baseline": "seccompProfile_restricted",
	"hostPathVolumes":         "restrictedVolumes",
	"procMount":               "procMount_restricted",
	"procMount_restricted":    "procMount", // policies know no user namespaces: they always ask for Default
	// The API server refuses hostProcess containers without hostNetwork.
	//
	// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/validation/validation.go (validateWindowsHostProcessPod)
	"windowsHostProcess": "hostNamespaces/hostNetwork",
}

// appArmorField is when pods got the field. Since then the API server takes
// the annotation over into the field before policies see the pod, and what is
// asked of the annotation is asked of no pod that uses the field.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/registry/core/pod/strategy.go (applyAppArmorVersionSkew)
var appArmorField = api.MajorMinorVersion(1, 30)

// hold reports whether every part of a control is held.
func (p parts) hold(control string, v api.Version) bool {
	if p[control] || p[stricter[control]] || control == "windowsHostProcess" && p["hostNamespaces"] {
		return true
	}
	if control == "appArmorProfile" {
		if v.Older(appArmorField) {
			return p["appArmorProfile/annotations"]
		}
		return p["appArmorProfile/fields"]
	}
	names, taken := split[control]
	return taken && !slices.ContainsFunc(names, func(name string) bool { return !p[control+"/"+name] })
}

// ofPods are the parts that are about fields of the pod, and not of its containers.
func (p parts) ofPods() parts {
	out := parts{}
	for part := range p {
		control, _, _ := strings.Cut(part, "/")
		if slices.Contains([]string{"hostNamespaces", "hostPathVolumes", "sysctls", "restrictedVolumes"}, control) {
			out[part] = true
		}
	}
	return out
}

// level is all controls of a level at any version, but for some.
func level(l api.Level, without ...string) parts {
	out := parts{}
	for _, c := range standards() {
		if (c.Level == api.LevelBaseline || l == api.LevelRestricted) && !slices.Contains(without, string(c.ID)) {
			out[string(c.ID)] = true
		}
	}
	return out
}

// controlsOf lists the controls of a level at a version, those that a control
// of restricted replaces left out, as upstream's registry does.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/pod-security-admission/policy/registry.go
func controlsOf(l api.Level, v api.Version) []string {
	var out, replaced []string
	for _, c := range standards() {
		at, ok := versioned(c, v)
		if !ok || c.Level != api.LevelBaseline && l != api.LevelRestricted {
			continue
		}
		out = append(out, string(c.ID))
		for _, id := range at.OverrideCheckIDs {
			replaced = append(replaced, string(id))
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(out, func(id string) bool { return slices.Contains(replaced, id) })
}

// Added lists the controls of a level that were added between two versions.
func Added(l api.Level, then, now api.Version) []string {
	before := parts{}
	for _, control := range controlsOf(l, then) {
		before[control] = true
	}
	return slices.DeleteFunc(controlsOf(l, now), func(id string) bool { return now.Older(then) || before.hold(id, now) })
}

// versioned is the check as it is at a version.
func versioned(c policy.Check, v api.Version) (at policy.VersionedCheck, ok bool) {
	for _, x := range c.Versions { // oldest first
		if !v.Older(x.MinimumVersion) {
			at, ok = x, true
		}
	}
	return at, ok
}

// standards are upstream's checks, which it makes anew each time it is asked.
var standards = sync.OnceValue(policy.DefaultChecks)

// allows asks upstream whether a control lets a value through. With a value
// that is a glob, it does not.
func allows(control, value string, v api.Version) bool {
	if strings.ContainsAny(value, "*?") {
		return false
	}
	var spec corev1.PodSpec
	container := &corev1.SecurityContext{}
	switch control {
	case "sysctls":
		spec.SecurityContext = &corev1.PodSecurityContext{Sysctls: []corev1.Sysctl{{Name: value}}}
	case "seLinuxOptions":
		spec.SecurityContext = &corev1.PodSecurityContext{SELinuxOptions: &corev1.SELinuxOptions{Type: value}}
	case "capabilities_baseline", "capabilities_restricted":
		container.Capabilities = &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{corev1.Capability(value)}}
	}
	spec.Containers = []corev1.Container{{SecurityContext: container}}
	i := slices.IndexFunc(standards(), func(c policy.Check) bool { return string(c.ID) == control })
	at, ok := versioned(standards()[i], v)
	return !ok || at.CheckPod(&metav1.ObjectMeta{}, &spec).Allowed
}

// restrictedVolumes are the types of volumes that restricted allows; upstream
// does not export them.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/pod-security-admission/policy/check_restrictedVolumes.go
var restrictedVolumes = []string{"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
