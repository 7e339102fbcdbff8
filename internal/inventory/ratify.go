package inventory

// What Ratify verifies with. It refuses nothing itself: a constraint of
// Gatekeeper asks it.
var (
	RatifyVerifiers           = Kind[RatifyVerifier]{"config.ratify.deislabs.io/Verifier"}
	RatifyNamespacedVerifiers = Kind[RatifyVerifier]{"config.ratify.deislabs.io/NamespacedVerifier"}
	RatifyExecutors           = Kind[RatifyVerifier]{"config.ratify.dev/Executor"}
)

var ratifyKinds = []Custom{
	customKind(RatifyVerifiers, "verifiers", false, "v1beta1", "v1alpha1"),
	customKind(RatifyNamespacedVerifiers, "namespacedverifiers", true, "v1beta1"),
	customKind(RatifyExecutors, "executors", false, "v2alpha1"),
}

// RatifyVerifier is a Verifier of Ratify v1 or an Executor of v2, which are only
// recognised.
//
// https://github.com/ratify-project/ratify/tree/dev/api
type RatifyVerifier struct {
	Meta `json:"-"`
}
