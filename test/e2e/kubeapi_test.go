package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/source/kubeapi"
	"github.com/plimsoll-sec/plimsoll/test/e2e/kube"
)

const (
	scanUser   = "scanner"
	shopUser   = "shop-reader"
	rbacPath   = "/apis/rbac.authorization.k8s.io/v1"
	secretLeak = "canary-5931"
	// severalPages is more objects than a list asks for at once.
	severalPages = 600
)

// shopObjects has objects of every kind that a scan reads, by the path of
// their list.
var shopObjects = []struct{ path, object string }{
	{"/api/v1/namespaces", `{"metadata":{"name":"shop","labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`},
	{"/api/v1/namespaces", `{"metadata":{"name":"bank"}}`},
	{"/api/v1/nodes", `{"metadata":{"name":"n1"},"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]}}`},
	{"/api/v1/namespaces/shop/serviceaccounts", `{"metadata":{"name":"default"}}`},
	{"/api/v1/namespaces/bank/serviceaccounts", `{"metadata":{"name":"default"},"automountServiceAccountToken":false}`},
	{"/api/v1/namespaces/shop/pods", `{"metadata":{"name":"web-1","labels":{"app":"web"}},"spec":` + webPod + `}`},
	{"/api/v1/namespaces/shop/pods", `{"metadata":{"name":"web-2","labels":{"app":"web"}},"spec":` + webPod + `}`},
	{"/api/v1/namespaces/bank/pods", `{"metadata":{"name":"vault"},"spec":{"containers":[{"name":"vault","image":"vault"}]}}`},
	{"/api/v1/namespaces/shop/replicationcontrollers", `{"metadata":{"name":"rc"},"spec":{"selector":{"app":"web"},"template":` + webTemplate + `}}`},
	{"/api/v1/namespaces/shop/podtemplates", `{"metadata":{"name":"pt"},"template":` + webTemplate + `}`},
	{"/apis/apps/v1/namespaces/shop/deployments", `{"metadata":{"name":"web"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":` + webTemplate + `}}`},
	{"/apis/apps/v1/namespaces/shop/replicasets", `{"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":` + webTemplate + `}}`},
	{"/apis/apps/v1/namespaces/shop/statefulsets", `{"metadata":{"name":"web"},"spec":{"serviceName":"w","selector":{"matchLabels":{"app":"web"}},"template":` + webTemplate + `}}`},
	{"/apis/apps/v1/namespaces/shop/daemonsets", `{"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":` + webTemplate + `}}`},
	{"/apis/batch/v1/namespaces/shop/jobs", `{"metadata":{"name":"job"},"spec":{"template":` + jobTemplate + `}}`},
	{"/apis/batch/v1/namespaces/shop/cronjobs", `{"metadata":{"name":"cron"},"spec":{"schedule":"0 0 * * *","jobTemplate":{"spec":{"template":` + jobTemplate + `}}}}`},
	{"/api/v1/namespaces/shop/secrets", `{"metadata":{"name":"db","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"` + secretLeak + `"}},"stringData":{"user":"` + secretLeak + `","password":"` + secretLeak + `"}}`},
	{"/api/v1/namespaces/shop/limitranges", `{"metadata":{"name":"lr"},"spec":{"limits":[{"type":"Pod","max":{"memory":"1Gi"}}]}}`},
	{"/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies", `{"metadata":{"name":"deny"},"spec":{"podSelector":{},"policyTypes":["Ingress"]}}`},
	{rbacPath + "/namespaces/shop/roles", `{"metadata":{"name":"r"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}]}`},
	{rbacPath + "/namespaces/shop/rolebindings", `{"metadata":{"name":"r"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"` + shopUser + `"}]}`},
	{"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", `{"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"apiGroups":["x.example"],"apiVersions":["v1"],"operations":["CREATE"],"resources":["x"]}]},"validations":[{"expression":"true"}]}}`},
	{"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", `{"metadata":{"name":"p"},"spec":{"policyName":"p","validationActions":["Deny"]}}`},
	{"/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies", `{"metadata":{"name":"p"},"spec":{"reinvocationPolicy":"Never","matchConstraints":{"resourceRules":[{"apiGroups":["x.example"],"apiVersions":["v1"],"operations":["CREATE"],"resources":["x"]}]},"mutations":[{"patchType":"ApplyConfiguration","applyConfiguration":{"expression":"Object{}"}}]}}`},
	{"/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings", `{"metadata":{"name":"p"},"spec":{"policyName":"p"}}`},
	{"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", `{"metadata":{"name":"w"},"webhooks":[` + webhook + `]}`},
	{"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", `{"metadata":{"name":"w"},"webhooks":[` + webhook + `]}`},
	{"/api/v1/namespaces/shop/configmaps", `{"metadata":{"name":"c"},"data":{"password":"` + secretLeak + `"}}`},
	{"/api/v1/namespaces/shop/services", `{"metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}`},
	{"/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices", `{"metadata":{"name":"web-1","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]},{"addresses":["10.0.0.2"],"conditions":{"ready":false}}],"ports":[{"port":80}]}`},
	{"/api/v1/namespaces/shop/resourcequotas", `{"metadata":{"name":"q"},"spec":{"hard":{"services":"5"}}}`},
	{"/apis/node.k8s.io/v1/runtimeclasses", `{"metadata":{"name":"gvisor"},"handler":"runsc"}`},
	{"/apis/storage.k8s.io/v1/csidrivers", `{"metadata":{"name":"csi.example.com"}}`},
	{"/apis/storage.k8s.io/v1/csinodes", `{"metadata":{"name":"n1"},"spec":{"drivers":[{"name":"csi.example.com","nodeID":"n1"}]}}`},
}

