package secrets

import (
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// external-store/classes
//
// Statement: every volume of the Secrets Store CSI driver names a
// SecretProviderClass that is there.
// Looks at: the volumes of every workload but pods that have finished.
// Passes when: volumeAttributes.secretProviderClass is the name of one in the
// workload's namespace.
// Fails when: there is none of that name, or none is named: the pod cannot start.
// Cannot tell when: SecretProviderClasses could not be read, or the class stands
// in another directory, where neither names a namespace.
//
// https://secrets-store-csi-driver.sigs.k8s.io/getting-started/usage.html
var externalClasses = &check.Check{
	ID:       "secrets/external-store/classes",
	Item:     checklist.ExternalStore,
	Title:    "Every volume of an external secret store names a SecretProviderClass that is there",
	Noun:     "workload",
	Severity: report.Medium,
	Why: "The class says which secrets a volume holds and who fetches them. Without it the volume is not mounted and the pod does not start: " +
		"mostly it was renamed, or was made in another namespace.",
	Remediation: "Create the SecretProviderClass in the namespace of the workload, or mend the name in `volumeAttributes.secretProviderClass`.",
	Refs:        externalReferences,
	Needs:       workload.With(inventory.SecretProviderClasses.Need()),
	Run: func(e *check.Eval) {
		for w := range workload.Running(e) {
			judgeClasses(e, w)
		}
	},
}

func judgeClasses(e *check.Eval, w *workload.Workload) {
	used := false
	for i, v := range storeVolumes(w) {
		if v.Driver == vaultDriver {
			continue // it has objects of its own
		}
		used = true
		name := v.VolumeAttributes["secretProviderClass"]
		field := fmt.Sprintf("spec.volumes[%d].csi.volumeAttributes.secretProviderClass", i)
		if name == "" {
			w.Counted(e.Fail(w.Subject, "mounts a volume that names no SecretProviderClass", w.PodEvidence(field, "(not set)", "a name")))
			return
		}
		switch placeOf(e, w, name) {
		case apart:
			w.Counted(e.Unknown(w.Subject, fmt.Sprintf("SecretProviderClass %q of another directory may be its own: neither names a namespace", name), w.PodEvidence(field, name, "")))
			return
		case missing:
			w.Counted(e.FailAbsent(w.Subject, []report.KindID{inventory.SecretProviderClasses.ID}, w.Namespace,
				fmt.Sprintf("mounts a volume of SecretProviderClass %q, which is not there", name), w.PodEvidence(field, name, "one of the namespace")))
			return
		}
	}
	if used {
		e.Pass(w.Subject)
	}
}

// place is where a workload's class is found.
type place int

const (
	missing place = iota
	apart         // it may be of the workload's namespace
	here
)

func placeOf(e *check.Eval, w *workload.Workload, name string) place {
	found := missing
	for c := range inventory.Named(e, inventory.SecretProviderClasses, w.Namespace, name) {
		if inventory.Beside(c, w.Object) {
			return here
		}
		found = apart
	}
	return found
}

// external-store/providers
//
// Statement: every provider that a SecretProviderClass names runs.
// Looks at: spec.provider of the SecretProviderClasses, and the images of all
// workloads. The provider of Google's add-on is a part of its driver.
// Passes when: a workload runs the provider. Whether it is ready is told by
// external-store/controllers.
// Fails when: none does.
// Cannot tell when: the provider is not one that is known; workloads were not
// read in full; or the input is manifests, which need not hold it.
//
// https://secrets-store-csi-driver.sigs.k8s.io/providers
var externalProviders = &check.Check{
	ID:       "secrets/external-store/providers",
	Item:     checklist.ExternalStore,
	Title:    "Every provider that a SecretProviderClass names runs",
	Noun:     "provider",
	Severity: report.Medium,
	Why: "The Secrets Store CSI driver fetches nothing itself: it asks the provider's agent on the same node. " +
		"Where there is none, no volume of the class can be mounted.",
	Remediation: "Install the provider's DaemonSet, or mend `spec.provider` of the SecretProviderClass.",
	Refs:        externalReferences,
	Needs: workload.With(inventory.SecretProviderClasses.Need(), inventory.CSIDrivers.Optional(),
		inventory.Nodes.Optional()),
	Run: func(e *check.Eval) {
		classes := map[string][]inventory.Object[inventory.SecretProviderClass]{}
		for c := range inventory.All(e, inventory.SecretProviderClasses) {
			classes[c.Value.Spec.Provider] = append(classes[c.Value.Spec.Provider], c)
		}
		running := map[string]bool{}
		for _, w := range workload.All.Of(e) {
			for _, agent := range agentsOf(w) {
				running[agent] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(classes)) {
			judgeProvider(e, name, classes[name], running[providerName(name)])
		}
	},
}

func judgeProvider(e *check.Eval, name string, classes []inventory.Object[inventory.SecretProviderClass], running bool) {
	s := report.Subject{Kind: "Provider", Name: name}
	at := classes[0].Evidence("spec.provider", name, "")
	_, known := providers[name]
	var f *report.Finding
	switch {
	case name == gkeProvider:
		if _, ok := inventory.Get(e, inventory.CSIDrivers, "", gkeDriver); ok {
			e.Pass(s)
			return
		}
		f = e.FailAbsent(s, []report.KindID{inventory.CSIDrivers.ID, inventory.Nodes.ID}, "", fmt.Sprintf("the driver %q is not installed", gkeDriver), at)
	case !known:
		f = e.Unknown(s, "is not a provider that is known: whether it runs cannot be told", at)
	case running:
		e.Pass(s)
		return
	default:
		f = unrun(e, s, fmt.Sprintf("no workload runs provider %q, which SecretProviderClasses name", name), at)
		f.Remedy = runIt
	}
	if len(classes) > 1 {
		f.Count = len(classes)
	}
}
