package files

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
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

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// reader reads one kind of object in one API version.
type reader struct {
	// table is where the objects go; "" if there is no table any more.
	table report.KindID
	// current is the version that the object is read as.
	current string
	// removed is the Kubernetes version that stopped serving this one; "" if
	// it is served.
	removed string
	decode  decoder
}

// decoder makes an object of JSON text.
type decoder func([]byte, json.Options) (any, error)

// into decodes JSON as the API server does: names by their case, and of
// what is not known nothing.
func into[T any](data []byte, o json.Options) (any, error) {
	v := new(T)
	return v, json.Unmarshal(data, v, o)
}

var (
	// Base64 may go over several lines, as a block of YAML.
	decodeOptions = json.JoinOptions(json.JoinOptions(lenient...), jsonv1.ParseBytesWithLooseRFC4648(true))
	// strictOptions refuse fields that the API does not have, as kubectl does.
	// What a server has stored may be of a version with more fields.
	strictOptions = json.JoinOptions(decodeOptions, json.RejectUnknownMembers(true))
	// stringOptions also take a number or boolean where a string is wanted,
	// the most common mistake in manifests (an environment variable "true"
	// without its quotes). The API server refuses the object, but what it
	// says is plain.
	stringOptions = json.JoinOptions(decodeOptions, json.WithUnmarshalers(json.UnmarshalFromFunc(
		func(dec *jsontext.Decoder, s *string) error {
			switch dec.PeekKind() {
			case 't', 'f', '0':
				raw, err := dec.ReadValue()
				*s = string(raw)
				return err
			}
			return errors.ErrUnsupported
		})))
)

// secret is what is read of a Secret. Its values are not even converted.
type secret struct {
	metav1.ObjectMeta `json:"metadata"`
	Type              corev1.SecretType `json:"type"`
}

// readers are the kinds that are evidence, in all versions that ever were
// and have a shape that can be read. The versions that stopped serving them
// are those of the API lifecycle markers in k8s.io/api and of the
// deprecated API migration guide.
var readers = func() map[header]reader {
	m := map[header]reader{}
	add := func(k report.KindID, decode decoder, old ...string) {
		i := strings.LastIndexByte(string(k), '/')
		version, kind := string(k)[:i], string(k)[i+1:]
		m[header{version, kind}] = reader{table: k, current: version, decode: decode}
		for _, o := range old {
			oldVersion, removed, _ := strings.Cut(o, " ")
			m[header{oldVersion, kind}] = reader{table: k, current: version, removed: removed, decode: decode}
		}
	}
	add(inventory.Namespaces.ID, into[corev1.Namespace])
	add(inventory.Nodes.ID, into[corev1.Node])
	add(inventory.Pods.ID, into[corev1.Pod])
	add(inventory.ReplicationControllers.ID, into[corev1.ReplicationController])
	add(inventory.PodTemplates.ID, into[corev1.PodTemplate])
	add(inventory.ServiceAccounts.ID, into[corev1.ServiceAccount])
	add(inventory.Secrets.ID, into[secret])
	add(inventory.LimitRanges.ID, into[corev1.LimitRange])
	add(inventory.ResourceQuotas.ID, into[corev1.ResourceQuota])
	add(inventory.CertificateRequests.ID, into[certificatesv1.CertificateSigningRequest], "certificates.k8s.io/v1beta1 v1.22")
	add(inventory.Deployments.ID, into[appsv1.Deployment], "extensions/v1beta1 v1.16", "apps/v1beta1 v1.16", "apps/v1beta2 v1.16")
	add(inventory.ReplicaSets.ID, into[appsv1.ReplicaSet], "extensions/v1beta1 v1.16", "apps/v1beta2 v1.16")
	add(inventory.DaemonSets.ID, into[appsv1.DaemonSet], "extensions/v1beta1 v1.16", "apps/v1beta2 v1.16")
	add(inventory.StatefulSets.ID, into[appsv1.StatefulSet], "apps/v1beta1 v1.16", "apps/v1beta2 v1.16")
	add(inventory.Jobs.ID, into[batchv1.Job], "extensions/v1beta1 v1.6")
	add(inventory.CronJobs.ID, into[batchv1.CronJob], "batch/v1beta1 v1.25", "batch/v2alpha1 v1.21")
	add(inventory.NetworkPolicies.ID, into[networkingv1.NetworkPolicy], "extensions/v1beta1 v1.16")
	add(inventory.ConfigMaps.ID, into[corev1.ConfigMap])
	add(inventory.Services.ID, into[corev1.Service])
	add(inventory.EndpointSlices.ID, into[discoveryv1.EndpointSlice], "discovery.k8s.io/v1beta1 v1.25", "discovery.k8s.io/v1alpha1 v1.21")
	add(inventory.RuntimeClasses.ID, into[nodev1.RuntimeClass], "node.k8s.io/v1beta1 v1.25")
	add(inventory.CSIDrivers.ID, into[storagev1.CSIDriver], "storage.k8s.io/v1beta1 v1.22")
	add(inventory.CSINodes.ID, into[storagev1.CSINode], "storage.k8s.io/v1beta1 v1.22")
	add(inventory.Roles.ID, into[rbacv1.Role], "rbac.authorization.k8s.io/v1beta1 v1.22", "rbac.authorization.k8s.io/v1alpha1 v1.23")
	add(inventory.ClusterRoles.ID, into[rbacv1.ClusterRole], "rbac.authorization.k8s.io/v1beta1 v1.22", "rbac.authorization.k8s.io/v1alpha1 v1.23")
	add(inventory.RoleBindings.ID, into[rbacv1.RoleBinding], "rbac.authorization.k8s.io/v1beta1 v1.22", "rbac.authorization.k8s.io/v1alpha1 v1.23")
	add(inventory.ClusterRoleBindings.ID, into[rbacv1.ClusterRoleBinding], "rbac.authorization.k8s.io/v1beta1 v1.22", "rbac.authorization.k8s.io/v1alpha1 v1.23")
	add(inventory.ValidatingAdmissionPolicies.ID, into[admissionv1.ValidatingAdmissionPolicy],
		"admissionregistration.k8s.io/v1beta1 v1.34", "admissionregistration.k8s.io/v1alpha1 v1.32")
	add(inventory.ValidatingAdmissionPolicyBindings.ID, into[admissionv1.ValidatingAdmissionPolicyBinding],
		"admissionregistration.k8s.io/v1beta1 v1.34", "admissionregistration.k8s.io/v1alpha1 v1.32")
	add(inventory.MutatingAdmissionPolicies.ID, into[admissionv1.MutatingAdmissionPolicy],
		"admissionregistration.k8s.io/v1beta1", "admissionregistration.k8s.io/v1alpha1")
	add(inventory.MutatingAdmissionPolicyBindings.ID, into[admissionv1.MutatingAdmissionPolicyBinding],
		"admissionregistration.k8s.io/v1beta1", "admissionregistration.k8s.io/v1alpha1")
	add(inventory.ValidatingWebhookConfigurations.ID, into[admissionv1.ValidatingWebhookConfiguration], "admissionregistration.k8s.io/v1beta1 v1.22")
	add(inventory.MutatingWebhookConfigurations.ID, into[admissionv1.MutatingWebhookConfiguration], "admissionregistration.k8s.io/v1beta1 v1.22")

	// Kinds without a table that are worth a note, because they do nothing now.
	m[header{"extensions/v1beta1", "PodSecurityPolicy"}] = reader{removed: "v1.16"}
	m[header{"policy/v1beta1", "PodSecurityPolicy"}] = reader{removed: "v1.25"}
	return m
}()

