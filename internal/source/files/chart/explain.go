package chart

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The texts of errors below are those of text/template (exec.go, funcs.go) and
// of Helm's engine. Others may quote values ("parsing \"hunter2\": invalid
// syntax"), so what is not known is left out. Group 1, where there is one, is a
// name that must stand in a template to be repeated.
var knownMessages = []*regexp.Regexp{
	regexp.MustCompile(`^nil pointer evaluating (?:interface \{\}|[\w.*]+)\.(\w+)$`),
	regexp.MustCompile(`^nil data; no entry for key "(\w+)"$`),
	regexp.MustCompile(`^map has no entry for key "(\w+)"$`),
	regexp.MustCompile(`^can't evaluate field (\w+) in type [\w.*\[\]{} ]+$`),
	regexp.MustCompile(`^(?:wrong type for value; expected|invalid value; expected|dereference of nil pointer of type) [\w.*\[\]{}; ]+$`),
	regexp.MustCompile(`^value (?:has type [\w.*\[\]{} ]+|is nil); should be (?:of type )?[\w.*\[\]{} ]+$`),
	regexp.MustCompile(`^wrong number of args for (\w+): (?:want|got) (?:at least )?\d+ (?:want|got) (?:at least )?\d+$`),
	regexp.MustCompile(`^index out of range: \d+$`),
	regexp.MustCompile(`^(?:index of untyped nil|index of nil pointer|cannot index slice/array with nil|slice of untyped nil|len of nil pointer|missing argument for comparison|invalid type for comparison)$`),
	regexp.MustCompile(`^incompatible types for comparison(?:: [\w.*\[\]{} ]+)?$`),
	regexp.MustCompile(`^exceeded maximum template depth \(\d+\)$`),
	regexp.MustCompile(`^rendering template has a nested reference name: (\S+): unable to execute template$`),
	regexp.MustCompile(`^(?:template: )?no template "([^"]+)" associated with template "gotpl"$`),
	regexp.MustCompile(`^template "([^"]+)" not defined$`),
	regexp.MustCompile(`^expected \w+; found (\S+)$`),
	regexp.MustCompile(`^type mismatch on \S+: `), // of a subchart's values; the value follows
}

var (
	location  = regexp.MustCompile(`([^\s:()"]+):(\d+)(?::\d+)?`)
	calling   = regexp.MustCompile(`error calling (\w+): `)
	parsing   = regexp.MustCompile(`(?s)^parse error at \([^)]*\): (.*)$`)
	authors   = regexp.MustCompile(`(?s)^execution error at \([^)]*\): (.*)$`)
	cannotUse = regexp.MustCompile(`(can't iterate over|can't use) .*$`)
)

// explain turns an error of Helm into "file:line: message". Only what is known
// to hold no values is repeated: the places, the texts above, and the message
// of required and fail where it stands word for word in a template.
func explain(err error, templates map[string]string) error {
	text := err.Error()
	var places []string
	for _, m := range location.FindAllStringSubmatch(text, -1) {
		if _, ok := templates[m[1]]; ok && (len(places) == 0 || places[len(places)-1] != m[1]+":"+m[2]) {
			places = append(places, m[1]+":"+m[2])
		}
	}
	what := message(text, templates)
	if len(places) == 0 {
		return what
	}
	if inner := places[len(places)-1]; inner != places[0] {
		return fmt.Errorf("%s: %w (in %s)", places[0], what, inner)
	}
	return fmt.Errorf("%s: %w", places[0], what)
}

func message(text string, templates map[string]string) error {
	stands := func(s string) bool {
		for _, t := range templates {
			if strings.Contains(t, s) {
				return true
			}
		}
		return false
	}
	if m := parsing.FindStringSubmatch(text); m != nil {
		return errors.New(m[1]) // of the template's text: nothing was executed yet
	}
	if m := authors.FindStringSubmatch(text); m != nil {
		if msg := strings.TrimSpace(m[1]); msg != "" && stands(msg) {
			return errors.New(msg)
		}
		return errors.New("the chart refuses these values; its message may quote values and is left out (\"helm template\" shows it)")
	}
	function := ""
	if calls := calling.FindAllStringSubmatchIndex(text, -1); calls != nil {
		last := calls[len(calls)-1]
		function = text[last[2]:last[3]]
		text = text[last[1]:]
	}
	if i := strings.LastIndex(text, ">: "); i >= 0 {
		text = text[i+len(">: "):]
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	for _, known := range knownMessages {
		if m := known.FindStringSubmatch(last); m != nil && (len(m) == 1 || stands(m[1])) {
			return errors.New(strings.TrimSuffix(m[0], ": "))
		}
	}
	if m := cannotUse.FindStringSubmatch(last); m != nil {
		return errors.New(m[1] + " this value")
	}
	if function != "" {
		return fmt.Errorf("%s %w", function, errNoDetail)
	}
	return errNoDetail
}

var errNoDetail = errors.New("failed; its message may quote values and is left out (\"helm template\" shows it)")

var quoted = regexp.MustCompile("(?s)`[^`]*`|\"[^\"]*\"|'[^' ]{3,}'|map\\[interface \\{\\}\\]interface \\{\\}\\{.*")

// withoutQuotes removes from the error of a YAML or JSON decoder what it
// quotes from the file.
func withoutQuotes(text string) string {
	return strings.TrimSpace(quoted.ReplaceAllString(text, "…"))
}
