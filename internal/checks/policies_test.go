package checks

import (
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// policy makes a policy of one of the projects, each with some that are for
// all namespaces, some for a few, and some that only audit.
func (m maker) policy(i int) {
	name := fmt.Sprint("policy-", i)
	action := []string{"Enforce", "Enforce", "Audit"}[i%3]
	namespaces := fmt.Sprintf(`["*-%04d*", "team-%05d"]`, i%10, i%max(m.namespaces, 1))
	switch i % 8 {
	case 0:
		m.custom("kyverno.io/v1", "ClusterPolicy", "", name, fmt.Sprintf(`"spec": {"validationFailureAction": %q, "rules": [{"name": "baseline",
			"match": {"any": [{"resources": {"kinds": ["Pod"], "namespaceSelector": {"matchLabels": {"team": "%d"}}}}]},
			"exclude": {"any": [{"resources": {"namespaces": %s}}]},
			"validate": {"podSecurity": {"level": "baseline", "version": "latest"}}}]}`, action, i%100, namespaces))
	case 1:
		m.custom("kyverno.io/v1", "ClusterPolicy", "", name, fmt.Sprintf(`"spec": {"validationFailureAction": %q, "rules": [{"name": "privileged",
			"match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
			"validate": {"pattern": {"spec": {"containers": [{"=(securityContext)": {"=(privileged)": "false"}}]}}}}]}`, action))
	case 2:
		if i%16 == 2 {
			m.custom("policies.kyverno.io/v1", "ImageValidatingPolicy", "", name, fmt.Sprintf(`"spec": {
				"matchConstraints": {"namespaceSelector": {"matchLabels": {"team": "%d"}}, "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
				"matchImageReferences": [{"glob": "registry.example.com/*"}], "attestors": [{"name": "a", "cosign": {"key": {"data": "-----BEGIN PUBLIC KEY-----"}}}],
				"validations": [{"expression": "images.containers.map(image, verifyImageSignatures(image, [attestors.a])).all(e, e > 0)"}]}`, i%100))
			return
		}
		m.custom("kyverno.io/v1", "ClusterPolicy", "", name, fmt.Sprintf(`"spec": {"validationFailureAction": %q, "rules": [{"name": "signed",
			"match": {"any": [{"resources": {"kinds": ["Pod"], "namespaces": %s}}]},
			"verifyImages": [{"imageReferences": ["registry.example.com/team-%d/*", "ghcr.io/acme/*"], "attestors": [{"entries": [{"keys": {"kms": "awskms:///alias/a"}}]}]}]}]}`, action, namespaces, i%100))
	case 3:
		m.custom("kyverno.io/v2", "PolicyException", m.in(i), name, fmt.Sprintf(`"spec": {
			"match": {"any": [{"resources": {"kinds": ["Pod"], "namespaces": [%q], "names": ["app-*"]}}]},
			"exceptions": [{"policyName": "policy-%d", "ruleNames": ["*"]}]}`, m.in(i), i-3))
	case 4:
		kind := []string{"K8sPSPPrivilegedContainer", "K8sPSPHostNamespace", "K8sPSPHostFilesystem", "K8sPSPVolumeTypes", "K8sRequiredLabels"}[i/8%5]
		if i/8 < 5 {
			m.custom("templates.gatekeeper.sh/v1", "ConstraintTemplate", "", kind, fmt.Sprintf(`"spec": {"crd": {"spec": {"names": {"kind": %q}}},
				"targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": "ephemeralContainers"}]}`, kind))
		}
		m.custom("constraints.gatekeeper.sh/v1beta1", kind, "", name, fmt.Sprintf(`"spec": {
			"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "excludedNamespaces": %s, "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}}`, namespaces))
	case 5:
		m.custom("policy.sigstore.dev/v1beta1", "ClusterImagePolicy", "", name, fmt.Sprintf(`"spec": {"images": [{"glob": "registry.example.com/team-%d/**"}],
			"authorities": [{"keyless": {"url": "https://fulcio.sigstore.dev", "identities": [{"issuer": "https://accounts.example.com", "subject": "build@example.com"}]}}]}`, i%100))
	case 6:
		m.custom("kyverno.io/v1", "Policy", m.in(i), name, fmt.Sprintf(`"spec": {"validationFailureAction": %q, "rules": [{"name": "host",
			"match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
			"validate": {"pattern": {"spec": {"=(hostNetwork)": "false"}}}}]}`, action))
	default:
		selector := &metav1.LabelSelector{MatchLabels: map[string]string{"team": fmt.Sprint(i % 100)}}
		m.add(&admissionv1.ValidatingAdmissionPolicy{ObjectMeta: named("", name), Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{NamespaceSelector: selector, ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{"CREATE", "UPDATE"}, Rule: admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}}}},
			ParamKind:   &admissionv1.ParamKind{APIVersion: "v1", Kind: "ConfigMap"},
			Validations: []admissionv1.Validation{{Expression: "!has(object.spec.hostNetwork) || object.spec.hostNetwork == false"}},
		}})
		m.add(&corev1.ConfigMap{ObjectMeta: named(m.in(i), name)})
		m.add(&admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: named("", name), Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			ParamRef: &admissionv1.ParamRef{Namespace: m.in(i), Name: name},
		}})
	}
}
