// Package credential finds credentials in text that should not hold any: items
// of ConfigMaps, literal values of environment variables, arguments of
// containers, annotations. What it returns never holds the value.
//
// Three kinds of rules look at a text:
//
//   - shapes: tokens that show who issued them (from veles, with their checksums
//     where they have one, and a few of our own), private keys, signed JWTs,
//     passwords in addresses, Authorization headers;
//   - names: what is assigned to "password", "client_secret", "apiKey" and the
//     like in properties, INI, env files, YAML, JSON, TOML, XML, SQL and code;
//   - layers: base64 is decoded once, JSON is read as JSON.
//
// Where the line is drawn. A value is confidential when a process would use it
// as it stands. So "postgres" under POSTGRES_PASSWORD counts, however weak: it
// is the password; even "changeme" does where the process receives it verbatim
// (an env literal, an item of its own, an argument), and so do the words that
// programs come with ("minioadmin") under a name like "secret key". Inside a
// file "changeme" is taken for a template's. What cannot be used counts nowhere:
// references (${X}, {{ }}, vault:…), masks (***, xxx, <password>), requests to
// put something there, paths, hashes and digests (by the specification), public
// keys and certificates. A word under "secret", "token" or "key" may as well
// name a Secret or a field, so these want a value that looks drawn by chance,
// or a name that leaves no doubt ("jwt secret"). In comments, documents,
// translations and program text without quotes, only such values count.
package credential

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Leak is one credential that was found. It does not hold the value.
type Leak struct {
	// Rule is a slug ("aws-access-key", "password"), Title says it in words
	// ("an AWS access key id").
	Rule, Title string
	// Key is the item, and where the credential stands in it when it has
	// structure: "application.yaml: spring.datasource.password".
	Key string
	// Line counts from 1 inside the value; 0 where the value has one line, or
	// where the credential stands in an encoded layer.
	Line int
	// Arg is the index of the argument; 0 outside of FindArgs.
	Arg int
	// Hint helps to recognise the value: "AKIA… (20 characters)". It shows at
	// most four characters, and none of passwords or short values; it is empty
	// for private keys.
	Hint string
}

const (
	maxLeaks  = 100     // per value: who reads more has a list of secrets
	maxLayers = 2       // of encoding or structure inside a value
	maxBlob   = 4 << 20 // bytes of base64 that are decoded
)

// Find returns the credentials in the value of an item, variable or annotation.
// The value may be of any size and need not be valid UTF-8.
func Find(key, value string) []Leak {
	f := &finder{key: key, kind: kindOf(key, value)}
	f.item(value)
	return f.leaks()
}

// FindArgs returns the credentials in the command line of a container, given
// as command followed by arguments.
func FindArgs(args []string) []Leak {
	f := &finder{}
	for i, a := range args {
		f.arg, f.line, f.kind = i, multiline(a), kindOf("", a)
		f.text(a)
	}
	f.args(args)
	return f.leaks()
}

// finder collects what is found in one value. Secrets stay in it.
type finder struct {
	key   string
	stack []*level // the place of a leaf in a JSON document
	kind  kind
	layer int
	line  bool // lines are counted
	// done is, for each sort of cue, where the text begins that it has not read:
	// what was read for one cue is not read again for another.
	done  [aProvider]int
	arg   int
	found []found
}

type found struct {
	Leak
	secret string
}

// item searches a whole value.
func (f *finder) item(value string) {
	f.line = multiline(value)
	trimmed := strings.TrimSpace(value)
	if len(trimmed) < 3 {
		return
	}
	if f.binary(value) {
		return
	}
	if f.layer < maxLayers && f.base64(trimmed) {
		return
	}
	f.text(value)
	if !strings.Contains(trimmed, "\n") {
		f.assigned(understand(f.key), trimmed, where{whole: true}, value, 0, func() string { return "" })
	}
	if strings.HasSuffix(f.key, "pgpass") {
		f.pgpass(value)
	}
}

func multiline(s string) bool { return strings.Contains(strings.TrimRight(s, "\n"), "\n") }

// add records a secret at a place in text. A secret that lies in one that is
// known already is the same finding: the shape rules come first.
func (f *finder) add(rule, title, name, secret, text string, pos int) {
	if len(f.found) >= maxLeaks || secret == "" {
		return
	}
	key := f.full(name)
	for _, o := range f.found {
		overlap := strings.Contains(secret, o.secret) || strings.Contains(o.secret, secret) && len(secret) >= 6
		if o.Arg == f.arg && (overlap && (o.Rule != rule || o.Key == key) || secret == o.secret && !f.line) {
			return
		}
	}
	l := Leak{Rule: rule, Title: title, Key: key, Arg: f.arg, Hint: hint(rule, secret)}
	if f.line {
		l.Line = 1 + strings.Count(text[:pos], "\n")
	}
	f.found = append(f.found, found{l, secret})
}

// full is the key with the place inside it.
func (f *finder) full(name string) string {
	parts := []string{}
	for _, p := range []string{pathOf(f.stack), name} {
		switch {
		case p == "" || p == f.key:
		case strings.Contains(p, "@") || random(p): // it may hold what must not be shown
			parts = append(parts, "…")
		default:
			parts = append(parts, p)
		}
	}
	inside := strings.Join(parts, ".")
	switch {
	case f.key == "":
		return inside
	case inside == "":
		return f.key
	}
	return f.key + ": " + inside
}

func (f *finder) leaks() []Leak {
	var ls []Leak
	for _, x := range f.found {
		ls = append(ls, x.Leak)
	}
	return ls
}

// people choose these, and their beginning gives much of them away.
var people = words("password url-password basic-auth registry-auth")

// hint shows the beginning of what is long and was drawn by chance.
func hint(rule, secret string) string {
	n := utf8.RuneCountInString(secret)
	switch {
	case rule == "private-key":
		return ""
	case n < 16 || people[rule]:
		return fmt.Sprintf("(%d characters)", n)
	}
	return fmt.Sprintf("%s… (%d characters)", strings.ToValidUTF8(string([]rune(secret[:min(len(secret), 16)])[:4]), "?"), n)
}
