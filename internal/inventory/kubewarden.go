package inventory

import (
	"github.com/go-json-experiment/json/jsontext"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kubewarden's policies. Of a group, several policies under one expression,
// only is read what it is about.
var (
	KubewardenClusterPolicies = Kind[KubewardenPolicy]{"policies.kubewarden.io/ClusterAdmissionPolicy"}
	KubewardenPolicies        = Kind[KubewardenPolicy]{"policies.kubewarden.io/AdmissionPolicy"}
	KubewardenClusterGroups   = Kind[KubewardenPolicy]{"policies.kubewarden.io/ClusterAdmissionPolicyGroup"}
	KubewardenGroups          = Kind[KubewardenPolicy]{"policies.kubewarden.io/AdmissionPolicyGroup"}
)

var kubewardenKinds = []Custom{
	customKind(KubewardenClusterPolicies, "clusteradmissionpolicies", false, "v1", "v1alpha2"),
	customKind(KubewardenPolicies, "admissionpolicies", true, "v1", "v1alpha2"),
	customKind(KubewardenClusterGroups, "clusteradmissionpolicygroups", false, "v1"),
	customKind(KubewardenGroups, "admissionpolicygroups", true, "v1"),
}

// KubewardenPolicy is a WebAssembly module at work.
//
// https://docs.kubewarden.io/reference/CRDs
type KubewardenPolicy struct {
	Meta `json:"-"`
	Spec struct {
		// Module is where the module comes from:
		// "registry://ghcr.io/kubewarden/policies/pod-privileged:v0.3.2".
		Module   string         `json:"module"`
		Settings jsontext.Value `json:"settings"`
		// Mode is protect (default) or monitor.
		Mode              string                           `json:"mode"`
		Rules             []admissionv1.RuleWithOperations `json:"rules"`
		NamespaceSelector *metav1.LabelSelector            `json:"namespaceSelector"`
		ObjectSelector    *metav1.LabelSelector            `json:"objectSelector"`
		MatchConditions   []admissionv1.MatchCondition     `json:"matchConditions"`
		FailurePolicy     *admissionv1.FailurePolicyType   `json:"failurePolicy"`
	} `json:"spec"`
	Status struct {
		// State is "active" when the policy server runs the policy; empty where
		// nothing observed it.
		State string `json:"policyStatus"`
	} `json:"status"`
}
