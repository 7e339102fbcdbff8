package pods

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// seccompObject finds the object that a Localhost profile is made of, by the
// Security Profiles Operator.
func seccompObject(e *check.Eval, file string) (inventory.Object[inventory.SPOSeccompProfile], bool) {
	for o := range inventory.All(e, inventory.SPOSeccompProfiles) {
		if inventory.SPOSeccompFile(o.Namespace, o.Name) == file {
			return o, true
		}
	}
	return inventory.Object[inventory.SPOSeccompProfile]{}, false
}

// judgeSeccompFile judges a Localhost profile. The operator has a folder of its
// own for those that it makes; of other files nothing is known.
func judgeSeccompFile(e *check.Eval, s report.Subject, file string, at report.Evidence) *report.Finding {
	o, found := seccompObject(e, file)
	switch {
	case !found && strings.HasPrefix(file, "operator/"):
		return e.FailAbsent(s, []report.KindID{inventory.SPOSeccompProfiles.ID}, "", fmt.Sprintf("no SeccompProfile object makes the profile %q", file), at)
	case found && o.Value.Spec.Off():
		return e.Fail(s, fmt.Sprintf("SeccompProfile %q is disabled: no node has the profile %q", o.Name, file), at)
	case found && o.Value.AllowsAll():
		return e.Fail(s, fmt.Sprintf("SeccompProfile %q blocks no system call: its default action is %q", o.Name, o.Value.Spec.DefaultAction),
			at, o.Evidence("spec.defaultAction", o.Value.Spec.DefaultAction, "SCMP_ACT_ERRNO"))
	}
	e.Pass(s)
	return nil
}

// seccompBinding finds a ProfileBinding that may set the container's profile
// when its pod is created. Whether its webhook looks at the namespace and how
// it compares images differs between versions. Pods that an API server has
// created show what became of it.
func seccompBinding(e *check.Eval, w *workload.Workload, c workload.Container) (name string, found bool) {
	if w.Admitted() {
		return "", false
	}
	for o := range inventory.In(e, inventory.SPOProfileBindings, w.Namespace) {
		spec := o.Value.Spec
		if spec.ProfileRef.Kind == "SeccompProfile" && (spec.Image == "*" || sameImage(spec.Image, c.Image)) && inventory.MaySelect(spec.PodSelector, w.PodLabels()) {
			return o.Name, true
		}
	}
	return "", false
}

// sameImage reports whether two references are equal but for a registry that
// one of them leaves out.
func sameImage(a, b string) bool {
	return a == b || strings.HasSuffix(a, "/"+b) || strings.HasSuffix(b, "/"+a)
}
