package admission

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/webhook"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// hasService selects the webhooks that are answered inside of the cluster.
func hasService(w *webhook.Webhook) bool { return w.Spec.ClientConfig.Service != nil }

// serviceOf finds the Service of a webhook. One without a namespace, as in a
// manifest that is given one when it is applied, counts as being in the
// webhook's.
func serviceOf(e *check.Eval, w *webhook.Webhook) (inventory.Object[inventory.Service], bool) {
	ref := w.Spec.ClientConfig.Service
	if s, ok := inventory.Get(e, inventory.Services, ref.Namespace, ref.Name); ok {
		return s, true
	}
	return inventory.Get(e, inventory.Services, "", ref.Name)
}

// behind lists the workloads that a Service selects.
func behind(e *check.Eval, s inventory.Object[inventory.Service]) []*workload.Workload {
	if len(s.Value.Spec.Selector) == 0 {
		return nil // its endpoints are made by something else
	}
	candidates := workload.All.Of(e)
	if s.Namespace != "" {
		in := workload.ByNamespace.Of(e)
		candidates = slices.Concat(in[s.Namespace], in[""])
	}
	selector := labels.SelectorFromSet(s.Value.Spec.Selector)
	return slices.DeleteFunc(slices.Clone(candidates), func(w *workload.Workload) bool {
		return w.Finished() || !selector.Matches(labels.Set(w.PodLabels()))
	})
}

// inInput reports whether what is not found in a namespace is not there: the
// input holds something of the namespace, or a whole cluster. A scan may be
// limited to some namespaces, and manifests may be a part of what is deployed.
func inInput(e *check.Eval, namespace string) bool {
	if _, ok := inventory.Get(e, inventory.Namespaces, "", namespace); ok {
		return true
	}
	for range inventory.In(e, inventory.Services, namespace) {
		return true
	}
	return podsInInput(e, namespace)
}

// podsInInput reports whether workloads that are not found in a namespace are
// not there: the input holds others of the namespace, or a whole cluster.
func podsInInput(e *check.Eval, namespace string) bool {
	return wholeCluster(e) || len(workload.ByNamespace.Of(e)[namespace]) > 0
}

// wholeCluster reports whether the input has the namespaces that every cluster
// has, and so was not limited to some.
func wholeCluster(e *check.Eval) bool {
	for _, name := range []string{metav1.NamespaceSystem, metav1.NamespaceDefault, metav1.NamespacePublic} {
		if _, ok := inventory.Get(e, inventory.Namespaces, "", name); !ok {
			return false
		}
	}
	return true
}
