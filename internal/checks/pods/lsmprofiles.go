package pods

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// asked is a setting of a container, and the field of the pod that holds it or
// could.
type asked[T any] struct {
	value *T
	field string
}

// appArmorOf is the AppArmor profile that a container asks for: by its own
// field, by the annotation that came before it, or by the pod's field, in this
// order. The kubelet still reads the annotation, and API servers since v1.30
// copy it to the container's field; a value that it does not know is none.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/security/apparmor/helpers.go (GetProfile)
func appArmorOf(w *workload.Workload, c workload.Container) asked[corev1.AppArmorProfile] {
	field := c.Field + ".securityContext.appArmorProfile.type"
	if c.SecurityContext != nil && c.SecurityContext.AppArmorProfile != nil {
		return asked[corev1.AppArmorProfile]{c.SecurityContext.AppArmorProfile, field}
	}
	key := corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix + c.Name
	if value, ok := w.PodAnnotations()[key]; ok {
		if p := annotated(value); p != nil {
			return asked[corev1.AppArmorProfile]{p, "metadata.annotations[" + key + "]"}
		}
	}
	if s := w.Spec().SecurityContext; s != nil && s.AppArmorProfile != nil {
		return asked[corev1.AppArmorProfile]{s.AppArmorProfile, "spec.securityContext.appArmorProfile.type"}
	}
	return asked[corev1.AppArmorProfile]{nil, field}
}

// annotated is the profile that an annotation's value means; nil for none.
func annotated(value string) *corev1.AppArmorProfile {
	name, local := strings.CutPrefix(value, corev1.DeprecatedAppArmorBetaProfileNamePrefix)
	switch {
	case value == corev1.DeprecatedAppArmorBetaProfileRuntimeDefault:
		return &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeRuntimeDefault}
	case value == corev1.DeprecatedAppArmorBetaProfileNameUnconfined:
		return &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}
	case local:
		return &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeLocalhost, LocalhostProfile: &name}
	}
	return nil
}

// strayAnnotation finds an AppArmor annotation that no API server takes: it
// names a container that is not there, or a profile that means nothing.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/validation/validation.go (ValidateAppArmorPodAnnotations)
func strayAnnotation(w *workload.Workload) (key, wrong string) {
	for _, key := range slices.Sorted(maps.Keys(w.PodAnnotations())) {
		name, ok := strings.CutPrefix(key, corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix)
		if !ok {
			continue
		}
		there := false
		for c := range w.Containers() {
			there = there || c.Name == name
		}
		if !there {
			return key, "names a container that is not there"
		}
		if value := w.PodAnnotations()[key]; value != "" && annotated(value) == nil {
			return key, "names no profile"
		}
	}
	return "", ""
}

// localProfile is the name of a Localhost profile, empty for any other.
func localProfile(p *corev1.AppArmorProfile) string {
	if p == nil || p.Type != corev1.AppArmorProfileTypeLocalhost || p.LocalhostProfile == nil {
		return ""
	}
	return *p.LocalhostProfile
}

// seLinuxOf is what a container asks of SELinux: its own options where it has
// any, which replace all of the pod's. Options without a value ask for nothing.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/securitycontext/util.go (DetermineEffectiveSecurityContext)
func seLinuxOf(w *workload.Workload, c workload.Container) asked[corev1.SELinuxOptions] {
	if c.SecurityContext != nil && c.SecurityContext.SELinuxOptions != nil {
		return options(c.SecurityContext.SELinuxOptions, c.Field)
	}
	if s := w.Spec().SecurityContext; s != nil && s.SELinuxOptions != nil {
		return options(s.SELinuxOptions, "spec")
	}
	return options(nil, c.Field)
}

func options(o *corev1.SELinuxOptions, parent string) asked[corev1.SELinuxOptions] {
	if o != nil && *o == (corev1.SELinuxOptions{}) {
		o = nil
	}
	return asked[corev1.SELinuxOptions]{o, parent + ".securityContext.seLinuxOptions.type"}
}

// unconfinedTypes are SELinux types that confine nothing: of container-selinux
// (https://github.com/containers/container-selinux), of the reference policy,
// and of Bottlerocket.
var unconfinedTypes = []string{"spc_t", "unconfined_t", "unconfined_service_t", "init_t", "kernel_t", "super_t"}

// ordinaryTypes are those that Pod Security Standards allow.
//
// https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
var ordinaryTypes = []string{"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}

// appArmorObject and seLinuxObject find the objects of the Security Profiles
// Operator that make a profile.
func appArmorObject(e *check.Eval, name string) (inventory.Object[inventory.SPOAppArmorProfile], bool) {
	var none inventory.Object[inventory.SPOAppArmorProfile]
	if name == "" { // as for most containers
		return none, false
	}
	for o := range inventory.All(e, inventory.SPOAppArmorProfiles) {
		if o.Name == name {
			return o, true
		}
	}
	return none, false
}

func seLinuxObject(e *check.Eval, name string) (inventory.Object[inventory.SPOSelinuxProfile], bool) {
	for o := range inventory.All(e, inventory.SPOSelinuxProfiles) {
		if o.Value.Type(o.Name) == name {
			return o, true
		}
	}
	return inventory.Object[inventory.SPOSelinuxProfile]{}, false
}
