package json

import (
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// enums lists the values of the closed vocabularies.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[report.Verdict]():  names(report.Verdicts),
	reflect.TypeFor[report.Severity](): names(report.Severities),
	reflect.TypeFor[report.Basis]():    names([]report.Basis{report.Proved, report.Observed, report.Attested}),
	reflect.TypeFor[report.Cause](): names([]report.Cause{
		report.NotCollected, report.NotGiven, report.Forbidden, report.NotServed, report.Unreadable, report.Truncated,
		report.TimedOut, report.Failed, report.Conflict, report.Unsupported, report.CheckPanicked,
	}),
}

func names[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// refined adds what a Go type cannot say, by "Type.Field".
var refined = map[string]map[string]any{
	"Report.Schema": {"const": report.SchemaV1},
	"Report.Items": {"contains": map[string]any{"not": map[string]any{"required": []string{"companion"}}},
		"minContains": len(checklist.Items()), "maxContains": len(checklist.Items()), "maxItems": len(checklist.AllItems()), "description": "the boxes of the checklist in upstream order, always all of them, then the items outside of it that were judged"},
	"Report.Statements":       {"description": "what became of each waiver and attestation"},
	"Scan.Observed":           {"description": "when the evidence was taken"},
	"Scan.DurationMS":         {"description": "wall time of the scan in milliseconds", "minimum": 0},
	"Scan.Scope":              {"description": "the namespaces that the scan was limited to; absent: no limit"},
	"Scan.Skipped":            {"description": "the checks that were left out on request"},
	"Cluster.Nodes":           {"description": "-1: not known", "minimum": -1},
	"Cluster.Workloads":       {"description": "-1: not known", "minimum": -1},
	"Cluster.Pods":            {"description": "-1: not known", "minimum": -1},
	"Source.Type":             {"description": "the name of the source, such as files or kubeapi"},
	"Source.Problems":         {"description": "what could not be read"},
	"Source.Ignored":          {"description": "what was read and is not evidence"},
	"Summary.Items":           {"description": "the boxes by their verdicts"},
	"Summary.Companion":       {"description": "the items outside of the checklist by their verdicts"},
	"Summary.Waived":          {"description": "findings that a person has accepted; never counted as failures", "minimum": 0},
	"Item.Number":             {"pattern": `^[0-9A-Z]+\.[0-9]+$`, "description": "section and position in the checklist"},
	"Item.Companion":          {"description": "true for an item outside of the checklist's boxes; absent: a box"},
	"Item.Basis":              {"description": "what a pass rests on"},
	"Item.Skipped":            {"description": "checks of the item that were left out on request; without them it is never a pass"},
	"CheckResult.Remediation": {"description": "what to do about a failure in general, in Markdown"},
	"CheckResult.Examined":    {"description": "subjects judged", "minimum": 0},
	"CheckResult.Passed":      {"description": "subjects that hold", "minimum": 0},
	"CheckResult.Any":         {"description": "one passing subject decides"},
	"CheckResult.Table":       {"description": "what the check saw as a whole; it decides nothing"},
	"Table.Rows":              {"description": "a cell for each column; the first names the row"},
	"Table.Left":              {"description": "rows that were left out", "minimum": 0},
	"Subject.Part":            {"description": "a piece of the object, such as a container's name"},
	"Finding.Count":           {"description": "objects that the finding stands for; absent: one", "minimum": 0},
	"Finding.Control":         {"description": "a sub-code of the field's own, such as a Pod Security Standards control"},
	"Finding.Fingerprint":     {"description": "the same across runs, line moves, API versions and generated names"},
	"Evidence.At":             {"description": "web.yaml:12, node:cp-1:/etc/…, live:/api/v1/…@resourceVersion"},
	"Evidence.Field":          {"description": "path in the object, in the API server's notation"},
	"Waived.Until":            {"description": "the last day on which the waiver holds", "format": "date", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`},
	"Gap.Scope":               {"description": "a namespace or node; empty: everywhere"},
	"Gap.How":                 {"description": "what would close the gap"},
	"Statement.Type":          {"enum": []string{"waiver", "attestation"}},
	"Statement.State":         {"enum": []string{"used", "unused", "expired", "refused"}},
}

// Schema is the JSON Schema (draft 2020-12) of a report, derived from the
// types of package report, indented, with a newline at the end.
func Schema() []byte {
	defs := map[string]any{}
	root := object(reflect.TypeFor[report.Report](), defs)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = report.SchemaV1
	root["description"] = "The answer of one plimsoll scan. Generated from the Go types."
	root["$defs"] = defs
	out, err := json.Marshal(root, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		panic("the schema is made of maps, slices and strings: " + err.Error())
	}
	return append(out, '\n')
}

// object describes a struct type. Types that it uses are added to defs.
func object(t reflect.Type, defs map[string]any) map[string]any {
	properties, required := map[string]any{}, []string{}
	for f := range fields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		property := describe(f.Type, defs)
		for key, value := range refined[t.Name()+"."+f.Name] {
			property[key] = value
		}
		properties[name] = property
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// fields yields the fields that are on the wire.
func fields(t reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if f := t.Field(i); f.Tag.Get("json") != "-" && !yield(f) {
				return
			}
		}
	}
}

// describe is the schema of a value of type t.
func describe(t reflect.Type, defs map[string]any) map[string]any {
	if t == reflect.TypeFor[time.Time]() {
		return map[string]any{"type": "string", "format": "date-time"}
	}
	if values, ok := enums[t]; ok {
		return map[string]any{"enum": values}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return describe(t.Elem(), defs)
	case reflect.Struct:
		if _, ok := defs[t.Name()]; !ok {
			defs[t.Name()] = nil // breaks a cycle
			defs[t.Name()] = object(t, defs)
		}
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": describe(t.Elem(), defs)}
	case reflect.Map: // counts by a closed vocabulary
		properties := map[string]any{}
		for _, key := range enums[t.Key()] {
			properties[key] = map[string]any{"type": "integer", "minimum": 0}
		}
		return map[string]any{"type": "object", "properties": properties, "required": enums[t.Key()], "additionalProperties": false}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	}
	panic("package report has a type that the schema does not know: " + t.String())
}
