package escalation

import (
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
)

// Meaning is what rights let one come to hold, as a [Step] has it.
type Meaning struct{ Rule, Text string }

// Meanings lists what the rules of a role let whoever has it come to hold,
// where it is granted in a namespace, or everywhere if that is "". Rights that
// escalate only together with those of another role are not among them. A role
// that is not there, nil, means nothing.
func Meanings(role *access.Role, namespace string, minor int) []Meaning {
	all := access.Request{Verb: "*", Group: "*", Resource: "*", Namespace: namespace}
	if _, ok := role.Allows(all); ok && namespace != "" {
		return []Meaning{{rules[0].id, rules[0].text + " in the namespace"}}
	}
	var meanings []Meaning
	for _, r := range rules {
		m := Meaning{r.id, r.text}
		if !r.holds(minor) || r.heldBy(role, namespace) == nil || slices.Contains(meanings, m) {
			continue
		}
		meanings = append(meanings, m)
		if r == rules[0] { // everything, which goes without saying the rest
			break
		}
	}
	return meanings
}

// heldBy lists what a role has of each term of the rule, where it is granted
// in a namespace ("" for everywhere); nil where it lacks one.
func (r *rule) heldBy(role *access.Role, namespace string) [][]hold {
	all := make([][]hold, len(r.terms))
	for i, t := range r.terms {
		for _, request := range t.requests {
			if namespace != "" && request.Namespace == "" {
				continue // outside of the namespace
			}
			if rule, ok := role.Allows(request); ok {
				if h, ok := t.holdOf(rule, request); ok {
					h.namespace = namespace
					all[i] = append(all[i], h)
				}
			}
		}
		if all[i] == nil {
			return nil
		}
	}
	return all
}
