package checks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// cluster says how much there is of what. Pods are ten per workload.
type cluster struct {
	workloads, namespaces, nodes       int
	networkPolicies, configMaps, roles int
	policies, webhooks, stored         int
}

// largest is the cluster to plan for: the limits that Kubernetes is tested
// with, and the policies of a company that bought every product.
//
// https://kubernetes.io/docs/setup/best-practices/cluster-large/
var largest = cluster{
	workloads: 15_000, namespaces: 10_000, nodes: 5_000,
	networkPolicies: 30_000, configMaps: 20_000, roles: 100_000,
	policies: 1_000, webhooks: 200, stored: 10_000,
}

// maker puts the objects of a cluster into an inventory.
type maker struct {
	cluster
	tb testing.TB
	b  *inventory.Builder
}

var live = inventory.Origin{Source: "kubeapi", Place: "live:"}

// put builds the inventory of the cluster, every kind of it read in full.
func (c cluster) put(tb testing.TB) *inventory.Builder {
	m := maker{c, tb, &inventory.Builder{}}
	m.b.Collected(Kinds(All)...)
	inventory.Put(m.b, inventory.Settings, report.Subject{Kind: "Config", Name: "plimsoll.yaml"}, live, inventory.Setting{Tiers: []inventory.Tier{
		{Name: "payment", Sensitive: true, Namespaces: []string{"team-0000*"}},
		{Name: "data", Sensitive: true, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "data"}}},
		{Name: "batch", Namespaces: []string{"*9"}},
	}})
	for i := range c.namespaces {
		m.namespace(i)
	}
	for i := range c.nodes {
		m.node(i)
	}
	for i := range c.workloads {
		m.workload(i)
	}
	for i := range c.networkPolicies {
		m.networkPolicy(i)
	}
	for i := range c.configMaps {
		m.configMap(i)
	}
	for i := range c.roles / 2 { // and a binding each
		m.role(i)
	}
	for i := range c.policies {
		m.policy(i)
	}
	for i := range c.webhooks {
		m.webhook(i)
	}
	for i := range c.stored {
		m.storedSecret(i)
	}
	return m.b
}

func (m maker) add(o any) {
	if !inventory.PutObject(m.b, o, live) {
		m.tb.Fatalf("%T has no table", o)
	}
}

// custom adds an object of another project: its spec, and perhaps more, in JSON.
func (m maker) custom(apiVersion, kind, namespace, name, fields string) {
	group, _, _ := strings.Cut(apiVersion, "/")
	k, ok := inventory.CustomFor(group, kind)
	if !ok {
		m.tb.Fatalf("%s of %s has no table", kind, group)
	}
	text := fmt.Sprintf(`{"apiVersion": %q, "kind": %q, "metadata": {"name": %q, "namespace": %q, "uid": %[3]q}, %[5]s}`, apiVersion, kind, name, namespace, fields)
	if err := k.Put(m.b, apiVersion, kind, []byte(text), live); err != nil {
		m.tb.Fatal(err)
	}
}

func (c cluster) in(i int) string   { return fmt.Sprintf("team-%05d", i%c.namespaces) }
func (c cluster) on(i int) string   { return fmt.Sprintf("node-%04d", i%c.nodes) }
func (c cluster) app(i int) string  { return fmt.Sprintf("app-%05d", i%c.workloads) }
func (c cluster) home(i int) string { return c.in(i % c.workloads) } // where the app is

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name)}
}

func owned(m metav1.ObjectMeta, by *metav1.ObjectMeta, kind string) metav1.ObjectMeta {
	m.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: by.Name, UID: by.UID, Controller: new(true)}}
	return m
}

