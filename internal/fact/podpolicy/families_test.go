package podpolicy

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// TestMatches: how many of the pods of namespace shop, with the label team=web,
// a rule is about.
func TestMatches(t *testing.T) {
	for name, test := range map[string]struct {
		match string
		want  string // of the control privileged
	}{
		"pods":                  {"match: {any: [{resources: {kinds: [Pod]}}]}", "held"},
		"old form":              {"match: {resources: {kinds: [v1/Pod]}}", "held"},
		"any kind":              {"match: {any: [{resources: {kinds: ['*']}}]}", "held"},
		"no kind":               {"match: {any: [{resources: {namespaces: [shop]}}]}", "none"},
		"other kind":            {"match: {any: [{resources: {kinds: [Deployment]}}]}", "none"},
		"subresource":           {"match: {any: [{resources: {kinds: [Pod/exec]}}]}", "none"},
		"all":                   {"match: {all: [{resources: {kinds: [Pod]}}, {resources: {kinds: [Pod], namespaces: ['s*']}}]}", "held"},
		"all, not here":         {"match: {all: [{resources: {kinds: [Pod]}}, {resources: {kinds: [Pod], namespaces: [crm]}}]}", "none"},
		"namespace label":       {"match: {any: [{resources: {kinds: [Pod], namespaceSelector: {matchLabels: {team: web}}}}]}", "held"},
		"other label":           {"match: {any: [{resources: {kinds: [Pod], namespaceSelector: {matchLabels: {team: db}}}}]}", "none"},
		"wildcard label":        {"match: {any: [{resources: {kinds: [Pod], namespaceSelector: {matchLabels: {team: 'w*'}}}}]}", "unread"},
		"labels of pods":        {"match: {any: [{resources: {kinds: [Pod], selector: {matchLabels: {app: web}}}}]}", "weak"},
		"names":                 {"match: {any: [{resources: {kinds: [Pod], names: ['web-*']}}]}", "weak"},
		"every name":            {"match: {any: [{resources: {kinds: [Pod], names: ['*']}}]}", "held"},
		"who":                   {"match: {any: [{resources: {kinds: [Pod]}, subjects: [{kind: User, name: ann}]}]}", "weak"},
		"on updates":            {"match: {any: [{resources: {kinds: [Pod], operations: [UPDATE]}}]}", "none"},
		"on creation only":      {"match: {any: [{resources: {kinds: [Pod], operations: [CREATE]}}]}", "weak"}, // ephemeral containers come by updates
		"on both":               {"match: {any: [{resources: {kinds: [Pod], operations: [CREATE, UPDATE]}}]}", "held"},
		"updates excluded":      {"match: {any: [{resources: {kinds: [Pod]}}]}\n    exclude: {any: [{resources: {kinds: [Pod], operations: [UPDATE]}}]}", "weak"},
		"one of two":            {"match: {any: [{resources: {kinds: [Pod], names: [a]}}, {resources: {kinds: [Pod], namespaces: [shop]}}]}", "held"},
		"excluded":              {"match: {any: [{resources: {kinds: [Pod]}}]}\n    exclude: {any: [{resources: {namespaces: ['sh?p']}}]}", "none"},
		"excluded elsewhere":    {"match: {any: [{resources: {kinds: [Pod]}}]}\n    exclude: {any: [{resources: {namespaces: [crm]}}]}", "held"},
		"excluded, old form":    {"match: {any: [{resources: {kinds: [Pod]}}]}\n    exclude: {resources: {namespaces: [shop]}}", "none"},
		"excluded kind":         {"match: {any: [{resources: {kinds: [Pod]}}]}\n    exclude: {any: [{resources: {kinds: [DaemonSet]}}]}", "held"},
		"excluded by who":       {"match: {any: [{resources: {kinds: [Pod]}}]}\n    exclude: {any: [{clusterRoles: [cluster-admin]}]}", "weak"},
		"all excluded":          {"match: {any: [{resources: {kinds: [Pod]}}]}\n    exclude: {all: [{resources: {namespaces: [shop]}}, {resources: {names: [a]}}]}", "weak"},
		"preconditions":         {"match: {any: [{resources: {kinds: [Pod]}}]}\n    preconditions: {all: [{key: \"{{ request.operation || 'BACKGROUND' }}\", operator: NotEquals, value: DELETE}]}", "held"},
		"preconditions, old":    {"match: {any: [{resources: {kinds: [Pod]}}]}\n    preconditions: [{key: \"{{request.operation}}\", operator: NotEquals, value: DELETE}]", "held"},
		"preconditions, others": {"match: {any: [{resources: {kinds: [Pod]}}]}\n    preconditions: {any: [{key: \"{{ request.object.metadata.labels.a }}\", operator: Equals, value: b}]}", "unread"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(rule("{podSecurity: {level: baseline, version: latest}}"), "match: {any: [{resources: {kinds: [Pod]}}]}", test.match, 1)
			p, ns := read(t, text)
			h := p.In(ns[0])
			got := "none"
			switch {
			case h.Level() == api.LevelBaseline:
				got = "held"
			case len(h.Weak) > 0:
				got = "weak"
			case len(h.Unread) > 0:
				got = "unread"
			}
			if got != test.want {
				t.Errorf("%s, want %s: %+v", got, test.want, h)
			}
		})
	}
}

