package podpolicy

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// pattern adds what a pattern asks of pods. It reports whether the pattern was
// understood in full. One with a condition asks nothing of some pods, and so
// adds nothing.
//
// https://kyverno.io/docs/policy-types/cluster-policy/validate/#anchors
func (d demands) pattern(raw []byte) bool {
	var tree map[string]any
	if json.Unmarshal(raw, &tree) != nil {
		return false
	}
	found := demands{}
	understood, conditional := found.walk("", tree, true)
	if !conditional {
		for _, path := range slices.Sorted(maps.Keys(found)) {
			d.ask(path, found[path])
		}
	}
	return understood && !conditional
}

// anchored takes an anchor off a key: "=(image)" is "=" and "image".
var anchored = regexp.MustCompile(`^([=X^+<]?)\((.*)\)$`)

// walk reads a mapping. must says that all above has to be there.
func (d demands) walk(path string, tree map[string]any, must bool) (understood, conditional bool) {
	understood = true
	for key, value := range tree {
		anchor := "must"
		if m := anchored.FindStringSubmatch(key); m != nil {
			anchor, key = m[1], m[2]
		}
		at := strings.TrimPrefix(path+"."+key, ".")
		if path == "metadata.annotations" {
			at = path + "[" + key + "]"
		}
		switch anchor {
		case "must", "=":
			ok, cond := d.value(at, value, must && anchor == "must")
			understood, conditional = understood && ok, conditional || cond
		case "X":
			d.ask(at, demand{})
		case "", "<":
			conditional = true
		default:
			understood = false
		}
	}
	return understood, conditional
}

func (d demands) value(path string, value any, must bool) (understood, conditional bool) {
	switch x := value.(type) {
	case map[string]any:
		return d.walk(path, x, must)
	case []any: // one pattern for each element
		element, ok := map[string]any(nil), false
		if len(x) == 1 {
			element, ok = x[0].(map[string]any)
		}
		if !ok {
			return false, false
		}
		// A kind of containers that is not there has none to set the field in.
		return d.walk(path+"[]", element, must || isContainers(path))
	case nil:
		d.ask(path, demand{})
		return true, false
	case string:
		values, ok := alternatives(x)
		if ok {
			d.ask(path, demand{values, must && len(values) > 0})
		}
		return ok, false
	default: // a number or boolean
		d.ask(path, demand{[]string{fmt.Sprint(x)}, must})
		return true, false
	}
}

func isContainers(path string) bool {
	kind, ok := strings.CutPrefix(path, "spec.")
	return ok && slices.Contains(containerKinds, kind)
}

// alternatives splits "a | b". Other operators than ">0" are not read, nor are
// wildcards but at the end of a localhost profile.
func alternatives(s string) ([]string, bool) {
	var out []string
	for _, v := range strings.Split(s, "|") {
		v = strings.TrimSpace(v)
		switch {
		case v == "null":
			continue
		case v == ">0", v == ">=1", v == "> 0":
			v = ">0"
		case strings.HasPrefix(v, "localhost/"):
		case strings.ContainsAny(v, "!<>&*?{"):
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

// The places that conditions of deny look at.
const everyContainer, element = "request.object.spec.[]", "element"

var (
	spaces = regexp.MustCompile(`\s+`)
	// alternative is what an expression gives where there is nothing: || '' or || `[]`.
	alternative = regexp.MustCompile("\\|\\|('[^']*'|`[^`]*`)")
	// listed are the kinds of containers in one list, in any order.
	listed = regexp.MustCompile(`request\.object\.spec\.\[((?:(?:ephemeralC|initC|c)ontainers,?){3})\]\[\]`)
)

// expression is a JMESPath expression in one spelling.
func expression(key any) string {
	s, _ := key.(string)
	s = spaces.ReplaceAllString(s, "")
	s = strings.TrimSuffix(strings.TrimPrefix(s, "{{"), "}}")
	s = alternative.ReplaceAllString(s, "")
	s = listed.ReplaceAllStringFunc(s, func(match string) string {
		names := listed.FindStringSubmatch(match)[1]
		for _, kind := range containerKinds {
			if !slices.Contains(strings.Split(names, ","), kind) {
				return match
			}
		}
		return everyContainer
	})
	return strings.TrimSuffix(s, "[]")
}

// deny adds what a deny rule asks, where it is one of the shapes of Kyverno's
// own policies: one condition, that a list has something which is not allowed.
func (d demands) deny(raw []byte, containers string) bool {
	var x struct {
		Conditions json.RawMessage `json:"conditions"`
	}
	if json.Unmarshal(raw, &x) != nil {
		return false
	}
	all, any, ok := conditions(x.Conditions)
	list := slices.Concat(all, any)
	if !ok || len(list) != 1 || list[0].Operator != "AnyNotIn" {
		return false
	}
	c := list[0]
	if key, _ := c.Key.(string); key == "ALL" || key == "{{ 'ALL' }}" {
		if expression(c.Value) != containers+".securityContext.capabilities.drop" || containers != element {
			return false
		}
		d.askEach("securityContext.capabilities.drop[ALL]", demand{[]string{"ALL"}, true})
		return true
	}
	values, ok := texts(c.Value)
	switch expression(c.Key) {
	case containers + ".securityContext.capabilities.add":
		d.askEach("securityContext.capabilities.add[]", demand{values: values})
	case "request.object.spec.volumes[].keys(@)", "request.object.spec.volumes[].keys(@)[]":
		d.ask("spec.volumes[].*", demand{values: values})
	default:
		return false
	}
	return ok
}

// forEach adds what is asked of each element of a list.
func (d demands) forEach(f inventory.KyvernoForEach) bool {
	return expression(f.List)+"[]" == everyContainer && onCreate(f.Preconditions) && f.Deny != nil &&
		f.Pattern == nil && f.AnyPattern == nil && f.ForEach == nil && d.deny(f.Deny, element)
}

func (d demands) askEach(field string, x demand) {
	for _, kind := range containerKinds {
		d.ask("spec."+kind+"[]."+field, x)
	}
}

// texts are the elements of a list of strings, but for the empty one, which
// stands for no value.
func texts(list any) (out []string, ok bool) {
	elements, ok := list.([]any)
	for _, e := range elements {
		s, isText := e.(string)
		ok = ok && isText
		if s != "" {
			out = append(out, s)
		}
	}
	return out, ok
}
