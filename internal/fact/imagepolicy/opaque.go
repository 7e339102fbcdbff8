package imagepolicy

import (
	"path"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// opaque are the policies that may verify images by code that is not read:
// Gatekeeper's that ask an external verifier such as Ratify, Kubewarden's, and
// the backend of the API server's ImagePolicyWebhook.
func opaque(v inventory.View) []verdicts {
	return []verdicts{gatekeeper(v), kubewarden(v), reviewer(v)}
}

// asksVerifier reports whether a template calls an external data provider that
// verifies signatures: Ratify, or the provider for cosign.
//
// https://ratify.dev/docs/quickstarts/quickstart-manual
// https://github.com/sigstore/cosign-gatekeeper-provider
func asksVerifier(t inventory.GatekeeperTemplate) bool {
	code := strings.ToLower(string(t.Spec.Targets))
	return strings.Contains(code, "external_data(") && (strings.Contains(code, "ratify") || strings.Contains(code, "cosign"))
}

func gatekeeper(v inventory.View) verdicts {
	kinds := map[string]bool{}
	for t := range inventory.All(v, inventory.GatekeeperTemplates) {
		kinds[t.Value.Spec.CRD.Spec.Names.Kind] = asksVerifier(t.Value)
	}
	var all []inventory.Object[inventory.GatekeeperConstraint]
	for c := range inventory.All(v, inventory.GatekeeperConstraints) {
		if kinds[c.Kind] || c.Kind == "RatifyVerification" {
			all = append(all, c)
		}
	}
	verifiers := inventory.Len(v, inventory.RatifyVerifiers) + inventory.Len(v, inventory.RatifyNamespacedVerifiers) + inventory.Len(v, inventory.RatifyExecutors)
	return func(im *Image, ns namespace, say func(opinion)) {
		if verifiers > 0 && len(all) == 0 {
			say(opinion{no, "Ratify", "is configured, but no constraint of Gatekeeper asks it"})
		}
		for _, c := range all {
			o := opinion{policy: named("Gatekeeper", c.Subject)}
			m := &c.Value.Spec.Match
			// Names of namespaces may begin or end with an asterisk.
			if len(m.Namespaces) > 0 && !inventory.Globs(m.Namespaces, ns.name) || inventory.Globs(m.ExcludedNamespaces, ns.name) || ns.selected(m.NamespaceSelector) == no {
				say(o)
				continue
			}
			switch c.Value.Spec.Action {
			case "dryrun", "warn":
				o.why = "is about it, but does not refuse it (enforcementAction " + c.Value.Spec.Action + ")"
			default:
				o.answer, o.why = maybe, "asks an external verifier, whose configuration is not evaluated"
			}
			say(o)
		}
	}
}

// kubewarden finds the policies whose module verifies signatures.
//
// https://github.com/kubewarden/verify-image-signatures
func kubewarden(v inventory.View) verdicts {
	var all []inventory.Object[inventory.KubewardenPolicy]
	for _, k := range []inventory.Kind[inventory.KubewardenPolicy]{inventory.KubewardenClusterPolicies, inventory.KubewardenPolicies} {
		for o := range inventory.All(v, k) {
			if strings.Contains(o.Value.Spec.Module, "verify-image-signatures") {
				all = append(all, o)
			}
		}
	}
	return func(im *Image, ns namespace, say func(opinion)) {
		for _, k := range all {
			o := opinion{policy: named("Kubewarden", k.Subject)}
			switch {
			case k.Namespace != "" && k.Namespace != ns.name, ns.selected(k.Value.Spec.NamespaceSelector) == no:
			case k.Value.Spec.Mode == "monitor":
				o.why = "is about it, but only monitors"
			default:
				o.answer, o.why = maybe, "verifies signatures, but its settings are not read"
			}
			say(o)
		}
	}
}

// reviewer finds API servers whose ImagePolicyWebhook plugin asks a backend
// about every image.
//
// https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#imagepolicywebhook
func reviewer(v inventory.View) verdicts {
	on := false
	for pod := range inventory.In(v, inventory.Pods, "kube-system") {
		for _, c := range pod.Value.Template.Spec.Containers {
			line := slices.Concat(c.Command, c.Args)
			on = on || slices.ContainsFunc(line, func(word string) bool { return path.Base(word) == "kube-apiserver" }) &&
				slices.ContainsFunc(line, func(word string) bool {
					return strings.HasPrefix(word, "--enable-admission-plugins=") && strings.Contains(word, "ImagePolicyWebhook")
				})
		}
	}
	return func(_ *Image, _ namespace, say func(opinion)) {
		if on {
			say(opinion{maybe, "the API server", "asks a backend about every image (ImagePolicyWebhook), whose answers, and what counts without one (defaultAllow), are not known"})
		}
	}
}