func TestActions(t *testing.T) {
	for name, test := range map[string]struct{ spec, want string }{
		"lower case":     {"validationFailureAction: enforce", ""},
		"override":       {"validationFailureAction: Enforce\n  validationFailureActionOverrides: [{action: audit, namespaces: [crm]}, {action: audit, namespaceSelector: {matchLabels: {team: web}}}]", "only audits"},
		"to enforce":     {"validationFailureAction: Audit\n  validationFailureActionOverrides: [{action: enforce, namespaces: [shop]}]", ""},
		"not admission":  {"validationFailureAction: Enforce\n  admission: false", "does not run at admission"},
		"conditions":     {"validationFailureAction: Enforce\n  webhookConfiguration: {matchConditions: [{name: a, expression: 'true'}]}", "has preconditions or matchConditions, which are not evaluated"},
		"only one":       {"validationFailureAction: Enforce\n  applyRules: One", ""},
		"failure policy": {"validationFailureAction: Enforce\n  failurePolicy: Ignore", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, ns := read(t, strings.Replace(rule("{podSecurity: {level: baseline, version: latest}}"), "validationFailureAction: Enforce", test.spec, 1))
			h := p.In(ns[0])
			want := []string{`Kyverno ClusterPolicy "p" ` + test.want}
			switch {
			case test.want == "" && h.Level() != api.LevelBaseline,
				test.want != "" && !slices.Equal(slices.Concat(h.Weak, h.Unread), want):
				t.Errorf("%+v", h)
			}
			if name == "failure policy" && h.By[0] != `Kyverno ClusterPolicy "p" (failurePolicy Ignore)` {
				t.Error(h.By)
			}
		})
	}
}

func TestWebhook(t *testing.T) {
	hook := func(rules, selector string) string {
		return "\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: kyverno-resource-validating-webhook-cfg}\nwebhooks:\n- {name: validate.kyverno.svc-fail, rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: " + rules + "}], namespaceSelector: " + selector + "}"
	}
	policy := rule("{podSecurity: {level: baseline, version: latest}}")
	saved := strings.Replace(policy, "{name: p}", "{name: p, uid: 0a}", 1)
	for name, test := range map[string]struct {
		manifests string
		want      api.Level
	}{
		"manifests":     {policy, api.LevelBaseline},
		"saved, none":   {saved, api.LevelPrivileged},
		"saved":         {saved + hook("[pods, pods/ephemeralcontainers]", "{}"), api.LevelBaseline},
		"subresources":  {saved + hook("['pods/*']", "{}"), api.LevelBaseline},
		"not ephemeral": {saved + hook("[pods]", "{}"), api.LevelPrivileged},
		"conditions":    {saved + hook("['*/*']", "{}, matchConditions: [{name: a, expression: 'false'}]"), api.LevelPrivileged},
		"not pods":      {saved + hook("[services]", "{}"), api.LevelPrivileged},
		"not here":      {saved + hook("['*']", "{matchLabels: {team: db}}"), api.LevelPrivileged},
		"here":          {saved + hook("['*', pods/ephemeralcontainers]", "{matchLabels: {team: web}}"), api.LevelBaseline},
		"manifest, too": {policy + hook("[pods]", "{matchLabels: {team: db}}"), api.LevelPrivileged},
	} {
		t.Run(name, func(t *testing.T) {
			p, ns := read(t, test.manifests)
			if h := p.In(ns[0]); h.Level() != test.want {
				t.Errorf("%s, want %s: %+v", h.Level(), test.want, h)
			}
		})
	}
}

