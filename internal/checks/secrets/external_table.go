package secrets

import (
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/fact/images"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// mechanism is one way in which secrets of a store outside of the cluster come
// to pods.
type mechanism struct {
	name string
	// images are the repositories of its programs, by their last components:
	// mirrors keep those.
	images []string
	// objects ask for secrets, or say how their store is reached.
	objects []stored
	// annotation on a pod asks for secrets, with the value "true".
	annotation string
	// webhook is the name of the mutating webhook that sends pods to it.
	webhook string
	source  string
}

// stored is a kind of objects that report their own health.
type stored struct {
	kind inventory.Kind[inventory.StoredSecret]
	// healthy are the types of the conditions that are True of a healthy object.
	healthy []string
	// store is true of kinds that say how a store is reached.
	store bool
}

const vaultInject = "vault.hashicorp.com/agent-inject"

// The conditions of each project stand in the types of its API, or where its
// controller sets them.
var (
	ready = []string{"Ready"}
	// https://github.com/hashicorp/vault-secrets-operator/blob/main/consts/types.go
	vaultHealthy = []string{"Healthy", "Ready", "SecretSynced"}
)

// mechanisms are those that are known. Sealed Secrets and SOPS are none: they
// encrypt what stands in manifests, and have no store outside of the cluster.
var mechanisms = []mechanism{
	{name: "Secrets Store CSI driver", images: []string{"csi-secrets-store/driver", "secrets-store/driver", "secrets-store-csi-driver"},
		source: "https://github.com/kubernetes-sigs/secrets-store-csi-driver/blob/main/deploy/secrets-store-csi-driver.yaml"},
	{name: "External Secrets Operator", images: []string{"external-secrets", "external-secrets-rhel9"}, objects: []stored{
		{inventory.SecretStores, ready, true}, {inventory.ClusterSecretStores, ready, true}, {inventory.ExternalSecrets, ready, false},
	}, source: "https://github.com/external-secrets/external-secrets/tree/main/deploy/charts/external-secrets"},
	{name: "Vault Agent Injector", images: []string{"vault-k8s"}, annotation: vaultInject, webhook: "vault.hashicorp.com",
		source: "https://developer.hashicorp.com/vault/docs/platform/k8s/injector"},
	{name: "Vault Secrets Operator", images: []string{"vault-secrets-operator"}, objects: []stored{
		{inventory.VaultConnections, vaultHealthy, true}, {inventory.VaultAuths, vaultHealthy, true}, {inventory.HCPAuths, vaultHealthy, true},
		{inventory.VaultStaticSecrets, vaultHealthy, false}, {inventory.VaultDynamicSecrets, vaultHealthy, false},
		{inventory.VaultPKISecrets, vaultHealthy, false}, {inventory.HCPVaultSecretsApps, vaultHealthy, false},
	}, source: "https://github.com/hashicorp/vault-secrets-operator/tree/main/api/v1beta1"},
	{name: "Bank-Vaults webhook", images: []string{"vault-secrets-webhook"}, webhook: "pods.vault-secrets-webhook.admission.banzaicloud.com",
		source: "https://github.com/bank-vaults/vault-secrets-webhook"},
	{name: "1Password", images: []string{"onepassword-operator", "1password/connect-api", "1password/connect-sync", "1password/kubernetes-secrets-injector"},
		objects: []stored{{inventory.OnePasswordItems, ready, false}},
		source:  "https://github.com/1Password/onepassword-operator/blob/main/api/v1/onepassworditem_types.go"},
	{name: "Akeyless injector", images: []string{"akeyless/k8s-webhook-server"}, annotation: "akeyless/enabled",
		source: "https://docs.akeyless.io/docs/how-to-provision-secret-to-your-k8s"},
	{name: "CyberArk Secrets Provider", images: []string{"cyberark/secrets-provider-for-k8s"}, source: "https://github.com/cyberark/secrets-provider-for-k8s"},
	{name: "Doppler", images: []string{"dopplerhq/kubernetes-operator", "doppler-kubernetes-operator"},
		objects: []stored{{inventory.DopplerSecrets, []string{"secrets.doppler.com/SecretSyncReady"}, false}},
		source:  "https://github.com/DopplerHQ/kubernetes-operator"},
	{name: "Infisical", images: []string{"infisical/kubernetes-operator"}, objects: []stored{
		{inventory.InfisicalSecrets, []string{"secrets.infisical.com/ReadyToSyncSecrets"}, false},
		{inventory.InfisicalStaticSecrets, []string{"secrets.infisical.com/LastReconcileStatus"}, false},
	}, source: "https://github.com/Infisical/kubernetes-operator"},
}

// providers are the images of the Secrets Store CSI driver's providers, by the
// name that a SecretProviderClass gives.
//
// https://secrets-store-csi-driver.sigs.k8s.io/providers
var providers = map[string][]string{
	"akeyless":  {"akeyless-csi-provider"},
	"aws":       {"secrets-store-csi-driver-provider-aws"},
	"azure":     {"secrets-store/provider-azure"},
	"conjur":    {"conjur-k8s-csi-provider"},
	"gcp":       {"secrets-store-csi-driver-provider-gcp/plugin"},
	"infisical": {"infisical-csi-provider"},
	"openbao":   {"openbao-csi-provider"},
	"vault":     {"vault-csi-provider"},
}

// Drivers of CSI volumes that hold secrets of a store. The driver of Google's
// add-on has its provider built in.
const (
	secretsStoreDriver = "secrets-store.csi.k8s.io"
	gkeDriver          = "secrets-store-gke.csi.k8s.io"
	vaultDriver        = "csi.vso.hashicorp.com"
	gkeProvider        = "gke"
)

var storeDrivers = []string{secretsStoreDriver, gkeDriver, vaultDriver}

// storedNeeds are the kinds of objects of all mechanisms, stores or secrets.
func storedNeeds(of func(stored) bool) []inventory.Need {
	var needs []inventory.Need
	for _, m := range mechanisms {
		for _, s := range m.objects {
			if of(s) {
				needs = append(needs, s.kind.Need())
			}
		}
	}
	return needs
}

// agents are the names of mechanisms and providers by the repositories of their
// images.
var agents = func() map[string]string {
	byImage := map[string]string{}
	for _, m := range mechanisms {
		for _, image := range m.images {
			byImage[image] = m.name
		}
	}
	for name, repositories := range providers {
		for _, image := range repositories {
			byImage[image] = providerName(name)
		}
	}
	return byImage
}()

func providerName(name string) string { return "provider " + name }

// agentsOf names the mechanisms and providers that the workload is a part of,
// in the order of its containers.
func agentsOf(w *workload.Workload) []string {
	var names []string
	for c := range w.Containers() {
		ref, err := images.Parse(c.Image)
		for rest, more := ref.Repository, err == nil; more; _, rest, more = strings.Cut(rest, "/") {
			if name, ok := agents[rest]; ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
