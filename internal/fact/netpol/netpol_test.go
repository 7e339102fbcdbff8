package netpol_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/fact/netpol"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// policy reads the spec of a NetworkPolicy through the inventory.
func policy(t *testing.T, spec string) *netpol.Policy {
	t.Helper()
	obj := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "shop"}}
	if err := yaml.UnmarshalStrict([]byte(spec), &obj.Spec); err != nil {
		t.Fatal(err)
	}
	b := &inventory.Builder{}
	inventory.PutObject(b, obj, inventory.Origin{Source: "files", Place: "p.yaml"})
	inv := b.Seal(time.Time{})
	return netpol.Policies.Of(inv.View(netpol.Policies.Needs))["shop"][0]
}

func TestPolicy(t *testing.T) {
	type direction struct {
		Isolates, Denies bool
		Opens            []string // the fields that allow everything
	}
	tests := []struct {
		name, spec      string
		ingress, egress direction
	}{
		{name: "no types, no rules", spec: `podSelector: {}`,
			ingress: direction{Isolates: true, Denies: true}},
		{name: "types null", spec: `{podSelector: {}, policyTypes: []}`,
			ingress: direction{Isolates: true, Denies: true}},
		{name: "no types, egress rule", spec: `{podSelector: {}, egress: [{}]}`,
			ingress: direction{Isolates: true, Denies: true},
			egress:  direction{Isolates: true, Opens: []string{"spec.egress[0]"}}},
		{name: "no types, egress empty list", spec: `{podSelector: {}, egress: []}`,
			ingress: direction{Isolates: true, Denies: true}},
		{name: "both", spec: `{podSelector: {}, policyTypes: [Ingress, Egress]}`,
			ingress: direction{Isolates: true, Denies: true}, egress: direction{Isolates: true, Denies: true}},
		{name: "egress only, ingress rules are ignored", spec: `{podSelector: {}, policyTypes: [Egress], ingress: [{}]}`,
			egress: direction{Isolates: true, Denies: true}},
		{name: "a selector is no default deny", spec: `{podSelector: {matchLabels: {app: web}}}`,
			ingress: direction{Isolates: true}},
		{name: "an expression is a selector", spec: `{podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}}`,
			ingress: direction{Isolates: true}},
		{name: "from empty list", spec: `{podSelector: {}, ingress: [{from: []}]}`,
			ingress: direction{Isolates: true, Opens: []string{"spec.ingress[0]"}}},
		{name: "everywhere on one port", spec: `{podSelector: {}, ingress: [{ports: [{port: 80}]}]}`,
			ingress: direction{Isolates: true}},
		{name: "second rule opens", spec: `{podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {}]}`,
			ingress: direction{Isolates: true, Opens: []string{"spec.ingress[1]"}}},
		{name: "every pod is not everything", spec: `{podSelector: {}, ingress: [{from: [{podSelector: {}, namespaceSelector: {}}]}]}`,
			ingress: direction{Isolates: true}},
		{name: "one address family", spec: `{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}`,
			egress: direction{Isolates: true}},
		{name: "both address families in one rule", spec: `{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "::/0"}}, {ipBlock: {cidr: 10.0.0.0/0}}]}]}`,
			egress: direction{Isolates: true, Opens: []string{"spec.egress[0].to[1].ipBlock.cidr", "spec.egress[0].to[0].ipBlock.cidr"}}},
		{name: "both address families in two rules", spec: `{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "0.0.0.0/0"}}]}, {to: [{ipBlock: {cidr: "::/0"}}]}]}`,
			egress: direction{Isolates: true, Opens: []string{"spec.egress[0].to[0].ipBlock.cidr", "spec.egress[1].to[0].ipBlock.cidr"}}},
		{name: "an exception", spec: `{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "0.0.0.0/0", except: [169.254.169.254/32]}}, {ipBlock: {cidr: "::/0"}}]}]}`,
			egress: direction{Isolates: true}},
		{name: "both address families on one port", spec: `{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}], to: [{ipBlock: {cidr: "0.0.0.0/0"}}, {ipBlock: {cidr: "::/0"}}]}]}`,
			egress: direction{Isolates: true}},
		{name: "not an address block", spec: `{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "everywhere"}}]}]}`,
			egress: direction{Isolates: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := policy(t, tt.spec)
			for d, want := range map[netpol.Direction]direction{netpol.Ingress: tt.ingress, netpol.Egress: tt.egress} {
				got := direction{Isolates: p.Isolates(d), Denies: p.DeniesByDefault(d)}
				for _, e := range p.AllowsAll(d) {
					got.Opens = append(got.Opens, e.Field)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", d, diff)
				}
			}
		})
	}
}

func TestSelects(t *testing.T) {
	web := map[string]string{"app": "web", "tier": "front"}
	tests := []struct {
		name, spec             string
		web, unlabelled, every bool
	}{
		{"everything", `podSelector: {}`, true, true, true},
		{"label", `podSelector: {matchLabels: {app: web}}`, true, false, false},
		{"other label", `podSelector: {matchLabels: {app: cart}}`, false, false, false},
		{"label and expression", `podSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: In, values: [front, edge]}]}`, true, false, false},
		{"absent label", `podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}`, false, true, false},
		{"not in also means absent", `podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}`, false, true, false},
	}
	for _, tt := range tests {
		p := policy(t, tt.spec)
		if p.Invalid != nil {
			t.Errorf("%s: %v", tt.name, p.Invalid)
		}
		if got := p.Selects(web); got != tt.web {
			t.Errorf("%s: selects the web pod: %v", tt.name, got)
		}
		if got := p.Selects(nil); got != tt.unlabelled {
			t.Errorf("%s: selects a pod without labels: %v", tt.name, got)
		}
		if got := p.SelectsAll(); got != tt.every {
			t.Errorf("%s: selects all: %v", tt.name, got)
		}
	}
}

func TestInvalidSelector(t *testing.T) {
	p := policy(t, `podSelector: {matchExpressions: [{key: app, operator: Equals, values: [web]}]}`)
	if p.Invalid == nil {
		t.Error("an operator that does not exist is accepted")
	}
	if p.Selects(nil) || p.SelectsAll() || p.DeniesByDefault(netpol.Ingress) {
		t.Error("an invalid selector selects something")
	}
}
