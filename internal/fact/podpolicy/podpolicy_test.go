package podpolicy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// read builds the fact of manifests, and the Namespace objects among them.
func read(t *testing.T, manifests string) (*Policies, []inventory.Object[inventory.Meta]) {
	t.Helper()
	b := &inventory.Builder{}
	for _, n := range Enforced.Needs {
		b.Collected(n.Kind)
	}
	b.Collected(inventory.Namespaces.ID)
	for doc := range strings.SplitSeq(manifests, "\n---\n") {
		var head struct{ APIVersion, Kind string }
		data, err := yaml.YAMLToJSON([]byte(doc))
		if err == nil {
			err = json.Unmarshal(data, &head)
		}
		if err != nil {
			t.Fatal(err)
		}
		group, _, _ := strings.Cut(head.APIVersion, "/")
		if c, ok := inventory.CustomFor(group, head.Kind); ok {
			err = c.Put(b, head.APIVersion, head.Kind, data, inventory.Origin{})
		} else {
			obj := map[string]any{
				"Namespace": &corev1.Namespace{}, "Node": &corev1.Node{},
				"ValidatingAdmissionPolicy": &admissionv1.ValidatingAdmissionPolicy{}, "ValidatingAdmissionPolicyBinding": &admissionv1.ValidatingAdmissionPolicyBinding{},
				"ValidatingWebhookConfiguration": &admissionv1.ValidatingWebhookConfiguration{}, "ConfigMap": &corev1.ConfigMap{},
			}[head.Kind]
			err = json.Unmarshal(data, obj)
			inventory.PutObject(b, obj, inventory.Origin{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	v := b.Seal(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)).View(append(Enforced.Needs, inventory.Namespaces.Need()))
	return Enforced.Of(v), slices.Collect(inventory.All(v, inventory.Namespaces))
}

const shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: web}}\n---\n"

// held renders what holds in the first namespace.
func held(t *testing.T, manifests string) string {
	t.Helper()
	p, namespaces := read(t, manifests)
	h := p.In(namespaces[0])
	lines := slices.Sorted(maps.Keys(h.parts))
	for _, w := range h.Weak {
		lines = append(lines, "weak: "+w)
	}
	for _, u := range h.Unread {
		lines = append(lines, "unread: "+u)
	}
	return strings.Join(lines, "\n")
}

func TestControlsOf(t *testing.T) {
	old, now := controlsOf(api.LevelBaseline, api.MajorMinorVersion(1, 29)), controlsOf(api.LevelRestricted, api.MajorMinorVersion(1, 37))
	want := []string{"appArmorProfile", "capabilities_baseline", "hostNamespaces", "hostPathVolumes", "hostPorts", "privileged", "procMount", "seLinuxOptions", "seccompProfile_baseline", "sysctls", "windowsHostProcess"}
	if d := cmp.Diff(want, old); d != "" {
		t.Error(d)
	}
	want = []string{"allowPrivilegeEscalation", "appArmorProfile", "capabilities_restricted", "hostNamespaces", "hostPorts", "hostProbesAndHostLifecycle", "privileged", "procMount_restricted",
		"restrictedVolumes", "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile_restricted", "sysctls", "windowsHostProcess"}
	if d := cmp.Diff(want, now); d != "" {
		t.Error(d)
	}
	for _, l := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
		h := Held{parts: level(l), version: api.LatestVersion()}
		if h.Level() != l {
			t.Errorf("all controls of %s are %s", l, h.Level())
		}
	}
	if got := Added(api.LevelBaseline, api.MajorMinorVersion(1, 29), api.LatestVersion()); !slices.Equal(got, []string{"hostProbesAndHostLifecycle"}) {
		t.Error(got)
	}
	if got := Added(api.LevelRestricted, api.MajorMinorVersion(1, 34), api.LatestVersion()); len(got) > 0 {
		t.Error(got)
	}
}

