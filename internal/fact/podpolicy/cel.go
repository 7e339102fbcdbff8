package podpolicy

import (
	"maps"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/pod-security-admission/api"
)

// scope is what names stand for in an expression: variables by their
// definition, and elements of lists by their paths.
type scope struct {
	variables map[string]*expr
	elements  map[string][]string
	version   api.Version
	// left is how many more times variables are looked up: they can be named
	// often, and name each other.
	left *int
}

// maxLookups is far above what policies on pods need.
const maxLookups = 1000

// cel adds what validations ask of pods. It reports whether all of them were
// understood: that fields are not there, or have one of some values.
func (d demands) cel(validations []admissionv1.Validation, variables []admissionv1.Variable, version api.Version) bool {
	s := scope{map[string]*expr{}, map[string][]string{}, version, new(maxLookups)}
	for _, v := range variables {
		if e, err := parseCEL(v.Expression); err == nil {
			s.variables[v.Name] = e
		}
	}
	understood := true
	for _, v := range validations {
		e, err := parseCEL(v.Expression)
		if err != nil {
			understood = false
			continue
		}
		understood = d.holds(e, s) && understood
	}
	return understood
}

// holds adds what an expression asks by being true.
func (d demands) holds(e *expr, s scope) bool {
	switch e.op {
	case "lit":
		return e.text == "true"
	case "&&":
		left := d.holds(e.args[0], s)
		return d.holds(e.args[1], s) && left
	case "||":
		return d.oneOf(flatten("||", e), s)
	case "!":
		return d.fails(e.args[0], s)
	case "call":
		return d.call(e, s)
	case "==", "!=", ">", ">=", "in":
		return d.compare(e, s)
	}
	if def := s.variable(e); def != nil {
		return d.holds(def, s)
	}
	return false
}

// fails adds what an expression asks by being false.
func (d demands) fails(e *expr, s scope) bool {
	not := func(x *expr) *expr { return &expr{op: "!", args: []*expr{x}} }
	switch {
	case e.op == "!":
		return d.holds(e.args[0], s)
	case e.op == "&&":
		var either []*expr
		for _, x := range flatten("&&", e) {
			either = append(either, not(x))
		}
		return d.oneOf(either, s)
	case e.op == "||":
		left := d.fails(e.args[0], s)
		return d.fails(e.args[1], s) && left
	case e.op == "==", e.op == "!=":
		op := map[string]string{"==": "!=", "!=": "=="}[e.op]
		return d.holds(&expr{op: op, args: e.args}, s)
	case e.op == "call" && e.text == "has" && len(e.args) == 2:
		paths, ok := s.paths(e.args[1])
		for _, p := range paths {
			d.ask(p, demand{})
		}
		return ok
	case e.op == "call" && e.text == "orValue": // of a boolean
		return d.compare(&expr{op: "==", args: []*expr{e, {op: "lit", text: "false"}}}, s)
	case e.op == "call" && e.text == "exists" && len(e.args) == 3:
		return d.holds(&expr{op: "call", text: "all", args: []*expr{e.args[0], e.args[1], not(e.args[2])}}, s)
	}
	if def := s.variable(e); def != nil {
		return d.fails(def, s)
	}
	paths, ok := s.paths(e) // a boolean field
	for _, p := range paths {
		d.ask(p, demand{[]string{"false"}, true})
	}
	return ok
}

// oneOf adds what a disjunction asks. Its members are guards, that a field is
// not there, and alternatives. A guard must not leave out more than fields that
// hold what is asked: without them it is not there either.
func (d demands) oneOf(members []*expr, s scope) bool {
	if types, ok := s.types(members); ok {
		d.ask("spec.volumes[].*", demand{values: types})
		return true
	}
	var guards, alternatives []demands
	for _, m := range members {
		x := demands{}
		if !x.holds(m, s) {
			return false
		}
		if m.op == "!" && m.args[0].op == "call" && m.args[0].text == "has" {
			guards = append(guards, x)
		} else {
			alternatives = append(alternatives, x)
		}
	}
	if len(alternatives) == 0 { // the last guard is what is asked: not to be there
		alternatives, guards = guards[len(guards)-1:], guards[:len(guards)-1]
	}
	asked := either(alternatives)
	if asked == nil {
		return len(guards) == 0 && d.common(alternatives, s.version)
	}
	understood := true
	for p, x := range asked {
		x.set = x.set && len(guards) == 0
		if slices.ContainsFunc(guards, func(g demands) bool { return !g.cover(p) }) {
			understood = false
			continue
		}
		d.ask(p, x)
	}
	return understood
}

