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
		text := fmt.Sprintf("%s %s %d of %d controls of baseline", some3(h.By, h.moreBy, ", "), verb, len(held), len(held)+len(missing))
		if len(missing) > 0 {
			text += ", not " + strings.Join(missing, ", ")
		}
		out = append(out, text)
	}
	if len(h.Weak) > 0 {
		out = append(out, some3(h.Weak, h.moreWeak, "; "))
	}
	return strings.Join(out, "; ")
}

// Doubt says why more may be enforced than was understood; empty if it was
// read in full.
func (h Held) Doubt() string { return some3(h.Unread, h.moreUnread, "; ") }

// some3 joins up to three, and says how many more there are.
func some3(first []string, more int, separator string) string {
	text := strings.Join(first, separator)
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
