package inventory

import (
	"cmp"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// How gaps of what decides about requests are closed.
const (
	HowAuthorizations = "scan the API server's manifest (/etc/kubernetes/manifests/kube-apiserver.yaml) by itself, or give its AuthorizationConfiguration (--authorization-config) as PATH"
	HowABACPolicies   = "give the API server's policy file (--authorization-policy-file) as PATH"
)

// Authorization is an AuthorizationConfiguration: which authorizers an API
// server asks, in this order.
type Authorization struct {
	Authorizers []Authorizer `json:"authorizers"`
}

// Authorizer is one of them.
type Authorizer struct {
	// Type is "Node", "RBAC", "Webhook", "ABAC", "AlwaysAllow" or "AlwaysDeny".
	Type string `json:"type"`
	Name string `json:"name"`
	// Webhook is nil but for that type.
	Webhook *AuthorizationWebhook `json:"webhook"`
}

// AuthorizationWebhook says when a webhook is asked, and what holds where it
// does not answer.
type AuthorizationWebhook struct {
	// FailurePolicy is "NoOpinion" or "Deny".
	FailurePolicy string `json:"failurePolicy"`
	// MatchConditions must all hold, in CEL.
	MatchConditions []struct {
		Expression string `json:"expression"`
	} `json:"matchConditions"`
}

// ABACGroup is the API group of ABAC policies.
const ABACGroup = "abac.authorization.kubernetes.io"

// ABACPolicy is one line of an ABAC policy file, as the API server takes it:
// "*" for users or groups stands there as the group system:authenticated.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/abac/types.go
type ABACPolicy struct {
	// User and Group must both match where both are set. A policy with neither
	// matches nobody.
	User  string `json:"user"`
	Group string `json:"group"`
	// Readonly limits the policy to get, list and watch.
	Readonly bool `json:"readonly"`
	// Namespace, Resource and APIGroup say which resources, their subresources
	// included; "*" is all. The namespace "" is that of what lies in none.
	Namespace string `json:"namespace"`
	Resource  string `json:"resource"`
	APIGroup  string `json:"apiGroup"`
	// NonResourcePath says which paths that are no resources; it may end in "*".
	NonResourcePath string `json:"nonResourcePath"`
}

// ReadABACPolicy reads one line of a policy file, in version v1beta1, or in the
// one without a version that came before it. The error does not quote it.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/auth/authorizer/abac/abac.go
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/abac/v1beta1/conversion.go
func ReadABACPolicy(line []byte) (ABACPolicy, error) {
	var p struct {
		APIVersion string     `json:"apiVersion"`
		Kind       string     `json:"kind"`
		Spec       ABACPolicy `json:"spec"`
	}
	options := json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := json.Unmarshal(line, &p, options); err != nil {
		return ABACPolicy{}, errors.New("it is no policy in one line of JSON")
	}
	switch {
	case p.Kind != "" && p.Kind != "Policy":
	case p.APIVersion == ABACGroup+"/v1beta1" && p.Kind != "":
		return everyUser(p.Spec), nil
	case p.APIVersion == ABACGroup+"/v0", p.APIVersion == "":
		return readFirstABACPolicy(line, options)
	}
	return ABACPolicy{}, errors.New("it is no policy of a version that the API server knows")
}

// readFirstABACPolicy reads a policy of the first version, in which what is left
// out stands for everything.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/abac/v0/conversion.go
func readFirstABACPolicy(line []byte, options json.Options) (ABACPolicy, error) {
	var v struct {
		User      string `json:"user"`
		Group     string `json:"group"`
		Readonly  bool   `json:"readonly"`
		Resource  string `json:"resource"`
		Namespace string `json:"namespace"`
	}
	if err := json.Unmarshal(line, &v, options); err != nil {
		return ABACPolicy{}, errors.New("it is no policy in one line of JSON")
	}
	p := ABACPolicy{
		User: v.User, Group: v.Group, Readonly: v.Readonly,
		Namespace: cmp.Or(v.Namespace, "*"), Resource: cmp.Or(v.Resource, "*"), APIGroup: "*",
	}
	if v.User == "" && v.Group == "" {
		p.Group = "*"
	}
	if v.Namespace == "" && v.Resource == "" {
		p.NonResourcePath = "*"
	}
	return everyUser(p), nil
}

// everyUser writes down whom "*" stands for: not the anonymous.
func everyUser(p ABACPolicy) ABACPolicy {
	if p.User == "*" || p.Group == "*" {
		p.User, p.Group = "", "system:authenticated"
	}
	return p
}
