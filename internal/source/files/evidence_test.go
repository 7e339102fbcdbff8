package files

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// missing lists the gaps of a kind by cause.
func gapsOf(inv *inventory.Inventory, k report.KindID) string {
	var out []string
	for _, g := range inv.Gaps(k, "") {
		out = append(out, string(g.Cause))
	}
	return strings.Join(out, " ")
}

func TestInputIsTheUniverse(t *testing.T) {
	saved := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a, uid: 1-2}\n"
	for _, c := range []struct {
		name, text string
		want       map[report.KindID]string
	}{
		{"manifests", deployment, map[report.KindID]string{
			"apps/v1/Deployment": "", "v1/Pod": "", "networking.k8s.io/v1/NetworkPolicy": "", "v1/Namespace": "not-given", "v1/Node": "not-given",
			"config/PodSecurityConfiguration": "", "cilium.io": "", "config/component": "", "config/settings": "not-collected",
		}},
		{"a namespace", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", map[report.KindID]string{"v1/Namespace": ""}},
		{"saved", saved, map[report.KindID]string{
			"v1/Pod": "", "networking.k8s.io/v1/NetworkPolicy": "not-given", "v1/Namespace": "not-given",
			"config/PodSecurityConfiguration": "not-given", "cilium.io": "not-given",
		}},
		{"saved with empty lists", saved + "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems: []\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinitionList\nitems: []\n",
			map[report.KindID]string{"networking.k8s.io/v1/NetworkPolicy": "", "cilium.io": "", "v1/Secret": "not-given"}},
		{"a typed list of a server", `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[]}`,
			map[report.KindID]string{"v1/Pod": "", "v1/Secret": "not-given"}},
		{"saved API server without admission configuration", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","uid":"1"},"spec":{"containers":[{"name":"a","command":["kube-apiserver","--v=2"]}]}}`,
			map[report.KindID]string{"config/PodSecurityConfiguration": ""}},
		{"API server with admission configuration", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","command":["kube-apiserver","--admission-control-config-file=/a"]}]}}`,
			map[report.KindID]string{"config/PodSecurityConfiguration": "not-given"}},
		{"a foreign policy", "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\n", map[report.KindID]string{"cilium.io": "unsupported", "projectcalico.org": ""}},
		{"a foreign definition", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: cilium.io, names: {kind: CiliumNetworkPolicy}}\n",
			map[report.KindID]string{"cilium.io": "unsupported", "projectcalico.org": ""}},
		{"another definition", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: cilium.io, names: {kind: CiliumIdentity}}\n",
			map[report.KindID]string{"cilium.io": ""}},
		{"a custom kind", "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: a}\nspec: {rules: [], future: 1}\n", map[report.KindID]string{"kyverno.io/ClusterPolicy": "", "kyverno.io/Policy": ""}},
		{"a custom kind in another version", "apiVersion: kyverno.io/v9\nkind: ClusterPolicy\nmetadata: {name: a}\n", map[report.KindID]string{"kyverno.io/ClusterPolicy": "unsupported", "kyverno.io/Policy": ""}},
		{"a custom kind with a field of another type", "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: a}\nspec: {rules: 7}\n", map[report.KindID]string{"kyverno.io/ClusterPolicy": "unreadable"}},
		{"a custom kind that does not parse", "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nspec: {\n", map[report.KindID]string{"kyverno.io/ClusterPolicy": "unreadable", "v1/Pod": ""}},
		{"a constraint of any kind", "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: NoRoot\nmetadata: {name: a}\n", map[report.KindID]string{"constraints.gatekeeper.sh/*": ""}},
		{"a custom list that is cut", "apiVersion: kyverno.io/v1\nkind: ClusterPolicyList\nmetadata: {continue: x}\nitems: []\n", map[report.KindID]string{"kyverno.io/ClusterPolicy": "truncated"}},
		{"saved, and not which kinds there are", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: x}\n", map[report.KindID]string{"kyverno.io/ClusterPolicy": "not-given", "argoproj.io/Rollout": ""}},
		{"saved, and without the kind", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: x}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: example.com, names: {kind: Foo}}\n",
			map[report.KindID]string{"kyverno.io/ClusterPolicy": ""}},
		{"saved, with the kind and none of its objects", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: x}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: kyverno.io, names: {kind: ClusterPolicy}}\n",
			map[report.KindID]string{"kyverno.io/ClusterPolicy": "not-given", "kyverno.io/Policy": ""}},
		{"a DeploymentConfig", "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nmetadata: {name: a}\nspec: {template: {spec: {containers: []}}}\n", map[report.KindID]string{"v1/Pod": "", "apps.openshift.io/DeploymentConfig": ""}},
		{"a webhook of an old version", "apiVersion: admissionregistration.k8s.io/v1beta1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: a}\nwebhooks: [{name: a.example.com}]\n", map[report.KindID]string{"admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": ""}},
		{"manifests without what a cluster makes", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", map[report.KindID]string{"discovery.k8s.io/v1/EndpointSlice": "not-given", "storage.k8s.io/v1/CSINode": "not-given", "storage.k8s.io/v1/CSIDriver": ""}},
		{"an unreadable deployment", "apiVersion: apps/v1\nkind: Deployment\nspec: {\n", map[report.KindID]string{"apps/v1/Deployment": "unreadable", "v1/Pod": ""}},
		{"an unreadable ConfigMap", "apiVersion: v1\nkind: ConfigMap\ndata: {\n", map[report.KindID]string{"apps/v1/Deployment": "", "v1/Pod": ""}},
		{"an unreadable list", "apiVersion: v1\nkind: List\nitems: {\n", map[report.KindID]string{"v1/Pod": "unreadable", "cilium.io": "unreadable"}},
		{"an unreadable definition", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: cilium.io\n",
			map[report.KindID]string{"cilium.io": "unreadable", "projectcalico.org": "", "v1/Pod": ""}},
		{"no Kubernetes at all", "a: {\n", map[report.KindID]string{"v1/Pod": ""}},
		{"nothing at all", "# nothing\n", map[report.KindID]string{"v1/Pod": "not-given"}},
		{"an unknown field", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: x}\nspec: {templat: {}}\n", map[report.KindID]string{"apps/v1/Deployment": "unreadable", "v1/Pod": ""}},
		{"an unknown field of a newer server", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: x}\nspec: {fromTheFuture: 1}\n", map[report.KindID]string{"v1/Pod": ""}},
		{"another kind that makes pods", "apiVersion: example.com/v1\nkind: Fleet\nmetadata: {name: a}\nspec: {template: {spec: {containers: []}}}\n", map[report.KindID]string{"v1/Pod": "not-given unsupported", "apps/v1/Deployment": "not-given"}},
		{"another kind that makes pods, in block style", "apiVersion: example.com/v1\nkind: Fleet\nmetadata:\n  name: a\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n", map[report.KindID]string{"v1/Pod": "not-given unsupported"}},
		{"a version that never was", "apiVersion: apps/v9\nkind: Deployment\nmetadata: {name: a}\n", map[report.KindID]string{"apps/v1/Deployment": "unreadable", "v1/Pod": ""}},
		{"a kind in the wrong group", "apiVersion: v1\nkind: Deployment\n", map[report.KindID]string{"apps/v1/Deployment": "unreadable"}},
		{"a kind in the wrong case", "apiVersion: v1\nkind: pod\n", map[report.KindID]string{"v1/Pod": "unreadable"}},
		{"a kind without a version", "kind: Pod\nmetadata: {name: a}\n", map[report.KindID]string{"v1/Pod": "unreadable"}},
		{"a version without a kind", "apiVersion: v1\nmetadata: {name: a}\n", map[report.KindID]string{"v1/Pod": "unreadable"}},
		{"a chart's metadata", "apiVersion: v2\nname: a\nversion: 1.0.0\n", map[report.KindID]string{"v1/Pod": "not-given"}},
		{"another group's Deployment", "apiVersion: example.com/v1\nkind: Deployment\n", map[report.KindID]string{"apps/v1/Deployment": "not-given"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv, s := readOne(t, "a.yaml", c.text)
			got := map[report.KindID]string{}
			for k := range c.want {
				got[k] = gapsOf(inv, k)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s\n%v", diff, s.Problems)
			}
		})
	}
}

