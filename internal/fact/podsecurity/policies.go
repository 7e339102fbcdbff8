package podsecurity

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Enforced says what the Pod Security admission plugin enforces in each
// namespace. It needs the Namespaces; the plugin's configuration is read where
// it is there.
var Enforced = &inventory.Fact[*Policies]{
	Needs: []inventory.Need{inventory.Namespaces.Optional(), inventory.PodSecurityDefaults.Optional(), inventory.Pods.Optional()},
	Build: build,
}

// Policies are the policies of all namespaces.
type Policies struct {
	byName   map[string]Policy
	defaults api.Policy
	known    bool // the defaults were read
	exempt   inventory.PodSecurityDefault
	// Off is a kube-apiserver pod whose flags turn the plugin off, so that
	// labels enforce nothing; nil if there is none.
	Off *inventory.Object[*inventory.PodBearer]
}

// Policy is what the plugin does in one namespace.
type Policy struct {
	// Policy holds the levels and versions, from the labels or the defaults of
	// the cluster; a value that does not parse is restricted, or latest, as
	// upstream has it.
	api.Policy
	// Labelled is true where the namespace itself says what to enforce.
	Labelled bool
	// Known is false where it does not, and the defaults of the cluster were
	// not read: Enforce is then not known.
	Known bool
	// Exempt is true where the plugin's configuration exempts the namespace.
	Exempt bool
	off    bool
}

// Enforces reports whether the plugin is known to enforce baseline or restricted.
func (p Policy) Enforces() bool {
	return p.Known && !p.Exempt && !p.off && p.Enforce.Level != api.LevelPrivileged
}

// For is the policy of a namespace; ok is false where no Namespace object of
// the name was read. Where several files define it, the first counts.
func (p *Policies) For(namespace string) (policy Policy, ok bool) {
	policy, ok = p.byName[namespace]
	return policy, ok
}

// Of is the policy that a Namespace object asks for.
func (p *Policies) Of(ns inventory.Object[inventory.Meta]) Policy {
	policy, _ := api.PolicyToEvaluate(ns.Value.Labels, p.defaults)
	_, labelled := ns.Value.Labels[api.EnforceLevelLabel]
	return Policy{
		Policy:   policy,
		Labelled: labelled,
		Known:    labelled || p.known,
		Exempt:   slices.Contains(p.exempt.ExemptNamespaces, ns.Name),
		off:      p.Off != nil,
	}
}

// ExemptPod reports whether the plugin's configuration exempts the pod by its
// runtime class.
func (p *Policies) ExemptPod(spec *corev1.PodSpec) bool {
	return spec.RuntimeClassName != nil && slices.Contains(p.exempt.ExemptRuntimeClasses, *spec.RuntimeClassName)
}

func build(v inventory.View) *Policies {
	privileged := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	p := &Policies{
		byName:   map[string]Policy{},
		defaults: api.Policy{Enforce: privileged, Audit: privileged, Warn: privileged},
		known:    len(v.Missing(inventory.PodSecurityDefaults.ID, "")) == 0,
	}
	if inventory.Len(v, inventory.PodSecurityDefaults) > 1 {
		p.known = false // they differ: nothing says which one the API server has
	}
	for d := range inventory.All(v, inventory.PodSecurityDefaults) {
		p.exempt = d.Value
		p.defaults = api.Policy{
			Enforce: levelVersion(d.Value.Enforce, d.Value.EnforceVersion),
			Audit:   levelVersion(d.Value.Audit, ""),
			Warn:    levelVersion(d.Value.Warn, ""),
		}
	}
	for pod := range inventory.In(v, inventory.Pods, "kube-system") {
		if pluginOff(pod.Value.Template.Spec) {
			p.Off = &pod
		}
	}
	for ns := range inventory.All(v, inventory.Namespaces) {
		if _, seen := p.byName[ns.Name]; !seen {
			p.byName[ns.Name] = p.Of(ns)
		}
	}
	return p
}

// pluginOff reports whether the pod is an API server that is started without
// the PodSecurity plugin.
func pluginOff(spec *corev1.PodSpec) bool {
	for _, c := range spec.Containers {
		line := slices.Concat(c.Command, c.Args)
		if !slices.ContainsFunc(line, func(word string) bool { return path.Base(word) == "kube-apiserver" }) {
			continue
		}
		for i, word := range line {
			flag, off, _ := strings.Cut(word, "=")
			if off == "" && i+1 < len(line) {
				off = line[i+1]
			}
			if flag == "--disable-admission-plugins" && slices.Contains(strings.Split(off, ","), "PodSecurity") {
				return true
			}
		}
	}
	return false
}

// levelVersion reads the plugin's configuration: an empty level is privileged,
// an empty version latest. The API server does not start with a wrong one.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/pod-security-admission/admission/api/v1/defaults.go
func levelVersion(level, version string) api.LevelVersion {
	lv := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	if level != "" {
		lv.Level, _ = api.ParseLevel(level)
	}
	if version != "" {
		lv.Version, _ = api.ParseVersion(version)
	}
	return lv
}
