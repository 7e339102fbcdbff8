package podpolicy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOpen: what can be passed by without anybody seeing it holds pods to
// nothing that is certain.
func TestOpen(t *testing.T) {
	const kyverno, validating = `unread: Kyverno ClusterPolicy "p" `, `unread: ValidatingAdmissionPolicy "p" `
	noHostPID := vap("object.spec.?hostPID.orValue(false) == false", "")
	bound := func(paramRef string) string {
		text := strings.Replace(noHostPID, "  matchConstraints:", "  paramKind: {apiVersion: v1, kind: ConfigMap}\n  matchConstraints:", 1)
		return strings.Replace(text, "policyName: p,", "policyName: p"+paramRef+",", 1)
	}
	policy := rule(`{pattern: {spec: {=(hostPID): "false"}}}`)
	filtered := func(filters string) string {
		return policy + "\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: kyverno, namespace: kyverno}\ndata: {resourceFilters: '" + filters + "'}\n"
	}
	const filter = kyverno + `may not run there: the resourceFilters in ConfigMap "kyverno" leave the namespace out`
	for name, test := range map[string]struct{ manifests, want string }{
		// An expression on a list that is not there is an error, and most pods have no initContainers.
		"errors pass": {strings.Replace(vap("(object.spec.containers + object.spec.initContainers + object.spec.ephemeralContainers).all(c, c.?securityContext.?privileged.orValue(false) == false)", ""),
			"  matchConstraints:", "  failurePolicy: Ignore\n  matchConstraints:", 1),
			`unread: ValidatingAdmissionPolicy "p" (failurePolicy Ignore) ` + letsPass},
		"parameter may be missing": {bound(", paramRef: {name: limits, namespace: policies, parameterNotFoundAction: Allow}"), validating + "is passed by while its parameter is missing (parameterNotFoundAction)"},
		"parameter must be there":  {bound(", paramRef: {name: limits, namespace: policies, parameterNotFoundAction: Deny}"), "hostNamespaces/hostPID"},
		"no parameter":             {bound(""), "hostNamespaces/hostPID"},
		"filtered":                 {filtered("[Event,*,*] [*/*,sh*,*]"), filter},
		"filtered pods":            {filtered("[Pod,shop,*]"), filter},
		"other filters":            {filtered("[Event,*,*][Pod/binding,*,*] [*/*,crm,*] [*]"), "hostNamespaces/hostPID"},
		"no namespace":             {strings.Replace(policy, "ClusterPolicy", "Policy", 1), `unread: Kyverno Policy "p" ` + noNamespace},
		"assertion":                {rule("{assert: {spec: {hostPID: false}}}"), kyverno + "asks for something that is not understood"},
		"no namespace, CEL": {shop + "apiVersion: policies.kyverno.io/v1\nkind: NamespacedValidatingPolicy\nmetadata: {name: p}\nspec:\n  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n  validations: [{expression: '!object.spec.hostPID'}]\n",
			`unread: Kyverno NamespacedValidatingPolicy "p" ` + noNamespace},
		"no namespace, module": {shop + "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicy\nmetadata: {name: p}\nspec: {module: 'ghcr.io/kubewarden/policies/volumes-psp:v1', rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n",
			`unread: Kubewarden AdmissionPolicy "p" ` + noNamespace},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(test.want, held(t, test.manifests)); d != "" {
				t.Error(d)
			}
		})
	}
}