// either is what alternatives about the same fields ask together; nil where
// they are about others.
func either(alternatives []demands) demands {
	asked := alternatives[0]
	for _, x := range alternatives[1:] {
		if len(x) != len(asked) {
			return nil
		}
		for p, y := range x {
			old, ok := asked[p]
			if !ok {
				return nil
			}
			asked[p] = demand{slices.Concat(old.values, y.values), old.set && y.set}
		}
	}
	return asked
}

// common adds the parts that follow from each alternative: of the pod, or of
// every container, for one.
func (d demands) common(alternatives []demands, version api.Version) bool {
	held := alternatives[0].parts(version)
	for _, x := range alternatives[1:] {
		follows := x.parts(version)
		maps.DeleteFunc(held, func(part string, _ bool) bool { return !follows[part] })
	}
	for part := range held {
		d.ask(wholePart+part, demand{})
	}
	return len(held) > 0
}

// wholePart begins what is asked in more ways than fields can say.
const wholePart = "part:"

// types are the sources of volumes of which each volume must have one: it
// cannot have two.
func (s scope) types(members []*expr) (types []string, ok bool) {
	for _, m := range members {
		if m.op != "call" || m.text != "has" || len(m.args) != 2 || m.args[1].op != "." {
			return nil, false
		}
		paths, ok := s.paths(m.args[1].args[0])
		if !ok || !slices.Equal(paths, []string{"spec.volumes[]"}) {
			return nil, false
		}
		types = append(types, m.args[1].text)
	}
	return types, true
}

// cover reports whether a field is one of those that are not to be there, or
// stands in one.
func (d demands) cover(path string) bool {
	for p := range d {
		if path == p || strings.HasPrefix(path, p+".") || strings.HasPrefix(path, p+"[") {
			return true
		}
	}
	return false
}

func (d demands) call(e *expr, s scope) bool {
	switch {
	case e.text == "has" && len(e.args) == 2:
		return true // what comes after it asks for a value
	case e.text == "orValue":
		return d.compare(&expr{op: "==", args: []*expr{e, {op: "lit", text: "true"}}}, s)
	case (e.text == "all" || e.text == "exists") && len(e.args) == 3 && e.args[1].op == "id":
		lists, ok := s.elementsOf(e.args[0])
		if !ok {
			return false
		}
		if e.text == "exists" { // x.exists(c, c == 'ALL')
			one := e.args[2]
			if one.op != "==" || one.args[0].op != "id" || one.args[0].text != e.args[1].text || one.args[1].op != "lit" {
				return false
			}
			d.has(lists, one.args[1].text)
			return true
		}
		inner := s
		inner.elements = maps.Clone(s.elements)
		inner.elements[e.args[1].text] = lists
		return d.holds(e.args[2], inner)
	}
	return false
}

// has adds that lists, of which these are the elements, contain a value.
func (d demands) has(elements []string, value string) {
	for _, e := range elements {
		d.ask(strings.TrimSuffix(e, "[]")+"["+value+"]", demand{[]string{value}, true})
	}
}

// compare adds what a comparison of a field with a value asks.
func (d demands) compare(e *expr, s scope) bool {
	subject, object := e.args[0], e.args[1]
	if e.op == "in" && subject.op == "lit" { // 'ALL' in list
		elements, ok := s.elementsOf(object)
		if ok {
			d.has(elements, subject.text)
		}
		return ok
	}
	fallback, optional := "", false
	if subject.op == "call" && subject.text == "orValue" && len(subject.args) == 2 && subject.args[1].op == "lit" {
		subject, fallback, optional = subject.args[0], subject.args[1].text, true
	}
	paths, ok := s.paths(subject)
	var values []string
	switch {
	case !ok:
		return false
	case e.op == "in" && object.op == "list":
		for _, x := range object.args {
			if x.op != "lit" {
				return false
			}
			values = append(values, x.text)
		}
	case object.op != "lit":
		return false
	case e.op == "==":
		values = []string{object.text}
	case e.op == "!=" && object.text == "true":
		values = []string{"false"}
	case e.op == "!=" && object.text == "false":
		values = []string{"true"}
	case e.op == "!=" && object.text == "0", e.op == ">" && object.text == "0", e.op == ">=" && object.text == "1":
		values = []string{">0"}
	default:
		return false
	}
	set := !optional || !slices.Contains(values, fallback) && !slices.Contains(values, ">0")
	for _, p := range paths {
		d.ask(p, demand{values, set})
	}
	return true
}

