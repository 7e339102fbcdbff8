package config

import (
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
	k8slabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/waiver"
)

// The leaves of the document. All but flag are strings, and all embed text or
// place, so that a later mistake is reported where it was written.
type (
	// text is a string that says something.
	text struct {
		place
		value string
	}
	// label is the value of a label, which may be empty.
	label struct{ text }
	// tierName is a label's value that is not empty.
	tierName struct{ text }
	// glob is a pattern for a name.
	glob struct{ text }
	// pattern is a gitignore pattern.
	pattern struct{ text }
	// rule names checks; its value is as [waiver.ParseRule] returns it.
	rule struct{ text }
	// attestable is the id of one item or check.
	attestable struct{ text }
	// labels is a label selector as kubectl takes it.
	labels struct {
		text
		selector k8slabels.Selector
	}
	// day is a date.
	day struct {
		place
		time time.Time
	}
	// flag is true or false.
	flag struct {
		place
		value bool
	}
)

// text reads the string in a node. YAML has many ways to say what is not a
// string and looks like one; sigs.k8s.io/yaml decides, which is what reads
// manifests.
func (r *reader) text(n *yaml.Node, p place) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.problem(p, "must be a string")
		return "", false
	case n.ShortTag() == "!!null":
		r.problem(p, "has no value: give it one, or delete the key")
		return "", false
	case n.Style&yaml.TaggedStyle != 0 && n.ShortTag() != "!!str":
		r.problem(p, "the tag %s has no meaning here", quote(n.Tag))
		return "", false
	case n.Style == 0 && !strings.HasPrefix(plain(n.Value), `"`):
		r.problem(p, "must be a string: put it in quotes")
		return "", false
	}
	return n.Value, true
}

// plain is the JSON of a scalar without quotes, or nothing.
func plain(s string) string {
	j, err := sigsyaml.YAMLToJSON([]byte(s))
	if err != nil {
		return ""
	}
	return string(j)
}

func (t *text) read(r *reader, n *yaml.Node, p place) {
	s, ok := r.text(n, p)
	if !ok {
		return
	}
	if t.value = strings.TrimSpace(s); t.value == "" {
		r.problem(p, "is empty")
		return
	}
	t.place = p
}

func (l *label) read(r *reader, n *yaml.Node, p place) {
	if s, ok := r.text(n, p); ok {
		l.place, l.value = p, s
	}
}

func (l *tierName) read(r *reader, n *yaml.Node, p place) {
	l.text.read(r, n, p)
	if wrong := validation.IsValidLabelValue(l.value); l.given() && len(wrong) > 0 {
		r.problem(p, "%s is not the value of a label: %s", quote(l.value), wrong[0])
	}
}

func (g *glob) read(r *reader, n *yaml.Node, p place) {
	g.text.read(r, n, p)
	if err := waiver.ValidGlob(g.value); err != nil {
		r.problem(p, "%v", err)
	}
}

func (x *pattern) read(r *reader, n *yaml.Node, p place) {
	x.text.read(r, n, p)
	for segment := range strings.SplitSeq(x.value, "/") {
		if _, err := path.Match(segment, ""); err != nil {
			r.problem(p, "%s is not a pattern: close each [, and put a character after each backslash", quote(x.value))
			return
		}
	}
}

func (d *day) read(r *reader, n *yaml.Node, p place) {
	s, ok := r.text(n, p)
	if !ok {
		return
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		r.problem(p, "%s is not a day: write YYYY-MM-DD", quote(s))
		return
	}
	d.place, d.time = p, t
}

func (f *flag) read(r *reader, n *yaml.Node, p place) {
	said := ""
	if n.Kind == yaml.ScalarNode && (n.Style == 0 || n.Style == yaml.TaggedStyle && n.ShortTag() == "!!bool") {
		said = strings.TrimSpace(plain(n.Value))
	}
	if said != "true" && said != "false" {
		r.problem(p, "must be true or false")
		return
	}
	f.place, f.value = p, said == "true"
}

func (l *labels) read(r *reader, n *yaml.Node, p place) {
	l.text.read(r, n, p)
	if !l.given() {
		return
	}
	sel, err := k8slabels.Parse(l.value)
	if err != nil {
		r.problem(p, "%s is not a label selector: %v", quote(l.value), err)
		return
	}
	l.selector = sel
}

func (x *rule) read(r *reader, n *yaml.Node, p place) {
	x.text.read(r, n, p)
	if x.given() {
		x.value = r.rule(x.value, p)
	}
}

func (x *attestable) read(r *reader, n *yaml.Node, p place) {
	x.text.read(r, n, p)
	switch {
	case !x.given():
	case strings.ContainsAny(x.value, `*?[\`):
		r.problem(p, "%s is a glob: name one item or check", quote(x.value))
	default:
		x.value = r.rule(x.value, p)
	}
}

// The leaves as JSON Schemas. The ids of checks change with the version of the
// program, so the schema completes items only and leaves checks to Parse.

const word = `\S` // something other than white space

func (*text) schema() map[string]any  { return map[string]any{"type": "string", "pattern": word} }
func (*label) schema() map[string]any { return map[string]any{"type": "string", "maxLength": 63} }

func (*tierName) schema() map[string]any {
	return map[string]any{"type": "string", "maxLength": 63, "pattern": "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"}
}

func (*day) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$`, "examples": []string{"2027-01-31"}}
}

func (*flag) schema() map[string]any { return map[string]any{"type": "boolean"} }

func (*rule) schema() map[string]any {
	return map[string]any{"anyOf": []any{items(), map[string]any{"type": "string", "pattern": `[/*?\[]`}}}
}

func (*attestable) schema() map[string]any {
	return map[string]any{"anyOf": []any{items(), map[string]any{"type": "string", "pattern": `^[^*?\[\\]*/[^*?\[\\]*$`}}}
}

func items() map[string]any {
	var all []string
	for _, it := range checklist.AllItems() {
		all = append(all, it.ID, it.Number)
	}
	return map[string]any{"enum": all}
}

// names are the ids that a rule may name.
type names struct{ ids, suggested []string }

func namesOf(k Known) names {
	var n names
	for _, it := range k.Items {
		n.ids = append(n.ids, it.ID)
	}
	n.ids = append(n.ids, k.Checks...)
	n.suggested = slices.Clone(n.ids)
	for _, s := range checklist.AllSections() {
		n.suggested = append(n.suggested, s.ID+"/*")
	}
	return n
}

// rule resolves the name of an item or check, or a glob over their ids.
func (r *reader) rule(s string, p place) string {
	parsed, err := waiver.ParseRule(s)
	switch {
	case err != nil:
		r.problem(p, "%v", err)
	case strings.ContainsAny(parsed, `*?[\`):
		if !slices.ContainsFunc(r.known.ids, func(id string) bool { return waiver.Covers(parsed, id) }) {
			r.problem(p, "%s matches no item or check%s", quote(s), suggest(s, r.known.suggested))
		}
	case !slices.Contains(r.known.ids, parsed):
		r.problem(p, "no item or check is called %s%s", quote(s), suggest(s, r.known.suggested))
	}
	return parsed
}
