package group

import "strings"

// Advice is the first sentence of a remediation, without the marks of
// Markdown. Code in it stands as it is.
func Advice(remediation string) string {
	text := strings.Join(strings.Fields(remediation), " ")
	code := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '`':
			code = !code
		case code || text[i] != '.' || i+1 < len(text) && text[i+1] != ' ' || strings.HasSuffix(text[:i], "e.g") || strings.HasSuffix(text[:i], "i.e"):
		default:
			text = text[:i+1]
		}
	}
	return strings.ReplaceAll(text, "`", "")
}