// makers are kinds of other projects that make pods from what is not a pod
// template, or deploy what is elsewhere. In manifests their pods are not seen.
var makers = map[header]bool{
	{"monitoring.coreos.com", "Prometheus"}: true, {"monitoring.coreos.com", "Alertmanager"}: true, {"monitoring.coreos.com", "ThanosRuler"}: true,
	{"helm.toolkit.fluxcd.io", "HelmRelease"}: true, {"kustomize.toolkit.fluxcd.io", "Kustomization"}: true, {"helm.cattle.io", "HelmChart"}: true,
	{"argoproj.io", "Application"}: true, {"argoproj.io", "ApplicationSet"}: true, {"argoproj.io", "Workflow"}: true, {"argoproj.io", "CronWorkflow"}: true,
	{"tekton.dev", "TaskRun"}: true, {"tekton.dev", "PipelineRun"}: true,
	{"ray.io", "RayCluster"}: true, {"kubeflow.org", "PyTorchJob"}: true, {"sparkoperator.k8s.io", "SparkApplication"}: true,
	{"operator.tigera.io", "Installation"}: true, {"postgresql.cnpg.io", "Cluster"}: true, {"kafka.strimzi.io", "Kafka"}: true,
	{"serving.knative.dev", "Service"}: true,
}

// group is the API group of an apiVersion, "" for the core group.
func group(apiVersion string) string {
	if g, _, ok := strings.Cut(apiVersion, "/"); ok {
		return g
	}
	return ""
}

// misnamed finds the table that an object means which no API has in that
// version or spelling: "apps/v9 Deployment", "v1 deployment". The API server
// refuses it, and it must not be overlooked.
func misnamed(h header) (report.KindID, bool) {
	if !builtIn(group(h.apiVersion)) {
		return "", false
	}
	for known, r := range readers {
		if r.table != "" && r.removed == "" && strings.EqualFold(known.kind, h.kind) {
			return r.table, true
		}
	}
	return "", false
}

// builtIn says whether a group is one of those that the tables come from.
func builtIn(group string) bool {
	switch group {
	case "", "apps", "extensions", "batch", "policy", rbacv1.GroupName, networkingv1.GroupName, admissionv1.GroupName,
		discoveryv1.GroupName, nodev1.GroupName, storagev1.GroupName:
		return true
	}
	return false
}
