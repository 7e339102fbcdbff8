package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// folder groups the pods that fold into a template by what admission made of
// them.
type folder struct {
	outcomes map[*corev1.PodSpec]string // sources share equal pod specs
	groups   map[group]*Workload
}

type group struct {
	of      *Workload
	outcome string
}

// add counts a pod among those of its kind. The pods come in order, so that
// the first stands for its group.
func (f *folder) add(parent, pod *Workload) {
	if f.groups == nil {
		f.outcomes, f.groups = map[*corev1.PodSpec]string{}, map[group]*Workload{}
	}
	outcome, ok := f.outcomes[pod.Spec()]
	if !ok {
		outcome = outcomeOf(pod.Spec())
		f.outcomes[pod.Spec()] = outcome
	}
	key := group{parent, outcome}
	if twin := f.groups[key]; twin != nil {
		twin.Pods++
		twin.addNode(pod.Value.Node)
		return
	}
	pod.Controller = parent.Subject
	pod.Stable = stable(parent.Kind, cmp.Or(parent.Stable, parent.Name))
	f.groups[key] = pod
	parent.Folded = append(parent.Folded, pod)
}

// outcomeOf is equal for pods of one template for which admission decided the
// same: LimitRanger about resources, ServiceAccount about the token.
func outcomeOf(s *corev1.PodSpec) string {
	var b strings.Builder
	resources := func(r *corev1.ResourceRequirements) {
		for _, list := range []corev1.ResourceList{r.Limits, r.Requests} {
			names := make([]corev1.ResourceName, 0, len(list))
			for name := range list {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				quantity := list[name]
				fmt.Fprintf(&b, "%s=%s,", name, quantity.String())
			}
			b.WriteByte(';')
		}
	}
	for _, cs := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range cs {
			resources(&cs[i].Resources)
			fmt.Fprintf(&b, "%d|", len(cs[i].VolumeMounts)) // the token's is one more
		}
	}
	if s.Resources != nil {
		resources(s.Resources)
	}
	return b.String()
}
