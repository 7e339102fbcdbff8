package files

import (
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx
`

var hostile = map[string]string{
	"empty":               "",
	"blank":               " \n\t\n",
	"NUL":                 "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\x00b\n",
	"binary":              "\x7fELF\x00\x01\x02",
	"invalid UTF-8":       "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"\xff\xfe\"\n",
	"tabs":                "apiVersion: v1\nkind: Pod\n\tmetadata: a\n",
	"BOM":                 "\ufeff" + deployment,
	"CRLF":                strings.ReplaceAll(deployment, "\n", "\r\n"),
	"CR":                  strings.ReplaceAll(deployment, "\n", "\r"),
	"directives":          "%YAML 1.1\n%TAG ! tag:example.com,2026:\n---\n" + deployment,
	"separator comment":   deployment + "--- # another\n" + deployment,
	"end mark":            deployment + "...\n# gap\n---\n" + deployment,
	"mark in block":       "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    a: |\n      ---\n      b\n",
	"mark in quotes":      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"a\n---\nb\"\n",
	"two in one":          deployment + deployment,
	"unknown anchor":      "apiVersion: v1\nkind: Pod\nmetadata: *nowhere\n",
	"self anchor":         "apiVersion: v1\nkind: Pod\nmetadata: &a {labels: *a}\n",
	"alias bomb":          bomb(9),
	"nested flow":         "apiVersion: v1\nkind: Pod\nmetadata: " + strings.Repeat("[", 5000),
	"nested block":        "apiVersion: v1\nkind: Pod\nspec:\n" + strings.Repeat("- ", 5000),
	"nested JSON":         `{"apiVersion":"v1","kind":"Pod","metadata":` + strings.Repeat(`{"a":`, 5000),
	"template":            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n",
	"JSON list":           `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","uid":"1"}}]}`,
	"JSON in YAML":        "---\n{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"data\": {\"a\": \"YQ==\"}}\n---\n" + deployment,
	"truncated JSON":      `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"na`,
	"list of lists":       "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: PodList\n  items:\n  - metadata: {name: a}\n",
	"review":              `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"object":{"apiVersion":"v1","kind":"Pod"}}}`,
	"wrong types":         "apiVersion: v1\nkind: Pod\nmetadata: 5\nspec: [a]\n",
	"kind is a list":      "apiVersion: v1\nkind: [Pod]\n",
	"scalar":              "just text\n",
	"secret":              "apiVersion: v1\nkind: Secret\ndata: {a: YQ==, b: YQ==}\nstringData: {b: x}\n",
	"kubeconfig":          "apiVersion: v1\nkind: Config\nclusters: []\n",
	"PEM":                 "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n",
	"ABAC policies":       "# people\n{\"apiVersion\":\"abac.authorization.kubernetes.io/v1beta1\",\"kind\":\"Policy\",\"spec\":{\"user\":\"*\"}}\n{\"user\":\"ann\"}\n",
	"pod security":        "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\ndefaults: {enforce: baseline}\n",
	"UTF-16":              "\xff\xfea\x00:\x00 \x001\x00",
	"merge":               "apiVersion: v1\nkind: Pod\nmetadata: &m\n  name: a\nspec:\n  <<: *m\n",
	"comment storm":       strings.Repeat("# a\n\n", 200) + deployment + strings.Repeat("  # b\n", 200),
	"unterminated quote":  "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"a\n",
	"duplicate keys":      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nmetadata: {name: b}\n",
	"duplicate JSON keys": `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"metadata":{"name":"b"}}`,
}

func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Pod\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i <= levels; i++ {
		p, q := string(rune('0'+i-1)), string(rune('0'+i))
		b.WriteString("a" + q + ": &a" + q + " [" + strings.TrimSuffix(strings.Repeat("*a"+p+", ", 10), ", ") + "]\n")
	}
	return b.String()
}

// Whatever is read: no panic, an end, a problem for each gap of something
// unreadable, and the same the second time.
func FuzzManifest(f *testing.F) {
	for _, s := range hostile {
		f.Add("a.yaml", []byte(s))
		f.Add("a.json", []byte(s))
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		if len(text) > 16<<10 {
			return
		}
		start := time.Now()
		b, again := &inventory.Builder{}, &inventory.Builder{}
		s := ReadFiles(b, []File{{name, text}})
		ReadFiles(again, []File{{name, text}})
		one, two := b.Seal(time.Time{}), again.Seal(time.Time{})
		if one.Digest() != two.Digest() {
			t.Error("read twice, it is different")
		}
		for _, g := range one.AllGaps() {
			if (g.Cause == report.Unreadable || g.Cause == report.Truncated) && len(s.Problems) == 0 {
				t.Errorf("a gap without a problem: %v", g)
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v for %d bytes", took, len(text))
		}
	})
}