func TestVersion(t *testing.T) {
	node := "apiVersion: v1\nkind: Node\nmetadata: {name: %}\nstatus: {nodeInfo: {kubeletVersion: %}}\n"
	p, _ := read(t, strings.Replace(strings.Replace(node, "%", "a", 1), "%", "v1.29.4", 1)+"---\n"+strings.Replace(strings.Replace(node, "%", "b", 1), "%", "v1.31.2-gke.1", 1))
	if p.Version != api.MajorMinorVersion(1, 31) {
		t.Error(p.Version)
	}
	if p, _ := read(t, shop[:len(shop)-5]); p.Version != api.LatestVersion() {
		t.Error(p.Version)
	}
}

// rule is a ClusterPolicy that enforces one rule, written as YAML flow.
func rule(validate string) string {
	return shop + "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec:\n  validationFailureAction: Enforce\n  rules:\n  - name: r\n    match: {any: [{resources: {kinds: [Pod]}}]}\n    validate: " + validate
}

// each writes a pattern for all kinds of containers.
func each(element string) string {
	return `{pattern: {spec: {containers: [` + element + `], =(initContainers): [` + element + `], =(ephemeralContainers): [` + element + `]}}}`
}

func TestKyvernoRules(t *testing.T) {
	const all = "request.object.spec.[ephemeralContainers, initContainers, containers][]"
	for name, test := range map[string]struct{ validate, want string }{
		"host namespaces":   {`{pattern: {spec: {=(hostPID): "false", =(hostIPC): false, =(hostNetwork): "false"}}}`, "hostNamespaces/hostIPC\nhostNamespaces/hostNetwork\nhostNamespaces/hostPID"},
		"privileged":        {each(`{=(securityContext): {=(privileged): "false"}}`), "privileged"},
		"containers only":   {`{pattern: {spec: {containers: [{=(securityContext): {=(privileged): "false"}}]}}}`, ""},
		"host ports":        {each(`{=(ports): [{=(hostPort): 0}]}`), "hostPorts"},
		"no host ports":     {each(`{=(ports): [{X(hostPort): 0}]}`), "hostPorts"},
		"host path":         {`{pattern: {spec: {=(volumes): [{X(hostPath): "null"}]}}}`, "hostPathVolumes"},
		"proc mount":        {each(`{=(securityContext): {=(procMount): Default}}`), "procMount"},
		"sysctls":           {`{pattern: {spec: {=(securityContext): {=(sysctls): [{=(name): "kernel.shm_rmid_forced | net.ipv4.tcp_syncookies"}]}}}}`, "sysctls"},
		"sysctls too many":  {`{pattern: {spec: {=(securityContext): {=(sysctls): [{=(name): "kernel.shm_rmid_forced | kernel.msgmax"}]}}}}`, ""},
		"apparmor, old":     {`{pattern: {=(metadata): {=(annotations): {"=(container.apparmor.security.beta.kubernetes.io/*)": "runtime/default | localhost/*"}}}}`, "appArmorProfile/annotations"},
		"conditional":       {each(`{(name): "web*", =(securityContext): {=(privileged): "false"}}`), "unread: Kyverno ClusterPolicy \"p\" asks for something that is not understood"},
		"negated value":     {each(`{=(securityContext): {=(privileged): "!true"}}`), "unread: Kyverno ClusterPolicy \"p\" asks for something that is not understood"},
		"of other fields":   {`{pattern: {metadata: {labels: {team: "?*"}}}}`, ""},
		"no escalation":     {each(`{securityContext: {allowPrivilegeEscalation: "false"}}`), "allowPrivilegeEscalation"},
		"if it is there":    {each(`{=(securityContext): {=(allowPrivilegeEscalation): "false"}}`), ""},
		"user":              {`{pattern: {spec: {=(securityContext): {=(runAsUser): ">0"}, containers: [{=(securityContext): {=(runAsUser): ">0"}}], =(initContainers): [{=(securityContext): {=(runAsUser): ">0"}}], =(ephemeralContainers): [{=(securityContext): {=(runAsUser): ">0"}}]}}}`, "runAsUser"},
		"process":           {each(`{=(securityContext): {=(windowsOptions): {=(hostProcess): "false"}}}`), ""},
		"capabilities":      {`{deny: {conditions: {all: [{key: "{{ ` + all + `.securityContext.capabilities.add[] }}", operator: AnyNotIn, value: [CHOWN, KILL]}]}}}`, "capabilities_baseline"},
		"capabilities, any": {`{deny: {conditions: {any: [{key: "{{ request.object.spec.[containers, initContainers, ephemeralContainers][].securityContext.capabilities.add[] || '' }}", operator: AnyNotIn, value: [NET_BIND_SERVICE, '']}]}}}`, "capabilities_baseline\ncapabilities_restricted/add"},
		"too many":          {`{deny: {conditions: {all: [{key: "{{ ` + all + `.securityContext.capabilities.add[] }}", operator: AnyNotIn, value: [CHOWN, SYS_ADMIN]}]}}}`, ""},
		"some containers":   {`{deny: {conditions: {all: [{key: "{{ request.object.spec.containers[].securityContext.capabilities.add[] }}", operator: AnyNotIn, value: [CHOWN]}]}}}`, "unread: Kyverno ClusterPolicy \"p\" asks for something that is not understood"},
		"two conditions":    {`{deny: {conditions: {all: [{key: "{{ ` + all + `.securityContext.capabilities.add[] }}", operator: AnyNotIn, value: [CHOWN]}, {key: a, operator: Equals, value: a}]}}}`, "unread: Kyverno ClusterPolicy \"p\" asks for something that is not understood"},
		"drop all":          {`{foreach: [{list: "` + all + `", deny: {conditions: {all: [{key: ALL, operator: AnyNotIn, value: "{{ element.securityContext.capabilities.drop[] || '' }}"}]}}}]}`, "capabilities_restricted/drop"},
		"add few":           {`{foreach: [{list: "` + all + `", deny: {conditions: {all: [{key: "{{ element.securityContext.capabilities.add[] || '' }}", operator: AnyNotIn, value: [NET_BIND_SERVICE, '']}]}}}]}`, "capabilities_baseline\ncapabilities_restricted/add"},
		"volumes":           {`{deny: {conditions: {all: [{key: "{{ request.object.spec.volumes[].keys(@)[] || '' }}", operator: AnyNotIn, value: [name, configMap, secret, '']}]}}}`, "restrictedVolumes"},
		"labels, denied":    {`{deny: {conditions: {all: [{key: "{{ request.object.metadata.labels.team }}", operator: Equals, value: ""}]}}}`, ""},
		"seccomp": {`{anyPattern: [
      {spec: {securityContext: {seccompProfile: {type: "RuntimeDefault | Localhost"}}, containers: [{=(securityContext): {=(seccompProfile): {=(type): "RuntimeDefault | Localhost"}}}], =(initContainers): [{=(securityContext): {=(seccompProfile): {=(type): RuntimeDefault}}}], =(ephemeralContainers): [{=(securityContext): {=(seccompProfile): {=(type): RuntimeDefault}}}]}},
      {spec: {containers: [{securityContext: {seccompProfile: {type: RuntimeDefault}}}], =(initContainers): [{securityContext: {seccompProfile: {type: RuntimeDefault}}}], =(ephemeralContainers): [{securityContext: {seccompProfile: {type: RuntimeDefault}}}]}}]}`, "seccompProfile_restricted"},
		"not set":        {`{pattern: {spec: {securityContext: {runAsNonRoot: "null"}, containers: [{=(securityContext): {=(runAsNonRoot): true}}], =(initContainers): [{=(securityContext): {=(runAsNonRoot): true}}], =(ephemeralContainers): [{=(securityContext): {=(runAsNonRoot): true}}]}}}`, ""},
		"either way out": {`{anyPattern: [{spec: {=(hostPID): false}}, {spec: {=(hostIPC): false}}]}`, ""},
		"pod security":   {`{podSecurity: {level: privileged, version: latest}}`, ""},
		"unknown name":   {`{podSecurity: {level: baseline, version: latest, exclude: [{controlName: Nonsense}]}}`, "unread: Kyverno ClusterPolicy \"p\" excludes \"Nonsense\", which is not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(test.want, held(t, rule(test.validate))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPodSecurityExclude(t *testing.T) {
	p, ns := read(t, rule(`{podSecurity: {level: baseline, version: v1.29, exclude: [{controlName: Capabilities, images: ["nginx*"]}]}}`))
	held, missing := p.In(ns[0]).Controls(api.LevelBaseline)
	if d := cmp.Diff([]string{"capabilities_baseline"}, missing); d != "" || len(held) != 11 {
		t.Error(d, held)
	}
}

// vap is a ValidatingAdmissionPolicy with one validation that is bound to
// refuse pods, and to see ephemeral containers.
func vap(expression, more string) string {
	quoted, _ := json.Marshal(expression)
	return shop + `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods, pods/ephemeralcontainers]}]
  validations: [{expression: ` + string(quoted) + `}]
  ` + more + `
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec: {policyName: p, validationActions: [Deny]}
`
}

func TestCEL(t *testing.T) {
	const unread = "unread: ValidatingAdmissionPolicy \"p\" has expressions that are not understood"
	lists := `variables: [{name: all, expression: "object.spec.containers + object.spec.?initContainers.orValue([]) + (has(object.spec.ephemeralContainers) ? object.spec.ephemeralContainers : [])"}]`
	for name, test := range map[string]struct{ expression, more, want string }{
		"pod fields": {"(!has(object.spec.hostPID) || object.spec.hostPID == false) && !(has(object.spec.hostIPC) && object.spec.hostIPC) && object.spec.?hostNetwork.orValue(false) == false", "",
			"hostNamespaces/hostIPC\nhostNamespaces/hostNetwork\nhostNamespaces/hostPID"},
		"containers": {`(!has(object.spec.containers) || object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || c.securityContext.privileged == false)) &&
			(!has(object.spec.initContainers) || object.spec.initContainers.all(c, !(has(c.securityContext) && has(c.securityContext.privileged) && c.securityContext.privileged == true))) &&
			(!has(object.spec.ephemeralContainers) || !object.spec.ephemeralContainers.exists(c, c.?securityContext.?privileged.orValue(false)))`, "", "privileged"},
		"all containers": {"variables.all.all(c, c.?securityContext.?privileged.orValue(false) != true)", lists, "privileged"},
		"guarded":        {"variables.all.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || !c.securityContext.privileged)", lists, "privileged"},
		"negated":        {"variables.all.all(c, !c.?securityContext.?privileged.orValue(false))", lists, "privileged"},
		"affirmed":       {"object.spec.?securityContext.?runAsNonRoot.orValue(false) && variables.all.all(c, c.?securityContext.?runAsNonRoot.orValue(true))", lists, "runAsNonRoot"},
		"two kinds only": {"(object.spec.containers + object.spec.?initContainers.orValue([])).all(c, c.?securityContext.?privileged.orValue(false) == false)", "", ""},
		"volumes":        {"!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))", "", "hostPathVolumes"},
		"capabilities":   {"variables.all.all(c, !has(c.securityContext) || !has(c.securityContext.capabilities) || !has(c.securityContext.capabilities.add) || c.securityContext.capabilities.add.all(cap, cap in ['CHOWN', \"KILL\"]))", lists, "capabilities_baseline"},
		"drop":           {"variables.all.all(c, has(c.securityContext) && has(c.securityContext.capabilities) && has(c.securityContext.capabilities.drop) && c.securityContext.capabilities.drop.exists(d, d == 'ALL'))", lists, "capabilities_restricted/drop"},
		"drop if any":    {"variables.all.all(c, !has(c.securityContext) || 'ALL' in c.securityContext.capabilities.drop)", lists, ""},
		"escalation":     {"variables.all.all(c, has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation) && c.securityContext.allowPrivilegeEscalation == false)", lists, "allowPrivilegeEscalation"},
		"unset is fine":  {"variables.all.all(c, !has(c.securityContext) || c.securityContext.allowPrivilegeEscalation == false)", lists, ""},
		"unset defaults": {"variables.all.all(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false)", lists, "allowPrivilegeEscalation"},
		"another way":    {"object.spec.?hostPID.orValue(false) == false || has(object.metadata.labels)", "", unread},
		"other guard":    {"!has(object.spec.nodeName) || object.spec.?hostPID.orValue(false) == false", "", unread},
		"on update":      {"request.operation == 'UPDATE' || object.spec.?hostPID.orValue(false) == false", "", unread},
		"parameters":     {"object.spec.?hostPID.orValue(false) == params.pid", "", unread},
		"non-root": {"(object.spec.?securityContext.?runAsNonRoot.orValue(false) == true && variables.all.all(c, c.?securityContext.?runAsNonRoot.orValue(true) == true)) || variables.all.all(c, c.?securityContext.?runAsNonRoot.orValue(false) == true)",
			lists, "runAsNonRoot"},
		"seccomp": {"(!has(object.spec.securityContext) || !has(object.spec.securityContext.seccompProfile) || object.spec.securityContext.seccompProfile.type in ['RuntimeDefault', 'Localhost']) && variables.all.all(c, has(c.securityContext) && has(c.securityContext.seccompProfile) && c.securityContext.seccompProfile.type in ['RuntimeDefault'])",
			lists, "seccompProfile_baseline\nseccompProfile_restricted"},
		"volume types":  {"!has(object.spec.volumes) || object.spec.volumes.all(v, has(v.configMap) || has(v.secret))", "", "restrictedVolumes"},
		"volume, other": {"!has(object.spec.volumes) || object.spec.volumes.all(v, has(v.configMap) || has(v.nfs))", "", ""},
		"probes": {"variables.all.all(c, [c.?livenessProbe.orValue({}), c.?readinessProbe.orValue({}), c.?startupProbe.orValue({}), c.?lifecycle.?postStart.orValue({}), c.?lifecycle.?preStop.orValue({})].all(h, h.?httpGet.?host.orValue('') == '' && h.?tcpSocket.?host.orValue('') == ''))",
			lists, "hostProbesAndHostLifecycle"},
		"apparmor": {"(!has(object.metadata) || !has(object.metadata.annotations) || object.metadata.annotations.filter(k, k.startsWith('container.apparmor.security.beta.kubernetes.io/')).all(k, object.metadata.annotations[k] in ['', 'runtime/default', 'localhost/*'])) && (!has(object.spec.securityContext) || !has(object.spec.securityContext.appArmorProfile) || !has(object.spec.securityContext.appArmorProfile.type) || object.spec.securityContext.appArmorProfile.type in ['RuntimeDefault', 'Localhost']) && variables.all.all(c, c.?securityContext.?appArmorProfile.?type.orValue('Localhost') in ['RuntimeDefault', 'Localhost'])",
			lists, "appArmorProfile/annotations\nappArmorProfile/fields"},
		"selinux": {"(!has(object.spec.securityContext) || !has(object.spec.securityContext.seLinuxOptions) || (!has(object.spec.securityContext.seLinuxOptions.type) || object.spec.securityContext.seLinuxOptions.type in ['', 'container_t']) && (!has(object.spec.securityContext.seLinuxOptions.user) || object.spec.securityContext.seLinuxOptions.user == '')) && variables.all.all(c, !has(c.securityContext) || !has(c.securityContext.seLinuxOptions) || (!has(c.securityContext.seLinuxOptions.type) || c.securityContext.seLinuxOptions.type in ['', 'container_t']) && (!has(c.securityContext.seLinuxOptions.user) || c.securityContext.seLinuxOptions.user == ''))",
			lists, "seLinuxOptions/type\nseLinuxOptions/user"},
		"of labels":  {"has(object.metadata.labels) && 'team' in object.metadata.labels", "", ""},
		"always":     {"true", "", ""},
		"broken":     {"object.spec.hostPID == ", "", unread},
		"itself":     {"variables.a && object.spec.?hostPID.orValue(false) == false", `variables: [{name: a, expression: "variables.a"}]`, "hostNamespaces/hostPID\n" + unread},
		"users":      {"object.spec.?securityContext.?runAsUser.orValue(1) != 0 && variables.all.all(c, c.?securityContext.?runAsUser.orValue(1) > 0)", lists, "runAsUser"},
		"conditions": {"object.spec.?hostPID.orValue(false) == false", "matchConditions: [{name: a, expression: \"true\"}]", "unread: ValidatingAdmissionPolicy \"p\" has matchConditions, which are not evaluated"},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(test.want, held(t, vap(test.expression, test.more))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestUnseenKinds: without a rule for the subresource, ephemeral containers
// are not held to anything.
func TestUnseenKinds(t *testing.T) {
	text := vap("(object.spec.containers + object.spec.?initContainers.orValue([]) + object.spec.?ephemeralContainers.orValue([])).all(c, c.?securityContext.?privileged.orValue(false) == false) && object.spec.?hostPID.orValue(false) == false", "")
	if d := cmp.Diff("hostNamespaces/hostPID\nprivileged", held(t, text)); d != "" {
		t.Error(d)
	}
	excluded := strings.Replace(text, "resourceRules:", "excludeResourceRules: [{apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [pods/ephemeralcontainers]}]\n    resourceRules:", 1)
	want := "hostNamespaces/hostPID\nweak: ValidatingAdmissionPolicy \"p\" does not see ephemeral containers (it has no rule for pods/ephemeralcontainers)"
	if d := cmp.Diff(want, held(t, excluded)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, held(t, strings.Replace(text, ", pods/ephemeralcontainers", "", 1))); d != "" {
		t.Error(d)
	}
}

// TestManyLookups: variables that name each other twice end soon.
func TestManyLookups(t *testing.T) {
	vars := []admissionv1.Variable{{Name: "a", Expression: "object.spec.?hostPID.orValue(false) == false"}}
	for i := range 60 {
		last := string(rune('a' + i))
		vars = append(vars, admissionv1.Variable{Name: string(rune('b' + i)), Expression: "variables." + last + " && variables." + last})
	}
	if (demands{}).cel([]admissionv1.Validation{{Expression: "variables.z && variables.z"}}, vars, api.LatestVersion()) {
		t.Error("understood")
	}
}

func TestGaps(t *testing.T) {
	b := &inventory.Builder{}
	b.Gap(report.Gap{Kind: inventory.ValidatingWebhookConfigurations.ID, Cause: report.Forbidden})
	v := b.Seal(time.Time{}).View(Enforced.Needs)
	hooks := webhooksOf(v, "Kyverno", "kyverno")
	shop := namespace{name: "shop", called: map[string]reach{}}
	if r, _ := hooks.take(shop, true); r != unsure {
		t.Error(r)
	}
	if r, _ := hooks.take(shop, false); r != whole {
		t.Error(r)
	}
}

// Two rules of a policy may be remarked on in the same words.
func TestFirst3(t *testing.T) {
	first, more := first3([]remark{{"d", "only warns"}, {"a", "only audits"}, {"b", ""}, {"a", "only audits"}, {"c", "only warns"}, {"a", "does not run"}})
	if want := []string{"a does not run", "a only audits", "b"}; !slices.Equal(first, want) || more != 2 {
		t.Errorf("%q and %d more", first, more)
	}
	if text := some3(first, more, "; "); text != "a does not run; a only audits; b and 2 more" {
		t.Error(text)
	}
	if first, more := first3(nil); len(first) != 0 || more != 0 {
		t.Errorf("%q and %d more", first, more)
	}
}

func FuzzCEL(f *testing.F) {
	f.Add("object.spec.containers.all(c, !has(c.a) || c.a == false)")
	f.Add("all(A,0)")
	f.Add("a ? [b] : 'c' in d.?e.orValue(1)")
	f.Fuzz(func(_ *testing.T, text string) {
		demands{}.cel([]admissionv1.Validation{{Expression: text}}, []admissionv1.Variable{{Name: "a", Expression: text}}, api.LatestVersion())
	})
}

func FuzzKyverno(f *testing.F) {
	f.Add(`{"spec":{"=(hostPID)":"false","containers":[{"X(a)":null}]}}`)
	f.Add(`{"conditions":{"all":[{"key":"{{ element.a }}","operator":"AnyNotIn","value":["a"]}]}}`)
	f.Fuzz(func(_ *testing.T, text string) {
		demands{}.pattern([]byte(text))
		demands{}.deny([]byte(text), element)
		onCreate([]byte(text))
	})
}
