package podpolicy

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// kubewarden reads Kubewarden's policies: those of its own modules whose
// settings are documented; others, and groups, are not understood.
func kubewarden(v inventory.View, version api.Version) []claim {
	var out []claim
	read := func(p inventory.Object[inventory.KubewardenPolicy]) {
		held, unread := moduleParts(p.Value.Spec.Module, p.Value.Spec.Settings, version)
		if strings.HasSuffix(p.Kind, "Group") {
			held, unread = nil, "is a group, which is not read"
		}
		if len(held) == 0 && unread == "" {
			return
		}
		c := claim{parts: held, unread: unread, in: wardenIn(p)}
		c.name = fmt.Sprintf("Kubewarden %s %q", p.Kind, strings.TrimPrefix(p.Namespace+"/"+p.Name, "/"))
		if f := p.Value.Spec.FailurePolicy; f != nil && *f == admissionv1.Ignore {
			c.name += " (failurePolicy Ignore)"
		}
		if !slices.ContainsFunc(p.Value.Spec.Rules, func(r admissionv1.RuleWithOperations) bool {
			return onResource(r, ephemeralContainers, admissionv1.Update)
		}) {
			c.blind(noRule)
		}
		out = append(out, c)
	}
	for _, kind := range []inventory.Kind[inventory.KubewardenPolicy]{
		inventory.KubewardenClusterPolicies, inventory.KubewardenPolicies, inventory.KubewardenClusterGroups, inventory.KubewardenGroups,
	} {
		for p := range inventory.All(v, kind) {
			read(p)
		}
	}
	return out
}

// wardenIn says whether a policy holds all pods of a namespace.
func wardenIn(p inventory.Object[inventory.KubewardenPolicy]) func(namespace) (reach, string) {
	spec := &p.Value.Spec
	onPods := slices.ContainsFunc(spec.Rules, func(r admissionv1.RuleWithOperations) bool { return onResource(r, "pods", admissionv1.Create) })
	return func(ns namespace) (reach, string) {
		matched := selected(spec.NamespaceSelector, spec.ObjectSelector, ns)
		place := around(p.Subject, strings.HasPrefix(p.Kind, "Cluster"), ns)
		switch {
		case matched == none || !onPods || place == none:
			return none, ""
		case spec.Mode == "monitor":
			return idle, `has the mode "monitor"`
		case p.Value.UID != "" && p.Value.Status.State != "active":
			return idle, fmt.Sprintf("does not run: its status is %q", p.Value.Status.State)
		case matched == unsure:
			return unsure, "has a selector that does not parse"
		case place == unsure:
			return unsure, noNamespace
		case len(spec.MatchConditions) > 0:
			return unsure, "has matchConditions, which are not evaluated"
		case matched == some:
			return some, "is not about all pods (objectSelector)"
		}
		return whole, ""
	}
}

// modules are where Kubewarden publishes its own.
const modules = "ghcr.io/kubewarden/policies/"

// unrelated are modules of Kubewarden that are about other things than the
// controls of the standards.
var unrelated = []string{
	"safe-labels", "safe-annotations", "trusted-repos", "verify-image-signatures", "container-resources", "environment-variable-policy",
	"priority-class-policy", "high-risk-service-account", "deprecated-api-versions", "namespace-label-propagator", "image-cve-policy",
	"hostpaths", "readonly-root-filesystem", "flexvolume-drivers", "fsgroup",
}

// moduleParts are what a module holds pods to with settings. hostpaths can
// allow some paths only, and so not forbid all.
//
// https://github.com/kubewarden/policies and the READMEs of the policies there
func moduleParts(module string, settings []byte, version api.Version) (held parts, unread string) {
	_, name, own := strings.Cut(module, modules)
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(path.Base(name), ":")
	name = strings.TrimSuffix(strings.TrimPrefix(name, "psp-"), "-psp")
	var s struct {
		SkipInit       bool     `json:"skip_init_containers"`
		SkipEphemeral  bool     `json:"skip_ephemeral_containers"`
		AllowIPC       bool     `json:"allow_host_ipc"`
		AllowNetwork   bool     `json:"allow_host_network"`
		AllowPID       bool     `json:"allow_host_pid"`
		AllowPorts     []any    `json:"allow_host_ports"`
		Capabilities   []string `json:"allowed_capabilities"`
		DefaultAdd     []string `json:"default_add_capabilities"`
		AllowUnmasked  bool     `json:"allow_unmasked_proc_mount_type"`
		Types          []string `json:"allowedTypes"`
		Forbidden      []string `json:"forbiddenSysctls"`
		AllowedSysctls []string `json:"allowedUnsafeSysctls"`
	}
	if own && slices.Contains(unrelated, name) {
		return nil, ""
	}
	if !own || json.Unmarshal(orEmpty(settings), &s) != nil {
		return nil, fmt.Sprintf("has the module %q with settings that are not understood", module)
	}
	held = parts{}
	allowed := func(values []string, control string) bool {
		return !slices.ContainsFunc(values, func(x string) bool { return !allows(control, x, version) })
	}
	for part, ok := range map[string]bool{
		"privileged":                 name == "pod-privileged" && !s.SkipInit && !s.SkipEphemeral,
		"hostNamespaces/hostIPC":     name == "host-namespaces" && !s.AllowIPC,
		"hostNamespaces/hostPID":     name == "host-namespaces" && !s.AllowPID,
		"hostNamespaces/hostNetwork": name == "host-namespaces" && !s.AllowNetwork,
		"hostPorts":                  name == "host-namespaces" && len(s.AllowPorts) == 0,
		"capabilities_baseline":      name == "capabilities" && allowed(slices.Concat(s.Capabilities, s.DefaultAdd), "capabilities_baseline"),
		"procMount":                  name == "allowed-proc-mount-types" && !s.AllowUnmasked,
		"restrictedVolumes":          name == "volumes" && !slices.ContainsFunc(s.Types, func(t string) bool { return !slices.Contains(restrictedVolumes, t) }),
		"hostPathVolumes":            name == "volumes" && !slices.Contains(s.Types, "*") && !slices.Contains(s.Types, "hostPath"),
		"sysctls":                    name == "sysctl" && slices.Contains(s.Forbidden, "*") && allowed(s.AllowedSysctls, "sysctls"),
	} {
		if ok {
			held[part] = true
		}
	}
	switch name {
	case "pod-privileged", "host-namespaces", "capabilities", "allowed-proc-mount-types", "volumes", "sysctl":
		return held, ""
	}
	return nil, fmt.Sprintf("has the module %q, which is not understood", module)
}