// An unreadable object of one namespace leaves the others as they are.
func TestGapOfOneNamespace(t *testing.T) {
	inv, _ := readOne(t, "a.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\nspec: []\n")
	if n := len(inv.Gaps("apps/v1/Deployment", "shop")); n != 1 {
		t.Errorf("%d gaps in shop", n)
	}
	if n := len(inv.Gaps("apps/v1/Deployment", "other")); n != 0 {
		t.Errorf("%d gaps in other", n)
	}
}

func TestOldVersions(t *testing.T) {
	for h, r := range readers {
		if r.table == "" {
			continue
		}
		inv, s := readOne(t, "a.yaml", fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: a}\n", h.apiVersion, h.kind))
		if s.Objects != 1 || len(s.Problems) > 0 || strings.Contains(gapsOf(inv, r.table), "unreadable") {
			t.Errorf("%v: %+v", h, s)
		}
		if (r.removed != "") != (len(s.Notes) == 1) {
			t.Errorf("%v: notes %v", h, s.Notes)
		}
	}
	_, s := readOne(t, "a.yaml", "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\n")
	if diff := cmp.Diff([]report.Count{{What: "extensions/v1beta1 Deployment, removed in v1.16, read as apps/v1", Count: 1, Example: "a.yaml:1"}}, s.Notes); diff != "" {
		t.Error(diff)
	}
	inv, _ := readOne(t, "a.yaml", "apiVersion: rbac.authorization.k8s.io/v1alpha1\nkind: ClusterRoleBinding\nmetadata: {name: a}\nsubjects:\n- {kind: User, name: '*'}\n- {kind: User, name: eve, apiVersion: v1}\n- {kind: ServiceAccount, name: a, namespace: b}\n")
	want := []rbacv1.Subject{{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "system:authenticated"}, {Kind: "User", APIGroup: rbacv1.GroupName, Name: "eve"}, {Kind: "ServiceAccount", Name: "a", Namespace: "b"}}
	if diff := cmp.Diff(want, kind(inv, inventory.ClusterRoleBindings)[0].Value.Subjects); diff != "" {
		t.Error(diff)
	}
}

