package inventory

import (
	"cmp"
	"path"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The profiles of the Security Profiles Operator, and what binds them to pods.
// Since v1 profiles belong to no namespace; before, they did.
//
// https://github.com/kubernetes-sigs/security-profiles-operator/tree/main/api
var (
	SPOSeccompProfiles  = Kind[SPOSeccompProfile]{"security-profiles-operator.x-k8s.io/SeccompProfile"}
	SPOAppArmorProfiles = Kind[SPOAppArmorProfile]{"security-profiles-operator.x-k8s.io/AppArmorProfile"}
	SPOSelinuxProfiles  = Kind[SPOSelinuxProfile]{"security-profiles-operator.x-k8s.io/SelinuxProfile"}
	SPOProfileBindings  = Kind[SPOProfileBinding]{"security-profiles-operator.x-k8s.io/ProfileBinding"}
)

var spoKinds = []Custom{
	customKind(SPOSeccompProfiles, "seccompprofiles", false, "v1", "v1beta1"),
	customKind(SPOAppArmorProfiles, "apparmorprofiles", false, "v1", "v1alpha1"),
	customKind(SPOSelinuxProfiles, "selinuxprofiles", false, "v1", "v1alpha2"),
	customKind(SPOProfileBindings, "profilebindings", true, "v1", "v1alpha1"),
}

// SPOState says whether the operator puts a profile on the nodes. v1 has a
// word for it, earlier versions a boolean; both default to yes.
type SPOState struct {
	State    string `json:"state"` // "Enabled", "Disabled"
	Disabled bool   `json:"disabled"`
}

// Off reports whether the profile is kept from the nodes.
func (s SPOState) Off() bool { return s.Disabled || s.State == "Disabled" }

// SPOSeccompProfile is a SeccompProfile.
//
// https://github.com/kubernetes-sigs/security-profiles-operator/blob/main/api/seccompprofile/v1/seccompprofile_types.go
type SPOSeccompProfile struct {
	Meta `json:"-"`
	Spec struct {
		SPOState
		// BaseProfileName names a profile whose rules are added.
		BaseProfileName string `json:"baseProfileName"`
		DefaultAction   string `json:"defaultAction"`
		Syscalls        []struct {
			Action string `json:"action"`
		} `json:"syscalls"`
	} `json:"spec"`
}

// AllowsAll reports whether no system call is blocked: what is not allowed is
// logged. A base profile can block what this one does not.
func (p SPOSeccompProfile) AllowsAll() bool {
	permits := func(action string) bool { return action == "SCMP_ACT_ALLOW" || action == "SCMP_ACT_LOG" }
	for _, s := range p.Spec.Syscalls {
		if !permits(s.Action) {
			return false
		}
	}
	return permits(p.Spec.DefaultAction) && p.Spec.BaseProfileName == ""
}

// SPOSeccompFile is the localhostProfile by which pods name a SeccompProfile
// (GetProfileOperatorPath in the file above): "operator/web.json".
func SPOSeccompFile(namespace, name string) string {
	return path.Join("operator", namespace, strings.TrimSuffix(name, ".json")+".json")
}

// SPOAppArmorProfile is an AppArmorProfile. Pods name it by its own name.
//
// https://github.com/kubernetes-sigs/security-profiles-operator/blob/main/api/apparmorprofile/v1/apparmorprofile_types.go
type SPOAppArmorProfile struct {
	Meta `json:"-"`
	Spec struct {
		SPOState
		Mode         string `json:"mode"`         // v1: "Enforce" (default), "Complain"
		ComplainMode bool   `json:"complainMode"` // v1alpha1
	} `json:"spec"`
}

// Complains reports whether the profile logs and does not deny.
func (p SPOAppArmorProfile) Complains() bool { return p.Spec.ComplainMode || p.Spec.Mode == "Complain" }

// SPOSelinuxProfile is a SelinuxProfile.
//
// https://github.com/kubernetes-sigs/security-profiles-operator/blob/main/api/selinuxprofile/v1/selinuxprofile_types.go
type SPOSelinuxProfile struct {
	Meta `json:"-"`
	Spec struct {
		SPOState
		Mode       string `json:"mode"`       // v1: "Enforcing" (default), "Permissive"
		Permissive bool   `json:"permissive"` // v1alpha2
	} `json:"spec"`
	Status struct {
		// Usage is the SELinux type by which pods name the profile.
		Usage string `json:"usage"`
	} `json:"status"`
}

// Permits reports whether the profile logs and does not deny.
func (p SPOSelinuxProfile) Permits() bool { return p.Spec.Permissive || p.Spec.Mode == "Permissive" }

// Type is the SELinux type by which pods name the profile of that name.
func (p SPOSelinuxProfile) Type(name string) string { return cmp.Or(p.Status.Usage, name+".process") }

// SPOProfileBinding has a webhook of the operator set a profile on containers
// with an image, in namespaces with the label spo.x-k8s.io/enable-binding.
//
// https://github.com/kubernetes-sigs/security-profiles-operator/blob/main/api/profilebinding/v1/profilebinding_types.go
type SPOProfileBinding struct {
	Meta `json:"-"`
	Spec struct {
		ProfileRef struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"profileRef"`
		// Image is "*" for every container.
		Image       string                `json:"image"`
		PodSelector *metav1.LabelSelector `json:"podSelector"`
	} `json:"spec"`
}