func TestSystemNamespace(t *testing.T) {
	p, ns := read(t, strings.Replace(rule("{podSecurity: {level: baseline, version: latest}}"), "{name: shop, labels: {team: web}}", "{name: kube-public}", 1))
	if h := p.In(ns[0]); h.Level() != api.LevelPrivileged || len(h.Unread) != 1 {
		t.Errorf("%+v", h)
	}
}

func TestExceptions(t *testing.T) {
	exception := func(match string) string {
		return "\n---\napiVersion: kyverno.io/v2\nkind: PolicyException\nmetadata: {name: x, namespace: crm}\nspec: {exceptions: [{policyName: p, ruleNames: [r]}], match: " + match + "}"
	}
	for match, want := range map[string]api.Level{
		"{any: [{resources: {kinds: [Pod], namespaces: [crm]}}]}":  api.LevelBaseline,
		"{any: [{resources: {kinds: [Pod], namespaces: [shop]}}]}": api.LevelPrivileged,
		"{any: [{resources: {kinds: [Pod], names: [a]}}]}":         api.LevelPrivileged,
	} {
		p, ns := read(t, rule("{podSecurity: {level: baseline, version: latest}}")+exception(match))
		if h := p.In(ns[0]); h.Level() != want {
			t.Errorf("%s: %s", match, h.Level())
		}
	}
}

func TestCELExceptions(t *testing.T) {
	policy := shop + "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata: {name: p}\nspec:\n  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n  validations: [{expression: \"!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))\"}]\n"
	exception := func(more string) string {
		return "---\napiVersion: policies.kyverno.io/v1\nkind: PolicyException\nmetadata: {name: x, namespace: crm}\nspec: {policyRefs: [{name: p, kind: ValidatingPolicy}]" + more + "}"
	}
	for text, want := range map[string]string{
		policy:                 "hostPathVolumes",
		policy + exception(""): "unread: Kyverno ValidatingPolicy \"p\" may leave out pods that PolicyException \"crm/x\" names",
		policy + exception(", expiresAt: '2026-01-01T00:00:00Z'"):                        "hostPathVolumes",
		strings.Replace(policy, "spec:", "spec:\n  validationActions: [Audit, Warn]", 1): "weak: Kyverno ValidatingPolicy \"p\" has the actions [\"Audit\" \"Warn\"] only",
		strings.Replace(policy, "spec:", "spec:\n  evaluation: {mode: JSON}", 1):         "",
	} {
		if d := cmp.Diff(want, held(t, text)); d != "" {
			t.Error(d)
		}
	}
}

