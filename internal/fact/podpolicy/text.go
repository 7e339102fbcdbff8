package podpolicy

import (
	"fmt"
	"strings"

	"k8s.io/pod-security-admission/api"
)

// String says what is enforced and what is not, or why policies that match
// pods enforce nothing; empty where there is no policy.
func (h Held) String() string {
	var out []string
	if len(h.By) > 0 {
		held, missing := h.Controls(api.LevelBaseline)
		verb := "enforce"
		if len(h.By) == 1 {
			verb = "enforces"
		}
		text := fmt.Sprintf("%s %s %d of %d controls of baseline", some3(h.By, ", "), verb, len(held), len(held)+len(missing))
		if len(missing) > 0 {
			text += ", not " + strings.Join(missing, ", ")
		}
		out = append(out, text)
	}
	if len(h.Weak) > 0 {
		out = append(out, some3(h.Weak, "; "))
	}
	return strings.Join(out, "; ")
}

// Doubt says why more may be enforced than was understood; empty if it was
// read in full.
func (h Held) Doubt() string { return some3(h.Unread, "; ") }

// some3 names up to three, and counts the others.
func some3(list []string, separator string) string {
	if len(list) <= 3 {
		return strings.Join(list, separator)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:3], separator), len(list)-3)
}
