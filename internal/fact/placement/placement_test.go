package placement

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

func node(labels map[string]string, taints ...corev1.Taint) *Node {
	b := &inventory.Builder{}
	inventory.PutObject(b, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: labels},
		Spec:       corev1.NodeSpec{Taints: taints},
		Status:     corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{OperatingSystem: "linux"}},
	}, inventory.Origin{})
	return Cluster.Of(b.Seal(time.Unix(0, 0)).View(Cluster.Needs))[0]
}

func taint(key, value string, effect corev1.TaintEffect) corev1.Taint {
	return corev1.Taint{Key: key, Value: value, Effect: effect}
}

func required(exprs ...corev1.NodeSelectorRequirement) *corev1.Affinity {
	a := &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{}}}
	for _, e := range exprs {
		terms := &a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
		*terms = append(*terms, corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{e}})
	}
	return a
}

func is(key string, values ...string) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}
}

func TestFits(t *testing.T) {
	pool := map[string]string{"pool": "a"}
	reserved := taint("tier", "a", corev1.TaintEffectNoSchedule)
	tolerate := func(tol corev1.Toleration) *corev1.PodSpec {
		return &corev1.PodSpec{Tolerations: []corev1.Toleration{tol}}
	}
	tests := map[string]struct {
		node  *Node
		spec  *corev1.PodSpec
		class *nodev1.Scheduling
		want  bool
	}{
		"nothing asked":                     {node(nil), &corev1.PodSpec{}, nil, true},
		"selector":                          {node(pool), &corev1.PodSpec{NodeSelector: pool}, nil, true},
		"selector, other node":              {node(nil), &corev1.PodSpec{NodeSelector: pool}, nil, false},
		"affinity":                          {node(pool), &corev1.PodSpec{Affinity: required(is("pool", "a", "b"))}, nil, true},
		"affinity, other node":              {node(nil), &corev1.PodSpec{Affinity: required(is("pool", "a"))}, nil, false},
		"affinity terms are alternatives":   {node(pool), &corev1.PodSpec{Affinity: required(is("zone", "x"), is("pool", "a"))}, nil, true},
		"affinity without terms":            {node(pool), &corev1.PodSpec{Affinity: required()}, nil, false},
		"taint":                             {node(nil, reserved), &corev1.PodSpec{}, nil, false},
		"taint, tolerated":                  {node(nil, reserved), tolerate(corev1.Toleration{Key: "tier", Value: "a"}), nil, true},
		"taint, any value":                  {node(nil, reserved), tolerate(corev1.Toleration{Key: "tier", Operator: corev1.TolerationOpExists}), nil, true},
		"taint, anything tolerated":         {node(nil, reserved), tolerate(corev1.Toleration{Operator: corev1.TolerationOpExists}), nil, true},
		"taint, other value":                {node(nil, reserved), tolerate(corev1.Toleration{Key: "tier", Value: "b"}), nil, false},
		"taint, other effect":               {node(nil, reserved), tolerate(corev1.Toleration{Key: "tier", Value: "a", Effect: corev1.TaintEffectNoExecute}), nil, false},
		"taint that is a preference":        {node(nil, taint("tier", "a", corev1.TaintEffectPreferNoSchedule)), &corev1.PodSpec{}, nil, true},
		"taint of the node's state":         {node(nil, taint(corev1.TaintNodeNotReady, "", corev1.TaintEffectNoExecute)), &corev1.PodSpec{}, nil, true},
		"taint of its own below node.k8s":   {node(nil, taint("node.kubernetes.io/os", "windows", corev1.TaintEffectNoSchedule)), &corev1.PodSpec{}, nil, false},
		"operating system":                  {node(nil), &corev1.PodSpec{OS: &corev1.PodOS{Name: corev1.Windows}}, nil, false},
		"named node, past the taint":        {node(nil, reserved), &corev1.PodSpec{NodeName: "n"}, nil, true},
		"named node, other":                 {node(nil), &corev1.PodSpec{NodeName: "m"}, nil, false},
		"runtime class":                     {node(pool, reserved), &corev1.PodSpec{}, &nodev1.Scheduling{NodeSelector: pool, Tolerations: []corev1.Toleration{{Key: "tier", Value: "a"}}}, true},
		"runtime class, other node":         {node(nil), &corev1.PodSpec{}, &nodev1.Scheduling{NodeSelector: pool}, false},
		"runtime class beside the selector": {node(pool), &corev1.PodSpec{NodeSelector: map[string]string{"zone": "x"}}, &nodev1.Scheduling{NodeSelector: pool}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := PodOf(tt.spec, tt.class).Fits(tt.node)
			if err != nil || got != tt.want {
				t.Errorf("%t, %v; want %t", got, err, tt.want)
			}
		})
	}
	odd := required(corev1.NodeSelectorRequirement{Key: "pool", Operator: "Is", Values: []string{"a"}})
	if got, err := PodOf(&corev1.PodSpec{Affinity: odd}, nil).Fits(node(pool)); err == nil {
		t.Errorf("an operator that does not exist: %t, want an error", got)
	}
}

