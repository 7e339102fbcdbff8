package podpolicy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// gatekeeper reads constraints: those of templates of the Gatekeeper library
// by the name of the template, with their parameters; others are not
// understood. That a template has the code of the library is not compared; only
// that it names the fields in question.
func gatekeeper(v inventory.View, version api.Version) []claim {
	code := map[string]string{}
	for t := range inventory.All(v, inventory.GatekeeperTemplates) {
		code[t.Value.Spec.CRD.Spec.Names.Kind] = string(t.Value.Spec.Targets)
	}
	missing := v.Missing(inventory.GatekeeperTemplates.ID, "")
	configs := slices.Collect(inventory.All(v, inventory.GatekeeperConfigs))
	hooks := webhooksOf(v, "Gatekeeper", "gatekeeper-validating-webhook-configuration")
	var out []claim
	for c := range inventory.All(v, inventory.GatekeeperConstraints) {
		text, there := code[c.Kind]
		g := gatekeeperConstraint{
			Object: c, configs: configs, missing: v.Missing(inventory.GatekeeperConfigs.ID, ""), hooks: hooks,
			template: there || len(missing) > 0, // it may be there; its code is not known
		}
		g.unreadable = json.Unmarshal(orEmpty(c.Value.Spec.Parameters), &g.parameters) != nil
		held, unread, known := libraryParts(c.Kind, c.Value.Spec.Parameters, text, version)
		x := claim{name: fmt.Sprintf("Gatekeeper %s %q", c.Kind, c.Name), parts: held, unread: unread, in: g.in}
		if known && there && !seesEphemeral(text) {
			x.blind("its template does not name them, or skips updates")
		}
		hooks.limit(&x)
		switch {
		case !known && !there && len(missing) == 0, !known && there && !bears.MatchString(text):
			continue // not at work, or not about the security of pods
		case !there && len(missing) > 0:
			x.parts, x.unread = nil, "is made with a template that was not read: "+missing[0].String()
		case !known:
			x.unread = "is made with a template that is not understood"
		}
		out = append(out, x)
	}
	return out
}

// seesEphemeral reports whether the code of a template looks at ephemeral
// containers. They come by updates, which templates of the library from 2023 on
// skip, because the fields of other containers do not change.
//
// https://github.com/open-policy-agent/gatekeeper-library/blob/master/src/pod-security-policy/privileged-containers/src.rego
func seesEphemeral(code string) bool {
	return strings.Contains(code, "ephemeralContainers") && !skipsUpdates.MatchString(code)
}

var skipsUpdates = regexp.MustCompile(`is_update|isUpdate|request\.operation`)

// gatekeeperConstraint is a constraint with what decides where it holds.
type gatekeeperConstraint struct {
	inventory.Object[inventory.GatekeeperConstraint]
	template   bool
	parameters struct {
		ExemptImages []string `json:"exemptImages"`
	}
	unreadable bool // the parameters are not understood
	configs    []inventory.Object[inventory.GatekeeperConfig]
	missing    []report.Gap // of the configs
	hooks      webhooks
}

// in says whether the constraint holds all pods of a namespace.
func (c gatekeeperConstraint) in(ns namespace) (reach, string) {
	m := &c.Value.Spec.Match
	switch {
	case len(m.Kinds) > 0 && !c.aboutPods(), m.Scope == "Cluster",
		len(m.Namespaces) > 0 && !inventory.Globs(m.Namespaces, ns.name), inventory.Globs(m.ExcludedNamespaces, ns.name):
		return none, ""
	}
	matched := selected(m.NamespaceSelector, m.LabelSelector, ns)
	switch {
	case matched == none:
		return none, ""
	case !c.denies():
		return idle, fmt.Sprintf("has the enforcementAction %q", c.Value.Spec.Action)
	case m.Source == "Generated":
		return idle, "is only about pods that expansion makes (source)"
	case !c.template:
		return idle, "has no ConstraintTemplate"
	}
	for _, config := range c.configs {
		for _, x := range config.Value.Spec.Match {
			at := slices.Contains(x.Processes, "*") || slices.Contains(x.Processes, "webhook")
			if config.Name == "config" && at && inventory.Globs(x.ExcludedNamespaces, ns.name) {
				return idle, "does not run there: Config \"config\" excludes the namespace"
			}
		}
	}
	if !c.hooks.found && ns.labels.Has(ignoreLabel) {
		return idle, fmt.Sprintf("does not run there: the namespace has the label %q", ignoreLabel)
	}
	if reach, why := c.hooks.take(ns, c.Value.UID != ""); reach != whole {
		return reach, why
	}
	switch {
	case matched == unsure || c.unreadable:
		return unsure, "has a selector or parameters that are not understood"
	case len(c.missing) > 0:
		return unsure, "may be kept out of the namespace, and " + c.missing[0].String()
	case matched == some || m.Name != "" && m.Name != "*":
		return some, "is not about all pods (match)"
	case len(c.parameters.ExemptImages) > 0:
		return some, fmt.Sprintf("leaves out containers by their image (exemptImages %q)", c.parameters.ExemptImages)
	}
	return whole, ""
}

// ignoreLabel takes a namespace out of Gatekeeper's webhook as it is installed.
//
// https://open-policy-agent.github.io/gatekeeper/website/docs/exempt-namespaces
const ignoreLabel = "admission.gatekeeper.sh/ignore"

func (c gatekeeperConstraint) aboutPods() bool {
	for _, k := range c.Value.Spec.Match.Kinds {
		if (slices.Contains(k.APIGroups, "") || slices.Contains(k.APIGroups, "*")) && (slices.Contains(k.Kinds, "Pod") || slices.Contains(k.Kinds, "*")) {
			return true
		}
	}
	return false
}