func TestLibrary(t *testing.T) {
	version := api.LatestVersion()
	for _, test := range []struct{ kind, parameters, want string }{
		{"K8sPSPPrivilegedContainer", "", "privileged"},
		{"K8sPSPHostNamespace", "", "hostNamespaces/hostIPC hostNamespaces/hostPID"},
		{"K8sPSPHostNetworkingPorts", `{"hostNetwork":true,"min":80,"max":9000}`, ""},
		{"K8sPSPHostNetworkingPorts", `{"max":0}`, "hostNamespaces/hostNetwork hostPorts"},
		{"K8sPSPHostNetworkingPorts", `{"hostNetwork":false}`, "hostNamespaces/hostNetwork"},
		{"K8sPSPHostFilesystem", `{"allowedHostPaths":[{"pathPrefix":"/var/log","readOnly":true}]}`, ""},
		{"K8sPSPHostFilesystem", `{"allowedHostPaths":[]}`, "hostPathVolumes"},
		{"K8sPSPVolumeTypes", `{"volumes":["*"]}`, ""},
		{"K8sPSPVolumeTypes", `{"volumes":["configMap","nfs"]}`, "hostPathVolumes"},
		{"K8sPSPVolumeTypes", `{"volumes":["configMap","secret"]}`, "hostPathVolumes restrictedVolumes"},
		{"K8sPSPCapabilities", `{"allowedCapabilities":["*"]}`, ""},
		{"K8sPSPCapabilities", `{"allowedCapabilities":["chown"],"requiredDropCapabilities":["ALL"]}`, "capabilities_baseline capabilities_restricted/drop"},
		{"K8sPSPCapabilities", `{"requiredDropCapabilities":["NET_RAW"]}`, "capabilities_baseline capabilities_restricted/add"},
		{"K8sPSPSeccomp", `{"allowedProfiles":["runtime/default","localhost/*"]}`, "seccompProfile_baseline seccompProfile_restricted"},
		{"K8sPSPSeccompV2", `{"allowedProfiles":["*"]}`, ""},
		{"K8sPSPSeccompV2", `{"allowedProfiles":["Unconfined"]}`, ""},
		{"K8sPSPAllowedUsers", `{"runAsUser":{"rule":"RunAsAny"}}`, ""},
		{"K8sPSPAllowedUsers", `{"runAsUser":{"rule":"MustRunAsNonRoot"}}`, "runAsNonRoot runAsUser"},
		{"K8sPSPProcMount", `{"procMount":"Unmasked"}`, ""},
		{"K8sPSPProcMount", "", "procMount"},
		{"K8sPSPForbiddenSysctls", `{"forbiddenSysctls":["kernel.*"]}`, ""},
		{"K8sPSPForbiddenSysctls", `{"forbiddenSysctls":["*"]}`, "sysctls"},
		{"K8sPSPForbiddenSysctls", `{"allowedSysctls":["kernel.shm_rmid_forced"]}`, "sysctls"},
		{"K8sPSPForbiddenSysctls", `{"allowedSysctls":["kernel.*"],"forbiddenSysctls":["*"]}`, ""},
		{"K8sPSPSELinuxV2", `{"allowedSELinuxOptions":[{"type":"container_t","level":"s0"}]}`, "seLinuxOptions"},
		{"K8sPSPSELinuxV2", `{"allowedSELinuxOptions":[{"type":"spc_t"}]}`, ""},
		{"K8sPSPSELinuxV2", `{"allowedSELinuxOptions":[{"role":"object_r"}]}`, ""},
		{"K8sPSPAppArmor", `{"allowedProfiles":["unconfined"]}`, ""},
		{"K8sPSPAppArmor", `{"allowedProfiles":["runtime/default"]}`, "appArmorProfile/annotations appArmorProfile/fields"},
		{"K8sPSPFSGroup", "", ""},
		{"K8sRequiredLabels", "", "unknown"},
		{"K8sPSPProcMount", `{"procMount":["Default"]}`, "unread"},
	} {
		held, unread, known := libraryParts(test.kind, []byte(test.parameters), "allowedSysctls appArmorProfile", version)
		got := keys(held)
		switch {
		case !known:
			got = "unknown"
		case unread != "":
			got = "unread"
		}
		if got != test.want {
			t.Errorf("%s %s: %q, want %q", test.kind, test.parameters, got, test.want)
		}
	}
}

