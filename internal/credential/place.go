package credential

import "strings"

// pathTo is the path to a name in a text, as far as the text shows one: keys of
// less indentation in YAML, the section in INI and TOML.
func (f *finder) pathTo(text string, pos int, name string) string {
	line := lineStart(text, pos)
	in := indent(text, line)
	for n := 0; n < 400 && line > 0 && text[line-1] == '\n' && (in > 0 || n < 60); n++ {
		end := line - 1
		line = lineStart(text, end)
		l := text[line:min(end, line+256)]
		t := strings.Trim(l, " \t\r")
		switch at := indent(text, line); {
		case t == "" || t[0] == '#' || t[0] == ';':
		case in == 0:
			if t[0] == '[' && t[len(t)-1] == ']' {
				return strings.Trim(t, "[]") + "." + name
			}
		case at < in:
			key, _, ok := strings.Cut(strings.TrimLeft(t, "- "), ":")
			key = strings.Trim(key, `"'`)
			if !ok || !showable(key) || strings.ContainsAny(key, " \t{}=<>\"'") {
				return name
			}
			name, in = key+"."+name, at
			if in == 0 {
				return name
			}
		}
	}
	return name
}

// here is the path of the line that holds pos, for a secret that was found by
// its shape: the name before it, where there is one.
func (f *finder) here(text string, pos int) string {
	line := lineStart(text, pos)
	if pos-line > 512 {
		return ""
	}
	l := strings.TrimLeft(text[line:pos], " \t-")
	i := strings.IndexAny(l, ":=")
	if i < 0 || strings.HasPrefix(l[i:], "://") {
		return ""
	}
	name := strings.Trim(l[:i], " \"'")
	if name = strings.TrimPrefix(name, "export "); name == "" || !showable(name) || strings.ContainsAny(name, " \t{}<>\"'$/@\\()") {
		return ""
	}
	return f.pathTo(text, line, name)
}

// prose says that pos is in text for people: a document, or a comment.
func (f *finder) prose(text string, pos int) bool {
	if f.kind.prose {
		return true
	}
	l := strings.TrimLeft(text[lineStart(text, pos):pos], " \t\"'")
	for _, c := range []string{"#", ";", "//", "/*", "* ", "-- ", "<!--", "rem "} {
		if strings.HasPrefix(l, c) && !strings.HasPrefix(l, "//") || strings.HasPrefix(l, "// ") {
			return true
		}
	}
	return false
}

// lineStart is where the line of pos begins; a line of more than 1 KiB is cut.
func lineStart(text string, pos int) int {
	lo := max(0, pos-1024)
	return lo + strings.LastIndexByte(text[lo:min(pos, len(text))], '\n') + 1
}

func indent(text string, line int) int {
	i := skip(text, line)
	if strings.HasPrefix(text[i:], "- ") {
		return skip(text, i+1) - line
	}
	return i - line
}

// netrc says that "password" at pos belongs to a machine and login of a .netrc.
func (f *finder) netrc(text string, pos int) bool {
	before := text[max(0, pos-256):pos]
	return strings.Contains(before, "machine ") && strings.Contains(before, "login ")
}
