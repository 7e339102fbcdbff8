package kustomization

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The errors of kustomize quote what it was working on, patches and literals
// included. Of their text only these parts are repeated: they hold names and
// paths, never values.
var knownMessages = []*regexp.Regexp{
	regexp.MustCompile(`may not add resource with an already registered id: [^\s;']+`),
	regexp.MustCompile(`id [^\s;']+ exists; behavior must be merge or replace`),
	regexp.MustCompile(`id [^\s;']+ does not exist; cannot merge or replace`),
	regexp.MustCompile(`no matches for Id [^\s;']+`),
	regexp.MustCompile(`multiple matches for Id [^\s;']+`),
	regexp.MustCompile(`no resource matches strategic merge patch "[^"]*"`),
	regexp.MustCompile(`unable to find target for patch [^\s;']+`),
	regexp.MustCompile(`failed to find unique target for patch [^\s;']+`),
	regexp.MustCompile(`external plugins disabled; unable to load external plugin '\w+'`),
	regexp.MustCompile(`expected kind (?:!= )?'\w+' for path '[^']+'(?: but got '\w+')?`),
	regexp.MustCompile(`kustomization.yaml is empty`),
	regexp.MustCompile(`(?:apiVersion for \w+|kind) should be \w[\w./]*(?: or \w+)?`),
	regexp.MustCompile(`unknown field "\w+"`),
	regexp.MustCompile(`missing metadata.name in object`),
	regexp.MustCompile(`missing Resource metadata`),
	regexp.MustCompile(`unable to find field "[\w./-]+" in replacement target`),
	regexp.MustCompile(`nothing selected by `),
	regexp.MustCompile(`multiple matches for selector`),
	regexp.MustCompile(`namespace transformation produces ID conflict`),
	regexp.MustCompile(`unable to parse SM or JSON patch`),
	regexp.MustCompile(`trouble configuring builtin \w+`),
	regexp.MustCompile(`(?:add|remove|replace|test|move|copy) operation does not apply`),
	regexp.MustCompile(`cannot unmarshal \w+ into Go (?:struct field [\w.]+|value) of type [\w.\[\]*]+`),
	regexp.MustCompile(`yaml: (?:line \d+|unmarshal errors|did not find expected [^a-z]*(?:or [^a-z]*)?)`),
	regexp.MustCompile(`exceeded max depth`),
}

// accumulating matches where kustomize was, from the outside in.
var accumulating = regexp.MustCompile(`(?:accumulating|merging) resources from '([^']+)'|(?:accumulation of|for) path '([^']+)'`)

// explain turns an error of kustomize into one without values. It names the
// innermost file or directory that kustomize was in.
func explain(err error, top string) error {
	text := err.Error()
	var what []string
	for _, known := range knownMessages {
		for _, m := range known.FindAllString(text, -1) {
			m = strings.TrimSpace(strings.ReplaceAll(m, top+string(filepath.Separator), ""))
			if !slices.Contains(what, m) {
				what = append(what, m)
			}
		}
	}
	if len(what) == 0 {
		what = []string{"failed; its message may quote values and is left out (\"kustomize build\" shows it)"}
	}
	message := errors.New(strings.Join(what, "; "))
	places := accumulating.FindAllStringSubmatch(text, -1)
	if len(places) == 0 {
		return message
	}
	place := places[len(places)-1][1] + places[len(places)-1][2]
	if rel, err := filepath.Rel(top, place); err == nil && filepath.IsAbs(place) {
		place = rel
	}
	return fmt.Errorf("%s: %w", place, message)
}