func TestListsAndReviews(t *testing.T) {
	for name, text := range map[string]string{
		"list":       "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n",
		"typed":      "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n",
		"kind last":  `{"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}],"kind":"PodList","apiVersion":"v1"}`,
		"merged":     "x: &x {apiVersion: v1, kind: Pod, metadata: {name: a}}\n<<: *x\n---\n" + "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n",
		"nested":     "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: PodList, items: [{metadata: {name: a}}]}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n",
		"review":     `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}}}{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}`,
		"duplicates": `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"metadata":{"name":"a"}} {"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}`,
	} {
		for _, ext := range []string{".yaml", ".json"} {
			if ext == ".json" && text[0] != '{' {
				continue
			}
			inv, _ := readOne(t, name+ext, text)
			var got []string
			for _, p := range kind(inv, inventory.Pods) {
				got = append(got, p.Name)
			}
			if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
				t.Errorf("%s%s: %s", name, ext, diff)
			}
		}
	}
}

func TestPodSecurityDefaults(t *testing.T) {
	const inline = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: PodSecurity\n  configuration:\n    apiVersion: pod-security.admission.config.k8s.io/%s\n    kind: PodSecurityConfiguration\n    defaults: {enforce: %s}\n    exemptions: {namespaces: [kube-system]}\n"
	for _, version := range []string{"v1", "v1beta1", "v1alpha1"} {
		inv, s := readOne(t, "a.yaml", fmt.Sprintf(inline, version, "baseline"))
		got := kind(inv, inventory.PodSecurityDefaults)
		want := inventory.PodSecurityDefault{Enforce: "baseline", EnforceVersion: "latest", Audit: "privileged", Warn: "privileged", ExemptNamespaces: []string{"kube-system"}}
		if len(got) != 1 || !cmp.Equal(want, got[0].Value) {
			t.Errorf("%s: %+v %v", version, got, s.Problems)
		}
	}
	for name, text := range map[string]string{
		"level":   fmt.Sprintf(inline, "v1", "strict"),
		"version": fmt.Sprintf(inline, "v9", "baseline"),
		"path":    "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- {name: PodSecurity, path: absent.yaml}\n",
	} {
		inv, s := readOne(t, "a.yaml", text)
		if gapsOf(inv, inventory.PodSecurityDefaults.ID) != "unreadable" || len(s.Problems) != 1 {
			t.Errorf("%s: %v %v", name, inv.AllGaps(), s.Problems)
		}
	}
	b := &inventory.Builder{}
	ReadFiles(b, []File{
		{"etc/admission.yaml", []byte("apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- {name: PodSecurity, path: ps.yaml}\n")},
		{"etc/ps.yaml", []byte("apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\ndefaults: {enforce: restricted}\n")},
	})
	if got := kind(b.Seal(time.Time{}), inventory.PodSecurityDefaults); len(got) != 1 || got[0].Value.Enforce != "restricted" {
		t.Errorf("by path: %+v", got)
	}
}