// variable is the definition of variables.x; nil where there is none.
func (s scope) variable(e *expr) *expr {
	if e.op != "." || e.args[0].op != "id" || e.args[0].text != "variables" || *s.left == 0 {
		return nil
	}
	*s.left--
	return s.variables[e.text]
}

// paths are the fields that an expression names.
func (s scope) paths(e *expr) ([]string, bool) {
	switch e.op {
	case "id":
		if e.text == "object" {
			return []string{""}, true
		}
		paths, ok := s.elements[e.text]
		return paths, ok
	case "[]": // the annotation that an element names
		_, key := s.elements[e.args[1].text]
		above, ok := s.paths(e.args[0])
		if !key || !ok || e.args[1].op != "id" || !slices.Equal(above, []string{"metadata.annotations"}) {
			return nil, false
		}
		return s.elements[e.args[1].text], true
	case ".":
		if def := s.variable(e); def != nil {
			return s.paths(def)
		}
		above, ok := s.paths(e.args[0])
		var out []string
		for _, p := range above {
			out = append(out, strings.TrimPrefix(p+"."+e.text, "."))
		}
		return out, ok
	}
	return nil, false
}

// elementsOf are the elements of the lists that an expression names: of fields,
// of values that are written down, or the annotations with a prefix.
func (s scope) elementsOf(e *expr) ([]string, bool) {
	var out []string
	switch {
	case e.op == "list":
		for _, x := range e.args {
			if x.op == "call" && x.text == "orValue" && len(x.args) == 2 && x.args[1].op == "map" {
				x = x.args[0]
			}
			paths, ok := s.paths(x)
			if !ok {
				return nil, false
			}
			out = append(out, paths...)
		}
		return out, len(out) > 0
	case e.op == "call" && e.text == "filter" && len(e.args) == 3:
		of, ok := s.paths(e.args[0])
		test := e.args[2]
		if !ok || !slices.Equal(of, []string{"metadata.annotations"}) || test.op != "call" || test.text != "startsWith" || len(test.args) != 2 ||
			test.args[0].op != "id" || test.args[0].text != e.args[1].text || test.args[1].op != "lit" {
			return nil, false
		}
		return []string{"metadata.annotations[" + test.args[1].text + "*]"}, true
	}
	lists, ok := s.lists(e)
	for _, l := range lists {
		out = append(out, l+"[]")
	}
	return out, ok
}

// lists are the lists that an expression names: a field, one that may be
// absent, or several together.
func (s scope) lists(e *expr) ([]string, bool) {
	none := func(x *expr) bool { return x.op == "list" && len(x.args) == 0 }
	switch {
	case e.op == "+":
		left, ok := s.lists(e.args[0])
		right, ok2 := s.lists(e.args[1])
		return append(slices.Clone(left), right...), ok && ok2
	case e.op == "call" && e.text == "orValue" && len(e.args) == 2 && none(e.args[1]):
		return s.paths(e.args[0])
	case e.op == "?:" && none(e.args[2]) && e.args[0].op == "call" && e.args[0].text == "has" && len(e.args[0].args) == 2:
		guarded, ok := s.paths(e.args[0].args[1])
		paths, ok2 := s.paths(e.args[1])
		return paths, ok && ok2 && slices.Equal(guarded, paths)
	}
	if def := s.variable(e); def != nil {
		return s.lists(def)
	}
	return s.paths(e)
}

func flatten(op string, e *expr) []*expr {
	if e.op != op {
		return []*expr{e}
	}
	return append(flatten(op, e.args[0]), flatten(op, e.args[1])...)
}
