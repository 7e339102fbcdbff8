package tiers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func declared(t *testing.T, setting inventory.Setting, namespaces ...*corev1.Namespace) *Tiers {
	t.Helper()
	b := &inventory.Builder{}
	inventory.Put(b, inventory.Settings, report.Subject{Kind: "Config"}, inventory.Origin{}, setting)
	for _, ns := range namespaces {
		inventory.PutObject(b, ns, inventory.Origin{})
	}
	return Declared.Of(b.Seal(time.Unix(0, 0)).View(Needs()))
}

func TestOf(t *testing.T) {
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "till"}}
	tiers := declared(t, inventory.Setting{Tiers: []inventory.Tier{
		{Name: "payment", Sensitive: true, Namespaces: []string{"pay-*", "shop"}, Selector: selector},
		{Name: "shop", Namespaces: []string{"shop"}},
		{Name: "vault", Sensitive: true, Namespaces: []string{"vault"}},
	}}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "labelled", Labels: map[string]string{inventory.TierLabel: "vault"}}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "vault", Labels: map[string]string{inventory.TierLabel: "other"}}})
	till, label := map[string]string{"app": "till"}, func(tier string) map[string]string { return map[string]string{inventory.TierLabel: tier} }
	tests := map[string]struct {
		namespace string
		sets      []map[string]string
		want      Tier
	}{
		"none":                                  {"default", nil, Tier{}},
		"namespace and selector":                {"pay-eu", []map[string]string{nil, till}, Tier{Name: "payment", Sensitive: true}},
		"selector alone":                        {"default", []map[string]string{till}, Tier{}},
		"the first that matches":                {"shop", []map[string]string{till}, Tier{Name: "payment", Sensitive: true}},
		"the next":                              {"shop", nil, Tier{Name: "shop"}},
		"its own label":                         {"shop", []map[string]string{label("vault"), till}, Tier{"vault", true, true}},
		"the pods' label":                       {"shop", []map[string]string{nil, label("vault")}, Tier{"vault", true, true}},
		"a tier that nothing declares":          {"shop", []map[string]string{label("odd")}, Tier{"odd", false, true}},
		"sensitive without being declared":      {"shop", []map[string]string{label(Sensitive)}, Tier{Sensitive, true, true}},
		"the namespace's label":                 {"labelled", nil, Tier{Name: "vault", Sensitive: true}},
		"the namespace's label before patterns": {"vault", nil, Tier{Name: "other"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tiers.Of(tt.namespace, tt.sets...)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestOfInvalid(t *testing.T) {
	for name, tier := range map[string]inventory.Tier{
		"pattern":  {Name: "a", Namespaces: []string{"[a"}},
		"selector": {Name: "a", Selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Is"}}}},
	} {
		if got, err := declared(t, inventory.Setting{Tiers: []inventory.Tier{tier}}).Of("default"); err == nil {
			t.Errorf("%s: %v, want an error", name, got)
		}
	}
}

func TestAny(t *testing.T) {
	named := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{inventory.TierLabel: "x"}}}
	for want, tiers := range map[bool][]*Tiers{
		false: {declared(t, inventory.Setting{}), declared(t, inventory.Setting{}, &corev1.Namespace{})},
		true:  {declared(t, inventory.Setting{Tiers: []inventory.Tier{{Name: "x"}}}), declared(t, inventory.Setting{}, named)},
	} {
		for i, tier := range tiers {
			if got := tier.Any(); got != want {
				t.Errorf("case %d: %t, want %t", i, got, want)
			}
		}
	}
}
