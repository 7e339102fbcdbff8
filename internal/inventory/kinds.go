package inventory

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// The tables. The ID of a Kubernetes kind is its apiVersion and kind as the
// API server stores them today; older versions are read into the same table.
var (
	Namespaces = Kind[Meta]{"v1/Namespace"}
	Nodes      = Kind[Node]{"v1/Node"}

	Pods                   = Kind[*PodBearer]{"v1/Pod"}
	ReplicationControllers = Kind[*PodBearer]{"v1/ReplicationController"}
	PodTemplates           = Kind[*PodBearer]{"v1/PodTemplate"}
	Deployments            = Kind[*PodBearer]{"apps/v1/Deployment"}
	ReplicaSets            = Kind[*PodBearer]{"apps/v1/ReplicaSet"}
	StatefulSets           = Kind[*PodBearer]{"apps/v1/StatefulSet"}
	DaemonSets             = Kind[*PodBearer]{"apps/v1/DaemonSet"}
	Jobs                   = Kind[*PodBearer]{"batch/v1/Job"}
	CronJobs               = Kind[*PodBearer]{"batch/v1/CronJob"}

	ServiceAccounts = Kind[ServiceAccount]{"v1/ServiceAccount"}
	Secrets         = Kind[Secret]{"v1/Secret"}
	LimitRanges     = Kind[LimitRange]{"v1/LimitRange"}
	ResourceQuotas  = Kind[Meta]{"v1/ResourceQuota"}
	NetworkPolicies = Kind[NetworkPolicy]{"networking.k8s.io/v1/NetworkPolicy"}
	ConfigMaps      = Kind[ConfigMap]{"v1/ConfigMap"}
	Services        = Kind[Service]{"v1/Service"}
	EndpointSlices  = Kind[EndpointSlice]{"discovery.k8s.io/v1/EndpointSlice"}
	RuntimeClasses  = Kind[RuntimeClass]{"node.k8s.io/v1/RuntimeClass"}
	CSIDrivers      = Kind[Meta]{"storage.k8s.io/v1/CSIDriver"}
	CSINodes        = Kind[CSINode]{"storage.k8s.io/v1/CSINode"}

	Roles               = Kind[Role]{"rbac.authorization.k8s.io/v1/Role"}
	ClusterRoles        = Kind[Role]{"rbac.authorization.k8s.io/v1/ClusterRole"}
	RoleBindings        = Kind[RoleBinding]{"rbac.authorization.k8s.io/v1/RoleBinding"}
	ClusterRoleBindings = Kind[RoleBinding]{"rbac.authorization.k8s.io/v1/ClusterRoleBinding"}

	CertificateRequests = Kind[CertificateRequest]{"certificates.k8s.io/v1/CertificateSigningRequest"}

	ValidatingAdmissionPolicies       = Kind[ValidatingAdmissionPolicy]{"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"}
	ValidatingAdmissionPolicyBindings = Kind[ValidatingAdmissionPolicyBinding]{"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding"}
	MutatingAdmissionPolicies         = Kind[MutatingAdmissionPolicy]{"admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"}
	MutatingAdmissionPolicyBindings   = Kind[MutatingAdmissionPolicyBinding]{"admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding"}
	ValidatingWebhookConfigurations   = Kind[WebhookConfiguration]{"admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration"}
	MutatingWebhookConfigurations     = Kind[WebhookConfiguration]{"admissionregistration.k8s.io/v1/MutatingWebhookConfiguration"}

	// PodSecurityDefaults is the cluster-wide configuration of the PodSecurity
	// admission plugin: at most one object. Collected and empty means that the
	// API server runs with the plugin's own defaults (privileged, no exemptions).
	PodSecurityDefaults = Kind[PodSecurityDefault]{"config/PodSecurityConfiguration"}
	// KubeletSeccompDefaults is what kubelets do with containers that set no
	// seccomp profile. Collected and empty means that no kubelet configuration
	// changes the default, which is to confine none.
	KubeletSeccompDefaults = Kind[KubeletSeccompDefault]{"config/KubeletConfiguration.seccompDefault"}
	// ComponentFiles are configuration files of cluster components, kubeconfigs
	// and certificates that were given: what they are and where, for the items
	// that will read them.
	ComponentFiles = Kind[ComponentFile]{"config/component"}
	// Authorizations are AuthorizationConfiguration files of API servers. Collected
	// and empty means that none was given, and that the input is none of a cluster
	// whose API servers are not seen.
	Authorizations = Kind[Authorization]{"config/Authorization"}
	// ABACPolicies are the lines of ABAC policy files.
	ABACPolicies = Kind[ABACPolicy]{"config/ABACPolicy"}
	// AccessReviews are the records of access reviews that were signed off.
	AccessReviews = Kind[AccessReview]{"config/AccessReview"}
	// Kubeconfigs and AuditEvents say who logs in as whom. No source brings them
	// yet: what cannot be told without them stays unknown.
	Kubeconfigs = Kind[Meta]{"config/kubeconfig"}
	AuditEvents = Kind[Meta]{"audit/events"}
	// Settings is what the user of Plimsoll stated: tiers, thresholds, and who
	// may have what a rule forbids. Exactly one object.
	Settings = Kind[Setting]{"config/settings"}
)

