package kubeapi

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func TestRules(t *testing.T) {
	rule := func(group string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"list"}}
	}
	urls := func(u ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{NonResourceURLs: u, Verbs: []string{"get"}}
	}
	builtIn := []report.KindID{inventory.CiliumNetworkPolicies.ID()}
	for _, r := range inventory.Resources {
		builtIn = append(builtIn, r.Kind)
	}
	for _, tc := range []struct {
		kinds []report.KindID
		want  []rbacv1.PolicyRule
	}{
		{nil, []rbacv1.PolicyRule{urls("/version")}},
		{[]report.KindID{"config/settings", inventory.PodSecurityDefaults.ID}, []rbacv1.PolicyRule{rule("", "pods"), urls("/version")}},
		{
			[]report.KindID{inventory.Deployments.ID, inventory.Secrets.ID, inventory.Pods.ID, inventory.DaemonSets.ID, inventory.CiliumNetworkPolicies.ID()},
			[]rbacv1.PolicyRule{rule("", "pods", "secrets"), rule("apps", "daemonsets", "deployments"), urls("/apis", "/version")},
		},
		{
			[]report.KindID{inventory.KyvernoClusterPolicies.ID, inventory.GatekeeperConstraints.ID},
			[]rbacv1.PolicyRule{rule("constraints.gatekeeper.sh", "*"), rule("kyverno.io", "clusterpolicies"), urls("/apis", "/version")},
		},
		{builtIn, []rbacv1.PolicyRule{
			rule("", "configmaps", "limitranges", "namespaces", "nodes", "pods", "podtemplates", "replicationcontrollers", "resourcequotas", "secrets", "serviceaccounts", "services"),
			rule("admissionregistration.k8s.io", "mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
				"validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations"),
			rule("apps", "daemonsets", "deployments", "replicasets", "statefulsets"),
			rule("batch", "cronjobs", "jobs"),
			rule("certificates.k8s.io", "certificatesigningrequests"),
			rule("discovery.k8s.io", "endpointslices"),
			rule("networking.k8s.io", "networkpolicies"),
			rule("node.k8s.io", "runtimeclasses"),
			rule("rbac.authorization.k8s.io", "clusterrolebindings", "clusterroles", "rolebindings", "roles"),
			rule("storage.k8s.io", "csidrivers", "csinodes"),
			urls("/apis", "/version"),
		}},
	} {
		if d := cmp.Diff(tc.want, Rules(tc.kinds)); d != "" {
			t.Errorf("%v (-want +got):\n%s", tc.kinds, d)
		}
	}
}

// TestEveryResourceCanBeRead checks that inventory.Resources has nothing that
// this source does not decode.
func TestEveryResourceCanBeRead(t *testing.T) {
	for _, r := range inventory.Resources {
		if _, ok := shapes[r.Kind]; ok == r.Metadata {
			t.Errorf("%s: decoded %v, metadata only %v", r.Kind, ok, r.Metadata)
		}
	}
}

func TestCheckAccess(t *testing.T) {
	f := newFakeAPI(t)
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method != http.MethodPost {
			return false
		}
		var review authorizationv1.SelfSubjectAccessReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			t.Error(err)
		}
		a := review.Spec.ResourceAttributes
		review.Status.Allowed = a == nil || a.Resource == "pods" && a.Namespace != "b" && a.Verb == "list"
		if !review.Status.Allowed {
			review.Status.Reason = "no role"
		}
		w.WriteHeader(http.StatusCreated)
		writeJSON(w, review)
		return true
	}
	c, _ := f.open(Options{Kinds: []report.KindID{inventory.Nodes.ID, inventory.Pods.ID}, Namespaces: []string{"a", "b"}})
	got, err := c.CheckAccess(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Access{
		{Kind: inventory.Nodes.ID, Verb: "list", Resource: "nodes", Reason: "no role", How: "grant the verb list on nodes cluster-wide; deploy/rbac.yaml grants all that a scan reads"},
		{Kind: inventory.Pods.ID, Verb: "list", Resource: "pods", Namespace: "a", Allowed: true},
		{Kind: inventory.Pods.ID, Verb: "list", Resource: "pods", Namespace: "b", Reason: "no role", How: `grant the verb list on pods in namespace "b"; deploy/rbac.yaml grants all that a scan reads`},
		{Verb: "get", Resource: "/version", Allowed: true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("access (-want +got):\n%s", d)
	}
}
