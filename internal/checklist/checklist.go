// Package checklist is the Security Checklist of the Kubernetes documentation,
// box by box, in upstream order, and beside it what its companion page for
// developers asks of an application. Titles are worded by this project; the
// upstream texts are at [URL] and [CompanionURL].
//
// https://kubernetes.io/docs/concepts/security/security-checklist/ (CC BY 4.0)
// https://kubernetes.io/docs/concepts/security/application-security-checklist/ (CC BY 4.0)
package checklist

import "slices"

// The upstream pages: the document, and the companion page.
const (
	URL          = "https://kubernetes.io/docs/concepts/security/security-checklist/"
	CompanionURL = "https://kubernetes.io/docs/concepts/security/application-security-checklist/"
)

// Item is one box of the document, or an item of the section outside of it.
type Item struct {
	// Number is the item's place: section and position, "2.3", "A.1".
	Number string
	// ID is permanent, "network/default-deny"; the ids of its checks start with it.
	ID string
	// Section is the ID of the section it stands in.
	Section string
	// Title is what is true when the box is ticked.
	Title string
	// Short is the title for a narrow screen, at most 33 characters, so that it fits beside a severity.
	Short string
}

// Companion reports whether the item stands outside of the document.
func (it *Item) Companion() bool { return it.Section == Application.ID }

// Section is one heading of the document.
type Section struct {
	ID, Title string
	// Anchor is the heading's anchor on the upstream page.
	Anchor string
	Items  []*Item
}

// Number is what the numbers of its items begin with: "2", "A".
func (s Section) Number() string { return s.Items[0].Number[:1] }

// URL is the upstream heading.
func (s Section) URL() string {
	page := URL
	if s.ID == Application.ID {
		page = CompanionURL
	}
	return page + "#" + s.Anchor
}

// The boxes, one variable each, so that a check names its box and the compiler
// proves that it exists.
var (
	SystemMasters         = &Item{"1.1", "access/system-masters", "access", "Nobody authenticates as system:masters after bootstrapping", "nobody logs in as system:masters"}
	ControllerCredentials = &Item{"1.2", "access/controller-credentials", "access", "kube-controller-manager uses one service account per controller", "one account per controller"}
	RootCA                = &Item{"1.3", "access/root-ca", "access", "The root CA key is offline, or online with tight access", "the root CA key is held tightly"}
	CertificateLifetime   = &Item{"1.4", "access/certificate-lifetime", "access", "Intermediate and leaf certificates end within 3 years", "certificates end within 3 years"}
	AccessReview          = &Item{"1.5", "access/access-review", "access", "Access is reviewed at least every 24 months", "access reviewed every 24 months"}
	RBAC                  = &Item{"1.6", "access/rbac", "access", "The RBAC good practices are followed", "the RBAC good practices hold"}

	CNIPolicySupport = &Item{"2.1", "network/cni-policy-support", "network", "The CNI plugin enforces network policies", "the CNI enforces policies"}
	PolicyCoverage   = &Item{"2.2", "network/policy-coverage", "network", "Ingress and egress policies cover every workload", "policies cover every workload"}
	DefaultDeny      = &Item{"2.3", "network/default-deny", "network", "Each namespace denies all traffic by default", "default deny in every namespace"}
	Encryption       = &Item{"2.4", "network/encryption", "network", "Traffic inside the cluster is encrypted, if appropriate", "traffic inside is encrypted"}
	PublicExposure   = &Item{"2.5", "network/public-exposure", "network", "API server, kubelet and etcd are not exposed to the Internet", "control plane not on the Internet"}
	MetadataAPI      = &Item{"2.6", "network/metadata-api", "network", "Workloads cannot reach the cloud metadata API", "metadata API is filtered"}
	ServiceExposure  = &Item{"2.7", "network/service-exposure", "network", "Use of LoadBalancer and externalIPs is restricted", "LoadBalancers are restricted"}

	WorkloadRights    = &Item{"3.1", "pods/workload-rights", "pods", "Few subjects may create, update, patch or delete workloads", "few may change workloads"}
	SecurityStandards = &Item{"3.2", "pods/security-standards", "pods", "A fitting Pod Security Standard is enforced in every namespace", "Pod Security Standards enforced"}
	MemoryLimits      = &Item{"3.3", "pods/memory-limits", "pods", "Every container has a memory limit, not above its request", "memory limits equal requests"}
	CPULimits         = &Item{"3.4", "pods/cpu-limits", "pods", "Sensitive workloads have CPU limits", "CPU limits on sensitive workloads"}
	Seccomp           = &Item{"3.5", "pods/seccomp", "pods", "A seccomp profile confines every container", "seccomp confines every container"}
	LSM               = &Item{"3.6", "pods/lsm", "pods", "AppArmor or SELinux confines every container", "AppArmor or SELinux confines"}

	AuditProtection = &Item{"4.1", "logging/audit-protection", "logging", "Audit logs, if enabled, are protected from general access", "audit logs are protected"}
	LogsEndpoint    = &Item{"4.2", "logging/logs-endpoint", "logging", "The API server's /logs endpoint is off", "the /logs endpoint is off"}

	PlacementTiers     = &Item{"5.1", "placement/tiers", "placement", "Pods are placed by tier of sensitivity", "pods are placed by tier"}
	PlacementIsolation = &Item{"5.2", "placement/isolation", "placement", "Sensitive applications have their own nodes or a sandbox", "sensitive applications isolated"}

	ConfigMaps       = &Item{"6.1", "secrets/configmaps", "secrets", "ConfigMaps hold no confidential data", "no secrets in ConfigMaps"}
	EncryptionAtRest = &Item{"6.2", "secrets/encryption-at-rest", "secrets", "Secrets are encrypted at rest", "Secrets encrypted at rest"}
	ExternalStore    = &Item{"6.3", "secrets/external-store", "secrets", "Third-party secrets are injected by a working mechanism, if appropriate", "external secret store works"}
	TokenMounts      = &Item{"6.4", "secrets/token-mounts", "secrets", "Service account tokens are mounted only where they are needed", "no token where none is needed"}
	BoundTokens      = &Item{"6.5", "secrets/bound-tokens", "secrets", "Bound service account tokens are in use, not non-expiring ones", "bound tokens only"}

	MinimalImages        = &Item{"7.1", "images/minimal", "images", "Images hold only what they need", "images hold only what they need"}
	UnprivilegedUser     = &Item{"7.2", "images/unprivileged", "images", "Containers run as an unprivileged user", "containers run unprivileged"}
	ImageProvenance      = &Item{"7.3", "images/provenance", "images", "Images are referenced by digest, or signatures are verified at admission", "images by digest or signed"}
	ImageVulnerabilities = &Item{"7.4", "images/vulnerabilities", "images", "Images are scanned regularly and known vulnerabilities are patched", "images scanned and patched"}

	AdmissionPlugins  = &Item{"8.1", "admission/plugins", "admission", "A fitting set of admission plugins is enabled", "right admission plugins are on"}
	AdmissionPolicy   = &Item{"8.2", "admission/pod-policy", "admission", "A pod security policy is enforced at admission", "pod policy enforced at admission"}
	AdmissionWebhooks = &Item{"8.3", "admission/webhooks", "admission", "Admission plugins and webhooks are securely configured", "webhooks securely configured"}
)

