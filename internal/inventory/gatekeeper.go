package inventory

import (
	"github.com/go-json-experiment/json/jsontext"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Gatekeeper's templates, the constraints that are made with them, and its
// configuration.
var (
	GatekeeperTemplates   = Kind[GatekeeperTemplate]{"templates.gatekeeper.sh/ConstraintTemplate"}
	GatekeeperConstraints = Kind[GatekeeperConstraint]{"constraints.gatekeeper.sh/*"}
	GatekeeperConfigs     = Kind[GatekeeperConfig]{"config.gatekeeper.sh/Config"}
)

var gatekeeperKinds = []Custom{
	customKind(GatekeeperTemplates, "constrainttemplates", false, "v1", "v1beta1", "v1alpha1"),
	customKind(GatekeeperConstraints, "*", false, "v1beta1", "v1alpha1"),
	customKind(GatekeeperConfigs, "configs", true, "v1alpha1"),
}

// GatekeeperTemplate is a ConstraintTemplate: the code behind a kind of constraint.
//
// https://open-policy-agent.github.io/gatekeeper/website/docs/constrainttemplates
type GatekeeperTemplate struct {
	Meta `json:"-"`
	Spec struct {
		CRD struct {
			Spec struct {
				Names struct {
					Kind string `json:"kind"`
				} `json:"names"`
			} `json:"spec"`
		} `json:"crd"`
		// Targets hold the code, in Rego or CEL.
		Targets jsontext.Value `json:"targets"`
	} `json:"spec"`
}

// GatekeeperConstraint puts a template to work with parameters. Its kind, in
// the Subject, names the template.
//
// https://open-policy-agent.github.io/gatekeeper/website/docs/howto and enforcement-points
type GatekeeperConstraint struct {
	Meta `json:"-"`
	Spec struct {
		// Action is deny (default), dryrun, warn, or scoped: then Scoped says it.
		Action string `json:"enforcementAction"`
		Scoped []struct {
			Action string `json:"action"`
			Points []struct {
				Name string `json:"name"`
			} `json:"enforcementPoints"`
		} `json:"scopedEnforcementActions"`
		Match      GatekeeperMatch `json:"match"`
		Parameters jsontext.Value  `json:"parameters"`
	} `json:"spec"`
}

// GatekeeperMatch says what a constraint is about. What is empty filters
// nothing. Names of namespaces may begin or end with an asterisk.
//
// https://open-policy-agent.github.io/gatekeeper/website/docs/howto#the-match-field
type GatekeeperMatch struct {
	Kinds []struct {
		APIGroups []string `json:"apiGroups"`
		Kinds     []string `json:"kinds"`
	} `json:"kinds"`
	// Scope is *, Cluster or Namespaced.
	Scope              string                `json:"scope"`
	Namespaces         []string              `json:"namespaces"`
	ExcludedNamespaces []string              `json:"excludedNamespaces"`
	LabelSelector      *metav1.LabelSelector `json:"labelSelector"`
	NamespaceSelector  *metav1.LabelSelector `json:"namespaceSelector"`
	// Name is that of the object.
	Name string `json:"name"`
	// Source is All (default), Original, or Generated: only what expansion made
	// of a controller.
	Source string `json:"source"`
}

// GatekeeperConfig takes namespaces out of what Gatekeeper does.
//
// https://open-policy-agent.github.io/gatekeeper/website/docs/exempt-namespaces
type GatekeeperConfig struct {
	Meta `json:"-"`
	Spec struct {
		Match []struct {
			ExcludedNamespaces []string `json:"excludedNamespaces"`
			Processes          []string `json:"processes"`
		} `json:"match"`
	} `json:"spec"`
}
