package chart

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"
)

// given reads the values that the caller gives: files, then --set.
func given(o Options) (map[string]any, error) {
	values := map[string]any{}
	for _, name := range o.Values {
		if strings.Contains(name, "://") {
			return nil, fmt.Errorf("values file %s: URLs are not fetched; download it and name the file", name)
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("values file: %w", err)
		}
		more, err := loader.LoadValues(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("values file %s: %s", name, withoutQuotes(err.Error()))
		}
		values = loader.MergeMaps(values, more)
	}
	for i, expression := range o.Set {
		if err := strvals.ParseInto(expression, values); err != nil {
			key, _, ok := strings.Cut(expression, "=")
			if !ok { // may be the rest of a value
				key = "…"
			}
			return nil, fmt.Errorf("value %d that is set (%s=…): not of the form name=value[,name=value]", i+1, key)
		}
	}
	return values, nil
}

// validate checks the values of a chart and its subcharts against their
// values.schema.json. Helm's own validation fetches the URLs and reads the
// files that a schema refers to, and quotes values.
func validate(chart *v2.Chart, values map[string]any) error {
	if len(chart.Schema) > 0 {
		if err := validateOne(chart.Schema, values); err != nil {
			return fmt.Errorf("%s/values.schema.json: %w", chart.ChartFullPath(), err)
		}
	}
	for _, sub := range chart.Dependencies() {
		if v, ok := values[sub.Name()].(map[string]any); ok {
			if err := validate(sub, v); err != nil {
				return err
			}
		}
	}
	return nil
}

const schemaURL = "file:///values.schema.json"

func validateOne(raw []byte, values map[string]any) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("is not JSON: %w", err)
	}
	dropOutsideRefs(doc)
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // loads nothing
	if err := compiler.AddResource(schemaURL, doc); err != nil {
		return err
	}
	schema, err := compiler.Compile(schemaURL)
	if err != nil {
		return fmt.Errorf("is not a JSON schema: %w", err)
	}
	err = schema.Validate(values)
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return fmt.Errorf("the values do not meet the schema: %s", strings.Join(leaves(invalid), "; "))
	}
	return err
}

// dropOutsideRefs removes references to other files and URLs, which are not
// read. A schema only says which values are refused, never what is rendered:
// without them more is accepted.
func dropOutsideRefs(node any) {
	switch node := node.(type) {
	case map[string]any:
		if ref, ok := node["$ref"].(string); ok && !strings.HasPrefix(ref, "#") {
			delete(node, "$ref")
		}
		for _, v := range node {
			dropOutsideRefs(v)
		}
	case []any:
		for _, v := range node {
			dropOutsideRefs(v)
		}
	}
}

// leaves names what is wrong where, by keys and keywords and without values.
func leaves(e *jsonschema.ValidationError) []string {
	if len(e.Causes) > 0 {
		var all []string
		for _, c := range e.Causes {
			all = append(all, leaves(c)...)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	var what string
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		what = "lacks " + strings.Join(k.Missing, ", ")
	case *kind.AdditionalProperties:
		what = "may not have " + strings.Join(k.Properties, ", ")
	case *kind.Type:
		what = fmt.Sprintf("is %s, must be %s", k.Got, strings.Join(k.Want, " or "))
	default:
		what = "breaks " + cmp.Or(strings.Join(k.KeywordPath(), "/"), "the schema")
	}
	return []string{"/" + strings.Join(e.InstanceLocation, "/") + " " + what}
}
