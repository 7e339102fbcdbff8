package checktest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/source/files"
)

// bystander is a namespace that has nothing to do with any fixture. It is made
// so that it breaks no check.
var bystander = files.File{Name: "bystander.yaml", Data: []byte(`apiVersion: v1
kind: Namespace
metadata:
  name: plimsoll-bystander
  labels: {pod-security.kubernetes.io/enforce: restricted}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: plimsoll-bystander}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`)}

// laws proves over one fixture what holds for every check.
func laws(t *testing.T, c *check.Check, f *fixture) {
	t.Helper()
	inv := f.seal(0)
	before := inv.Digest()
	base := check.Evaluate(c, inv)
	if inv.Digest() != before {
		t.Error("the check changed the inventory")
	}
	for _, g := range base.Gaps {
		if g.Cause == report.CheckPanicked {
			t.Errorf("panic: %s", g.Detail)
		}
	}

	// The same evidence in another order gives the same bytes.
	for turn := 1; turn < len(f.files); turn++ {
		if d := cmp.Diff(render(t, base), render(t, check.Evaluate(c, f.seal(turn)))); d != "" {
			t.Errorf("the order of files changes the result:\n%s", d)
		}
	}

	// No pass without evidence.
	for _, n := range c.Needs {
		if n.Optional {
			continue
		}
		got := check.Evaluate(c, inv.Without(n.Kind))
		ok := got.Verdict == report.Unknown || got.Verdict == report.Fail && base.Verdict == report.Fail ||
			got.Verdict == report.Pass && c.Any
		if !ok {
			t.Errorf("without %s: %s (%s)", n.Kind, got.Verdict, got.Reason)
		}
	}

	// An unrelated namespace changes no finding. A fixture without Namespace
	// objects would gain the kind itself.
	if len(inv.Gaps(inventory.Namespaces.ID, "")) == 0 {
		got := check.Evaluate(c, f.seal(0, bystander))
		if d := cmp.Diff(base.Findings, got.Findings); d != "" {
			t.Errorf("an unrelated namespace changes the findings:\n%s", d)
		}
	}
}

func render(t *testing.T, r report.CheckResult) string {
	t.Helper()
	out, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