func TestSelects(t *testing.T) {
	linux := map[string]string{corev1.LabelOSStable: "linux"}
	tests := map[string]struct {
		spec *corev1.PodSpec
		want bool
	}{
		"nothing":                     {&corev1.PodSpec{}, false},
		"operating system":            {&corev1.PodSpec{NodeSelector: linux}, false},
		"pool":                        {&corev1.PodSpec{NodeSelector: map[string]string{corev1.LabelOSStable: "linux", "pool": "a"}}, true},
		"affinity":                    {&corev1.PodSpec{Affinity: required(is("pool", "a"))}, true},
		"affinity, architecture":      {&corev1.PodSpec{Affinity: required(is(corev1.LabelArchStable, "arm64"))}, false},
		"affinity, or anywhere":       {&corev1.PodSpec{Affinity: required(is("pool", "a"), is(corev1.LabelOSStable, "linux"))}, false},
		"affinity that is preference": {&corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}}, false},
		"named node":                  {&corev1.PodSpec{NodeName: "n"}, true},
	}
	for name, tt := range tests {
		if got := PodOf(tt.spec, nil).Selects(); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}

func TestCluster(t *testing.T) {
	type seen struct {
		ControlPlane, OwnMachine, Virtual bool
		Reserved                          int
	}
	tests := map[string]struct {
		node *Node
		want seen
	}{
		"worker":          {node(nil), seen{}},
		"control plane":   {node(map[string]string{"node-role.kubernetes.io/control-plane": ""}), seen{ControlPlane: true}},
		"k3s server":      {node(map[string]string{"node-role.kubernetes.io/master": "true"}, taint("CriticalAddonsOnly", "true", corev1.TaintEffectNoExecute)), seen{ControlPlane: true, Reserved: 1}},
		"cordoned":        {node(nil, taint(corev1.TaintNodeUnschedulable, "", corev1.TaintEffectNoSchedule)), seen{}},
		"fargate":         {node(map[string]string{"eks.amazonaws.com/compute-type": "fargate"}), seen{OwnMachine: true}},
		"virtual kubelet": {node(map[string]string{"type": "virtual-kubelet"}, taint("virtual-kubelet.io/provider", "azure", corev1.TaintEffectNoSchedule)), seen{Virtual: true, Reserved: 1}},
		"as kubeadm does": {PlainControlPlane, seen{ControlPlane: true, Reserved: 1}},
	}
	for name, tt := range tests {
		got := seen{tt.node.ControlPlane, tt.node.OwnMachine, tt.node.Virtual, len(tt.node.Reserved)}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestKey(t *testing.T) {
	a := PodOf(&corev1.PodSpec{NodeSelector: map[string]string{"pool": "a", "zone": "x"}}, nil)
	b := PodOf(&corev1.PodSpec{NodeSelector: map[string]string{"zone": "x"}, Containers: []corev1.Container{{Name: "a"}}}, &nodev1.Scheduling{NodeSelector: map[string]string{"pool": "a"}})
	c := PodOf(&corev1.PodSpec{NodeSelector: map[string]string{"pool": "a"}}, nil)
	if a.Key() != b.Key() || a.Key() == c.Key() {
		t.Errorf("keys %s, %s, %s: want the first two equal, the last different", a.Key(), b.Key(), c.Key())
	}
}