const (
	webPod      = `{"nodeName":"n1","initContainers":[{"name":"i","image":"i:1"}],"containers":[{"name":"web","image":"web:1","resources":{"limits":{"memory":"64Mi","cpu":"0.5"}},"volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v","emptyDir":{}}]}`
	webhook     = `{"name":"w.example.com","admissionReviewVersions":["v1"],"sideEffects":"None","failurePolicy":"Ignore","clientConfig":{"url":"https://127.0.0.1:1/"},"rules":[{"apiGroups":["x.example"],"apiVersions":["v1"],"operations":["CREATE"],"resources":["x"]}]}`
	webTemplate = `{"metadata":{"labels":{"app":"web"}},"spec":` + webPod + `}`
	jobTemplate = `{"metadata":{"labels":{"app":"job"}},"spec":{"restartPolicy":"Never","containers":[{"name":"job","image":"job"}]}}`
)

// TestKubeAPI reads a real API server with the rights that Rules asks for, with
// less, and with next to none.
func TestKubeAPI(t *testing.T) {
	cluster := kube.Start(t, kube.Options{
		AuditPolicy: "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n",
	})
	admin := cluster.HTTPClient()
	for _, o := range shopObjects {
		send(t, admin, http.MethodPost, cluster.URL+o.path, o.object, http.StatusCreated)
	}
	// More than one page, in both forms that lists have.
	for i := range severalPages {
		send(t, admin, http.MethodPost, cluster.URL+"/api/v1/namespaces/shop/secrets", fmt.Sprintf(`{"metadata":{"name":"s%04d"}}`, i), http.StatusCreated)
		send(t, admin, http.MethodPost, cluster.URL+"/api/v1/namespaces/shop/serviceaccounts", fmt.Sprintf(`{"metadata":{"name":"s%04d"}}`, i), http.StatusCreated)
	}
	// What every user may do by default would hide that a rule is not enough.
	for _, name := range []string{"system:discovery", "system:public-info-viewer"} {
		send(t, admin, http.MethodDelete, cluster.URL+rbacPath+"/clusterrolebindings/"+name, "", http.StatusOK)
	}
	rules := kubeapi.Rules(readableKinds())
	role := rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "plimsoll"}, Rules: rules}
	send(t, admin, http.MethodPost, cluster.URL+rbacPath+"/clusterroles", encode(t, role), http.StatusCreated)
	send(t, admin, http.MethodPost, cluster.URL+rbacPath+"/clusterrolebindings",
		`{"metadata":{"name":"plimsoll"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"plimsoll"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"`+scanUser+`"}]}`, http.StatusCreated)
	config := cluster.KubeconfigFor(t, scanUser)
	user := cluster.HTTPClientFor(t, scanUser)
	eventually(t, user, cluster.URL+"/apis", http.StatusOK)

	t.Run("all rights", func(t *testing.T) {
		inv, source, c := readCluster(t, kubeapi.Options{Kubeconfig: config, Kinds: readableKinds()})
		if d := cmp.Diff([]string{"config/PodSecurityConfiguration not-collected"}, gapList(inv)); d != "" {
			t.Errorf("gaps (-want +got):\n%s", d)
		}
		if len(source.Problems) > 0 || len(source.Notes) > 0 {
			t.Errorf("problems %v, notes %v", source.Problems, source.Notes)
		}
		if c.Version != kube.Version || c.Nodes != 1 {
			t.Errorf("cluster %+v", c)
		}
		compareWithServer(t, cluster, inv)
		compareWithAudit(t, cluster, rules)
		for _, a := range checkAccess(t, kubeapi.Options{Kubeconfig: config, Kinds: readableKinds()}) {
			if !a.Allowed {
				t.Errorf("not allowed: %+v", a)
			}
		}
	})

	for i, rule := range rules {
		for j := range max(len(rule.Resources), len(rule.NonResourceURLs)) {
			name, probe, less := without(rule, j)
			t.Run("without "+name, func(t *testing.T) {
				role.Rules = slices.Concat(rules[:i], rules[i+1:])
				if len(less.Resources)+len(less.NonResourceURLs) > 0 {
					role.Rules = append(role.Rules, less)
				}
				put := func() {
					send(t, admin, http.MethodPut, cluster.URL+rbacPath+"/clusterroles/plimsoll", encode(t, role), http.StatusOK)
				}
				put()
				eventually(t, user, cluster.URL+probe, http.StatusForbidden)
				o := kubeapi.Options{Kubeconfig: config, Kinds: readableKinds()}
				inv, _, c := readCluster(t, o)
				if d := cmp.Diff(gapsWithout(rule, j), gapList(inv)); d != "" {
					t.Errorf("gaps (-want +got):\n%s", d)
				}
				if (c.Version == "") != (name == "/version") {
					t.Errorf("version %q", c.Version)
				}
				var refused []string
				for _, a := range checkAccess(t, o) {
					if !a.Allowed {
						refused = append(refused, a.Resource)
					}
				}
				if d := cmp.Diff([]string{name}, refused); d != "" {
					t.Errorf("refused (-want +got):\n%s", d)
				}
				role.Rules = rules
				put()
				eventually(t, user, cluster.URL+probe, http.StatusOK)
			})
		}
	}

	t.Run("pods of one namespace", func(t *testing.T) {
		config := cluster.KubeconfigFor(t, shopUser)
		inv, _, c := readCluster(t, kubeapi.Options{Kubeconfig: config, Kinds: readableKinds()})
		want := []string{"config/PodSecurityConfiguration not-collected"}
		for _, k := range readableKinds() {
			if k != inventory.PodSecurityDefaults.ID {
				want = append(want, string(k)+" forbidden")
			}
		}
		slices.Sort(want)
		if d := cmp.Diff(want, gapList(inv)); d != "" {
			t.Errorf("gaps (-want +got):\n%s", d)
		}
		if c.Nodes != -1 || c.Version != "" {
			t.Errorf("cluster %+v", c)
		}

		kinds := []report.KindID{inventory.Pods.ID, inventory.Secrets.ID}
		inv, _, _ = readCluster(t, kubeapi.Options{Kubeconfig: config, Kinds: kinds, Namespaces: []string{"bank", "shop"}})
		want = []string{"v1/Pod in bank forbidden", "v1/Secret in bank forbidden", "v1/Secret in shop forbidden"}
		if d := cmp.Diff(want, gapList(inv)); d != "" {
			t.Errorf("gaps of two namespaces (-want +got):\n%s", d)
		}
		if got := inventory.Len(everything(inv), inventory.Pods); got != 2 {
			t.Errorf("%d pods of namespace shop, want 2", got)
		}
	})
}