func (m maker) namespace(i int) {
	ns := &corev1.Namespace{ObjectMeta: named("", m.in(i))}
	ns.Labels = map[string]string{corev1.LabelMetadataName: ns.Name, "team": fmt.Sprint(i % 100)}
	switch i % 10 {
	case 0, 1, 2:
		ns.Labels["pod-security.kubernetes.io/enforce"] = "baseline"
	case 3:
		ns.Labels["pod-security.kubernetes.io/warn"] = "restricted"
	case 4:
		ns.Labels[inventory.TierLabel] = "edge"
	}
	m.add(ns)
	m.add(&corev1.ServiceAccount{ObjectMeta: named(ns.Name, "default")})
	if i%10 == 0 {
		m.add(&corev1.LimitRange{ObjectMeta: named(ns.Name, "defaults"), Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
			{Type: corev1.LimitTypeContainer, Default: corev1.ResourceList{"memory": resource.MustParse("256Mi")}},
		}}})
	}
	if i == 0 {
		for _, system := range []string{"kube-system", "kube-public", "kube-node-lease", "default"} {
			m.add(&corev1.Namespace{ObjectMeta: named("", system)})
		}
		for _, class := range []string{"gvisor", "kata", "runc", "nvidia"} {
			m.add(&nodev1.RuntimeClass{ObjectMeta: named("", class), Handler: class, Scheduling: &nodev1.Scheduling{NodeSelector: map[string]string{"runtime": class}}})
		}
		m.add(&storagev1.CSIDriver{ObjectMeta: named("", "secrets-store.csi.k8s.io")})
	}
}

func (m maker) node(i int) {
	n := &corev1.Node{ObjectMeta: named("", m.on(i))}
	n.Labels = map[string]string{
		corev1.LabelHostname: n.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
		corev1.LabelTopologyZone: fmt.Sprint("zone-", i%3), "pool": fmt.Sprint("pool-", i%20),
	}
	switch {
	case i < 3:
		n.Labels["node-role.kubernetes.io/control-plane"] = ""
		n.Spec.Taints = []corev1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}}
	case i%20 == 0:
		n.Spec.Taints = []corev1.Taint{{Key: "dedicated", Value: "data", Effect: corev1.TaintEffectNoSchedule}}
	}
	n.Status.NodeInfo = corev1.NodeSystemInfo{OperatingSystem: "linux", OSImage: "Ubuntu 24.04.3 LTS", KubeletVersion: "v1.37.2"}
	m.add(n)
	m.add(&storagev1.CSINode{ObjectMeta: named("", n.Name), Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{Name: "secrets-store.csi.k8s.io"}}}})
}

// spec is the pod of an application: a third have a sidecar container, and
// some differ in what the checks look at.
func (m maker) spec(i int) corev1.PodSpec {
	s := corev1.PodSpec{
		ServiceAccountName: m.app(i),
		SecurityContext:    &corev1.PodSecurityContext{RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Volumes: []corev1.Volume{
			{Name: "settings", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}},
			{Name: "credentials", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: m.app(i)}}},
		},
	}
	for j := range 1 + i%3/2 {
		c := corev1.Container{
			Name: fmt.Sprint("c", j), Image: fmt.Sprintf("registry.example.com/team-%d/%s-%d:v1.%d", i%100, m.app(i), j, i%7),
			Command: []string{"/bin/server", "--listen=:8080", "--log-level=info"},
			Ports:   []corev1.ContainerPort{{ContainerPort: 8080}},
			Resources: corev1.ResourceRequirements{
				Limits:   corev1.ResourceList{"memory": resource.MustParse("256Mi"), "cpu": resource.MustParse("500m")},
				Requests: corev1.ResourceList{"memory": resource.MustParse("128Mi"), "cpu": resource.MustParse("100m")},
			},
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			VolumeMounts:    []corev1.VolumeMount{{Name: "settings", MountPath: "/etc/app"}, {Name: "credentials", MountPath: "/etc/credentials"}},
		}
		for k := range 10 {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SERVICE_%d_URL", k), Value: fmt.Sprintf("http://%s.%s.svc:8080/v1", m.app(i+k), m.in(i+k))})
		}
		c.Env = append(c.Env, corev1.EnvVar{Name: "PASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: "password"}}})
		s.Containers = append(s.Containers, c)
	}
	c := &s.Containers[0]
	switch i % 20 {
	case 0:
		c.Image += "@sha256:" + strings.Repeat("0123456789abcdef", 4)
	case 1:
		s.SecurityContext = nil
	case 2:
		s.HostNetwork, c.SecurityContext = true, nil
	case 3:
		c.SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
	case 4:
		c.Resources = corev1.ResourceRequirements{}
	case 5:
		s.RuntimeClassName = new("gvisor")
	case 6:
		s.NodeSelector = map[string]string{"pool": fmt.Sprint("pool-", i/20%20)}
	case 7:
		s.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	case 8:
		s.SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeLocalhost, LocalhostProfile: new("operator/app.json")}
	case 9:
		s.Volumes = append(s.Volumes, corev1.Volume{Name: "store", VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{
			Driver: "secrets-store.csi.k8s.io", VolumeAttributes: map[string]string{"secretProviderClass": fmt.Sprint("class-", i)},
		}}})
	case 10:
		s.AutomountServiceAccountToken = new(false)
	}
	return s
}

