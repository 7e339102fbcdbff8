package podsecurity

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
)

// locate finds the fields for which a control forbids the pod. That it does
// forbid it was decided upstream; a test repairs the fields that are named here
// in every upstream fixture and has upstream allow the result. The pod is given
// as it was written, and with the API server's defaults.
func locate(control string, v api.Version, annotations map[string]string, written, s *corev1.PodSpec) []Field {
	switch control {
	case "hostNamespaces":
		return hostNamespaces(s)
	case "privileged":
		return eachContext(s, func(c *corev1.SecurityContext, add adder) {
			if is(c.Privileged, true) {
				add("privileged", "true", "false")
			}
		})
	case "allowPrivilegeEscalation":
		return eachContext(s, func(c *corev1.SecurityContext, add adder) {
			if !is(c.AllowPrivilegeEscalation, false) {
				add("allowPrivilegeEscalation", show(c.AllowPrivilegeEscalation), "false")
			}
		})
	case "capabilities_baseline":
		return addedCapabilities(control, v, s)
	case "capabilities_restricted":
		return append(undroppedCapabilities(s), addedCapabilities(control, v, s)...)
	case "procMount", "procMount_restricted":
		return eachContext(s, func(c *corev1.SecurityContext, add adder) {
			if c.ProcMount != nil && *c.ProcMount != corev1.DefaultProcMount {
				add("procMount", string(*c.ProcMount), string(corev1.DefaultProcMount))
			}
		})
	case "hostPathVolumes", "restrictedVolumes":
		return volumes(control, v, s)
	case "hostPorts":
		return hostPorts(written, s)
	case "hostProbesAndHostLifecycle":
		return handlerHosts(s)
	case "sysctls":
		return sysctls(v, s)
	case "appArmorProfile":
		return appArmor(annotations, s)
	case "seLinuxOptions":
		return seLinux(v, s)
	case "seccompProfile_baseline":
		if v.Older(api.MajorMinorVersion(1, 19)) {
			return seccompAnnotations(annotations, s)
		}
		return seccompUnconfined(s)
	case "seccompProfile_restricted":
		return seccompRestricted(s)
	case "runAsNonRoot":
		return runAsNonRoot(s)
	case "runAsUser":
		return runAsUser(s)
	case "windowsHostProcess":
		return windowsHostProcess(s)
	}
	return nil
}

// adder records a field below a security context.
type adder func(field, got, want string)

// container is one container with its path in the pod.
type container struct {
	*corev1.Container
	path string
}

// containers lists init containers, regular ones and ephemeral ones, as the
// upstream library visits them.
func containers(s *corev1.PodSpec) []container {
	var out []container
	for i := range s.InitContainers {
		out = append(out, container{&s.InitContainers[i], "spec.initContainers[" + strconv.Itoa(i) + "]"})
	}
	for i := range s.Containers {
		out = append(out, container{&s.Containers[i], "spec.containers[" + strconv.Itoa(i) + "]"})
	}
	for i := range s.EphemeralContainers {
		c := (*corev1.Container)(&s.EphemeralContainers[i].EphemeralContainerCommon)
		out = append(out, container{c, "spec.ephemeralContainers[" + strconv.Itoa(i) + "]"})
	}
	return out
}

// context is the container's security context, empty if it has none.
func (c container) context() *corev1.SecurityContext {
	if c.SecurityContext == nil {
		return &corev1.SecurityContext{}
	}
	return c.SecurityContext
}

// podContext is the pod's security context, empty if it has none.
func podContext(s *corev1.PodSpec) *corev1.PodSecurityContext {
	if s.SecurityContext == nil {
		return &corev1.PodSecurityContext{}
	}
	return s.SecurityContext
}

func eachContext(s *corev1.PodSpec, visit func(*corev1.SecurityContext, adder)) []Field {
	var out []Field
	for _, c := range containers(s) {
		visit(c.context(), func(field, got, want string) {
			out = append(out, Field{c.path + ".securityContext." + field, got, want})
		})
	}
	return out
}

// atPod records fields of the pod's security context.
func atPod(out *[]Field) adder {
	return func(field, got, want string) {
		*out = append(*out, Field{"spec.securityContext." + field, got, want})
	}
}

func is(b *bool, want bool) bool { return b != nil && *b == want }

// show renders a value, or None for a nil pointer.
func show[T any](v *T) string {
	if v == nil {
		return None
	}
	return fmt.Sprint(*v)
}

