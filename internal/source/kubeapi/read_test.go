package kubeapi

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var epoch = time.Unix(0, 0)

func allKinds() []report.KindID {
	var kinds []report.KindID
	for _, r := range inventory.Resources {
		kinds = append(kinds, r.Kind)
	}
	for _, f := range inventory.Foreigns {
		kinds = append(kinds, f.ID())
	}
	for _, c := range inventory.Customs {
		kinds = append(kinds, c.ID)
	}
	return append(kinds, inventory.PodSecurityDefaults.ID)
}

// view gives a test all tables.
func view(inv *inventory.Inventory) inventory.View {
	var needs []inventory.Need
	for _, k := range allKinds() {
		needs = append(needs, inventory.Need{Kind: k})
	}
	return inv.View(needs)
}

func objectMeta(ns, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: ns, Name: name, UID: types.UID(ns + "-" + name), ResourceVersion: "42",
		Labels:      map[string]string{"app": "shop", "tier": "a"},
		Annotations: map[string]string{"note": "x", corev1.LastAppliedConfigAnnotation: "{}"},
		ManagedFields: []metav1.ManagedFieldsEntry{{
			Manager: "kubectl", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{}}`),
		}},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: "u", Controller: new(true)}},
	}
}

func objectMetaWith(ns, name string, labels map[string]string) metav1.ObjectMeta {
	m := objectMeta(ns, name)
	m.Labels = labels
	return m
}

// webSpec is a pod spec with every part that decoding treats apart.
func webSpec(suffix, node string) corev1.PodSpec {
	volume := "kube-api-access-" + suffix
	mount := []corev1.VolumeMount{{Name: "data", MountPath: "/data"}, {Name: volume, MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true}}
	return corev1.PodSpec{
		NodeName: node,
		Volumes: []corev1.Volume{
			{Name: "data"},
			{Name: volume, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: new(int64(3607))}},
			}}}},
		},
		InitContainers:     []corev1.Container{{Name: "init", Image: "init:1", VolumeMounts: mount}},
		Containers:         []corev1.Container{{Name: "web", Image: "web:1", VolumeMounts: mount, Env: []corev1.EnvVar{{Name: "KEEP", Value: volume}}}},
		ServiceAccountName: "web",
	}
}

func webTemplate() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}}, Spec: webSpec("abcde", "pinned")}
}

// everyKind has one object of each kind that is decoded.
func everyKind() []runtime.Object {
	m := func(name string) metav1.ObjectMeta { return objectMeta("shop", name) }
	cluster := func(name string) metav1.ObjectMeta { return objectMeta("", name) }
	return []runtime.Object{
		&corev1.Namespace{ObjectMeta: cluster("shop")},
		&corev1.Node{
			ObjectMeta: cluster("n1"), Spec: corev1.NodeSpec{ProviderID: "aws:///eu/i-1", Taints: []corev1.Taint{{Key: "k", Effect: "NoSchedule"}}},
			Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{OperatingSystem: "linux", KubeletVersion: "v1.37.2"}},
		},
		&corev1.Pod{ObjectMeta: m("web-1"), Spec: webSpec("xxxxx", ""), Status: corev1.PodStatus{Phase: corev1.PodRunning, Message: "m"}},
		&corev1.ReplicationController{ObjectMeta: m("rc"), Spec: corev1.ReplicationControllerSpec{Replicas: new(int32(2)), Template: new(webTemplate())}},
		&corev1.ReplicationController{ObjectMeta: m("rc-without-template")},
		&corev1.PodTemplate{ObjectMeta: m("pt"), Template: webTemplate()},
		&appsv1.Deployment{ObjectMeta: m("web"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(3)), Template: webTemplate()}, Status: appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, ReadyReplicas: 2}},
		&appsv1.ReplicaSet{ObjectMeta: m("web"), Spec: appsv1.ReplicaSetSpec{Template: webTemplate()}},
		&appsv1.StatefulSet{ObjectMeta: m("db"), Spec: appsv1.StatefulSetSpec{Template: webTemplate(), ServiceName: "db"}},
		&appsv1.DaemonSet{ObjectMeta: m("ds"), Spec: appsv1.DaemonSetSpec{Template: webTemplate()}, Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 3, NumberReady: 2}},
		&batchv1.Job{ObjectMeta: m("job"), Spec: batchv1.JobSpec{Parallelism: new(int32(2)), Template: webTemplate()}},
		&batchv1.CronJob{ObjectMeta: m("cron"), Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: webTemplate()}}}},
		&corev1.ServiceAccount{ObjectMeta: m("web"), AutomountServiceAccountToken: new(false), Secrets: []corev1.ObjectReference{{Name: "s"}}, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "p"}}},
		&corev1.LimitRange{ObjectMeta: m("lr"), Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: "Container"}}}},
		&corev1.ResourceQuota{ObjectMeta: m("quota"), Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"pods": resource.MustParse("9")}}},
		&certificatesv1.CertificateSigningRequest{
			ObjectMeta: cluster("csr"), Spec: certificatesv1.CertificateSigningRequestSpec{SignerName: "kubernetes.io/kube-apiserver-client", Request: []byte("none")},
			Status: certificatesv1.CertificateSigningRequestStatus{Conditions: []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateDenied}}},
		},
		&networkingv1.NetworkPolicy{ObjectMeta: m("np"), Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{"Ingress"}}},
		&rbacv1.Role{ObjectMeta: m("r"), Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods"}}}},
		&rbacv1.ClusterRole{ObjectMeta: cluster("cr"), AggregationRule: &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"a": "b"}}}}},
		&rbacv1.RoleBinding{ObjectMeta: m("rb"), RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}, Subjects: []rbacv1.Subject{{Kind: "User", Name: "u"}}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: cluster("crb"), RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "cr"}},
		&admissionv1.ValidatingAdmissionPolicy{ObjectMeta: cluster("vap"), Spec: admissionv1.ValidatingAdmissionPolicySpec{MatchConstraints: &admissionv1.MatchResources{}}},
		&admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: cluster("vapb"), Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: "vap", ValidationActions: []admissionv1.ValidationAction{"Deny"}}},
		&admissionv1.MutatingAdmissionPolicy{ObjectMeta: cluster("map"), Spec: admissionv1.MutatingAdmissionPolicySpec{ReinvocationPolicy: "Never"}},
		&admissionv1.MutatingAdmissionPolicyBinding{ObjectMeta: cluster("mapb"), Spec: admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: "map"}},
		&admissionv1.ValidatingWebhookConfiguration{ObjectMeta: cluster("vwc"), Webhooks: []admissionv1.ValidatingWebhook{{Name: "v.example.com", TimeoutSeconds: new(int32(9))}}},
		&admissionv1.MutatingWebhookConfiguration{ObjectMeta: cluster("mwc"), Webhooks: []admissionv1.MutatingWebhook{{Name: "m.example.com", ReinvocationPolicy: new(admissionv1.IfNeededReinvocationPolicy)}}},
		&corev1.ConfigMap{ObjectMeta: m("cm"), Data: map[string]string{"a": "b"}},
		&corev1.Service{ObjectMeta: m("web"), Spec: corev1.ServiceSpec{Type: "NodePort", Selector: map[string]string{"app": "shop"}}},
		&discoveryv1.EndpointSlice{ObjectMeta: m("web-1"), AddressType: "IPv4", Endpoints: []discoveryv1.Endpoint{
			{Addresses: []string{"10.0.0.1"}}, {Addresses: []string{"10.0.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: new(false)}},
		}},
		&nodev1.RuntimeClass{ObjectMeta: cluster("gvisor"), Handler: "runsc"},
		&storagev1.CSIDriver{ObjectMeta: cluster("csi.example.com")},
		&storagev1.CSINode{ObjectMeta: cluster("n1"), Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{Name: "csi.example.com", NodeID: "n1"}}}},
	}
}

func secret(ns, name, value string, keys int) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: objectMeta(ns, name), Type: "kubernetes.io/tls", Data: map[string][]byte{}}
	s.Annotations["kubernetes.io/service-account.name"] = "web"
	for i := range keys {
		s.Data[fmt.Sprint("key", i)] = []byte(value)
	}
	return s
}

// expected is the inventory that the objects make without this package.
func expected(objects []runtime.Object) *inventory.Builder {
	b := &inventory.Builder{}
	for _, o := range objects {
		r := resourceOf(o)
		m := accessor(o)
		place := "live:" + groupPath(r.Group, r.Version)
		if m.GetNamespace() != "" {
			place += "/namespaces/" + m.GetNamespace()
		}
		place += "/" + r.Resource + "/" + m.GetName() + "@" + m.GetResourceVersion()
		inventory.PutObject(b, o.DeepCopyObject(), inventory.Origin{Source: "kubeapi", Place: place})
	}
	return b
}

// TestObjectsArriveAsTheyAre compares, for each kind, what was read with the
// objects themselves, in both encodings.
func TestObjectsArriveAsTheyAre(t *testing.T) {
	for _, encoding := range []string{"protobuf", "json"} {
		t.Run(encoding, func(t *testing.T) {
			objects := everyKind()
			f := newFakeAPI(t, objects...)
			f.jsonOnly = encoding == "json"
			f.add(secret("shop", "tls", "v", 3))
			inv, source, cluster := f.read(Options{Kinds: allKinds()})
			want := view(expected(objects).Seal(inv.Observed))
			got := view(inv)
			diffAll(t, got, want, inventory.Namespaces)
			diffAll(t, got, want, inventory.Nodes)
			for _, k := range inventory.PodBearers {
				if _, ok := inventory.ResourceFor(k.ID); ok { // the others are of other projects
					diffAll(t, got, want, k)
				}
			}
			diffAll(t, got, want, inventory.ServiceAccounts)
			diffAll(t, got, want, inventory.LimitRanges)
			diffAll(t, got, want, inventory.ResourceQuotas)
			diffAll(t, got, want, inventory.CertificateRequests)
			diffAll(t, got, want, inventory.NetworkPolicies)
			diffAll(t, got, want, inventory.Roles)
			diffAll(t, got, want, inventory.ClusterRoles)
			diffAll(t, got, want, inventory.RoleBindings)
			diffAll(t, got, want, inventory.ClusterRoleBindings)
			diffAll(t, got, want, inventory.ValidatingAdmissionPolicies)
			diffAll(t, got, want, inventory.ValidatingAdmissionPolicyBindings)
			diffAll(t, got, want, inventory.MutatingAdmissionPolicies)
			diffAll(t, got, want, inventory.MutatingAdmissionPolicyBindings)
			diffAll(t, got, want, inventory.ValidatingWebhookConfigurations)
			diffAll(t, got, want, inventory.MutatingWebhookConfigurations)
			diffAll(t, got, want, inventory.ConfigMaps)
			diffAll(t, got, want, inventory.Services)
			diffAll(t, got, want, inventory.EndpointSlices)
			diffAll(t, got, want, inventory.RuntimeClasses)
			diffAll(t, got, want, inventory.CSIDrivers)
			diffAll(t, got, want, inventory.CSINodes)

			s, _ := inventory.Get(got, inventory.Secrets, "shop", "tls")
			wantSecret := inventory.Secret{Type: "kubernetes.io/tls", Keys: 3, Meta: inventory.Meta{
				UID: "shop-tls", Labels: map[string]string{"app": "shop", "tier": "a"}, Annotations: map[string]string{"kubernetes.io/service-account.name": "web"},
				Owner: &metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: "u", Controller: new(true)},
			}}
			if d := cmp.Diff(wantSecret, s.Value); d != "" {
				t.Errorf("Secret (-want +got):\n%s", d)
			}
			if s.Place != "live:/api/v1/namespaces/shop/secrets/tls@42" {
				t.Errorf("place of the Secret: %s", s.Place)
			}
			wantGaps := []report.Gap{podSecurityGap("the API server does not run as a pod of this cluster, so that its flags are not visible")}
			if d := cmp.Diff(wantGaps, inv.AllGaps()); d != "" {
				t.Errorf("gaps (-want +got):\n%s", d)
			}
			for _, k := range allKinds() {
				if k != inventory.PodSecurityDefaults.ID && len(inv.Gaps(k, "")) > 0 {
					t.Errorf("%s: %v", k, inv.Gaps(k, ""))
				}
			}
			if source.Objects != len(objects)+1 || len(source.Problems) > 0 {
				t.Errorf("source: %+v", source)
			}
			wantCluster := report.Cluster{Name: "shop", Version: "v1.37.2", Provider: "aws", Nodes: 1, Pods: -1, Workloads: -1}
			if d := cmp.Diff(wantCluster, cluster); d != "" {
				t.Errorf("cluster (-want +got):\n%s", d)
			}
		})
	}
}

func diffAll[T any](t *testing.T, got, want inventory.View, k inventory.Kind[T]) {
	t.Helper()
	g, w := slices.Collect(inventory.All(got, k)), slices.Collect(inventory.All(want, k))
	if len(w) == 0 {
		t.Errorf("no %s to compare", k.ID)
	}
	if d := cmp.Diff(w, g, cmpopts.IgnoreUnexported(inventory.Origin{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", k.ID, d)
	}
}

// TestPodsShareTheirSpec checks that pods of one controller share a spec, and
// that what differs for a reason still does.
func TestPodsShareTheirSpec(t *testing.T) {
	pod := func(name, suffix, node string, change func(*corev1.PodSpec)) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: objectMeta("shop", name), Spec: webSpec(suffix, node)}
		p.Spec.Containers[0].Env = nil
		if change != nil {
			change(&p.Spec)
		}
		return p
	}
	onNode := func(node string) func(*corev1.PodSpec) {
		return func(s *corev1.PodSpec) {
			s.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{node}}}}},
			}}}
		}
	}
	f := newFakeAPI(t,
		pod("a", "bbbbb", "n1", nil), pod("b", "ccccc", "n2", nil),
		pod("ds1", "ddddd", "n1", onNode("n1")), pod("ds2", "fffff", "n2", onNode("n2")),
		pod("other", "ggggg", "n1", func(s *corev1.PodSpec) { s.Containers[0].Image = "web:2" }),
		pod("named", "hhhhh", "n1", func(s *corev1.PodSpec) { s.Containers[0].Name = "kube-api-access-hhhhh" }),
		pod("two", "jjjjj", "n1", func(s *corev1.PodSpec) {
			s.Volumes = append(s.Volumes, corev1.Volume{Name: "kube-api-access-kkkkk"})
		}),
	)
	inv, _, _ := f.read(Options{Kinds: []report.KindID{inventory.Pods.ID}})
	get := func(name string) *inventory.PodBearer {
		o, ok := inventory.Get(view(inv), inventory.Pods, "shop", name)
		if !ok {
			t.Fatalf("no pod %s", name)
		}
		return o.Value
	}
	if get("a").Template.Spec != get("b").Template.Spec {
		t.Error("equal pods do not share their spec")
	}
	if get("a").Node != "n1" || get("b").Node != "n2" || get("a").Template.Spec.NodeName != "" {
		t.Error("the node is not kept apart from the spec")
	}
	want := pod("a", "xxxxx", "", nil).Spec
	if d := cmp.Diff(&want, get("a").Template.Spec); d != "" {
		t.Errorf("spec of a (-want +got):\n%s", d)
	}
	ds1, ds2 := get("ds1").Template.Spec, get("ds2").Template.Spec
	wantDS := pod("ds1", "xxxxx", "", onNode("n1")).Spec
	if d := cmp.Diff(&wantDS, ds1); d != "" {
		t.Errorf("spec of ds1 (-want +got):\n%s", d)
	}
	if ds1 == ds2 || cmp.Equal(ds1.Affinity, ds2.Affinity) {
		t.Error("pods of a DaemonSet lost the affinity to their node")
	}
	if &ds1.Containers[0] != &ds2.Containers[0] || &ds1.Containers[0] != &get("a").Template.Spec.Containers[0] {
		t.Error("pods of a DaemonSet do not share their containers")
	}
	if got := get("other").Template.Spec.Containers[0].Image; got != "web:2" {
		t.Errorf("image of other: %s", got)
	}
	if got := get("named").Template.Spec.Containers[0].Name; got != "kube-api-access-hhhhh" {
		t.Errorf("a container was renamed: %s", got)
	}
	if got := get("two").Template.Spec.Volumes[1].Name; got != "kube-api-access-jjjjj" {
		t.Errorf("one of two token volumes was renamed: %s", got)
	}
}

// TestOnlyWhatIsAskedFor checks that kinds that were not asked for cost no
// request and stay a gap.
func TestOnlyWhatIsAskedFor(t *testing.T) {
	f := newFakeAPI(t, everyKind()...)
	inv, _, cluster := f.read(Options{Kinds: []report.KindID{inventory.Deployments.ID, "config/settings"}})
	want := []string{"GET /version", "GET /apis/apps/v1/deployments"}
	if d := cmp.Diff(want, f.asked()); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	if inv.Gaps(inventory.Deployments.ID, "") != nil || inv.Gaps(inventory.Pods.ID, "") == nil {
		t.Error("gaps are not those of the kinds that were not read")
	}
	if cluster.Nodes != -1 {
		t.Errorf("nodes were not read, and are %d", cluster.Nodes)
	}
}

func TestNamespaceLimit(t *testing.T) {
	f := newFakeAPI(t, everyKind()...)
	f.add(&corev1.Namespace{ObjectMeta: objectMeta("", "other")}, &corev1.Pod{ObjectMeta: objectMeta("other", "p")})
	kinds := []report.KindID{inventory.Namespaces.ID, inventory.Pods.ID, inventory.ClusterRoles.ID}

	inv, _, _ := f.read(Options{Kinds: kinds, Namespaces: []string{"shop"}})
	if len(inv.AllGaps()) > 0 || inventory.Len(view(inv), inventory.Pods) != 1 || inventory.Len(view(inv), inventory.Namespaces) != 1 || inventory.Len(view(inv), inventory.ClusterRoles) != 1 {
		t.Errorf("not just namespace shop and what has no namespace: %v", inv.AllGaps())
	}
	if slices.Contains(f.asked(), "GET /api/v1/pods") {
		t.Error("pods of all namespaces were asked for")
	}

	t.Run("an account that may only get its namespace", func(t *testing.T) {
		f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path == "/api/v1/namespaces" {
				writeStatus(w, http.StatusForbidden, "no", "")
				return true
			}
			return false
		}
		inv, _, _ := f.read(Options{Kinds: kinds, Namespaces: []string{"shop"}})
		ns, ok := inventory.Get(view(inv), inventory.Namespaces, "", "shop")
		if len(inv.AllGaps()) > 0 || !ok || ns.Place != "live:/api/v1/namespaces/shop@42" {
			t.Errorf("namespace %+v, gaps %v", ns, inv.AllGaps())
		}
	})
	for _, may := range []string{"list", "get"} {
		t.Run("a namespace that does not exist, "+may, func(t *testing.T) {
			f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.URL.Path == "/api/v1/namespaces" && may == "get" {
					writeStatus(w, http.StatusForbidden, "no", "")
					return true
				}
				return false
			}
			c, _ := f.open(Options{Kinds: kinds, Namespaces: []string{"shpo"}})
			_, _, err := c.Read(t.Context(), &inventory.Builder{})
			if err == nil || err.Error() != `namespace "shpo" does not exist in `+c.target.String()+`: check the name, and "kubectl get namespaces"` {
				t.Errorf("error: %v", err)
			}
		})
	}
}

// everyKindOf returns the objects of everyKind that are of o's kind.
func everyKindOf(o runtime.Object) []runtime.Object {
	return slices.DeleteFunc(everyKind(), func(x runtime.Object) bool { return resourceOf(x).Kind != resourceOf(o).Kind })
}

// TestProgress checks that progress goes forward, to the end.
func TestProgress(t *testing.T) {
	f := newFakeAPI(t, everyKind()...)
	var steps []string
	last := 0
	f.read(Options{Kinds: []report.KindID{inventory.Pods.ID, inventory.Nodes.ID}, Progress: func(done, total int, what string) {
		if done < last || total != 2 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
		steps = append(steps, what)
	}})
	if last != 2 || !slices.Contains(steps, "pods: 1") || !slices.Contains(steps, "nodes") {
		t.Errorf("%d done, steps %q", last, steps)
	}
}
