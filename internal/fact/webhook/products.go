package webhook

import "path"

// products are the admission products whose webhooks enforce security policy,
// by the names of their webhooks; "*" stands for any characters. A product's
// other webhooks, which check its own objects, are not listed: nothing of a
// tenant's passes through them.
//
// Nor are those that only set defaults, which a validating webhook looks at
// afterwards (Gatekeeper's mutation), nor service meshes, certificate managers
// and the like: they lose a feature when they are not asked, not a policy.
var products = []struct{ name, webhook, source string }{
	{"Gatekeeper", "validation.gatekeeper.sh", "https://github.com/open-policy-agent/gatekeeper/blob/master/deploy/gatekeeper.yaml"},
	{"Gatekeeper", GatekeeperLabelGuard, "https://github.com/open-policy-agent/gatekeeper/blob/master/deploy/gatekeeper.yaml"},
	{"Kyverno", "validate.kyverno.svc*", "https://github.com/kyverno/kyverno/blob/main/pkg/config/config.go"},
	{"Kyverno", "mutate.kyverno.svc*", "https://github.com/kyverno/kyverno/blob/main/pkg/config/config.go"}, // verifies images, too
	{"Kyverno", "*vpol.validate.kyverno.svc*", "https://github.com/kyverno/kyverno/blob/main/pkg/config/config.go"},
	{"policy-controller", "policy.sigstore.dev", "https://github.com/sigstore/policy-controller/blob/main/config/500-webhook-configuration.yaml"},
	{"Connaisseur", "connaisseur-svc.*.svc", "https://github.com/sse-secure-systems/connaisseur/blob/master/charts/connaisseur/templates/webhook%2Bcertificate.yaml"},
	{"Portieris", "trust.hooks.securityenforcement.admission.cloud.ibm.com", "https://github.com/IBM/portieris/blob/main/helm/portieris/templates/webhooks.yaml"},
	{"Kubewarden", "*.kubewarden.admission", "https://docs.kubewarden.io/quick-start"},
	{"Open Policy Agent", "validating-webhook.openpolicyagent.org", "https://www.openpolicyagent.org/docs/kubernetes/tutorial"},
	{"Pod Security webhook", "pod-security-webhook.kubernetes.io", "https://github.com/kubernetes/pod-security-admission/blob/master/webhook/manifests/70-validatingwebhookconfiguration.yaml"},
	{"StackRox", "policyeval.stackrox.io", "https://github.com/stackrox/stackrox"},
	{"Aqua", "imageassurance.aquasec.com", "https://github.com/aquasecurity/aqua-operator"},
	{"Prisma Cloud", "validating-webhook.twistlock.com", "https://docs.paloaltonetworks.com/prisma/prisma-cloud/22-01/prisma-cloud-compute-edition-admin/access_control/open_policy_agent"},
	{"Polaris", "polaris.fairwinds.com", "https://polaris.docs.fairwinds.com/admission-controller/"},
}

// GatekeeperLabelGuard is the webhook of Gatekeeper that lets only the
// namespaces that its flags name carry [GatekeeperIgnoreLabel].
//
// https://open-policy-agent.github.io/gatekeeper/website/docs/exempt-namespaces
const (
	GatekeeperLabelGuard  = "check-ignore-label.gatekeeper.sh"
	GatekeeperIgnoreLabel = "admission.gatekeeper.sh/ignore"
)

// product names the security product that a webhook belongs to.
func product(webhook string) string {
	for _, p := range products {
		// Names of webhooks are DNS names: no slash stops an asterisk.
		if ok, _ := path.Match(p.webhook, webhook); ok {
			return p.name
		}
	}
	return ""
}
