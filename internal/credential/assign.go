package credential

import (
	"strings"
	"unicode"
)

// directives take their value after a blank, with no sign between.
var directives = words("requirepass masterauth bindpw rootpw insecure-password")

// name looks at the name around a cue, and at what is assigned to it.
func (f *finder) name(text string, start, end int) {
	start, end = identifier(text, start, end)
	f.done[aName] = end
	name := text[start:end]
	p := understand(name)
	if p.class == none || strings.HasSuffix(name, ".") {
		return
	}
	v, at, w := f.value(text, start, end)
	if v == "" {
		return
	}
	if len(v) > 64 && !strings.ContainsAny(v, " \"'") {
		f.done[aName] = at + len(v) // one word: there is no other name in it
	}
	w.code, w.prose = f.kind.code, f.prose(text, start)
	f.assigned(p, v, w, text, at, func() string { return f.pathTo(text, start, name) })
}

// assigned judges the value under a name, and adds it.
func (f *finder) assigned(p promise, v string, w where, text string, at int, place func() string) {
	if p.class == none {
		return
	}
	if p.class == weak && p.rule == "secret" {
		if user, pass, ok := userPass(v); ok && user != "" && literal(pass, where{whole: true}) {
			f.add("registry-auth", "a registry's name and password", place(), v, text, at)
			return
		}
	}
	title := titles[p.rule]
	if raw, ok := decode(v); ok && len(v) >= 8 && printable(raw) && !random(v) {
		// Manifests of Secrets hold their values so.
		if v, w = strings.TrimSpace(string(raw)), (where{whole: true}); strings.ContainsAny(v, "\n") {
			return // a layer, which is searched as such
		}
		title += " in base64"
	}
	if !confidential(p, v, w) {
		return
	}
	if name := place(); !strings.Contains(name, "encryptedData.") { // SealedSecret
		f.add(p.rule, title, name, v, text, at)
	}
}

// identifier widens a cue to the whole name, of at most 128 characters.
func identifier(text string, start, end int) (int, int) {
	is := func(c byte) bool { return alnum(c) || c == '_' || c == '-' || c == '.' }
	for lo := max(0, start-128); start > lo && is(text[start-1]); {
		start--
	}
	if start > 0 && text[start-1] == '\\' && start+1 < end && (text[start] == 'n' || text[start] == 't') {
		start++ // the line end in a string of YAML or JSON
	}
	for hi := min(len(text), end+128); end < hi && is(text[end]); {
		end++
	}
	return start, end
}

// value finds what is assigned to the name between start and end: its text,
// where that is, and how it stands there.
func (f *finder) value(text string, start, end int) (string, int, where) {
	i, before := end, byte('\n')
	if start > 0 {
		before = text[start-1]
	}
	inQuotes := before == '"' || before == '\'' || before == '`'
	switch {
	case labels(text, start):
		return pair(text, end)
	case strings.HasPrefix(text[i:], `\"`): // JSON in a string
		i += 2
	case before == '<' && strings.HasPrefix(text[i:], ">"):
		if i++; len(text) > i+7 && strings.EqualFold(text[i:i+7], "<value>") {
			i += 7
		}
		return until(text, i, "<\n")
	case inQuotes && i < len(text) && text[i] == before:
		inQuotes = false
		i++
		if v, at, w := attribute(text, start, i); v != "" {
			return v, at, w
		}
		if start > 1 && text[start-2] == '(' && strings.HasPrefix(text[i:], ",") {
			return quoted(text, skip(text, i+1)) // define("PASSWORD", "x")
		}
		if strings.HasPrefix(text[i:], "]") {
			i++ // settings['password'] = 'x'
		}
	}
	sep, next := separator(text, i, before == '"')
	if sep == "" {
		return f.directive(text, start, end, skip(text, i))
	}
	if next < 0 {
		return "", 0, where{}
	}
	i = skip(text, next)
	switch {
	case strings.HasPrefix(text[i:], `\"`):
		v, at, w := until(text, i+2, "\\\n")
		w.quoted = true
		return v, at, w
	case i < len(text) && (text[i] == '"' || text[i] == '\''):
		return quoted(text, i)
	case sep == ":" && i < len(text) && (text[i] == '|' || text[i] == '>'):
		return block(text, start, i)
	}
	v, at, w := plain(text, i, sep == ":")
	if inQuotes && text[start] != '-' && strings.TrimFunc(v, unicode.IsLetter) == "" {
		return "", 0, w // a text that is searched for: |= "password=reset"
	}
	return v, at, w
}

// separator is the sign of assignment at i, and where it ends; -1 for a sign
// that looks like one: a comparison, a cast, psql's :'variable'.
func separator(text string, i int, quotedName bool) (string, int) {
	at := skip(text, i)
	for _, s := range []string{":=", "=>", "?=", "=", ":"} {
		if !strings.HasPrefix(text[at:], s) {
			continue
		}
		next := at + len(s)
		if next == len(text) {
			return s, -1
		}
		switch c := text[next]; {
		case c == '=' || c == '~' || c == ':',
			s == ":" && at > i && c != ' ',
			s == ":" && !quotedName && strings.IndexByte(" \t\"'\\", c) < 0:
			return s, -1
		}
		return s, next
	}
	return "", 0
}