func readableKinds() []report.KindID {
	var kinds []report.KindID
	for _, r := range inventory.Resources {
		kinds = append(kinds, r.Kind)
	}
	for _, f := range inventory.Foreigns {
		kinds = append(kinds, f.ID())
	}
	return append(kinds, inventory.PodSecurityDefaults.ID)
}

func everything(inv *inventory.Inventory) inventory.View {
	var needs []inventory.Need
	for _, k := range readableKinds() {
		needs = append(needs, inventory.Need{Kind: k})
	}
	return inv.View(needs)
}

func readCluster(t *testing.T, o kubeapi.Options) (*inventory.Inventory, report.Source, report.Cluster) {
	t.Helper()
	client, err := kubeapi.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	var b inventory.Builder
	source, cluster, err := client.Read(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Seal(time.Unix(0, 0)), source, cluster
}

func checkAccess(t *testing.T, o kubeapi.Options) []kubeapi.Access {
	t.Helper()
	client, err := kubeapi.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	access, err := client.CheckAccess(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return access
}

// gapList names the gaps: kind, namespace and cause.
func gapList(inv *inventory.Inventory) []string {
	var out []string
	for _, g := range inv.AllGaps() {
		where := ""
		if g.Scope != "" {
			where = " in " + g.Scope
		}
		out = append(out, fmt.Sprintf("%s%s %s", g.Kind, where, g.Cause))
	}
	slices.Sort(out)
	return out
}

// without takes one resource or path out of a rule. probe is a path that
// answers 403 when the change is in force.
func without(rule rbacv1.PolicyRule, j int) (name, probe string, less rbacv1.PolicyRule) {
	less = *rule.DeepCopy()
	if len(rule.NonResourceURLs) > 0 {
		less.NonResourceURLs = slices.Delete(less.NonResourceURLs, j, j+1)
		return rule.NonResourceURLs[j], rule.NonResourceURLs[j], less
	}
	less.Resources = slices.Delete(less.Resources, j, j+1)
	name, probe = rule.Resources[j], "/api/v1/"+rule.Resources[j]
	if rule.APIGroups[0] != "" {
		name, probe = name+"."+rule.APIGroups[0], "/apis/"+rule.APIGroups[0]+"/v1/"+rule.Resources[j]
	}
	return name, probe, less
}

// gapsWithout lists the gaps that there must be then.
func gapsWithout(rule rbacv1.PolicyRule, j int) []string {
	gaps := []string{"config/PodSecurityConfiguration not-collected"}
	if len(rule.NonResourceURLs) > 0 {
		if rule.NonResourceURLs[j] == "/apis" {
			for _, f := range inventory.Foreigns {
				gaps = append(gaps, string(f.ID())+" forbidden")
			}
		}
	} else {
		i := slices.IndexFunc(inventory.Resources, func(r inventory.Resource) bool {
			return r.Group == rule.APIGroups[0] && r.Resource == rule.Resources[j]
		})
		gaps = append(gaps, string(inventory.Resources[i].Kind)+" forbidden")
	}
	slices.Sort(gaps)
	return gaps
}

// compareWithAudit checks that the scan used every right of the rules, and
// asked for nothing else.
func compareWithAudit(t *testing.T, cluster *kube.Cluster, rules []rbacv1.PolicyRule) {
	t.Helper()
	want, got := map[string]bool{}, map[string]bool{}
	for _, r := range rules {
		for _, verb := range r.Verbs {
			for _, group := range r.APIGroups {
				for _, resource := range r.Resources {
					want[verb+" "+group+"/"+resource] = true
				}
			}
			for _, url := range r.NonResourceURLs {
				want[verb+" "+url] = true
			}
		}
	}
	f, err := os.Open(cluster.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct {
			Verb, RequestURI, UserAgent string
			User                        struct{ Username string }
			ObjectRef                   *struct{ APIGroup, Resource, Subresource string }
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.User.Username != scanUser || e.UserAgent != "plimsoll" {
			continue
		}
		if e.ObjectRef == nil {
			path, _, _ := strings.Cut(e.RequestURI, "?")
			got[e.Verb+" "+path] = true
		} else {
			got[e.Verb+" "+e.ObjectRef.APIGroup+"/"+e.ObjectRef.Resource+e.ObjectRef.Subresource] = true
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rights granted and used (-granted +used):\n%s", d)
	}
}

// compareWithServer checks every object against what the server says of it in
// the other encoding, one by one.
func compareWithServer(t *testing.T, cluster *kube.Cluster, inv *inventory.Inventory) {
	t.Helper()
	want := &inventory.Builder{}
	for _, res := range inventory.Resources {
		if res.Metadata {
			continue
		}
		base := "/api/v1"
		if res.Group != "" {
			base = "/apis/" + res.Group + "/v1"
		}
		body := send(t, cluster.HTTPClient(), http.MethodGet, cluster.URL+base+"/"+res.Resource, "", http.StatusOK)
		list, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		items := reflect.ValueOf(list).Elem().FieldByName("Items")
		for i := range items.Len() {
			obj := items.Index(i).Addr().Interface().(runtime.Object)
			m := obj.(metav1.ObjectMetaAccessor).GetObjectMeta()
			place := "live:" + base
			if m.GetNamespace() != "" {
				place += "/namespaces/" + m.GetNamespace()
			}
			origin := inventory.Origin{Source: "kubeapi", Place: place + "/" + res.Resource + "/" + m.GetName() + "@" + m.GetResourceVersion()}
			if pod, ok := obj.(*corev1.Pod); ok {
				inventory.PutPod(want, &pod.ObjectMeta, asShared(pod.Spec), pod.Spec.NodeName, pod.Status.Phase, origin)
				continue
			}
			inventory.PutObject(want, obj, origin)
		}
	}
	g, w := everything(inv), everything(want.Seal(time.Unix(0, 0)))
	compareAll(t, g, w, inventory.Namespaces)
	compareAll(t, g, w, inventory.Nodes)
	for _, k := range inventory.PodBearers {
		if _, ok := inventory.ResourceFor(k.ID); ok { // the others are of other projects
			compareAll(t, g, w, k)
		}
	}
	compareAll(t, g, w, inventory.ServiceAccounts)
	compareAll(t, g, w, inventory.LimitRanges)
	compareAll(t, g, w, inventory.NetworkPolicies)
	compareAll(t, g, w, inventory.Roles)
	compareAll(t, g, w, inventory.ClusterRoles)
	compareAll(t, g, w, inventory.RoleBindings)
	compareAll(t, g, w, inventory.ClusterRoleBindings)
	compareAll(t, g, w, inventory.ValidatingAdmissionPolicies)
	compareAll(t, g, w, inventory.ValidatingAdmissionPolicyBindings)
	compareAll(t, g, w, inventory.MutatingAdmissionPolicies)
	compareAll(t, g, w, inventory.MutatingAdmissionPolicyBindings)
	compareAll(t, g, w, inventory.ValidatingWebhookConfigurations)
	compareAll(t, g, w, inventory.MutatingWebhookConfigurations)
	compareAll(t, g, w, inventory.ConfigMaps)
	compareAll(t, g, w, inventory.Services)
	compareAll(t, g, w, inventory.EndpointSlices)
	compareAll(t, g, w, inventory.ResourceQuotas)
	compareAll(t, g, w, inventory.RuntimeClasses)
	compareAll(t, g, w, inventory.CSIDrivers)
	compareAll(t, g, w, inventory.CSINodes)

	secret, ok := inventory.Get(g, inventory.Secrets, "shop", "db")
	if !ok || secret.Value.Keys != 2 || secret.Value.Type != corev1.SecretTypeOpaque || strings.Contains(fmt.Sprintf("%+v", secret), secretLeak) {
		t.Errorf("Secret %+v", secret)
	}
	if got := inventory.Len(g, inventory.Secrets); got != severalPages+1 {
		t.Errorf("%d Secrets, want %d", got, severalPages+1)
	}
	one, _ := inventory.Get(g, inventory.Pods, "shop", "web-1")
	two, _ := inventory.Get(g, inventory.Pods, "shop", "web-2")
	if one.Value.Template.Spec != two.Value.Template.Spec {
		t.Errorf("equal pods do not share their spec:\n%s", cmp.Diff(one.Value.Template.Spec, two.Value.Template.Spec))
	}
}

// asShared is a pod's spec without what is its own: the node, and the random
// name of the token volume.
func asShared(spec corev1.PodSpec) *corev1.PodSpec {
	text, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	for _, v := range spec.Volumes {
		if strings.HasPrefix(v.Name, "kube-api-access-") {
			text = bytes.ReplaceAll(text, []byte(`"`+v.Name+`"`), []byte(`"kube-api-access-xxxxx"`))
		}
	}
	out := &corev1.PodSpec{}
	if err := json.Unmarshal(text, out); err != nil {
		panic(err)
	}
	out.NodeName = ""
	return out
}

func compareAll[T any](t *testing.T, got, want inventory.View, k inventory.Kind[T]) {
	t.Helper()
	w := slices.Collect(inventory.All(want, k))
	if len(w) == 0 {
		t.Errorf("no %s to compare", k.ID)
	}
	if d := cmp.Diff(w, slices.Collect(inventory.All(got, k)), cmpopts.IgnoreUnexported(inventory.Origin{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", k.ID, d)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// send sends a request and returns the answer, which must have the status.
func send(t *testing.T, client *http.Client, method, url, body string, want int) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != want {
		t.Fatalf("%s %s: %s: %s", method, url, resp.Status, answer)
	}
	return answer
}

// eventually waits until a path answers with a status: rights take effect with
// a short delay.
func eventually(t *testing.T, client *http.Client, url string, want int) {
	t.Helper()
	var got int
	for range 100 {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if got = resp.StatusCode; got == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("get %s: %d, want %d", url, got, want)
}