func hostNamespaces(s *corev1.PodSpec) []Field {
	var out []Field
	for _, f := range []struct {
		set  bool
		name string
	}{{s.HostNetwork, "hostNetwork"}, {s.HostPID, "hostPID"}, {s.HostIPC, "hostIPC"}} {
		if f.set {
			out = append(out, Field{"spec." + f.name, "true", "false"})
		}
	}
	return out
}

// addedCapabilities asks upstream about each capability by itself, in a
// container that is fine otherwise.
func addedCapabilities(control string, v api.Version, s *corev1.PodSpec) []Field {
	return eachContext(s, func(c *corev1.SecurityContext, add adder) {
		if c.Capabilities == nil {
			return
		}
		for i, name := range c.Capabilities.Add {
			alone := &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{name}}
			if forbidden(control, v, &corev1.PodSpec{Containers: []corev1.Container{{SecurityContext: &corev1.SecurityContext{Capabilities: alone}}}}) {
				add("capabilities.add["+strconv.Itoa(i)+"]", string(name), None)
			}
		}
	})
}

func undroppedCapabilities(s *corev1.PodSpec) []Field {
	return eachContext(s, func(c *corev1.SecurityContext, add adder) {
		var drop []corev1.Capability
		if c.Capabilities != nil {
			drop = c.Capabilities.Drop
		}
		if !slices.Contains(drop, "ALL") {
			got := None
			if len(drop) > 0 {
				got = fmt.Sprintf("%q", drop)
			}
			add("capabilities.drop", got, `["ALL"]`)
		}
	})
}

func volumes(control string, v api.Version, s *corev1.PodSpec) []Field {
	var out []Field
	for i := range s.Volumes {
		volume := &s.Volumes[i]
		if !forbidden(control, v, &corev1.PodSpec{Volumes: s.Volumes[i : i+1]}) {
			continue
		}
		source := volumeSource(volume)
		got := source
		if volume.HostPath != nil {
			got = volume.HostPath.Path
		}
		out = append(out, Field{"spec.volumes[" + strconv.Itoa(i) + "]." + source, got, None})
	}
	return out
}

// volumeSource is the name of the volume's source as it is written in YAML.
func volumeSource(v *corev1.Volume) string {
	source := reflect.ValueOf(&v.VolumeSource).Elem()
	for i := range source.NumField() {
		if !source.Field(i).IsNil() {
			name, _, _ := strings.Cut(source.Type().Field(i).Tag.Get("json"), ",")
			return name
		}
	}
	return ""
}

func hostPorts(written, s *corev1.PodSpec) []Field {
	var out []Field
	before := containers(written)
	for n, c := range containers(s) {
		for i, p := range c.Ports {
			if p.HostPort == 0 {
				continue
			}
			got := strconv.Itoa(int(p.HostPort))
			if before[n].Ports[i].HostPort == 0 {
				got += " (by hostNetwork)"
			}
			out = append(out, Field{c.path + ".ports[" + strconv.Itoa(i) + "].hostPort", got, None})
		}
	}
	return out
}

func handlerHosts(s *corev1.PodSpec) []Field {
	var out []Field
	for _, c := range containers(s) {
		check := func(path string, get *corev1.HTTPGetAction, socket *corev1.TCPSocketAction) {
			if get != nil && get.Host != "" {
				out = append(out, Field{c.path + path + ".httpGet.host", get.Host, None})
			}
			if socket != nil && socket.Host != "" {
				out = append(out, Field{c.path + path + ".tcpSocket.host", socket.Host, None})
			}
		}
		for _, p := range []struct {
			path  string
			probe *corev1.Probe
		}{{".livenessProbe", c.LivenessProbe}, {".readinessProbe", c.ReadinessProbe}, {".startupProbe", c.StartupProbe}} {
			if p.probe != nil {
				check(p.path, p.probe.HTTPGet, p.probe.TCPSocket)
			}
		}
		if c.Lifecycle == nil {
			continue
		}
		if h := c.Lifecycle.PostStart; h != nil {
			check(".lifecycle.postStart", h.HTTPGet, h.TCPSocket)
		}
		if h := c.Lifecycle.PreStop; h != nil {
			check(".lifecycle.preStop", h.HTTPGet, h.TCPSocket)
		}
	}
	return out
}