// denies reports whether the webhook refuses what violates the constraint.
func (c gatekeeperConstraint) denies() bool {
	if c.Value.Spec.Action != "scoped" {
		return c.Value.Spec.Action == "" || c.Value.Spec.Action == "deny"
	}
	for _, s := range c.Value.Spec.Scoped {
		for _, point := range s.Points {
			if s.Action == "deny" && (point.Name == "*" || point.Name == "validation.gatekeeper.sh") {
				return true
			}
		}
	}
	return false
}

func orEmpty(raw []byte) []byte {
	if len(raw) == 0 {
		return []byte("{}")
	}
	return raw
}

// libraryParts are what a template of the library holds pods to with
// parameters; known is false for other templates.
//
// https://github.com/open-policy-agent/gatekeeper-library/tree/master/library/pod-security-policy
func libraryParts(kind string, parameters []byte, code string, version api.Version) (held parts, unread string, known bool) {
	var p struct {
		HostNetwork      bool     `json:"hostNetwork"`
		Max              *int     `json:"max"`
		AllowedHostPaths []any    `json:"allowedHostPaths"`
		Volumes          []string `json:"volumes"`
		Allowed          []string `json:"allowedCapabilities"`
		RequiredDrop     []string `json:"requiredDropCapabilities"`
		AllowedProfiles  []string `json:"allowedProfiles"`
		RunAsUser        struct {
			Rule string `json:"rule"`
		} `json:"runAsUser"`
		ProcMount        string   `json:"procMount"`
		ForbiddenSysctls []string `json:"forbiddenSysctls"`
		AllowedSysctls   []string `json:"allowedSysctls"`
		AllowedSELinux   []struct {
			Role, Type, User string
		} `json:"allowedSELinuxOptions"`
	}
	unreadable := json.Unmarshal(orEmpty(parameters), &p) != nil
	held = parts{}
	add := func(ok bool, names ...string) {
		for _, n := range names {
			if ok {
				held[n] = true
			}
		}
	}
	allowed := func(values []string, control string) bool {
		return !slices.ContainsFunc(values, func(x string) bool { return !allows(control, x, version) })
	}
	upper := func(values []string) (out []string) {
		for _, x := range values {
			out = append(out, strings.ToUpper(x))
		}
		return out
	}
	within := func(values []string, set ...string) bool {
		return !slices.ContainsFunc(values, func(x string) bool { return !slices.Contains(set, x) && !strings.HasPrefix(x, "localhost/") })
	}
	switch kind {
	case "K8sPSPPrivilegedContainer":
		add(true, "privileged")
	case "K8sPSPHostNamespace":
		add(true, "hostNamespaces/hostPID", "hostNamespaces/hostIPC")
	case "K8sPSPHostNetworkingPorts":
		add(!p.HostNetwork, "hostNamespaces/hostNetwork")
		add(p.Max != nil && *p.Max == 0, "hostPorts")
	case "K8sPSPHostFilesystem": // no allowed path: none may be used
		add(len(p.AllowedHostPaths) == 0, "hostPathVolumes")
	case "K8sPSPVolumeTypes":
		add(within(p.Volumes, restrictedVolumes...), "restrictedVolumes")
		add(!slices.Contains(p.Volumes, "*") && !slices.Contains(p.Volumes, "hostPath"), "hostPathVolumes")
	case "K8sPSPCapabilities": // compared in lower case
		add(allowed(upper(p.Allowed), "capabilities_baseline"), "capabilities_baseline")
		add(allowed(upper(p.Allowed), "capabilities_restricted"), "capabilities_restricted/add")
		add(slices.Contains(upper(p.RequiredDrop), "ALL"), "capabilities_restricted/drop")
	case "K8sPSPSeccomp", "K8sPSPSeccompV2": // a container without a profile is refused
		add(within(p.AllowedProfiles, "runtime/default", "docker/default", "RuntimeDefault", "Localhost", "localhost"), "seccompProfile_baseline", "seccompProfile_restricted")
	case "K8sPSPAllowPrivilegeEscalationContainer":
		add(true, "allowPrivilegeEscalation")
	case "K8sPSPAllowedUsers": // runAsNonRoot, or a user other than 0: the same in effect
		add(p.RunAsUser.Rule == "MustRunAsNonRoot", "runAsNonRoot", "runAsUser")
	case "K8sPSPProcMount":
		add(!strings.EqualFold(p.ProcMount, "unmasked"), "procMount")
	case "K8sPSPForbiddenSysctls": // without a list of allowed ones, as of old, only what is forbidden is
		listed := p.AllowedSysctls != nil && strings.Contains(code, "allowedSysctls")
		add((slices.Contains(p.ForbiddenSysctls, "*") || listed) && allowed(p.AllowedSysctls, "sysctls"), "sysctls")
	case "K8sPSPSELinuxV2":
		ok := true
		for _, o := range p.AllowedSELinux {
			ok = ok && o.Role == "" && o.User == "" && (o.Type == "" || allows("seLinuxOptions", o.Type, version))
		}
		add(ok, "seLinuxOptions")
	case "K8sPSPAppArmor":
		ok := within(p.AllowedProfiles, "runtime/default", "RuntimeDefault", "Localhost")
		add(ok, "appArmorProfile/annotations")
		add(ok && strings.Contains(code, "appArmorProfile"), "appArmorProfile/fields")
	case "K8sPSPHostProcess":
		add(true, "windowsHostProcess")
	case "K8sPSPHostProbesLifecycle":
		add(true, "hostProbesAndHostLifecycle")
	case "K8sPSPFlexVolumes", "K8sPSPReadOnlyRootFilesystem", "K8sPSPFSGroup": // of no control
	default:
		return nil, "", false
	}
	if unreadable {
		return nil, "has parameters that are not understood", true
	}
	return held, "", true
}
