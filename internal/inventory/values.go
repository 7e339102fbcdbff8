package inventory

import (
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Meta is the part of an object's metadata that checks read. Name and
// namespace stand in the Subject.
type Meta struct {
	UID          types.UID
	GenerateName string
	Labels       map[string]string
	// Annotations leaves out kubectl's last-applied-configuration, which
	// repeats the whole object, Secret values included.
	Annotations map[string]string
	// Owner is the controller that owns the object, nil if there is none.
	Owner *metav1.OwnerReference
}

// PodBearer is an object that is a pod or has a pod template.
type PodBearer struct {
	Meta
	// Template is the pod, or the pod that the object makes.
	Template PodTemplate
	// Path is the field that holds the template: "spec.template"; empty for a Pod.
	Path string
	// Replicas is the wanted number of pods; nil where the kind has none.
	Replicas *int32
	// Leaks are the credentials in literal variables, command lines, probes,
	// hooks and annotations.
	Leaks []Leak
	// Status is how many pods a Deployment, DaemonSet or StatefulSet has; nil
	// where nothing observed it.
	Status *PodCount
	// Node is where a Pod is bound, Phase its phase; empty for templates.
	Node  string
	Phase corev1.PodPhase
}

// PodCount is what a controller says of its pods: for a DaemonSet, Wanted is
// the number of nodes that should run one.
type PodCount struct{ Wanted, Ready int32 }

// PodTemplate is a pod's labels, annotations and spec.
type PodTemplate struct {
	Labels      map[string]string
	Annotations map[string]string
	Spec        *corev1.PodSpec
}

// Node is a machine of the cluster.
type Node struct {
	Meta
	ProviderID string
	Taints     []corev1.Taint
	// Unschedulable is true for a cordoned node.
	Unschedulable  bool
	OS             string // "linux", "windows"
	OSImage        string // "Ubuntu 24.04.3 LTS"
	KubeletVersion string
}

// ServiceAccount says whether pods mount its token, and which token Secrets it lists.
type ServiceAccount struct {
	Meta
	Automount *bool
	Secrets   []string
}

// Secret is a Secret without its values. They are never read.
type Secret struct {
	Meta
	Type corev1.SecretType
	// Keys is the number of data keys.
	Keys int
}

// LimitRange holds the limits of one LimitRange object.
type LimitRange struct {
	Meta
	Limits []corev1.LimitRangeItem
}

// NetworkPolicy is a networking.k8s.io NetworkPolicy as written.
type NetworkPolicy struct {
	Meta
	Spec networkingv1.NetworkPolicySpec
}

// ConfigMap is a ConfigMap without its values, but for those that configure a
// component that is known: see keepsOfConfigMap.
type ConfigMap struct {
	Meta
	Data map[string]string
	// Items is the number of items, binary ones included.
	Items int
	// Leaks are the credentials in its items and annotations.
	Leaks []Leak
}

// Service is what a Service publishes, and where it leads.
type Service struct {
	Meta
	Spec corev1.ServiceSpec
}

// EndpointSlice says which Service (label kubernetes.io/service-name) has
// endpoints.
type EndpointSlice struct {
	Meta
	// Ready is the number of endpoints that take traffic. One that does not
	// say is ready, as consumers are told to take it.
	Ready int
}

// RuntimeClass is a way to run pods.
type RuntimeClass struct {
	Meta
	Handler    string
	Scheduling *nodev1.Scheduling
}

// CSINode lists the names of the CSI drivers that are registered on the node
// of the same name.
type CSINode struct {
	Meta
	Drivers []string
}

// Role is a Role or ClusterRole.
type Role struct {
	Meta
	Rules       []rbacv1.PolicyRule
	Aggregation *rbacv1.AggregationRule
}

// RoleBinding is a RoleBinding or ClusterRoleBinding.
type RoleBinding struct {
	Meta
	RoleRef  rbacv1.RoleRef
	Subjects []rbacv1.Subject
	// Created is when the API server took the object; zero in manifests.
	Created time.Time
}

// CertificateRequest is what a CertificateSigningRequest asks for.
type CertificateRequest struct {
	Meta
	Signer string // "kubernetes.io/kube-apiserver-client"
	// User and Groups are the names that a client certificate would stand for:
	// the common name and the organisations.
	User   string
	Groups []string
	// Unreadable says why the request cannot be parsed; empty if it can.
	Unreadable string
	// Refused is true where it was denied, or the signer failed.
	Refused bool
	// Issued is true where the certificate is there.
	Issued bool
}

// ValidatingAdmissionPolicy is a policy in CEL.
type ValidatingAdmissionPolicy struct {
	Meta
	Spec admissionv1.ValidatingAdmissionPolicySpec
}

// ValidatingAdmissionPolicyBinding puts a policy to work.
type ValidatingAdmissionPolicyBinding struct {
	Meta
	Spec admissionv1.ValidatingAdmissionPolicyBindingSpec
}

// MutatingAdmissionPolicy is a mutation in CEL.
type MutatingAdmissionPolicy struct {
	Meta
	Spec admissionv1.MutatingAdmissionPolicySpec
}

// MutatingAdmissionPolicyBinding puts a mutation to work.
type MutatingAdmissionPolicyBinding struct {
	Meta
	Spec admissionv1.MutatingAdmissionPolicyBindingSpec
}

// WebhookConfiguration holds the webhooks of a ValidatingWebhookConfiguration
// or MutatingWebhookConfiguration. The type of the mutating ones has all that
// the others have.
type WebhookConfiguration struct {
	Meta
	Webhooks []admissionv1.MutatingWebhook
}

// PodSecurityDefault is the PodSecurity plugin's configuration: levels and
// versions that hold in namespaces without labels, and exemptions.
type PodSecurityDefault struct {
	Enforce, EnforceVersion string
	Audit, Warn             string
	ExemptUsernames         []string
	ExemptNamespaces        []string
	ExemptRuntimeClasses    []string
}

// KubeletSeccompDefault is seccompDefault of one KubeletConfiguration (KEP-2413).
type KubeletSeccompDefault struct{ On bool }

// ComponentFile is a configuration file, kubeconfig or certificate that was
// recognised. Its content enters the inventory with the items that read it.
type ComponentFile struct {
	// Type is "KubeletConfiguration", "kubeconfig", "certificate", …
	Type string
}

// Setting is what the user stated in the configuration.
type Setting struct {
	// Tiers are the tiers of sensitivity; nil means that none are declared.
	Tiers []Tier
	// AllowedSubjects may have what a rule forbids.
	AllowedSubjects []AllowedSubject
}

// AllowedSubject is an RBAC subject that may have what checks forbid.
type AllowedSubject struct {
	// Checks are the ids of those checks, and of items that it may have everything of.
	Checks []string
	Kind   string // "User", "Group" or "ServiceAccount"
	// Name and Namespace are globs. Namespace is empty but for a ServiceAccount.
	Name, Namespace string
}

// Tier is a class of workloads with one sensitivity.
type Tier struct {
	Name      string
	Sensitive bool
	// Namespaces are globs; Selector is matched against the workload's labels.
	// Both must match; an empty one matches everything.
	Namespaces []string
	Selector   *metav1.LabelSelector
}

// AnnotationPrefix begins the annotations and labels that are meant for this
// program.
const AnnotationPrefix = "plimsoll.dev/"

// TierLabel on a workload or its namespace names its tier; the tier named
// "sensitive" is sensitive without being declared.
const TierLabel = AnnotationPrefix + "tier"
