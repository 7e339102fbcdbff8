package podpolicy

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/pod-security-admission/api"
)

// demand is what a policy asks of one field of every pod: that it has one of
// the values (none: that it is not there), and perhaps that it is there.
type demand struct {
	values []string
	set    bool
}

// demands are what a policy asks, all of it, by field: "spec.hostPID",
// "spec.containers[].securityContext.privileged".
type demands map[string]demand

// ask adds a demand. Of two on one field, the stricter is kept as far as a
// pass of both is a pass of it.
func (d demands) ask(path string, x demand) {
	if old, ok := d[path]; ok {
		x.set = x.set || old.set
		x.values = slices.DeleteFunc(slices.Clone(x.values), func(v string) bool { return !slices.Contains(old.values, v) })
	}
	d[path] = x
}

// kinds of containers, as fields of a pod.
var containerKinds = []string{"containers", "initContainers", "ephemeralContainers"}

// at reports whether a field may only have values that are allowed.
func (d demands) at(path string, allowed func(string) bool) bool {
	x, ok := d[path]
	return ok && !slices.ContainsFunc(x.values, func(v string) bool { return !allowed(v) })
}

// pod reports the same for a field of the pod's spec.
func (d demands) pod(field string, allowed func(string) bool) bool {
	return d.at("spec."+field, allowed)
}

// each reports the same for a field of every container, of all kinds.
func (d demands) each(field string, allowed func(string) bool) bool {
	return !slices.ContainsFunc(containerKinds, func(kind string) bool { return !d.pod(kind+"[]."+field, allowed) })
}

// both reports the same for a field that pods and containers have.
func (d demands) both(field string, allowed func(string) bool) bool {
	return d.pod(field, allowed) && d.each(field, allowed)
}

// everywhere reports whether a field must be set: in each container; or, where
// the pod may set it for them, in the pod, with no container that says otherwise.
func (d demands) everywhere(field string, allowed func(string) bool) bool {
	set := func(path string) bool { return d["spec."+path].set && d.pod(path, allowed) }
	inEach := !slices.ContainsFunc(containerKinds, func(kind string) bool { return !set(kind + "[]." + field) })
	return inEach || set(field) && d.each(field, allowed)
}

func only(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

// notRoot reports whether a value of runAsUser is any but 0, or one number.
func notRoot(v string) bool {
	user, err := strconv.ParseInt(v, 10, 64)
	return v == ">0" || err == nil && user > 0
}

// parts are the controls that follow from the demands.
func (d demands) parts(v api.Version) parts {
	upstream := func(control string) func(string) bool {
		return func(value string) bool { return allows(control, value, v) }
	}
	profiles, no, unset := only("RuntimeDefault", "Localhost"), only("false"), only("")
	out := parts{}
	for part, held := range map[string]bool{
		"hostNamespaces/hostNetwork":   d.pod("hostNetwork", no),
		"hostNamespaces/hostPID":       d.pod("hostPID", no),
		"hostNamespaces/hostIPC":       d.pod("hostIPC", no),
		"privileged":                   d.each("securityContext.privileged", no),
		"hostPorts":                    d.each("ports[].hostPort", only("0")),
		"hostPathVolumes":              d.pod("volumes[].hostPath", unset),
		"procMount":                    d.each("securityContext.procMount", only("Default")),
		"windowsHostProcess":           d.both("securityContext.windowsOptions.hostProcess", no),
		"seLinuxOptions/type":          d.both("securityContext.seLinuxOptions.type", upstream("seLinuxOptions")),
		"seLinuxOptions/user":          d.both("securityContext.seLinuxOptions.user", unset),
		"seLinuxOptions/role":          d.both("securityContext.seLinuxOptions.role", unset),
		"sysctls":                      d.pod("securityContext.sysctls[].name", upstream("sysctls")),
		"capabilities_baseline":        d.each("securityContext.capabilities.add[]", upstream("capabilities_baseline")),
		"capabilities_restricted/add":  d.each("securityContext.capabilities.add[]", upstream("capabilities_restricted")),
		"capabilities_restricted/drop": d.everywhere("securityContext.capabilities.drop[ALL]", only("ALL")),
		"seccompProfile_baseline":      d.both("securityContext.seccompProfile.type", profiles),
		"seccompProfile_restricted":    d.everywhere("securityContext.seccompProfile.type", profiles),
		"appArmorProfile/fields":       d.both("securityContext.appArmorProfile.type", profiles),
		"appArmorProfile/annotations":  d.at("metadata.annotations[container.apparmor.security.beta.kubernetes.io/*]", only("", "runtime/default", "localhost/*")),
		"hostProbesAndHostLifecycle":   d.handlers(unset),
		"allowPrivilegeEscalation":     d.everywhere("securityContext.allowPrivilegeEscalation", no),
		"runAsNonRoot":                 d.everywhere("securityContext.runAsNonRoot", only("true")),
		"runAsUser":                    d.both("securityContext.runAsUser", notRoot),
		"restrictedVolumes":            d.pod("volumes[].*", only(append(restrictedVolumes, "name")...)),
	} {
		if held {
			out[part] = true
		}
	}
	for path := range d {
		if part, ok := strings.CutPrefix(path, wholePart); ok {
			out[part] = true
		}
	}
	return out
}

// handlers reports whether no probe and no hook may name a host.
func (d demands) handlers(unset func(string) bool) bool {
	for _, handler := range []string{"livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"} {
		if !d.each(handler+".httpGet.host", unset) || !d.each(handler+".tcpSocket.host", unset) {
			return false
		}
	}
	return true
}
