package podsecurity

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
)

// The fields that are set for the pod, for a container, or for both: a value
// that is forbidden is forbidden where it stands; a value that is required may
// come from the pod.

func sysctls(v api.Version, s *corev1.PodSpec) []Field {
	var out []Field
	for i, sysctl := range podContext(s).Sysctls {
		if forbidden("sysctls", v, &corev1.PodSpec{SecurityContext: &corev1.PodSecurityContext{Sysctls: []corev1.Sysctl{sysctl}}}) {
			atPod(&out)("sysctls["+strconv.Itoa(i)+"].name", sysctl.Name, None)
		}
	}
	return out
}

func appArmor(annotations map[string]string, s *corev1.PodSpec) []Field {
	var out []Field
	visit := func(p *corev1.AppArmorProfile, add adder) {
		if p != nil && p.Type != corev1.AppArmorProfileTypeRuntimeDefault && p.Type != corev1.AppArmorProfileTypeLocalhost {
			add("appArmorProfile.type", string(p.Type), string(corev1.AppArmorProfileTypeRuntimeDefault))
		}
	}
	visit(podContext(s).AppArmorProfile, atPod(&out))
	out = append(out, eachContext(s, func(c *corev1.SecurityContext, add adder) { visit(c.AppArmorProfile, add) })...)
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		profile := annotations[key]
		if strings.HasPrefix(key, corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix) && profile != "" &&
			profile != corev1.DeprecatedAppArmorBetaProfileRuntimeDefault &&
			!strings.HasPrefix(profile, corev1.DeprecatedAppArmorBetaProfileNamePrefix) {
			out = append(out, Field{"metadata.annotations[" + key + "]", profile, corev1.DeprecatedAppArmorBetaProfileRuntimeDefault})
		}
	}
	return out
}

func seLinux(v api.Version, s *corev1.PodSpec) []Field {
	var out []Field
	visit := func(o *corev1.SELinuxOptions, add adder) {
		if o == nil {
			return
		}
		typeAlone := &corev1.PodSecurityContext{SELinuxOptions: &corev1.SELinuxOptions{Type: o.Type}}
		if forbidden("seLinuxOptions", v, &corev1.PodSpec{SecurityContext: typeAlone}) {
			add("seLinuxOptions.type", o.Type, None)
		}
		if o.User != "" {
			add("seLinuxOptions.user", o.User, None)
		}
		if o.Role != "" {
			add("seLinuxOptions.role", o.Role, None)
		}
	}
	visit(podContext(s).SELinuxOptions, atPod(&out))
	return append(out, eachContext(s, func(c *corev1.SecurityContext, add adder) { visit(c.SELinuxOptions, add) })...)
}

// The annotations that policies up to v1.18 look at.
const (
	seccompPodAnnotation       = "seccomp.security.alpha.kubernetes.io/pod"
	seccompContainerAnnotation = "container.seccomp.security.alpha.kubernetes.io/"
)

func seccompAnnotations(annotations map[string]string, s *corev1.PodSpec) []Field {
	keys := []string{seccompPodAnnotation}
	for _, c := range containers(s) {
		keys = append(keys, seccompContainerAnnotation+c.Name)
	}
	var out []Field
	for _, key := range keys {
		profile, ok := annotations[key]
		if ok && profile != corev1.SeccompProfileRuntimeDefault && profile != corev1.DeprecatedSeccompProfileDockerDefault &&
			!strings.HasPrefix(profile, corev1.SeccompLocalhostProfileNamePrefix) {
			out = append(out, Field{"metadata.annotations[" + key + "]", profile, corev1.SeccompProfileRuntimeDefault})
		}
	}
	return out
}

// confined reports whether the profile is one that the standards accept.
func confined(p *corev1.SeccompProfile) bool {
	return p.Type == corev1.SeccompProfileTypeRuntimeDefault || p.Type == corev1.SeccompProfileTypeLocalhost
}

func seccompUnconfined(s *corev1.PodSpec) []Field {
	var out []Field
	visit := func(p *corev1.SeccompProfile, add adder) {
		if p != nil && !confined(p) {
			add("seccompProfile.type", string(p.Type), string(corev1.SeccompProfileTypeRuntimeDefault))
		}
	}
	visit(podContext(s).SeccompProfile, atPod(&out))
	return append(out, eachContext(s, func(c *corev1.SecurityContext, add adder) { visit(c.SeccompProfile, add) })...)
}

func seccompRestricted(s *corev1.PodSpec) []Field {
	out := seccompUnconfined(s)
	if podContext(s).SeccompProfile == nil {
		out = append(out, eachContext(s, func(c *corev1.SecurityContext, add adder) {
			if c.SeccompProfile == nil {
				add("seccompProfile.type", None, string(corev1.SeccompProfileTypeRuntimeDefault))
			}
		})...)
	}
	return out
}

func runAsNonRoot(s *corev1.PodSpec) []Field {
	var out []Field
	pod := podContext(s).RunAsNonRoot
	if is(pod, false) {
		atPod(&out)("runAsNonRoot", "false", "true")
	}
	return append(out, eachContext(s, func(c *corev1.SecurityContext, add adder) {
		if is(c.RunAsNonRoot, false) || c.RunAsNonRoot == nil && pod == nil {
			add("runAsNonRoot", show(c.RunAsNonRoot), "true")
		}
	})...)
}

func runAsUser(s *corev1.PodSpec) []Field {
	var out []Field
	visit := func(user *int64, add adder) {
		if user != nil && *user == 0 {
			add("runAsUser", "0", None)
		}
	}
	visit(podContext(s).RunAsUser, atPod(&out))
	return append(out, eachContext(s, func(c *corev1.SecurityContext, add adder) { visit(c.RunAsUser, add) })...)
}

func windowsHostProcess(s *corev1.PodSpec) []Field {
	var out []Field
	visit := func(o *corev1.WindowsSecurityContextOptions, add adder) {
		if o != nil && is(o.HostProcess, true) {
			add("windowsOptions.hostProcess", "true", "false")
		}
	}
	visit(podContext(s).WindowsOptions, atPod(&out))
	return append(out, eachContext(s, func(c *corev1.SecurityContext, add adder) { visit(c.WindowsOptions, add) })...)
}