// workload makes an application as it runs: a Deployment with its current and
// a retired ReplicaSet and ten pods, of which a webhook changed one; a Service
// with endpoints, an account and Secrets.
func (m maker) workload(i int) {
	namespace, app := m.in(i), m.app(i)
	labels := map[string]string{"app.kubernetes.io/name": app, "app.kubernetes.io/managed-by": "Helm", "tier": []string{"web", "api", "data"}[i%3]}
	template := func() corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{"checksum/config": strings.Repeat("ab", 32)}}, Spec: m.spec(i)}
	}
	d := &appsv1.Deployment{ObjectMeta: named(namespace, app), Spec: appsv1.DeploymentSpec{Replicas: new(int32(10)), Template: template()}}
	d.Labels = labels
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, ReadyReplicas: 10}
	set := &appsv1.ReplicaSet{ObjectMeta: owned(named(namespace, app+"-6d4"), &d.ObjectMeta, "Deployment"), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(10)), Template: template()}}
	retired := &appsv1.ReplicaSet{ObjectMeta: owned(named(namespace, app+"-111"), &d.ObjectMeta, "Deployment"), Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(0)), Template: template()}}
	plain, changed := m.spec(i), m.spec(i)
	changed.Containers = append(changed.Containers, corev1.Container{Name: "proxy", Image: "docker.io/istio/proxyv2:1.24.0"})
	for _, s := range []*corev1.PodSpec{&plain, &changed} { // what admission adds
		s.Volumes = append(s.Volumes, corev1.Volume{Name: "kube-api-access-x", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}})
		s.Containers[0].VolumeMounts = append(s.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "kube-api-access-x", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount"})
	}
	for j := range 10 {
		pod := owned(named(namespace, fmt.Sprintf("%s-%02d", set.Name, j)), &set.ObjectMeta, "ReplicaSet")
		pod.Labels = map[string]string{"pod-template-hash": "6d4"}
		for k, v := range labels {
			pod.Labels[k] = v
		}
		pod.Annotations = map[string]string{"checksum/config": strings.Repeat("ab", 32)}
		spec := &plain
		if j == 9 {
			spec = &changed
		}
		inventory.PutPod(m.b, &pod, spec, m.on(i*10+j), corev1.PodRunning, live)
	}
	m.add(d)
	m.add(set)
	m.add(retired)
	m.add(&corev1.ServiceAccount{ObjectMeta: named(namespace, app)})
	m.add(&corev1.Service{ObjectMeta: named(namespace, app), Spec: corev1.ServiceSpec{Selector: map[string]string{"app.kubernetes.io/name": app}}})
	slice := &discoveryv1.EndpointSlice{ObjectMeta: named(namespace, app+"-x"), Endpoints: make([]discoveryv1.Endpoint, 10)}
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: app}
	m.add(slice)
	secret, token := named(namespace, app), named(namespace, app+"-token-x7k2p")
	inventory.PutSecret(m.b, &secret, corev1.SecretTypeOpaque, 2, live)
	token.Annotations = map[string]string{corev1.ServiceAccountNameKey: app}
	inventory.PutSecret(m.b, &token, corev1.SecretTypeServiceAccountToken, 3, live)
}

// networkPolicy makes a default deny for half of the namespaces, and policies
// for single applications.
func (m maker) networkPolicy(i int) {
	p := &networkingv1.NetworkPolicy{ObjectMeta: named(m.in(i), fmt.Sprint("policy-", i))}
	if i < m.namespaces/2 {
		p.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
	} else {
		p.Namespace = m.home(i)
		p.Spec.PodSelector.MatchLabels = map[string]string{"app.kubernetes.io/name": m.app(i)}
		p.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "web"}}}}}}
	}
	m.add(p)
}

// configMap makes small settings, and a large dashboard in one of a hundred.
func (m maker) configMap(i int) {
	x := &corev1.ConfigMap{ObjectMeta: named(m.in(i), fmt.Sprint("settings-", i)), Data: map[string]string{
		"application.yaml": strings.Repeat(fmt.Sprintf("server:\n  port: 8080\n  url: https://%s.example.com/v1\n  timeout: 30s\n", m.app(i)), 20),
		"LOG_LEVEL":        "info",
	}}
	if i%100 == 0 {
		x.Data["dashboard.json"] = "[" + strings.Repeat(fmt.Sprintf(`{"title": "requests of %s", "expr": "sum(rate(http_requests_total{job=\"web\"}[5m])) by (code)", "y": 8},`, m.app(i)), 4_000) + "{}]"
	}
	m.add(x)
}

