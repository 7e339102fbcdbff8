package webhook

import (
	"encoding/pem"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func put(configurations ...any) []*Webhook {
	b := &inventory.Builder{}
	for _, c := range configurations {
		inventory.PutObject(b, c, inventory.Origin{Source: "files", Place: "webhooks.yaml"})
	}
	inv := b.Seal(time.Time{})
	return All.Of(inv.View(Needs()))
}

func TestAll(t *testing.T) {
	seconds, port := int32(5), int32(8443)
	hooks := put(
		&admissionv1.MutatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: "kyverno-resource-mutating-webhook-cfg", UID: "u"},
			Webhooks: []admissionv1.MutatingWebhook{{
				Name: "mutate.kyverno.svc-fail", FailurePolicy: new(admissionv1.Ignore), MatchPolicy: new(admissionv1.Exact), TimeoutSeconds: &seconds,
				SideEffects: new(admissionv1.SideEffectClassNone), ReinvocationPolicy: new(admissionv1.IfNeededReinvocationPolicy),
				ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: "kyverno", Name: "kyverno-svc", Port: &port}},
			}},
		},
		&admissionv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: "checks"},
			Webhooks:   []admissionv1.ValidatingWebhook{{Name: "a.example.com", ClientConfig: admissionv1.WebhookClientConfig{URL: new("https://a")}}, {Name: "b.example.com"}},
		},
	)
	type row struct {
		Subject        report.Subject
		Quoted         string
		Mutating, Idle bool
		Product        string
		Failure        admissionv1.FailurePolicyType
		Match          admissionv1.MatchPolicyType
		Effects        admissionv1.SideEffectClass
		Timeout, Port  int32
		Reinvoked      bool
		Address        string
	}
	var got []row
	for _, w := range hooks {
		got = append(got, row{w.Part(), w.Quote("rules[1]", "", "").Field, w.Mutating, w.Idle(), w.Product,
			w.FailurePolicy(), w.MatchPolicy(), w.SideEffects(), w.Timeout(), w.Port(), w.Reinvoked(), w.Address()})
	}
	subject := func(kind, name, part string) report.Subject {
		return report.Subject{Kind: kind, APIVersion: "admissionregistration.k8s.io/v1", Name: name, Part: part}
	}
	want := []row{
		{subject("ValidatingWebhookConfiguration", "checks", "a.example.com"), "webhooks[0].rules[1]", false, false, "", "Fail", "Equivalent", "", 10, 0, false, "https://a"},
		{subject("ValidatingWebhookConfiguration", "checks", "b.example.com"), "webhooks[1].rules[1]", false, false, "", "Fail", "Equivalent", "", 10, 0, false, "nothing"},
		{subject("MutatingWebhookConfiguration", "kyverno-resource-mutating-webhook-cfg", "mutate.kyverno.svc-fail"), "webhooks[0].rules[1]", true, true, "Kyverno",
			"Ignore", "Exact", "None", 5, 8443, true, "Service kyverno/kyverno-svc"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestProduct(t *testing.T) {
	for name, want := range map[string]string{
		"validation.gatekeeper.sh":                             "Gatekeeper",
		"mutation.gatekeeper.sh":                               "",
		"validate.kyverno.svc-fail-finegrained-require-labels": "Kyverno",
		"vpol.validate.kyverno.svc-fail":                       "Kyverno",
		"ivpol.validate.kyverno.svc-fail":                      "Kyverno",
		"gpol.validate.kyverno.svc-ignore":                     "", // generates
		"validate-policy.kyverno.svc":                          "",
		"connaisseur-svc.security.svc":                         "Connaisseur",
		"clusterwide-no-privileged.kubewarden.admission":       "Kubewarden",
		"linkerd-proxy-injector.linkerd.io":                    "",
	} {
		if got := product(name); got != want {
			t.Errorf("%s belongs to %q, want %q", name, got, want)
		}
	}
}

func rule(groups, resources string, scope admissionv1.ScopeType, ops ...admissionv1.OperationType) admissionv1.RuleWithOperations {
	r := admissionv1.RuleWithOperations{Operations: ops, Rule: admissionv1.Rule{APIGroups: []string{groups}, APIVersions: []string{"v1"}, Resources: []string{resources}}}
	if scope != "" {
		r.Scope = &scope
	}
	return r
}

func TestRules(t *testing.T) {
	type answer struct {
		Pods, Exec, Namespaces, Wildcard, Slips bool
	}
	for name, c := range map[string]struct {
		rule admissionv1.RuleWithOperations
		want answer
	}{
		"pods":                      {rule("", "pods", "", "CREATE"), answer{Pods: true}},
		"pods on another operation": {rule("", "pods", "", "DELETE"), answer{}},
		"pods of another group":     {rule("metrics.k8s.io", "pods", "", "*"), answer{Slips: true}},
		"every resource":            {rule("*", "*", "", "*"), answer{Pods: true, Namespaces: true, Wildcard: true, Slips: true}},
		"with subresources":         {rule("*", "*/*", "*", "CREATE"), answer{Pods: true, Exec: true, Namespaces: true, Wildcard: true, Slips: true}},
		"subresources of pods":      {rule("", "pods/*", "", "CREATE"), answer{Pods: true, Exec: true}},
		"only in namespaces":        {rule("*", "*", "Namespaced", "CREATE"), answer{Pods: true, Wildcard: true, Slips: true}},
		"only outside of them":      {rule("*", "*", "Cluster", "CREATE"), answer{Namespaces: true, Slips: true}},
		"deletion of everything":    {rule("*", "*", "", "DELETE"), answer{Slips: true}},
	} {
		w := &Webhook{Spec: &admissionv1.MutatingWebhook{Rules: []admissionv1.RuleWithOperations{c.rule}}}
		got := answer{w.Asked("CREATE", "", "pods"), w.Asked("CREATE", "", "pods/exec"), w.Asked("CREATE", "", "namespaces"), w.Wildcard() == 0, Slips(w.Spec.Rules) == 0}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestSelectsNamespace(t *testing.T) {
	not := func(key string, values ...string) metav1.LabelSelectorRequirement {
		op := metav1.LabelSelectorOpNotIn
		if len(values) == 0 {
			op = metav1.LabelSelectorOpDoesNotExist
		}
		return metav1.LabelSelectorRequirement{Key: key, Operator: op, Values: values}
	}
	byName := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{not("kubernetes.io/metadata.name", "kube-system")}}
	mixed := &metav1.LabelSelector{MatchExpressions: append(byName.MatchExpressions, not("skip"))}
	for name, c := range map[string]struct {
		selector   *metav1.LabelSelector
		namespace  string
		labels     map[string]string
		yes, known bool
	}{
		"none":                          {nil, "shop", nil, true, true},
		"empty":                         {&metav1.LabelSelector{}, "shop", nil, true, true},
		"excluded by name":              {byName, "kube-system", nil, false, true},
		"by name, another":              {byName, "shop", nil, true, true},
		"name decides":                  {mixed, "kube-system", nil, false, true},
		"a label is asked for":          {mixed, "shop", nil, true, false},
		"the Namespace has no labels":   {mixed, "shop", map[string]string{}, true, true},
		"the Namespace has the label":   {mixed, "shop", map[string]string{"skip": ""}, false, true},
		"a selector that is not valid ": {&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}, "shop", nil, false, false},
	} {
		if yes, known := SelectsNamespace(c.selector, c.namespace, c.labels); yes != c.yes || known != c.known {
			t.Errorf("%s: %t, known %t", name, yes, known)
		}
	}
}

func TestRequirements(t *testing.T) {
	got := Requirements(&metav1.LabelSelector{
		MatchLabels:      map[string]string{"tier": "web", "app": "shop"},
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "skip", Operator: metav1.LabelSelectorOpDoesNotExist}},
	})
	want := []Requirement{{"app", "matchLabels[app]", "app=shop"}, {"tier", "matchLabels[tier]", "tier=web"}, {"skip", "matchExpressions[0].key", "!skip"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// FuzzAuthorities proves that no bundle, however broken, stops a scan, and that
// whatever is read is a certificate with a key that can be looked at.
func FuzzAuthorities(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\n"))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not DER")}))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Headers: map[string]string{"a": "b"}}))
	f.Fuzz(func(_ *testing.T, bundle []byte) {
		for _, c := range Authorities(bundle) {
			WeakKey(c)
			Valid(Authorities(bundle), c.NotAfter)
		}
	})
}
