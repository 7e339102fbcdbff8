// Package placement holds the checks of the section "Pod placement".
package placement

import (
	"fmt"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/placement"
	"github.com/plimsoll-sec/plimsoll/internal/fact/tiers"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Suite lists the checks of the section, item by item.
var Suite = []*check.Check{
	// 5.1
	controlPlane,
	controlPlaneTaint,
	components,
	sharedNodes,
	enforcement,
	// 5.2
	sensitive,
}

var (
	assigning = report.Reference{Name: "Assigning pods to nodes", URL: "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/"}
	tainting  = report.Reference{Name: "Taints and tolerations", URL: "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"}
)

// none stands for a field that is not set.
const none = "(none)"

// needs are what all checks of tiers read, and more.
func needs(more ...inventory.Need) []inventory.Need {
	all := append(workload.With(inventory.Nodes.Need(), inventory.RuntimeClasses.Optional()), tiers.Needs()...)
	return append(all, more...)
}

// member is a workload that runs or may run, with its tier.
type member struct {
	*workload.Workload
	tier tiers.Tier
}

// members gives every workload its tier. known is false where nothing declares
// one. A declaration that is not valid is reported, and ok is false.
func members(e *check.Eval) (all []member, known, ok bool) {
	if len(e.Missing(inventory.Settings.ID, "")) > 0 {
		return nil, false, false // the tier of a label's name may be declared otherwise
	}
	declared := tiers.Declared.Of(e)
	known = declared.Any()
	for w := range workload.Running(e) {
		tier, err := declared.Of(w.Namespace, w.Value.Labels, w.PodLabels())
		if err != nil {
			e.Unknown(declared.Subject, fmt.Sprintf("the tiers cannot be applied: %v", err), w.Evidence("metadata.name", w.Name, ""))
			return nil, false, false
		}
		known = known || tier.Own
		all = append(all, member{w, tier})
	}
	return all, known, true
}

// tiered is members for the checks of declared tiers: where none is declared, a
// person has to say what is sensitive. A workload whose namespace may name
// another tier is reported, and left out.
func tiered(e *check.Eval, question string) []member {
	all, known, ok := members(e)
	switch {
	case !ok || len(all) == 0:
		return nil
	case !known:
		f := e.Manual(tiers.Declared.Of(e).Subject, "no tier of sensitivity is declared: "+question,
			all[0].Evidence("metadata.labels["+inventory.TierLabel+"]", none, "the name of a tier, where one applies"))
		f.Remedy = tiers.HowToDeclare
		return nil
	}
	sure := all[:0]
	for _, m := range all {
		if gap, unread := tiers.Unread(e, m.Namespace); unread && !m.tier.Own {
			e.Unknown(m.Subject, fmt.Sprintf("the label of its namespace may name its tier, but %s", gap), m.Evidence("metadata.namespace", m.Namespace, ""))
			continue
		}
		sure = append(sure, m)
	}
	return sure
}

// agent reports whether the workload runs on nodes because they are there, and
// not because a scheduler chose them: DaemonSets and static pods. One that
// names its tier itself is judged by it all the same.
func (m member) agent() bool {
	owner := m.Value.Owner
	return !m.tier.Own && (m.Kind == "DaemonSet" || owner != nil && (owner.Kind == "DaemonSet" || owner.Kind == "Node"))
}

// system reports whether the workload runs the cluster and not an application:
// by its namespace, by a priority that is kept for such pods, or because its
// tier is called so.
//
// https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/
func (m member) system() bool {
	return inventory.SystemNamespace(m.Namespace) || m.tier.Name == tiers.ControlPlane || strings.HasPrefix(m.Spec().PriorityClassName, "system-")
}

// pod is the workload as the scheduler sees it. The API server adds what its
// RuntimeClass asks for.
func (m member) pod(e *check.Eval) placement.Pod {
	spec := *m.Spec()
	if m.Kind == "Pod" && m.Value.UID != "" {
		spec.NodeName = "" // the scheduler wrote it, and may choose another node next time
	}
	if spec.RuntimeClassName != nil {
		if class, ok := inventory.Get(e, inventory.RuntimeClasses, "", *spec.RuntimeClassName); ok {
			return placement.PodOf(&spec, class.Value.Scheduling)
		}
	}
	return placement.PodOf(&spec, nil)
}

// title names the workload in the findings about another.
func (m member) title() string {
	if m.Namespace == "" {
		return m.Kind + " " + m.Name
	}
	return m.Kind + " " + m.Namespace + "/" + m.Name
}

// listing renders the first of several names, and how many more there are.
func listing(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return report.Some(out)
}
