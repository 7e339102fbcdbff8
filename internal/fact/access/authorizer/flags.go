package authorizer

import (
	"encoding/csv"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// word is one of a command line, and the field that it stands in.
type word struct{ text, field string }

// command is the part of a container's command line that is the API server's.
type command struct {
	field string // of the whole of it
	words []word
}

// commandOf finds the API server in a container: as the program that it runs, or
// in the command line of a wrapper or shell, where a flag that no API server goes
// without tells it from the mere mention of its name.
func commandOf(c *corev1.Container, field string) (command, bool) {
	all := command{field: field + ".command"}
	add := func(list []string, name string) {
		for i, text := range list {
			at := fmt.Sprintf("%s.%s[%d]", field, name, i)
			if strings.HasPrefix(text, "-") {
				all.words = append(all.words, word{text, at})
				continue
			}
			for part := range strings.FieldsSeq(text) { // a script
				all.words = append(all.words, word{strings.Trim(part, `"'`), at})
			}
		}
	}
	add(c.Command, "command")
	add(c.Args, "args")
	i := slices.IndexFunc(all.words, func(w word) bool { return path.Base(w.text) == "kube-apiserver" })
	if i < 0 {
		return command{}, false
	}
	if len(c.Command) == 0 {
		all.field = field + ".args"
	}
	all.words = all.words[i+1:]
	return all, i == 0 || len(all.flag("etcd-servers")) > 0
}

// flag lists the values that a flag is given, each with its field.
func (c command) flag(name string) []word {
	var values []word
	for i, w := range c.words {
		text, long := strings.CutPrefix(w.text, "--")
		n, value, inline := strings.Cut(text, "=")
		// The API server takes underscores for dashes:
		// https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/component-base/cli/flag/flags.go
		if !long || strings.ReplaceAll(n, "_", "-") != name {
			continue
		}
		if !inline && i+1 < len(c.words) {
			value = c.words[i+1].text
		}
		values = append(values, word{value, w.field})
	}
	return values
}

// hides says what keeps flags from being seen; "" where nothing does. A variable
// that is the value of a flag hides no other one.
func (c command) hides() string {
	for _, w := range c.words {
		name, _, inline := strings.Cut(w.text, "=")
		switch plain := inline && strings.HasPrefix(name, "--") && !strings.HasPrefix(name, "--authorization") && !strings.Contains(name, "$"); {
		case name == "--openshift-config":
			return "takes its flags from a file (--openshift-config)"
		case strings.Contains(w.text, "$") && !plain:
			return "has variables in its command line"
		}
	}
	return ""
}

// modes are the values of a flag that takes a list and may be given several
// times, as pflag reads it.
func modes(values []word) ([]string, error) {
	var all []string
	for _, v := range values {
		if v.text == "" {
			continue
		}
		list, err := csv.NewReader(strings.NewReader(v.text)).Read()
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}
