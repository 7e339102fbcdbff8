package waiver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Annotation is the annotation that waives findings about the object that
// carries it; [Annotation].<suffix> holds further waivers of the same object:
//
//	plimsoll.dev/waive: "pods/memory-limits, 3.5; reason=batch node; until=2027-01-31; owner=team-a"
//
// A reason cannot hold a semicolon.
const Annotation = "plimsoll.dev/waive"

var errForbidden = errors.New("the configuration forbids waivers in annotations (annotations.waivers)")

// Annotated reads the waivers in the annotations of the object s, which is
// defined at the given place. What is malformed or not allowed becomes a
// refused waiver, so that [Apply] reports it.
func Annotated(at string, s report.Subject, annotations map[string]string, allowed bool) []Waiver {
	var ws []Waiver
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if !strings.HasPrefix(key, Annotation) {
			continue
		}
		parsed, err := ParseAnnotation(at, s, key, annotations[key])
		if !allowed {
			err = errForbidden
		}
		if err != nil {
			s.Part = ""
			parsed = []Waiver{{At: at, Rules: []string{key}, Object: &s, Refused: err.Error()}}
		}
		ws = append(ws, parsed...)
	}
	return ws
}

// ParseAnnotation reads one annotation, see [Annotation]. The waiver covers s
// alone, whatever its parts: one on a Namespace covers the Namespace and nothing
// in it.
func ParseAnnotation(at string, s report.Subject, key, value string) ([]Waiver, error) {
	suffix, ok := strings.CutPrefix(key, Annotation)
	if !ok || suffix == "." || suffix != "" && suffix[0] != '.' {
		return nil, fmt.Errorf("annotation %q is not %q or %q", key, Annotation, Annotation+".<suffix>")
	}
	s.Part = ""
	w := Waiver{At: at, Object: &s}
	rules, rest, _ := strings.Cut(value, ";")
	for rule := range strings.SplitSeq(rules, ",") {
		parsed, err := ParseRule(strings.TrimSpace(rule))
		if err != nil {
			return nil, fmt.Errorf("annotation %q: rule %w", key, err)
		}
		w.Rules = append(w.Rules, parsed)
	}
	given := map[string]bool{}
	for field := range strings.SplitSeq(rest, ";") {
		name, text, found := strings.Cut(field, "=")
		name, text = strings.TrimSpace(name), strings.TrimSpace(text)
		if !found && name == "" {
			continue // a semicolon at the end
		}
		if !found || !slices.Contains([]string{"reason", "until", "owner"}, name) {
			return nil, fmt.Errorf("annotation %q: after the rules stand reason=, until= and owner=, apart by semicolons", key)
		}
		if given[name] {
			return nil, fmt.Errorf("annotation %q: %s= is there twice", key, name)
		}
		given[name] = true
		switch name {
		case "reason":
			w.Reason = text
		case "owner":
			w.Owner = text
		case "until":
			day, err := time.Parse(time.DateOnly, text)
			if err != nil {
				return nil, fmt.Errorf("annotation %q: until= is not a day: write YYYY-MM-DD", key)
			}
			w.Until = day
		}
	}
	if w.Reason == "" {
		return nil, fmt.Errorf("annotation %q: reason= is missing: say why", key)
	}
	if !given["until"] {
		return nil, fmt.Errorf("annotation %q: until= is missing: name the last day, YYYY-MM-DD", key)
	}
	return []Waiver{w}, nil
}