// role makes a role and who has it: most in a namespace, some of the cluster.
func (m maker) role(i int) {
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps", "pods"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"get", "update"}, ResourceNames: []string{m.app(i)}},
	}
	meta, ref := named(m.home(i), fmt.Sprint("role-", i)), rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: fmt.Sprint("role-", i)}
	who := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: m.home(i), Name: m.app(i)}, {Kind: "Group", APIGroup: rbacv1.GroupName, Name: fmt.Sprint("team-", i%100)}}
	if i%10 > 0 {
		m.add(&rbacv1.Role{ObjectMeta: meta, Rules: rules})
		m.add(&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: who})
		return
	}
	meta.Namespace, ref.Kind = "", "ClusterRole"
	role := &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}
	role.Labels = map[string]string{"rbac.example.com/aggregate-to": fmt.Sprint(i / 10 % 50)}
	switch {
	case i == 0:
		role.Name, ref.Name, role.Rules = "cluster-admin", "cluster-admin", []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}
	case i/10%50 == 1:
		role.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"rbac.example.com/aggregate-to": fmt.Sprint(i / 500 % 50)}}}}
		role.UID = "" // of a manifest: it is still to be filled
	case i/10%50 == 2:
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"patch"}})
	}
	m.add(role)
	m.add(&rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: who})
}

// storedSecret makes what the operators of external stores read.
func (m maker) storedSecret(i int) {
	const status = `"status": {"conditions": [{"type": "Ready", "status": %q}]}`
	if i%10 == 0 {
		m.custom("external-secrets.io/v1", "SecretStore", m.in(i), fmt.Sprint("store-", i), `"spec": {}, `+fmt.Sprintf(status, []string{"True", "False"}[i/10%2]))
		m.custom("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", m.in(i), fmt.Sprint("class-", i), `"spec": {"provider": "vault"}`)
	}
	m.custom("external-secrets.io/v1", "ExternalSecret", m.in(i), fmt.Sprint("secret-", i), fmt.Sprintf(`"spec": {"secretStoreRef": {"name": "store-%d"}}, `+status, i/10*10, "True"))
}

// webhook makes a configuration of one webhook. Half of them are Kyverno's,
// which has a webhook for each policy; one is Gatekeeper's.
func (m maker) webhook(i int) {
	w := admissionv1.MutatingWebhook{
		Name: fmt.Sprintf("hook-%d.example.com", i), SideEffects: new(admissionv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
		ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: m.home(i), Name: m.app(i)}},
		Rules:        []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{"*"}, Rule: admissionv1.Rule{APIGroups: []string{"*"}, APIVersions: []string{"*"}, Resources: []string{"*"}}}},
		NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: []string{"kube-system"}},
			{Key: "team", Operator: metav1.LabelSelectorOpNotIn, Values: []string{fmt.Sprint(i % 100)}},
		}},
	}
	configuration := fmt.Sprint("hooks-", i)
	switch {
	case i == 3:
		configuration, w.Name = "gatekeeper-validating-webhook-configuration", "validation.gatekeeper.sh"
	case i%4 == 0:
		configuration, w.Name = fmt.Sprint("kyverno-resource-validating-webhook-cfg-", i), fmt.Sprint("validate.kyverno.svc-fail-finegrained-", i)
	case i%4 == 1:
		w.Name = fmt.Sprint("mutate.kyverno.svc-fail-finegrained-", i)
		m.add(&admissionv1.MutatingWebhookConfiguration{ObjectMeta: named("", configuration), Webhooks: []admissionv1.MutatingWebhook{w}})
		return
	}
	m.add(&admissionv1.ValidatingWebhookConfiguration{ObjectMeta: named("", configuration), Webhooks: []admissionv1.ValidatingWebhook{{
		Name: w.Name, SideEffects: w.SideEffects, AdmissionReviewVersions: w.AdmissionReviewVersions, ClientConfig: w.ClientConfig,
		Rules: w.Rules, NamespaceSelector: w.NamespaceSelector,
	}}})
}

// at is when the evidence was taken.
var at = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
