package inventory

// The policies of Portieris. Those of a namespace, where it has any, count
// instead of those of the cluster.
var (
	PortierisPolicies        = Kind[PortierisPolicy]{"portieris.cloud.ibm.com/ImagePolicy"}
	PortierisClusterPolicies = Kind[PortierisPolicy]{"portieris.cloud.ibm.com/ClusterImagePolicy"}
)

var portierisKinds = []Custom{
	customKind(PortierisPolicies, "imagepolicies", true, "v1"),
	customKind(PortierisClusterPolicies, "clusterimagepolicies", false, "v1"),
}

// PortierisPolicy is an ImagePolicy or ClusterImagePolicy.
//
// https://github.com/IBM/portieris/blob/main/pkg/apis/portieris.cloud.ibm.com/v1/types.go
type PortierisPolicy struct {
	Meta `json:"-"`
	Spec struct {
		Repositories []PortierisRepository `json:"repositories"`
	} `json:"spec"`
}

// PortierisRepository says what images of some name must show.
type PortierisRepository struct {
	// Name may hold asterisks.
	Name   string `json:"name"`
	Policy struct {
		Trust struct {
			Enabled bool `json:"enabled"`
		} `json:"trust"`
		// Simple are requirements that all must hold: signedBy, reject,
		// insecureAcceptAnything.
		Simple struct {
			Requirements []struct {
				Type string `json:"type"`
			} `json:"requirements"`
		} `json:"simple"`
		// MutateImage is true unless it is false: the verified digest is put in
		// the place of the tag.
		MutateImage *bool `json:"mutateImage"`
	} `json:"policy"`
}
