package pods

import (
	"slices"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podpolicy"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// enforcementNeeds are what says which standard holds in a namespace, and which
// could.
func enforcementNeeds() []inventory.Need {
	return slices.Concat(podpolicy.Enforced.Needs, inventory.Optional(workload.Needs()),
		[]inventory.Need{inventory.Namespaces.Need(), inventory.PodSecurityDefaults.Optional()})
}

// whatDecides lists the evidence without which it is not certain that a
// namespace holds pods to nothing that fits.
func whatDecides(p podsecurity.Policy, t standing, mayNeedPrivileged bool) []report.KindID {
	var needs []inventory.Need
	if !p.Labelled && !p.Exempt {
		needs = append(needs, inventory.PodSecurityDefaults.Optional())
	}
	if mayNeedPrivileged && t.partial { // a workload that was not read may be what needs privileged
		needs = append(needs, workload.Needs()...)
	}
	return inventory.Kinds(append(needs, podpolicy.Decisive()...))
}

// judgeOff judges a cluster whose API server runs without the PodSecurity
// plugin, which is one cause for all namespaces: they are held to a standard
// by other policies, or by nothing.
func judgeOff(e *check.Eval, pod *inventory.Object[*inventory.PodBearer]) {
	third, doubt, open, judged := podpolicy.Enforced.Of(e), "", false, 0
	for ns := range inventory.All(e, inventory.Namespaces) {
		if inventory.SystemNamespace(ns.Name) {
			continue
		}
		judged++
		switch held := third.In(ns); {
		case held.Level() != api.LevelPrivileged:
			e.Pass(ns.Subject)
		case held.Doubt() != "":
			doubt = held.Doubt()
		default:
			open = true
		}
	}
	msg := "the API server runs without the PodSecurity plugin: labels of namespaces enforce nothing"
	at := pod.Evidence("spec.containers[0].command", "--disable-admission-plugins=…PodSecurity…", "PodSecurity on")
	const remedy = "take PodSecurity out of --disable-admission-plugins"
	switch {
	case open, judged == 0 && !third.Any():
		e.Fail(pod.Subject, msg, at).Remedy = remedy
	case doubt != "":
		e.Unknown(pod.Subject, msg+", but "+doubt, at).Remedy = remedy
	}
}

// known reports whether Pod Security understands the value of one of its labels.
func known(label, value string) bool {
	var err error
	switch label {
	case api.EnforceVersionLabel, api.WarnVersionLabel, api.AuditVersionLabel:
		_, err = api.ParseVersion(value)
	default:
		_, err = api.ParseLevel(value)
	}
	return err == nil
}
