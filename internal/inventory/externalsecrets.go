package inventory

// Kinds of projects that bring secrets from a store outside of the cluster.
// What their conditions are called stands where they are judged.
var (
	SecretProviderClasses = Kind[SecretProviderClass]{"secrets-store.csi.x-k8s.io/SecretProviderClass"}

	SecretStores        = Kind[StoredSecret]{"external-secrets.io/SecretStore"}
	ClusterSecretStores = Kind[StoredSecret]{"external-secrets.io/ClusterSecretStore"}
	ExternalSecrets     = Kind[StoredSecret]{"external-secrets.io/ExternalSecret"}

	VaultConnections    = Kind[StoredSecret]{"secrets.hashicorp.com/VaultConnection"}
	VaultAuths          = Kind[StoredSecret]{"secrets.hashicorp.com/VaultAuth"}
	HCPAuths            = Kind[StoredSecret]{"secrets.hashicorp.com/HCPAuth"}
	VaultStaticSecrets  = Kind[StoredSecret]{"secrets.hashicorp.com/VaultStaticSecret"}
	VaultDynamicSecrets = Kind[StoredSecret]{"secrets.hashicorp.com/VaultDynamicSecret"}
	VaultPKISecrets     = Kind[StoredSecret]{"secrets.hashicorp.com/VaultPKISecret"}
	HCPVaultSecretsApps = Kind[StoredSecret]{"secrets.hashicorp.com/HCPVaultSecretsApp"}

	OnePasswordItems       = Kind[StoredSecret]{"onepassword.com/OnePasswordItem"}
	DopplerSecrets         = Kind[StoredSecret]{"secrets.doppler.com/DopplerSecret"}
	InfisicalSecrets       = Kind[StoredSecret]{"secrets.infisical.com/InfisicalSecret"}
	InfisicalStaticSecrets = Kind[StoredSecret]{"secrets.infisical.com/InfisicalStaticSecret"}
)

var externalSecretKinds = []Custom{
	customKind(SecretProviderClasses, "secretproviderclasses", true, "v1", "v1alpha1"),
	customKind(SecretStores, "secretstores", true, "v1", "v1beta1", "v1alpha1"),
	customKind(ClusterSecretStores, "clustersecretstores", false, "v1", "v1beta1", "v1alpha1"),
	customKind(ExternalSecrets, "externalsecrets", true, "v1", "v1beta1", "v1alpha1"),
	customKind(VaultConnections, "vaultconnections", true, "v1beta1"),
	customKind(VaultAuths, "vaultauths", true, "v1beta1"),
	customKind(HCPAuths, "hcpauths", true, "v1beta1"),
	customKind(VaultStaticSecrets, "vaultstaticsecrets", true, "v1beta1"),
	customKind(VaultDynamicSecrets, "vaultdynamicsecrets", true, "v1beta1"),
	customKind(VaultPKISecrets, "vaultpkisecrets", true, "v1beta1"),
	customKind(HCPVaultSecretsApps, "hcpvaultsecretsapps", true, "v1beta1"),
	customKind(OnePasswordItems, "onepassworditems", true, "v1"),
	customKind(DopplerSecrets, "dopplersecrets", true, "v1alpha1"),
	customKind(InfisicalSecrets, "infisicalsecrets", true, "v1alpha1"),
	customKind(InfisicalStaticSecrets, "infisicalstaticsecrets", true, "v1beta1"),
}

// SecretProviderClass says which provider of the Secrets Store CSI driver
// fetches the content of volumes.
//
// https://github.com/kubernetes-sigs/secrets-store-csi-driver/blob/main/apis/v1/secretproviderclass_types.go
type SecretProviderClass struct {
	Meta `json:"-"`
	Spec struct {
		Provider string `json:"provider"`
	} `json:"spec"`
}

// StoredSecret is an object of an operator that fetches secrets: one that says
// how a store is reached, or one that asks for secrets of it. The operators
// have their own fields for the same things:
//
//   - secretStoreRef, and Ready in the conditions:
//     https://github.com/external-secrets/external-secrets/blob/main/apis/externalsecrets/v1/externalsecret_types.go
//   - vaultAuthRef, hcpAuthRef, vaultConnectionRef, status.valid and conditions:
//     https://github.com/hashicorp/vault-secrets-operator/tree/main/api/v1beta1
type StoredSecret struct {
	Meta `json:"-"`
	Spec struct {
		SecretStoreRef struct {
			Name string `json:"name"`
			Kind string `json:"kind"`
		} `json:"secretStoreRef"`
		VaultAuthRef       string `json:"vaultAuthRef"`
		HCPAuthRef         string `json:"hcpAuthRef"`
		VaultConnectionRef string `json:"vaultConnectionRef"`
	} `json:"spec"`
	Status struct {
		Valid      *bool             `json:"valid"`
		Conditions []StoredCondition `json:"conditions"`
	} `json:"status"`
}

// StoredCondition is one condition of a status. Its message is left out: it is
// free text of a program that handles secrets.
type StoredCondition struct {
	Type   string `json:"type"`
	Status string `json:"status"` // "True", "False", "Unknown"
	Reason string `json:"reason"`
}
