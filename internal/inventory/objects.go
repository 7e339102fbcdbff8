package inventory

import (
	"cmp"
	"maps"
	"slices"
	"strings"

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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// PutObject adds a decoded Kubernetes object to the table of its kind, keeping
// only what checks read. It reports whether there is a table for the object's
// type. Whatever source decodes an object, it enters here, so that all sources
// see the same. The object must not be used afterwards.
//
// Secrets are not taken: sources put them with [PutSecret], so that their
// values are never decoded.
func PutObject(b *Builder, obj any, o Origin) bool {
	switch x := obj.(type) {
	case *corev1.Namespace:
		Put(b, Namespaces, subject("v1", "Namespace", &x.ObjectMeta), o, meta(&x.ObjectMeta))
	case *corev1.Node:
		Put(b, Nodes, subject("v1", "Node", &x.ObjectMeta), o, Node{
			Meta: meta(&x.ObjectMeta), ProviderID: x.Spec.ProviderID, Taints: x.Spec.Taints, Unschedulable: x.Spec.Unschedulable,
			OS: x.Status.NodeInfo.OperatingSystem, OSImage: x.Status.NodeInfo.OSImage, KubeletVersion: x.Status.NodeInfo.KubeletVersion,
		})
	case *corev1.Pod:
		PutPod(b, &x.ObjectMeta, &x.Spec, x.Spec.NodeName, x.Status.Phase, o)
	case *corev1.ReplicationController:
		t := x.Spec.Template
		if t == nil {
			t = &corev1.PodTemplateSpec{}
		}
		Put(b, ReplicationControllers, subject("v1", "ReplicationController", &x.ObjectMeta), o, podBearer(&x.ObjectMeta, t, "spec.template", x.Spec.Replicas))
	case *corev1.PodTemplate:
		Put(b, PodTemplates, subject("v1", "PodTemplate", &x.ObjectMeta), o, podBearer(&x.ObjectMeta, &x.Template, "template", nil))
	case *appsv1.Deployment:
		p := podBearer(&x.ObjectMeta, &x.Spec.Template, "spec.template", x.Spec.Replicas)
		if x.Status.ObservedGeneration > 0 {
			p.Status = &PodCount{*replicas(x.Spec.Replicas), x.Status.ReadyReplicas}
		}
		Put(b, Deployments, subject("apps/v1", "Deployment", &x.ObjectMeta), o, p)
	case *appsv1.ReplicaSet:
		Put(b, ReplicaSets, subject("apps/v1", "ReplicaSet", &x.ObjectMeta), o, podBearer(&x.ObjectMeta, &x.Spec.Template, "spec.template", x.Spec.Replicas))
	case *appsv1.StatefulSet:
		p := podBearer(&x.ObjectMeta, &x.Spec.Template, "spec.template", x.Spec.Replicas)
		if x.Status.ObservedGeneration > 0 {
			p.Status = &PodCount{*replicas(x.Spec.Replicas), x.Status.ReadyReplicas}
		}
		Put(b, StatefulSets, subject("apps/v1", "StatefulSet", &x.ObjectMeta), o, p)
	case *appsv1.DaemonSet:
		p := podBearer(&x.ObjectMeta, &x.Spec.Template, "spec.template", nil)
		if x.Status.ObservedGeneration > 0 {
			p.Status = &PodCount{x.Status.DesiredNumberScheduled, x.Status.NumberReady}
		}
		Put(b, DaemonSets, subject("apps/v1", "DaemonSet", &x.ObjectMeta), o, p)
	case *batchv1.Job:
		Put(b, Jobs, subject("batch/v1", "Job", &x.ObjectMeta), o, podBearer(&x.ObjectMeta, &x.Spec.Template, "spec.template", x.Spec.Parallelism))
	case *batchv1.CronJob:
		Put(b, CronJobs, subject("batch/v1", "CronJob", &x.ObjectMeta), o, podBearer(&x.ObjectMeta, &x.Spec.JobTemplate.Spec.Template, "spec.jobTemplate.spec.template", nil))
	case *corev1.ServiceAccount:
		sa := ServiceAccount{Meta: meta(&x.ObjectMeta), Automount: x.AutomountServiceAccountToken}
		for _, ref := range x.Secrets {
			sa.Secrets = append(sa.Secrets, ref.Name)
		}
		Put(b, ServiceAccounts, subject("v1", "ServiceAccount", &x.ObjectMeta), o, sa)
	case *corev1.LimitRange:
		Put(b, LimitRanges, subject("v1", "LimitRange", &x.ObjectMeta), o, LimitRange{meta(&x.ObjectMeta), x.Spec.Limits})
	case *corev1.ResourceQuota:
		Put(b, ResourceQuotas, subject("v1", "ResourceQuota", &x.ObjectMeta), o, meta(&x.ObjectMeta))
	case *corev1.ConfigMap:
		putConfigMap(b, x, o)
	case *corev1.Service:
		Put(b, Services, subject("v1", "Service", &x.ObjectMeta), o, Service{meta(&x.ObjectMeta), x.Spec})
	case *discoveryv1.EndpointSlice:
		s := EndpointSlice{Meta: meta(&x.ObjectMeta)}
		for _, ep := range x.Endpoints {
			if ep.Conditions.Ready == nil || *ep.Conditions.Ready {
				s.Ready++
			}
		}
		Put(b, EndpointSlices, subject("discovery.k8s.io/v1", "EndpointSlice", &x.ObjectMeta), o, s)
	case *nodev1.RuntimeClass:
		Put(b, RuntimeClasses, subject("node.k8s.io/v1", "RuntimeClass", &x.ObjectMeta), o, RuntimeClass{meta(&x.ObjectMeta), x.Handler, x.Scheduling})
	case *storagev1.CSIDriver:
		Put(b, CSIDrivers, subject("storage.k8s.io/v1", "CSIDriver", &x.ObjectMeta), o, meta(&x.ObjectMeta))
	case *storagev1.CSINode:
		n := CSINode{Meta: meta(&x.ObjectMeta)}
		for _, d := range x.Spec.Drivers {
			n.Drivers = append(n.Drivers, d.Name)
		}
		Put(b, CSINodes, subject("storage.k8s.io/v1", "CSINode", &x.ObjectMeta), o, n)
	case *networkingv1.NetworkPolicy:
		Put(b, NetworkPolicies, subject("networking.k8s.io/v1", "NetworkPolicy", &x.ObjectMeta), o, NetworkPolicy{meta(&x.ObjectMeta), x.Spec})
	case *rbacv1.Role:
		Put(b, Roles, subject(rbacVersion, "Role", &x.ObjectMeta), o, Role{Meta: meta(&x.ObjectMeta), Rules: x.Rules})
	case *rbacv1.ClusterRole:
		Put(b, ClusterRoles, subject(rbacVersion, "ClusterRole", &x.ObjectMeta), o, Role{meta(&x.ObjectMeta), x.Rules, x.AggregationRule})
	case *rbacv1.RoleBinding:
		Put(b, RoleBindings, subject(rbacVersion, "RoleBinding", &x.ObjectMeta), o, RoleBinding{meta(&x.ObjectMeta), x.RoleRef, x.Subjects, x.CreationTimestamp.Time})
	case *rbacv1.ClusterRoleBinding:
		Put(b, ClusterRoleBindings, subject(rbacVersion, "ClusterRoleBinding", &x.ObjectMeta), o, RoleBinding{meta(&x.ObjectMeta), x.RoleRef, x.Subjects, x.CreationTimestamp.Time})
	case *certificatesv1.CertificateSigningRequest:
		Put(b, CertificateRequests, subject("certificates.k8s.io/v1", "CertificateSigningRequest", &x.ObjectMeta), o, certificateRequest(x))
	case *admissionv1.ValidatingAdmissionPolicy:
		Put(b, ValidatingAdmissionPolicies, subject(admissionVersion, "ValidatingAdmissionPolicy", &x.ObjectMeta), o, ValidatingAdmissionPolicy{meta(&x.ObjectMeta), x.Spec})
	case *admissionv1.ValidatingAdmissionPolicyBinding:
		Put(b, ValidatingAdmissionPolicyBindings, subject(admissionVersion, "ValidatingAdmissionPolicyBinding", &x.ObjectMeta), o,
			ValidatingAdmissionPolicyBinding{meta(&x.ObjectMeta), x.Spec})
	case *admissionv1.MutatingAdmissionPolicy:
		Put(b, MutatingAdmissionPolicies, subject(admissionVersion, "MutatingAdmissionPolicy", &x.ObjectMeta), o, MutatingAdmissionPolicy{meta(&x.ObjectMeta), x.Spec})
	case *admissionv1.MutatingAdmissionPolicyBinding:
		Put(b, MutatingAdmissionPolicyBindings, subject(admissionVersion, "MutatingAdmissionPolicyBinding", &x.ObjectMeta), o,
			MutatingAdmissionPolicyBinding{meta(&x.ObjectMeta), x.Spec})
	case *admissionv1.ValidatingWebhookConfiguration:
		c := WebhookConfiguration{Meta: meta(&x.ObjectMeta)}
		for _, w := range x.Webhooks {
			c.Webhooks = append(c.Webhooks, admissionv1.MutatingWebhook{
				Name: w.Name, ClientConfig: w.ClientConfig, Rules: w.Rules, FailurePolicy: w.FailurePolicy, MatchPolicy: w.MatchPolicy,
				NamespaceSelector: w.NamespaceSelector, ObjectSelector: w.ObjectSelector, SideEffects: w.SideEffects,
				TimeoutSeconds: w.TimeoutSeconds, AdmissionReviewVersions: w.AdmissionReviewVersions, MatchConditions: w.MatchConditions,
			})
		}
		Put(b, ValidatingWebhookConfigurations, subject(admissionVersion, "ValidatingWebhookConfiguration", &x.ObjectMeta), o, c)
	case *admissionv1.MutatingWebhookConfiguration:
		Put(b, MutatingWebhookConfigurations, subject(admissionVersion, "MutatingWebhookConfiguration", &x.ObjectMeta), o, WebhookConfiguration{meta(&x.ObjectMeta), x.Webhooks})
	default:
		return false
	}
	return true
}

const (
	rbacVersion      = "rbac.authorization.k8s.io/v1"
	admissionVersion = "admissionregistration.k8s.io/v1"
)

// replicas is the wanted number of pods, 1 where it is not written down.
func replicas(n *int32) *int32 {
	if n == nil {
		return new(int32(1))
	}
	return n
}

// PutPod adds a Pod by its parts, so that equal pods can share one spec. Nothing
// may change the spec afterwards. node is where the pod is bound; a shared spec
// does not say it.
func PutPod(b *Builder, m *metav1.ObjectMeta, spec *corev1.PodSpec, node string, phase corev1.PodPhase, o Origin) {
	p := &PodBearer{Leaks: leaksInMeta(slices.Clip(b.leaksInPod(spec)), m), Node: node, Phase: phase}
	p.Meta = meta(m)
	p.Template = PodTemplate{Labels: p.Labels, Annotations: p.Annotations, Spec: spec}
	Put(b, Pods, subject("v1", "Pod", m), o, p)
}

// KeepsOfSecret says whether PutSecret keeps an annotation. Sources can pass
// over the others without decoding them.
func KeepsOfSecret(annotation string) bool {
	return strings.HasPrefix(annotation, "kubernetes.io/service-account.") || strings.HasPrefix(annotation, AnnotationPrefix)
}

// PutSecret adds a Secret by its metadata, type and number of data keys. Of
// its annotations only those stay that say whose token it is, and those of
// this program: tools keep copies of whole objects in others.
func PutSecret(b *Builder, m *metav1.ObjectMeta, typ corev1.SecretType, keys int, o Origin) {
	maps.DeleteFunc(m.Annotations, func(k, _ string) bool { return !KeepsOfSecret(k) })
	if typ == "" {
		typ = corev1.SecretTypeOpaque // as the API server defaults it
	}
	Put(b, Secrets, subject("v1", "Secret", m), o, Secret{meta(m), typ, keys})
}

// subject names an object. One that the server is still to name is called by
// its prefix and an asterisk.
func subject(apiVersion, kind string, m *metav1.ObjectMeta) report.Subject {
	s := report.Subject{Kind: kind, APIVersion: apiVersion, Namespace: m.Namespace, Name: m.Name}
	if m.GenerateName != "" {
		s.Stable = m.GenerateName + "*"
		s.Name = cmp.Or(s.Name, s.Stable)
	}
	return s
}

func meta(m *metav1.ObjectMeta) Meta {
	delete(m.Annotations, corev1.LastAppliedConfigAnnotation)
	if len(m.Annotations) == 0 {
		m.Annotations = nil
	}
	if len(m.Labels) == 0 {
		m.Labels = nil
	}
	return Meta{UID: m.UID, GenerateName: m.GenerateName, Labels: m.Labels, Annotations: m.Annotations, Owner: metav1.GetControllerOf(m)}
}

func podBearer(m *metav1.ObjectMeta, t *corev1.PodTemplateSpec, path string, replicas *int32) *PodBearer {
	leaks := leaksInTemplate(m, t, path)
	return &PodBearer{
		Meta:     meta(m),
		Leaks:    leaks,
		Template: PodTemplate{Labels: t.Labels, Annotations: t.Annotations, Spec: &t.Spec},
		Path:     path,
		Replicas: replicas,
	}
}
