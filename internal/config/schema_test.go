package config

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	sigsyaml "sigs.k8s.io/yaml"
)

func compile(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate checks YAML against the schema, as an editor does.
func validate(s *jsonschema.Schema, text string) error {
	j, err := sigsyaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal(j, &v); err != nil {
		return err
	}
	return s.Validate(v)
}

func TestSchema(t *testing.T) {
	s := compile(t)
	const version = "apiVersion: plimsoll.dev/v1\n"
	for _, text := range []string{complete, version, version + "waivers: []\nexclude: []"} {
		if err := validate(s, text); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
		if _, err := Parse("p.yaml", []byte(text), known); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}

	waiver := func(keys string) string { return version + "waivers:\n- {" + keys + "}" }
	for _, text := range []string{
		"{}", "kind: Config", "apiVersion: v1", "[]", version + "kind: Secret",
		version + "waiver: []", version + "waivers: {}", version + "waivers:", version + "thresholds: {}",
		version + "annotations: {waivers: true}", version + "annotations: {waivers: x}", version + "exclude: ['']", version + "exclude: [1]",
		waiver("rule: pods, everywhere: true, reason: x, until: 2027-01-31"), waiver("rule: 3.3, everywhere: true, reason: x, until: 2027-01-31"),
		waiver("rule: [], everywhere: true, reason: x, until: 2027-01-31"), waiver("everywhere: true, reason: x, until: 2027-01-31"),
		waiver("rule: pods/seccomp, reason: x, until: 2027-01-31"), waiver("rule: pods/seccomp, everywhere: false, reason: x, until: 2027-01-31"),
		waiver("rule: pods/seccomp, everywhere: true, subjects: [{name: x}], reason: x, until: 2027-01-31"),
		waiver("rule: pods/seccomp, subjects: [{}], reason: x, until: 2027-01-31"), waiver("rule: pods/seccomp, subjects: [], reason: x, until: 2027-01-31"),
		waiver("rule: pods/seccomp, subjects: [{nmae: x}], reason: x, until: 2027-01-31"), waiver("rule: pods/seccomp, everywhere: true, reason: ' ', until: 2027-01-31"),
		waiver("rule: pods/seccomp, everywhere: true, until: 2027-01-31"), waiver("rule: pods/seccomp, everywhere: true, reason: x"),
		waiver("rule: pods/seccomp, everywhere: true, reason: x, until: 31.1.2027"), waiver("rule: pods/seccomp, everywhere: true, reason: x, until: 2027-01-31, controls: []"),
		version + "attestations:\n- {item: 'pods/*', statement: s, by: b, date: 2026-10-01, expires: 2027-10-01}",
		version + "attestations:\n- {item: '3.4', by: b, date: 2026-10-01, expires: 2027-10-01}",
		version + "tiers:\n- {name: a}", version + "tiers:\n- {name: a b, namespaces: [x]}", version + "tiers:\n- {name: a, selector: {}}",
		version + "tiers:\n- {name: a, selector: {matchExpressions: [{key: x, operator: in}]}}",
		version + "allowedSubjects:\n- {rule: 1.6, kind: Group, name: x}", version + "allowedSubjects:\n- {rule: access/rbac, kind: group, name: x}",
		version + "allowedSubjects:\n- {rule: access/rbac, kind: ServiceAccount, name: x}", version + "allowedSubjects:\n- {rule: access/rbac, kind: User, name: x, namespace: y2}",
	} {
		if validate(s, text) == nil {
			t.Errorf("the schema accepts: %s", text)
		}
		if _, err := Parse("p.yaml", []byte(text), known); err == nil {
			t.Errorf("Parse accepts: %s", text)
		}
	}
}

// TestSchemaIsDescribed keeps every key of the file explained to those who write it.
func TestSchemaIsDescribed(t *testing.T) {
	var check func(at string, v any)
	check = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if ps, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
				for key, p := range ps {
					doc, _ := p.(map[string]any)["description"].(string)
					if !strings.HasSuffix(doc, ".") {
						t.Errorf("%s.%s is not described in a sentence: %q", at, key, doc)
					}
				}
			}
			for key, w := range v {
				check(at+"."+key, w)
			}
		case []any:
			for _, w := range v {
				check(at, w)
			}
		}
	}
	var schema any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	check("", schema)
}

// FuzzConfig holds that Parse neither panics nor hangs, that it names a line of
// the file in each mistake, and that the schema accepts what it accepts, as
// sigs.k8s.io/yaml reads the same bytes. (Its older parser refuses some
// documents that are YAML 1.2, such as "[0?]".)
func FuzzConfig(f *testing.F) {
	f.Add([]byte(complete))
	for _, s := range []string{
		"apiVersion: plimsoll.dev/v1\nwaivers: [{rule: &a [pods/*], subjects: [{labels: 'a in (b)'}], reason: x, until: 2027-01-31}, *b]",
		"apiVersion: plimsoll.dev/v1\ntiers: [{name: a, selector: {matchLabels: {y: no}}}]", "{apiVersion: plimsoll.dev/v1, kind: ! Config}",
		"apiVersion: plimsoll.dev/v1\nexclude: [0o7, 1_000, 1:30, .inf, 0b1, +1, 2027-01-31, !!binary aGk=, 0?, \"\\0\"]", "? {a: b}\n: [c", "%YAML 1.1\n---\nkind: |+2\n    x\n",
	} {
		f.Add([]byte(s))
	}
	s := compile(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Parse("p.yaml", data, known)
		if err != nil {
			lines := 1 // as YAML counts them
			for _, c := range string(data) {
				if strings.ContainsRune("\r\n\u0085\u2028\u2029", c) {
					lines++
				}
			}
			for _, p := range err.(Problems) {
				if p.Line < 0 || p.Line > lines || p.Message == "" {
					t.Errorf("%v: the file has %d lines", p, lines)
				}
			}
			return
		}
		if _, err := sigsyaml.YAMLToJSONStrict(data); err != nil {
			return
		}
		if err := validate(s, string(data)); err != nil {
			t.Errorf("accepted, but %v", err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	text.WriteString("apiVersion: plimsoll.dev/v1\nwaivers:\n")
	for range 2000 {
		text.WriteString("- rule: pods/memory-limits\n  subjects: [{kind: Deployment, namespace: 'legacy-*', labels: app=batch}]\n  reason: moves to the new platform\n  until: 2027-01-31\n")
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("p.yaml", []byte(text.String()), known); err != nil {
			b.Fatal(err)
		}
	}
}
