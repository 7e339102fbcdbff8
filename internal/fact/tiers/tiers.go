// Package tiers says which tier of sensitivity a workload belongs to: the one
// that a label names, else the first that the configuration declares for it.
package tiers

import (
	"fmt"
	"path"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// The names of the tiers that are there without being declared.
const (
	// Sensitive is the tier that is sensitive where nothing else is said of it.
	Sensitive = "sensitive"
	// ControlPlane is the tier of what runs the cluster itself.
	ControlPlane = "control-plane"
)

// HowToDeclare is what a person can do who is asked for tiers.
const HowToDeclare = "declare tiers in plimsoll.yaml, or label workloads or namespaces with plimsoll.dev/tier"

// Declared is what the configuration and the labels of namespaces say. A check
// that uses it declares [Needs].
var Declared = &inventory.Fact[*Tiers]{Needs: Needs(), Build: read}

// Needs are the kinds that tiers come from. Namespaces are optional: manifests
// without theirs say by it that no namespace is labelled.
func Needs() []inventory.Need {
	return []inventory.Need{inventory.Settings.Need(), inventory.Namespaces.Optional()}
}

// Tiers are the tiers as they are declared.
type Tiers struct {
	// Subject is the configuration.
	Subject    report.Subject
	declared   []inventory.Tier
	namespaces map[string]string // the tier that a Namespace object's label names
}

// Tier is the tier of one workload. The zero value is none.
type Tier struct {
	Name      string
	Sensitive bool
	// Own says that the workload's own label names it, or its pods'.
	Own bool
}

func read(v inventory.View) *Tiers {
	t := &Tiers{namespaces: map[string]string{}}
	for s := range inventory.All(v, inventory.Settings) {
		t.Subject, t.declared = s.Subject, s.Value.Tiers
	}
	for ns := range inventory.All(v, inventory.Namespaces) {
		if tier := ns.Value.Labels[inventory.TierLabel]; tier != "" {
			t.namespaces[ns.Name] = tier
		}
	}
	return t
}

// Any reports whether the configuration or a namespace declares a tier. A
// workload's own label does it as well.
func (t *Tiers) Any() bool { return len(t.declared)+len(t.namespaces) > 0 }

// Of is the tier of a workload in a namespace: the one that one of its sets of
// labels names, then the namespace's; else the first that is declared for it.
// An error says that a declaration is not valid.
func (t *Tiers) Of(namespace string, sets ...map[string]string) (Tier, error) {
	for _, set := range sets {
		if name := set[inventory.TierLabel]; name != "" {
			return Tier{name, t.sensitive(name), true}, nil
		}
	}
	if name := t.namespaces[namespace]; name != "" {
		return Tier{Name: name, Sensitive: t.sensitive(name)}, nil
	}
	for _, tier := range t.declared {
		ok, err := matches(tier, namespace, sets)
		if err != nil {
			return Tier{}, fmt.Errorf("tier %q: %w", tier.Name, err)
		}
		if ok {
			return Tier{Name: tier.Name, Sensitive: tier.Sensitive}, nil
		}
	}
	return Tier{}, nil
}

func (t *Tiers) sensitive(name string) bool {
	i := slices.IndexFunc(t.declared, func(tier inventory.Tier) bool { return tier.Name == name })
	if i < 0 {
		return name == Sensitive
	}
	return t.declared[i].Sensitive
}

// Unread is the gap where the Namespace object is there and could not be read:
// its label may name another tier. Manifests that come without theirs leave none.
func Unread(r interface {
	Missing(report.KindID, string) []report.Gap
}, namespace string) (report.Gap, bool) {
	for _, g := range r.Missing(inventory.Namespaces.ID, namespace) {
		if g.Cause != report.NotGiven {
			return g, true
		}
	}
	return report.Gap{}, false
}

func matches(tier inventory.Tier, namespace string, sets []map[string]string) (bool, error) {
	in := len(tier.Namespaces) == 0
	for _, glob := range tier.Namespaces {
		ok, err := path.Match(glob, namespace)
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
	return slices.ContainsFunc(sets, func(set map[string]string) bool { return selector.Matches(labels.Set(set)) }), nil
}
