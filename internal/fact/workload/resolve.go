package workload

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// All is every workload, ordered by subject. A check that uses it declares
// [Needs].
var All = &inventory.Fact[[]*Workload]{Needs: Needs(), Build: resolve}

// ByNamespace is [All] by namespace.
var ByNamespace = &inventory.Fact[map[string][]*Workload]{Needs: Needs(), Build: func(v inventory.View) map[string][]*Workload {
	out := map[string][]*Workload{}
	for _, w := range All.Of(v) {
		out[w.Namespace] = append(out[w.Namespace], w)
	}
	return out
}}

// Needs are the kinds that workloads come from.
func Needs() []inventory.Need {
	var needs []inventory.Need
	for _, k := range inventory.PodBearers {
		needs = append(needs, k.Need())
	}
	return needs
}

// With lists the needs of workloads and more.
func With(more ...inventory.Need) []inventory.Need { return append(Needs(), more...) }

// owner identifies a controller. The UID tells apart objects that had one name
// one after the other; manifests have none.
type owner struct {
	kind, namespace, name string
	uid                   types.UID
}

// stray groups pods of one controller that are equal to each other and differ
// from its template.
type stray struct {
	controller owner
	spec       string
	finished   bool
}

func resolve(v inventory.View) []*Workload {
	var out []*Workload
	objects := 0
	for _, k := range inventory.PodBearers {
		objects += inventory.Len(v, k)
	}
	made := make(map[owner]*Workload, objects) // every object that may own another, and the workload it is part of
	strays := map[stray]*Workload{}
	same := comparer{}
	folds := folder{}
	for _, k := range inventory.PodBearers { // owners come before what they own
		for o := range inventory.All(v, k) {
			w := &Workload{Object: o}
			if o.Kind == "Pod" {
				w.Pods = 1
				w.addNode(o.Value.Node)
			}
			self := owner{o.Kind, o.Namespace, o.Name, o.Value.UID}
			ref := o.Value.Owner
			if ref == nil || ref.Kind == "Node" { // a Node owns the mirrors of its static pods, and makes none
				out = append(out, w)
				made[self] = w
				continue
			}
			controller := owner{ref.Kind, o.Namespace, ref.Name, ref.UID}
			if parent := made[controller]; parent != nil {
				if retired(o.Value) {
					made[self] = parent
					continue
				}
				if same.as(parent.Value, o.Value) {
					parent.Pods += w.Pods
					parent.addNode(o.Value.Node)
					if w.Admitted() {
						folds.add(parent, w)
					}
					made[self] = parent
					continue
				}
				w.Controller = parent.Subject
			}
			if o.Kind == "Pod" {
				key := stray{controller, fingerprint(o.Value) + outcomeOf(w.Spec()), w.Finished()}
				if twin := strays[key]; twin != nil {
					twin.Pods++
					twin.addNode(o.Value.Node)
					continue
				}
				strays[key] = w
				// The pod's own name changes from run to run.
				w.Stable = stable(cmp.Or(w.Controller.Kind, ref.Kind), cmp.Or(w.Controller.Name, ref.Name))
			}
			out = append(out, w)
			made[self] = w
		}
	}
	for _, w := range out {
		for _, x := range append(w.Folded[:len(w.Folded):len(w.Folded)], w) {
			slices.Sort(x.Nodes)
			x.Nodes = slices.Compact(x.Nodes)
		}
	}
	slices.SortStableFunc(out, func(a, b *Workload) int { return report.CompareSubjects(a.Subject, b.Subject) })
	return out
}

// stable names pods by what made them.
func stable(kind, name string) string { return kind + "/" + name }

func (w *Workload) addNode(n string) {
	if n != "" {
		w.Nodes = append(w.Nodes, n)
	}
}

// retired reports whether an owned object runs nothing any more: a finished
// pod, or a ReplicaSet that its Deployment keeps for rollbacks.
func retired(p *inventory.PodBearer) bool {
	return p.Phase == corev1.PodSucceeded || p.Phase == corev1.PodFailed ||
		p.Replicas != nil && *p.Replicas == 0
}
