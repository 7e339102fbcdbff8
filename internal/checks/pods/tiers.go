package pods

import (
	"fmt"
	"path"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// tiers says which workloads are sensitive.
type tiers struct {
	subject    report.Subject // the settings
	declared   []inventory.Tier
	namespaces map[string]string // the tier that a Namespace object's label names
	labelled   bool              // some object carries the label
}

// sensitiveTier is sensitive without being declared.
const sensitiveTier = "sensitive"

func readTiers(e *check.Eval) *tiers {
	t := &tiers{namespaces: map[string]string{}}
	for s := range inventory.All(e, inventory.Settings) {
		t.subject, t.declared = s.Subject, s.Value.Tiers
	}
	for ns := range inventory.All(e, inventory.Namespaces) {
		if tier := ns.Value.Labels[inventory.TierLabel]; tier != "" {
			t.namespaces[ns.Name], t.labelled = tier, true
		}
	}
	return t
}

// known reports whether anything says what is sensitive. It is meaningful when
// every workload was asked about.
func (t *tiers) known() bool { return len(t.declared) > 0 || t.labelled }

// sensitive reports whether a workload belongs to a sensitive tier: the one
// that its own label, its pods' or its namespace's names; else the first that
// is declared for it.
func (t *tiers) sensitive(w *workload.Workload) (bool, error) {
	for _, name := range []string{w.Value.Labels[inventory.TierLabel], w.PodLabels()[inventory.TierLabel], t.namespaces[w.Namespace]} {
		if name != "" {
			t.labelled = true
			return t.sensitiveName(name), nil
		}
	}
	for _, tier := range t.declared {
		ok, err := matches(tier, w)
		if err != nil {
			return false, fmt.Errorf("tier %q: %w", tier.Name, err)
		}
		if ok {
			return tier.Sensitive, nil
		}
	}
	return false, nil
}

// own reports whether the workload names its tier itself.
func (t *tiers) own(w *workload.Workload) bool {
	return w.Value.Labels[inventory.TierLabel] != "" || w.PodLabels()[inventory.TierLabel] != ""
}

func (t *tiers) sensitiveName(name string) bool {
	for _, tier := range t.declared {
		if tier.Name == name {
			return tier.Sensitive
		}
	}
	return name == sensitiveTier
}

func matches(tier inventory.Tier, w *workload.Workload) (bool, error) {
	in := len(tier.Namespaces) == 0
	for _, glob := range tier.Namespaces {
		ok, err := path.Match(glob, w.Namespace)
		if err != nil {
			return false, fmt.Errorf("the namespace pattern %q is not valid", glob)
		}
		in = in || ok
	}
	if tier.Selector == nil || !in {
		return in, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(tier.Selector)
	if err != nil {
		return false, fmt.Errorf("its selector is not valid: %w", err)
	}
	return slices.ContainsFunc([]map[string]string{w.PodLabels(), w.Value.Labels}, func(set map[string]string) bool {
		return selector.Matches(labels.Set(set))
	}), nil
}
