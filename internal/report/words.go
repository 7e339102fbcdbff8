package report

import (
	"fmt"
	"strings"
)

// Plural renders "1 workload", "3 workloads", "2 policies".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if before, ok := strings.CutSuffix(noun, "cy"); ok {
		noun = before + "cie"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Some joins the first three of several names, and says how many more there are.
func Some(names []string) string {
	const shown = 3
	text := strings.Join(names[:min(shown, len(names))], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