func keys(p parts) string {
	var out []string
	for part := range p {
		out = append(out, part)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestTemplates(t *testing.T) {
	for code, want := range map[string]bool{
		"c := input.review.object.spec.ephemeralContainers[_]":                                     true,
		"c := input.review.object.spec.containers[_]":                                              false,
		"not is_update(input.review)\nc := input.review.object.spec.ephemeralContainers[_]":        false,
		"variables.isUpdate || size(variables.badContainers) == 0, variables.ephemeralContainers ": false,
	} {
		if got := seesEphemeral(code); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

func TestModules(t *testing.T) {
	for _, test := range []struct{ module, settings, want string }{
		{"registry://ghcr.io/kubewarden/policies/pod-privileged:v0.3.2", "", "privileged"},
		{"registry://ghcr.io/kubewarden/policies/pod-privileged:v1.0.0", `{"skip_init_containers":true}`, ""},
		{"ghcr.io/kubewarden/policies/host-namespaces-psp@sha256:00", `{"allow_host_pid":true,"allow_host_ports":[{"min":80,"max":80}]}`, "hostNamespaces/hostIPC hostNamespaces/hostNetwork"},
		{"registry://ghcr.io/kubewarden/policies/psp-capabilities:v0.1.3", `{"allowed_capabilities":["*"]}`, ""},
		{"registry://ghcr.io/kubewarden/policies/capabilities-psp:v0.1.3", "", "capabilities_baseline"},
		{"registry://ghcr.io/kubewarden/policies/volumes-psp:v0.1.3", `{"allowedTypes":["configMap","secret"]}`, "hostPathVolumes restrictedVolumes"},
		{"registry://ghcr.io/kubewarden/policies/sysctl-psp:v0.1.3", `{"forbiddenSysctls":["*"]}`, "sysctls"},
		{"registry://ghcr.io/kubewarden/policies/hostpaths-psp:v0.1.3", `{}`, ""},
		{"registry://ghcr.io/kubewarden/policies/user-group-psp:v0.1.3", `{}`, "unread"},
		{"registry://example.com/pod-privileged:v1", "", "unread"},
		{"registry://ghcr.io/kubewarden/policies/volumes-psp:v0.1.3", `{"allowedTypes":"all"}`, "unread"},
	} {
		held, unread := moduleParts(test.module, []byte(test.settings), api.LatestVersion())
		got := keys(held)
		if unread != "" {
			got = "unread"
		}
		if got != test.want {
			t.Errorf("%s %s: %q, want %q", test.module, test.settings, got, test.want)
		}
	}
}

func TestKubewardenState(t *testing.T) {
	policy := shop + "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicy\nmetadata: {name: p, namespace: shop, uid: 0a}\nspec: {module: 'ghcr.io/kubewarden/policies/volumes-psp:v1', rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n"
	group := shop + "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicyGroup\nmetadata: {name: g}\nspec: {expression: 'a() && b()', rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n"
	for text, want := range map[string]string{
		policy + "status: {policyStatus: active}\n":                              "hostPathVolumes\nrestrictedVolumes",
		policy + "status: {policyStatus: pending}\n":                             "weak: Kubewarden AdmissionPolicy \"shop/p\" does not run: its status is \"pending\"",
		strings.Replace(policy, "namespace: shop, uid: 0a", "namespace: crm", 1): "",
		group: "unread: Kubewarden ClusterAdmissionPolicyGroup \"g\" is a group, which is not read",
	} {
		if d := cmp.Diff(want, held(t, text)); d != "" {
			t.Error(d)
		}
	}
}

// TestDecisive: the fact reads what it says decides, and the same tables are
// what the families declare.
func TestDecisive(t *testing.T) {
	for _, n := range Decisive() {
		if !n.Optional || !slices.Contains(Enforced.Needs, n) {
			t.Error(n)
		}
		if _, custom := inventory.CustomOf(n.Kind); !custom && !strings.HasPrefix(string(n.Kind), "admissionregistration.k8s.io/") {
			t.Errorf("%s is no table", n.Kind)
		}
	}
}