func TestAuthorization(t *testing.T) {
	const config = "apiVersion: apiserver.config.k8s.io/%s\nkind: AuthorizationConfiguration\nauthorizers:\n- {type: Node, name: node}\n- type: Webhook\n  name: a\n  webhook: {timeout: 3s, failurePolicy: Deny, matchConditions: [{expression: \"true\"}]}\n"
	for _, version := range []string{"v1", "v1beta1", "v1alpha1"} {
		inv, s := readOne(t, "a.yaml", fmt.Sprintf(config, version))
		got := kind(inv, inventory.Authorizations)
		if len(got) != 1 || len(got[0].Value.Authorizers) != 2 || got[0].Value.Authorizers[1].Webhook.FailurePolicy != "Deny" || len(s.Problems) > 0 {
			t.Fatalf("%s: %+v %v", version, got, s.Problems)
		}
		if at := got[0].Locate("authorizers[1].type"); at != "a.yaml:5" {
			t.Errorf("the second authorizer is at %s", at)
		}
	}
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: %s, uid: x}\nspec: {containers: [{name: a, command: [%s]}]}\n"
	for name, c := range map[string]struct{ text, want string }{
		"manifests":               {deployment, ""},
		"another version":         {fmt.Sprintf(config, "v9"), "unsupported"},
		"another type":            {fmt.Sprintf(config, "v1") + "- name: [a]\n", "unreadable"},
		"torn":                    {fmt.Sprintf(config, "v1") + "- {\n", "unreadable"},
		"saved, no API server":    {fmt.Sprintf(pod, "kube-system", "web, --component, kube-apiserver"), "not-given"},
		"saved, a hosted one":     {fmt.Sprintf(pod, "tenant", "kube-apiserver"), "not-given"},
		"saved, the API server":   {fmt.Sprintf(pod, "kube-system", "kube-apiserver, --v=2"), ""},
		"saved, in a wrapper":     {fmt.Sprintf(pod, "kube-system", "/go-runner, /usr/bin/kube-apiserver, --etcd-servers=x"), ""},
		"saved, and the settings": {fmt.Sprintf(pod, "shop", "web") + "---\n" + fmt.Sprintf(config, "v1"), ""},
	} {
		if inv, _ := readOne(t, "a.yaml", c.text); gapsOf(inv, inventory.Authorizations.ID) != c.want {
			t.Errorf("%s: gaps %q, want %q", name, gapsOf(inv, inventory.Authorizations.ID), c.want)
		}
	}
}

