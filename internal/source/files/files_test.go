package files

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func readOne(t *testing.T, name, text string) (*inventory.Inventory, report.Source) {
	t.Helper()
	b := &inventory.Builder{}
	s := ReadFiles(b, []File{{name, []byte(text)}})
	return b.Seal(time.Time{}), s
}

func kind[T any](inv *inventory.Inventory, k inventory.Kind[T]) []inventory.Object[T] {
	return slices.Collect(inventory.All(inv.View([]inventory.Need{k.Need()}), k))
}

// problems renders what could not be read, and for which kinds that is a gap.
func problems(inv *inventory.Inventory, s report.Source) (out []string) {
	for _, p := range s.Problems {
		out = append(out, p.At+": "+p.Message)
	}
	for _, g := range inv.AllGaps() {
		if g.Cause != report.NotGiven {
			text := "gap " + string(g.Kind)
			if g.Scope != "" {
				text += " in " + g.Scope
			}
			out = append(out, text)
		}
	}
	return out
}

// Lines are those of the file, whatever the form that the object came in.
func TestLines(t *testing.T) {
	yamlText := "# a comment\napiVersion: v1\nkind: ConfigMap\n---\n\n" + deployment
	jsonText := `{
  "apiVersion": "v1",
  "kind": "List",
  "items": [
    {
      "kind": "Deployment", "apiVersion": "apps/v1",
      "metadata": {"name": "web"},
      "spec": {"template": {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [
          {"name": "web",
           "image": "nginx"}]}}}
    }
  ]
}`
	for _, c := range []struct {
		name, text, object, container, image, absent string
	}{
		{"a.yaml", yamlText, "a.yaml:6", "a.yaml:16", "a.yaml:17", "a.yaml:16"},
		{"crlf.yaml", strings.ReplaceAll(yamlText, "\n", "\r\n"), "crlf.yaml:6", "crlf.yaml:16", "crlf.yaml:17", "crlf.yaml:16"},
		{"bom.yaml", "\ufeff" + yamlText, "bom.yaml:6", "bom.yaml:16", "bom.yaml:17", "bom.yaml:16"},
		{"a.json", jsonText, "a.json:5", "a.json:11", "a.json:12", "a.json:11"},
		{"json.yaml", "---\n" + jsonText, "json.yaml:6", "json.yaml:12", "json.yaml:13", "json.yaml:12"},
	} {
		inv, s := readOne(t, c.name, c.text)
		if p := problems(inv, s); p != nil {
			t.Errorf("%s: %v", c.name, p)
		}
		ds := kind(inv, inventory.Deployments)
		if len(ds) != 1 {
			t.Errorf("%s: %d deployments", c.name, len(ds))
			continue
		}
		d := ds[0]
		got := []string{d.Locate(""), d.Locate("spec.template.spec.containers[0]"), d.Locate("spec.template.spec.containers[0].image"), d.Locate("spec.template.spec.containers[0].securityContext.privileged")}
		if diff := cmp.Diff([]string{c.object, c.container, c.image, c.absent}, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestHostile(t *testing.T) {
	const any, pod = "gap *", "gap v1/Pod"
	for name, want := range map[string][]string{
		"empty":              {"a.yaml: the file is empty"},
		"blank":              nil,
		"NUL":                {"a.yaml: binary, not text", any},
		"binary":             {"a.yaml: binary, not text", any},
		"invalid UTF-8":      {"a.yaml:4: column 10: not UTF-8", pod},
		"tabs":               {"a.yaml:3: column 1: not YAML: found a tab character that violates indentation", pod},
		"BOM":                nil,
		"CRLF":               nil,
		"directives":         nil,
		"separator comment":  nil,
		"end mark":           nil,
		"mark in block":      nil,
		"mark in quotes":     {"a.yaml:5: column 1: not YAML: found unexpected end of stream", pod},
		"two in one":         {"a.yaml:13", "a.yaml:14", "a.yaml:15", "a.yaml:18"},
		"unknown anchor":     {"a.yaml:3: column 11: not YAML: unknown anchor … referenced", pod},
		"self anchor":        {"a.yaml:3: column 23: an anchor contains itself", pod},
		"alias bomb":         {"a.yaml:3: column 5: aliases expand to too much", pod},
		"nested flow":        {"a.yaml:4: column 1: not YAML: did not find expected node content", pod},
		"nested JSON":        {"a.yaml:2: column 1: not YAML: did not find expected node content", any},
		"template":           {"a.yaml:4: a template, not a manifest: render it first, or give the chart's directory as PATH (column 10: a mapping key is not a string, number or boolean)", pod},
		"truncated JSON":     {"a.yaml:1: column 90: not YAML: found unexpected end of stream", any},
		"wrong types":        {"a.yaml:3: the API server refuses the type of metadata (a number)", pod},
		"unterminated quote": {"a.yaml:5: column 1: not YAML: found unexpected end of stream", pod},
		"duplicate keys":     {"a.yaml:4: this key was there before in the same mapping; the last one counts, as for kubectl"},
	} {
		t.Run(name, func(t *testing.T) {
			inv, s := readOne(t, "a.yaml", hostile[name])
			got := problems(inv, s)
			for i := range got {
				if i < len(want) && !strings.Contains(want[i], ": ") && !strings.HasPrefix(want[i], "gap") {
					got[i], _, _ = strings.Cut(got[i], ": ")
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("the rest is read", func(t *testing.T) {
		for name, text := range hostile {
			if name == "BOM" || strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "-----") || strings.Contains(text, "\x00") {
				continue
			}
			inv, _ := readOne(t, "a.yaml", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: before}\n---\n"+text+"\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: after}\n")
			if n := len(kind(inv, inventory.ServiceAccounts)); n != 2 {
				t.Errorf("%s: %d of the 2 around it", name, n)
			}
		}
	})
}

func TestNestingIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"flow.yaml":  "apiVersion: v1\nkind: Pod\nspec: " + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"block.yaml": "apiVersion: v1\nkind: Pod\nspec:\n  " + strings.Repeat("- ", 100_000),
		"deep.json":  `{"apiVersion":"v1","kind":"Pod","spec":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}",
	} {
		inv, s := readOne(t, name, text)
		if len(s.Problems) != 1 || len(problems(inv, s)) != 2 {
			t.Errorf("%s: %v", name, problems(inv, s))
		}
	}
}

// No value of a Secret gets anywhere, whether the document can be read or not.
func TestSecretValuesStayOut(t *testing.T) {
	const canary = "c4n4ry"
	for name, text := range map[string]string{
		"plain.yaml":      "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: c4n4ry, b: x}\nstringData: {b: c4n4ry}\n",
		"applied.yaml":    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"data\":\"c4n4ry\"}'\n    kapp.k14s.io/original: '{\"data\":\"c4n4ry\"}'\ndata: {a: c4n4ry, b: x}\n",
		"plain.json":      `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"a":"c4n4ry","b":"x"}}`,
		"merged.yaml":     "x: &x {a: c4n4ry, b: x}\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {<<: *x}\n",
		"broken.yaml":     "apiVersion: v1\nkind: Secret\ndata:\n  a: \"c4n4ry\n",
		"broken2.yaml":    "apiVersion: v1\nkind: Secret\ndata:\n  a: c4n4ry: c4n4ry\n",
		"anchor.yaml":     "apiVersion: v1\nkind: Secret\ndata:\n  a: *c4n4ry\n",
		"tag.yaml":        "apiVersion: v1\nkind: Secret\ntype: !!int c4n4ry\n",
		"tag2.yaml":       "apiVersion: v1\nkind: Secret\ntype: !c4n4ry! a\n",
		"type.yaml":       "apiVersion: v1\nkind: Secret\nmetadata: [c4n4ry]\n",
		"time.yaml":       "apiVersion: v1\nkind: Secret\nmetadata: {creationTimestamp: c4n4ry}\n",
		"broken.json":     `{"apiVersion":"v1","kind":"Secret","data":{"a":"c4n4ry" "b"}}`,
		"broken2.json":    `{"apiVersion":"v1","kind":"Secret","data":{"a":c4n4ry}}`,
		"duplicate.yaml":  "apiVersion: v1\nkind: Secret\nstringData: {a: c4n4ry}\nstringData: {a: c4n4ry}\n",
		"kubeconfig.yaml": "apiVersion: v1\nkind: Config\nclusters: []\nusers: [{user: {token: c4n4ry}}]\n",
		"quantity.yaml":   "apiVersion: v1\nkind: LimitRange\nspec: {limits: [{max: {cpu: c4n4ry}}]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			inv, s := readOne(t, name, text)
			for _, secret := range kind(inv, inventory.Secrets) {
				if strings.HasPrefix(name, "plain") && secret.Value.Keys != 2 || secret.Value.Type != corev1.SecretTypeOpaque {
					t.Errorf("%+v", secret.Value)
				}
				if strings.Contains(cmp.Diff(nil, secret.Value), canary) {
					t.Errorf("in the inventory: %+v", secret.Value)
				}
			}
			if strings.Contains(cmp.Diff(report.Source{}, s), canary) {
				t.Errorf("in the report: %+v", s)
			}
			if strings.Contains(cmp.Diff([]report.Gap(nil), inv.AllGaps()), canary) {
				t.Errorf("in a gap: %+v", inv.AllGaps())
			}
		})
	}
}
