package inventory

import (
	"errors"
	"slices"

	"github.com/go-json-experiment/json"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Workloads of other projects that have a pod template where a Deployment has it.
var (
	// DeploymentConfigs are those of OpenShift; their template may be left out.
	//
	// https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/workloads_apis/deploymentconfig-apps-openshift-io-v1
	DeploymentConfigs = Kind[*PodBearer]{"apps.openshift.io/DeploymentConfig"}
	// Rollouts are those of Argo Rollouts; with a workloadRef they take over
	// the template of a Deployment, and have none.
	//
	// https://argo-rollouts.readthedocs.io/en/stable/features/specification/
	Rollouts = Kind[*PodBearer]{"argoproj.io/Rollout"}
)

var rolloutKinds = []Custom{
	rollout(DeploymentConfigs, "deploymentconfigs", "v1"),
	rollout(Rollouts, "rollouts", "v1alpha1"),
}

// BearsPods says whether the objects have pod templates.
func (c Custom) BearsPods() bool {
	return slices.ContainsFunc(PodBearers, func(k Kind[*PodBearer]) bool { return k.ID == c.ID })
}

func rollout(k Kind[*PodBearer], resource, version string) Custom {
	c := customKind(Kind[struct{ Meta }](k), resource, true, version)
	c.put = func(b *Builder, apiVersion, kind string, data []byte, o Origin) error {
		var x struct {
			Metadata metav1.ObjectMeta `json:"metadata"`
			Spec     struct {
				Replicas *int32                  `json:"replicas"`
				Template *corev1.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		}
		if json.Unmarshal(data, &x, customOptions) != nil {
			return errors.New("a field of " + kind + " has another type than the API says")
		}
		if x.Spec.Template != nil {
			Put(b, k, subject(apiVersion, kind, &x.Metadata), o, podBearer(&x.Metadata, x.Spec.Template, "spec.template", x.Spec.Replicas))
		}
		return nil
	}
	return c
}