func TestABACPolicies(t *testing.T) {
	const policy = `{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":{"user":"%s","resource":"pods"}}` + "\n"
	ann, bob := fmt.Sprintf(policy, "ann"), fmt.Sprintf(policy, "bob")
	for name, c := range map[string]struct{ file, text, policies, gaps string }{
		"lines":                     {"p.jsonl", ann + bob, "p.jsonl:1 p.jsonl:2", ""},
		"comments":                  {"p.jsonl", "# people\n\n  # more\n" + ann + "#" + bob, "p.jsonl:4", ""},
		"JSON by name":              {"p.json", ann + bob, "p.json:1 p.json:2", ""},
		"one line":                  {"p.json", ann, "p.json:1", ""},
		"CRLF":                      {"p", strings.ReplaceAll(ann+bob, "\n", "\r\n"), "p:1 p:2", ""},
		"BOM":                       {"p", "\ufeff" + ann, "p:1", ""},
		"the first version, too":    {"p", `{"user":"eve"}` + "\n" + ann, "p:1 p:2", ""},
		"a bad line":                {"p", ann + "{\n" + bob, "p:1 p:3", "unreadable"},
		"a line that is too long":   {"p", ann + "#" + strings.Repeat(" ", 70000) + "\n" + bob, "p:1", "truncated"},
		"text of a ConfigMap":       {"p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  policy: |\n    " + ann, "", ""},
		"text in a list in a line":  {"p.json", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"abac.authorization.kubernetes.io"}}]}`, "", ""},
		"a policy of several lines": {"p.json", "{\n" + ann[1:], "", "not-given"},
	} {
		inv, s := readOne(t, c.file, c.text)
		var at []string
		for _, p := range kind(inv, inventory.ABACPolicies) {
			at = append(at, p.Locate(""))
		}
		slices.Sort(at)
		if got := strings.Join(at, " "); got != c.policies || gapsOf(inv, inventory.ABACPolicies.ID) != c.gaps {
			t.Errorf("%s: policies %q and gaps %q, want %q and %q (%v)", name, got, gapsOf(inv, inventory.ABACPolicies.ID), c.policies, c.gaps, s.Problems)
		}
	}
}

func TestComponentFiles(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n": "KubeletConfiguration",
		"apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n": "EncryptionConfiguration",
		"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n":                  "Policy",
		"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n":        "ClusterConfiguration",
		"apiVersion: v1\nkind: Config\nclusters: []\n":                            "kubeconfig",
		hostile["PEM"]: "certificate",
		"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n":           "",
		"apiVersion: kyverno.io/v1\nkind: Policy\n":                                    "",
		"-----BEGIN RSA PRIVATE KEY-----\nYQ==\n-----END RSA PRIVATE KEY-----\n":       "private key",
		"apiVersion: audit.k8s.io/v1\nkind: EventList\nitems: [{kind: Event}]\n":       "",
		"apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration": "KubeSchedulerConfiguration",
	} {
		inv, s := readOne(t, "a.yaml", text)
		var got string
		for _, c := range kind(inv, inventory.ComponentFiles) {
			got = c.Value.Type
		}
		if got != want {
			t.Errorf("%q: %q, want %q (%v)", text, got, want, s.Problems)
		}
	}
}

// Aliases cannot make lists of lists grow.
func TestListBomb(t *testing.T) {
	text := "x0: &x0 {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
	for i := range 9 {
		text += fmt.Sprintf("x%d: &x%d {apiVersion: v1, kind: List, items: [%s]}\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i), 10), ", "))
	}
	inv, s := readOne(t, "a.yaml", text+"<<: *x9\n")
	if s.Objects != 0 || gapsOf(inv, "v1/Pod") == "" {
		t.Errorf("%d objects", s.Objects)
	}
}

// A number or boolean where a string is wanted is the most common mistake in
// manifests: the object is read, and the mistake named.
func TestUnquotedStrings(t *testing.T) {
	inv, s := readOne(t, "a.yaml", deployment+"        env:\n        - name: a\n          value: true\n        - name: b\n          value: 8080\n")
	ds := kind(inv, inventory.Deployments)
	if len(ds) != 1 || ds[0].Value.Template.Spec.Containers[0].Env[1].Value != "8080" {
		t.Fatalf("%+v", ds)
	}
	want := []string{"a.yaml:15: the API server refuses the type of spec.template.spec.containers[0].env[0].value (a boolean); read as a string"}
	if diff := cmp.Diff(want, problems(inv, s)); diff != "" {
		t.Error(diff)
	}
}

// v1beta1 took a webhook's silence for other things than v1 does.
func TestOldWebhooks(t *testing.T) {
	inv, _ := readOne(t, "a.yaml", "apiVersion: admissionregistration.k8s.io/v1beta1\nkind: MutatingWebhookConfiguration\nmetadata: {name: a}\nwebhooks: [{name: a.example.com}, {name: b.example.com, failurePolicy: Fail, timeoutSeconds: 5}]\n")
	w := kind(inv, inventory.MutatingWebhookConfigurations)[0].Value.Webhooks
	if *w[0].FailurePolicy != "Ignore" || *w[0].MatchPolicy != "Exact" || *w[0].SideEffects != "Unknown" || *w[0].TimeoutSeconds != 30 {
		t.Errorf("silence: %v", w[0])
	}
	if *w[1].FailurePolicy != "Fail" || *w[1].TimeoutSeconds != 5 {
		t.Errorf("what is written: %v", w[1])
	}
}