// How gaps of configuration that no API shows are closed.
const (
	HowPodSecurityDefaults    = "give the API server's AdmissionConfiguration file (--admission-control-config-file) as PATH"
	HowKubeletSeccompDefaults = "give the kubelets' KubeletConfiguration as PATH (kubeadm keeps it in the ConfigMap kube-system/kubelet-config)"
)

// PodBearers are the kinds that are pods or make them, in the order in which
// owners come before what they own.
var PodBearers = []Kind[*PodBearer]{
	CronJobs, Rollouts, DeploymentConfigs, Deployments, DaemonSets, StatefulSets, Jobs, ReplicaSets, ReplicationControllers, PodTemplates, Pods,
}

// Foreign policy kinds: objects that can change a verdict and that this
// version cannot read yet. A source that sees an object of one of them, its
// CustomResourceDefinition, or the API that serves it records an Unsupported
// gap; otherwise the kind is collected and empty.
var (
	AdminNetworkPolicies  = foreign("policy.networking.k8s.io", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
	CiliumNetworkPolicies = foreign("cilium.io", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
	CalicoNetworkPolicies = foreign("projectcalico.org", "NetworkPolicy", "GlobalNetworkPolicy")
	CalicoStoredPolicies  = foreign("crd.projectcalico.org", "NetworkPolicy", "GlobalNetworkPolicy")
)

// Foreign is a family of policy kinds of one API group that is only recognised.
type Foreign struct {
	Group string
	Kinds []string
}

// ID is the kind under which gaps of the family are recorded: its API group.
func (f Foreign) ID() report.KindID { return report.KindID(f.Group) }

// Need says that a check cannot pass where objects of the family may exist.
func (f Foreign) Need() Need { return Need{Kind: f.ID()} }

// Optional says that the family can decide what a check did not find.
func (f Foreign) Optional() Need { return Need{Kind: f.ID(), Optional: true} }

func foreign(group string, kinds ...string) Foreign { return Foreign{group, kinds} }

// Foreigns lists the families.
var Foreigns = []Foreign{
	AdminNetworkPolicies, CiliumNetworkPolicies, CalicoNetworkPolicies, CalicoStoredPolicies,
}

// ForeignFor finds the family of a group and kind.
func ForeignFor(group, kind string) (Foreign, bool) {
	for _, f := range Foreigns {
		if f.Group == group && slices.Contains(f.Kinds, kind) {
			return f, true
		}
	}
	return Foreign{}, false
}

// Gap is the gap to record where the family is present; detail says what was
// seen ("its CustomResourceDefinition is installed").
func (f Foreign) Gap(detail string) report.Gap {
	return report.Gap{
		Kind: f.ID(), Cause: report.Unsupported, Detail: detail,
		How: "this version does not read " + f.Group + " policies yet",
	}
}

// Resource says how a kind is read from an API server.
type Resource struct {
	Kind       report.KindID
	Group      string
	Version    string
	Resource   string
	Namespaced bool
	// Metadata is true where only a server-side Table without the object's
	// content is asked for.
	Metadata bool
	// Observed is true where the cluster makes the objects, or makes ones that
	// nobody wrote: manifests without any do not say that there are none.
	Observed bool
}

// Resources lists what can be read from an API server.
var Resources = []Resource{
	{Kind: Namespaces.ID, Version: "v1", Resource: "namespaces", Observed: true},
	{Kind: Nodes.ID, Version: "v1", Resource: "nodes", Observed: true},
	{Kind: Pods.ID, Version: "v1", Resource: "pods", Namespaced: true},
	{Kind: ReplicationControllers.ID, Version: "v1", Resource: "replicationcontrollers", Namespaced: true},
	{Kind: PodTemplates.ID, Version: "v1", Resource: "podtemplates", Namespaced: true},
	{Kind: Deployments.ID, Group: "apps", Version: "v1", Resource: "deployments", Namespaced: true},
	{Kind: ReplicaSets.ID, Group: "apps", Version: "v1", Resource: "replicasets", Namespaced: true},
	{Kind: StatefulSets.ID, Group: "apps", Version: "v1", Resource: "statefulsets", Namespaced: true},
	{Kind: DaemonSets.ID, Group: "apps", Version: "v1", Resource: "daemonsets", Namespaced: true},
	{Kind: Jobs.ID, Group: "batch", Version: "v1", Resource: "jobs", Namespaced: true},
	{Kind: CronJobs.ID, Group: "batch", Version: "v1", Resource: "cronjobs", Namespaced: true},
	{Kind: ServiceAccounts.ID, Version: "v1", Resource: "serviceaccounts", Namespaced: true},
	{Kind: Secrets.ID, Version: "v1", Resource: "secrets", Namespaced: true, Metadata: true},
	{Kind: LimitRanges.ID, Version: "v1", Resource: "limitranges", Namespaced: true},
	{Kind: ResourceQuotas.ID, Version: "v1", Resource: "resourcequotas", Namespaced: true},
	{Kind: NetworkPolicies.ID, Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies", Namespaced: true},
	{Kind: ConfigMaps.ID, Version: "v1", Resource: "configmaps", Namespaced: true},
	{Kind: Services.ID, Version: "v1", Resource: "services", Namespaced: true},
	{Kind: EndpointSlices.ID, Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices", Namespaced: true, Observed: true},
	{Kind: RuntimeClasses.ID, Group: "node.k8s.io", Version: "v1", Resource: "runtimeclasses"},
	{Kind: CSIDrivers.ID, Group: "storage.k8s.io", Version: "v1", Resource: "csidrivers"},
	{Kind: CSINodes.ID, Group: "storage.k8s.io", Version: "v1", Resource: "csinodes", Observed: true},
	{Kind: Roles.ID, Group: rbacv1.GroupName, Version: "v1", Resource: "roles", Namespaced: true},
	{Kind: ClusterRoles.ID, Group: rbacv1.GroupName, Version: "v1", Resource: "clusterroles"},
	{Kind: RoleBindings.ID, Group: rbacv1.GroupName, Version: "v1", Resource: "rolebindings", Namespaced: true},
	{Kind: ClusterRoleBindings.ID, Group: rbacv1.GroupName, Version: "v1", Resource: "clusterrolebindings"},
	{Kind: CertificateRequests.ID, Group: "certificates.k8s.io", Version: "v1", Resource: "certificatesigningrequests", Observed: true},
	{Kind: ValidatingAdmissionPolicies.ID, Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"},
	{Kind: ValidatingAdmissionPolicyBindings.ID, Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"},
	{Kind: MutatingAdmissionPolicies.ID, Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicies"},
	{Kind: MutatingAdmissionPolicyBindings.ID, Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicybindings"},
	{Kind: ValidatingWebhookConfigurations.ID, Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"},
	{Kind: MutatingWebhookConfigurations.ID, Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"},
}

// clusterScoped are the kinds of the API server whose objects are in no namespace.
//
// https://github.com/kubernetes/apiserver/blob/v0.37.2/pkg/registry/rest/meta.go
var clusterScoped = func() map[report.KindID]bool {
	kinds := map[report.KindID]bool{}
	for _, r := range Resources {
		kinds[r.Kind] = !r.Namespaced
	}
	return kinds
}()

// ResourceFor finds how a kind is read from an API server.
func ResourceFor(k report.KindID) (Resource, bool) {
	i := slices.IndexFunc(Resources, func(r Resource) bool { return r.Kind == k })
	if i < 0 {
		return Resource{}, false
	}
	return Resources[i], true
}

// howToCollect says how to bring a kind of evidence into a scan.
func howToCollect(k report.KindID) string {
	_, custom := CustomOf(k)
	if _, ok := ResourceFor(k); ok || custom {
		return "scan the cluster, or add these objects to the input"
	}
	switch k {
	case PodSecurityDefaults.ID:
		return HowPodSecurityDefaults
	case KubeletSeccompDefaults.ID:
		return HowKubeletSeccompDefaults
	case Kubeconfigs.ID:
		return "look into the kubeconfigs of every control-plane node (/etc/kubernetes/*.conf): this version does not read them yet"
	case AuditEvents.ID:
		return "look for the group system:masters in the API server's audit log: this version does not read it yet"
	case AccessReviews.ID:
		return HowAccessReviews
	case Authorizations.ID:
		return HowAuthorizations
	case ABACPolicies.ID:
		return HowABACPolicies
	}
	return ""
}