// The items outside of the document: what the companion page asks of an
// application and no box does, and its like.
var (
	ApplicationDesign         = &Item{"A.1", "application/design", "application", "Applications follow the design that Kubernetes expects", "applications are well laid out"}
	ApplicationResources      = &Item{"A.2", "application/resources", "application", "Every container requests what it uses", "containers request what they use"}
	ApplicationServiceAccount = &Item{"A.3", "application/service-account", "application", "Workloads have a service account of their own", "workloads have their own account"}
	PodContext                = &Item{"A.4", "application/pod-context", "application", "Containers share neither root's group nor their processes", "no shared groups and processes"}
	ContainerContext          = &Item{"A.5", "application/container-context", "application", "Containers cannot write to their root filesystem", "root filesystems are read-only"}
	ImagePull                 = &Item{"A.6", "application/image-pull", "application", "Nodes run the image that a tag names today", "floating tags are pulled anew"}
	RuntimeSocket             = &Item{"A.7", "application/runtime-socket", "application", "No workload reaches the socket of a container runtime", "no runtime socket in a container"}
)

// Sections lists the eight sections with their boxes, in upstream order.
var Sections = []Section{
	{"access", "Authentication and authorization", "authentication-authorization", []*Item{SystemMasters, ControllerCredentials, RootCA, CertificateLifetime, AccessReview, RBAC}},
	{"network", "Network", "network-security", []*Item{CNIPolicySupport, PolicyCoverage, DefaultDeny, Encryption, PublicExposure, MetadataAPI, ServiceExposure}},
	{"pods", "Pod security", "pod-security", []*Item{WorkloadRights, SecurityStandards, MemoryLimits, CPULimits, Seccomp, LSM}},
	{"logging", "Logs and auditing", "logs-and-auditing", []*Item{AuditProtection, LogsEndpoint}},
	{"placement", "Pod placement", "pod-placement", []*Item{PlacementTiers, PlacementIsolation}},
	{"secrets", "Secrets", "secrets", []*Item{ConfigMaps, EncryptionAtRest, ExternalStore, TokenMounts, BoundTokens}},
	{"images", "Images", "images", []*Item{MinimalImages, UnprivilegedUser, ImageProvenance, ImageVulnerabilities}},
	{"admission", "Admission controllers", "admission-controllers", []*Item{AdmissionPlugins, AdmissionPolicy, AdmissionWebhooks}},
}

// Application is the section outside of the document. It is judged and counted
// apart: the boxes are 35 with and without it.
var Application = Section{"application", "Application", "base-security-hardening", []*Item{
	ApplicationDesign, ApplicationResources, ApplicationServiceAccount, PodContext, ContainerContext, ImagePull, RuntimeSocket,
}}

// AllSections lists the eight sections of the document and then the one
// outside of it.
func AllSections() []Section { return append(slices.Clone(Sections), Application) }

// Items lists the 35 boxes in upstream order.
func Items() []*Item { return items(Sections) }

// AllItems lists the 35 boxes and then the items outside of the document.
func AllItems() []*Item { return items(AllSections()) }

func items(sections []Section) []*Item {
	var all []*Item
	for _, s := range sections {
		all = append(all, s.Items...)
	}
	return all
}

// Anchor is the URL of the upstream heading that the item stands under.
func (it *Item) Anchor() string {
	for _, s := range AllSections() {
		if s.ID == it.Section {
			return s.URL()
		}
	}
	return URL
}
