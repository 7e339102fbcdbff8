package config

import (
	"encoding/json"
	"reflect"
)

// Schema is the JSON Schema of the file, for editors to complete and check it
// while it is written. What the schema refuses, [Parse] refuses too; Parse
// sees more.
func Schema() []byte {
	s := schemaOf(reflect.ValueOf(&document{}).Elem(), field{})
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "plimsoll.yaml"
	s["description"] = "The configuration of plimsoll."
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // it is made of maps, slices and strings
	}
	return append(b, '\n')
}

func schemaOf(v reflect.Value, f field) map[string]any {
	if x, ok := v.Addr().Interface().(leaf); ok {
		s := x.schema()
		if len(f.enum) > 0 {
			s = map[string]any{"enum": f.enum}
		}
		return s
	}
	switch v.Kind() {
	case reflect.Slice:
		element := schemaOf(reflect.New(v.Type().Elem()).Elem(), field{})
		list := map[string]any{"type": "array", "items": element}
		if f.some {
			list["minItems"] = 1
		}
		if f.one {
			return map[string]any{"anyOf": []any{element, list}}
		}
		return list
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(reflect.New(v.Type().Elem()).Elem(), field{})}
	}
	properties, required := map[string]any{}, []string{}
	for _, f := range fields(v.Type()) {
		s := schemaOf(v.Field(f.index), f)
		s["description"] = f.doc
		properties[f.name] = s
		if f.required {
			required = append(required, f.name)
		}
	}
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	if x, ok := v.Addr().Interface().(interface{ rules(map[string]any) }); ok {
		x.rules(s)
	}
	return s
}

// What holds between the keys of a mapping, as far as a schema can say it.

func (*waiverEntry) rules(s map[string]any) {
	s["oneOf"] = having("subjects", "everywhere")
	s["properties"].(map[string]any)["everywhere"].(map[string]any)["const"] = true
}

func (*waiverSubject) rules(s map[string]any) { s["minProperties"] = 1 }

func (*tier) rules(s map[string]any) { s["anyOf"] = having("namespaces", "selector") }

func (*selector) rules(s map[string]any) { s["anyOf"] = having("matchLabels", "matchExpressions") }

func (*allowedEntry) rules(s map[string]any) {
	account := map[string]any{"properties": map[string]any{"kind": map[string]any{"const": "ServiceAccount"}}}
	namespace := having("namespace")[0]
	s["if"], s["then"], s["else"] = account, namespace, map[string]any{"not": namespace}
}

func having(keys ...string) []any {
	var out []any
	for _, k := range keys {
		out = append(out, map[string]any{"required": []string{k}})
	}
	return out
}
