package placement

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/placement"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// singles are the nodes that no two pods share in truth: each pod has a machine
// of its own behind them.
func singles(e *check.Eval) map[string]bool {
	out := map[string]bool{}
	for _, n := range placement.Cluster.Of(e) {
		if n.OwnMachine || n.Virtual {
			out[n.Name] = true
		}
	}
	return out
}

// admitsElsewhere is an annotation of the namespace by which an admission
// plugin, if it is on, chooses other nodes for its pods than they ask for.
// Pods that an API server has made show it themselves.
//
// https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podnodeselector
// https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podtolerationrestriction
func admitsElsewhere(e *check.Eval, namespace string) string {
	ns, ok := inventory.Get(e, inventory.Namespaces, "", namespace)
	if !ok {
		return ""
	}
	for _, key := range []string{"node-selector", "defaultTolerations", "tolerationsWhitelist"} {
		if _, ok := ns.Value.Annotations["scheduler.alpha.kubernetes.io/"+key]; ok {
			return "scheduler.alpha.kubernetes.io/" + key
		}
	}
	return ""
}

// fitter finds the nodes of workloads. Many workloads ask for the same ones.
type fitter struct {
	e       *check.Eval
	cluster []*placement.Node
	known   map[string][]*placement.Node
	asked   map[string]bool
}

func newFitter(e *check.Eval) *fitter {
	f := &fitter{e: e, known: map[string][]*placement.Node{}, asked: map[string]bool{}}
	for _, n := range placement.Cluster.Of(e) {
		if !n.OwnMachine && !n.Virtual {
			f.cluster = append(f.cluster, n)
		}
	}
	return f
}

// nodes are those that fit the workload.
func (f *fitter) nodes(m member) ([]*placement.Node, error) {
	pod := m.pod(f.e)
	key := pod.Key()
	if nodes, ok := f.known[key]; ok {
		return nodes, nil
	}
	var nodes []*placement.Node
	for _, n := range f.cluster {
		fits, err := pod.Fits(n)
		if err != nil {
			return nil, err
		}
		if fits {
			nodes = append(nodes, n)
		}
	}
	f.known[key] = nodes
	return nodes, nil
}

// once reports whether no workload of the same tier that fits the same nodes
// was asked about. how tells apart what is asked.
func (f *fitter) once(m member, how string) bool {
	key := m.tier.Name + " " + how + " " + m.pod(f.e).Key()
	first := !f.asked[key]
	f.asked[key] = true
	return first
}