// plain reads a value without quotes. After a colon, words that follow make it
// a sentence.
func plain(text string, i int, colon bool) (string, int, where) {
	v, at, w := until(text, i, " \t\r\n,;&\"'`<|})")
	rest := text[at+len(v):]
	if colon {
		rest = strings.TrimLeft(rest[:min(len(rest), 64)], " \t\r")
		if rest != "" && strings.IndexByte("\n,;}#\\\"'`)&", rest[0]) < 0 {
			return "", 0, w
		}
	}
	if strings.HasPrefix(rest, ")") && strings.Contains(v, "(") {
		return "", 0, w
	}
	return v, at, w
}

// until reads up to one of the stops, or an escaped line end, at most 1024 bytes.
func until(text string, i int, stops string) (string, int, where) {
	v := text[i:min(len(text), i+1024)]
	if j := strings.IndexAny(v, stops); j >= 0 {
		v = v[:j]
	}
	for _, esc := range []string{`\n`, `\r`} {
		if j := strings.Index(v, esc); j >= 0 {
			v = v[:j]
		}
	}
	return strings.TrimSpace(v), i + len(v) - len(strings.TrimLeft(v, " ")), where{}
}

// quoted reads a string literal that begins at i.
func quoted(text string, i int) (string, int, where) {
	if i >= len(text) || text[i] != '"' && text[i] != '\'' {
		return "", 0, where{}
	}
	for j := i + 1; j < len(text) && j < i+1024 && text[j] != '\n'; j++ {
		switch text[j] {
		case '\\':
			j++
		case text[i]:
			return text[i+1 : j], i + 1, where{quoted: true}
		}
	}
	return "", 0, where{}
}

// block reads a YAML block scalar of one line.
func block(text string, start, i int) (string, int, where) {
	end := strings.IndexByte(text[i:], '\n')
	if end < 0 || end > 4 {
		return "", 0, where{}
	}
	i += end + 1
	v, at, w := until(text, i, "\n")
	next := at + len(v) + 1
	if next < len(text) && indent(text, next) > indent(text, lineStart(text, start)) {
		return "", 0, w
	}
	return v, at, w
}

// attribute reads the value beside a name that is itself one: "value" in
// <property name="password" value="x"/>, the content of
// <property name="password">x</property>.
func attribute(text string, start, i int) (string, int, where) {
	if start < 2 || text[start-2] != '=' {
		return "", 0, where{}
	}
	tag := text[i:min(len(text), i+1024)]
	end := strings.IndexByte(tag, '>')
	if end < 0 {
		return "", 0, where{}
	}
	if at := strings.Index(strings.ToLower(tag[:end]), "value="); at >= 0 {
		return quoted(text, i+at+len("value="))
	}
	return until(text, i+end+1, "<\n")
}

// labels says that the name at start is the value of "name" or "key", as in
// lists of variables.
func labels(text string, start int) bool {
	head := strings.TrimRight(text[max(0, start-16):start], ` "'`)
	head, ok := strings.CutSuffix(head, ":")
	if !ok {
		return false
	}
	head = strings.ToLower(strings.TrimRight(head, `"'`))
	return strings.HasSuffix(head, "name") || strings.HasSuffix(head, "key")
}

// pair reads the "value" that follows a "name".
func pair(text string, end int) (string, int, where) {
	rest := text[end:min(len(text), end+64)]
	trimmed := strings.TrimLeft(rest, " \t\r\n\"',")
	after, ok := strings.CutPrefix(trimmed, "value")
	if !ok {
		return "", 0, where{}
	}
	after = strings.TrimLeft(after, `"'`)
	if !strings.HasPrefix(after, ":") {
		return "", 0, where{}
	}
	i := skip(text, end+len(rest)-len(after)+1)
	v, at, w := quoted(text, i)
	if v == "" {
		v, at, w = plain(text, i, true)
	}
	w.whole = true
	return v, at, w
}

// directive reads a value that stands behind a blank, at i.
func (f *finder) directive(text string, start, end, i int) (string, int, where) {
	if i == end || i >= len(text) {
		return "", 0, where{}
	}
	name := strings.ToLower(text[start:end])
	switch {
	case text[i] == '\'' && strings.HasSuffix(name, "password"):
		return quoted(text, i) // SQL: ALTER USER app PASSWORD 'x'
	case strings.HasPrefix(name, "--") && text[i] != '-':
		if text[i] == '"' || text[i] == '\'' {
			return quoted(text, i)
		}
		return until(text, i, " \t\r\n\"';)|")
	case name == "auth-pass": // sentinel auth-pass <master> <password>
		if blank := strings.IndexAny(text[i:min(len(text), i+256)], " \n"); blank > 0 {
			return until(text, skip(text, i+blank), " \t\r\n")
		}
	case directives[name], name == "password" && f.netrc(text, start):
		return until(text, i, " \t\r\n")
	case f.kind.conf && strings.TrimSpace(text[lineStart(text, start):start]) == "":
		v, at, w := until(text, i, "\r\n")
		if v = strings.TrimRight(v, "; "); !strings.ContainsAny(v, " \t") {
			return v, at, w
		}
	}
	return "", 0, where{}
}

func skip(text string, i int) int {
	for i >= 0 && i < len(text) && (text[i] == ' ' || text[i] == '\t') {
		i++
	}
	return i
}
