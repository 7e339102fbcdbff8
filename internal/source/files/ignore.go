package files

import (
	"path"
	"regexp"
	"strings"
)

// IgnoreFile is the name of a file in a directory that lists, as a .gitignore
// does, what is not read below that directory.
const IgnoreFile = ".plimsollignore"

// pattern is one line of an ignore file.
type pattern struct {
	match   *regexp.Regexp
	negated bool
	dirOnly bool
}

// ignoreRules are the patterns that hold below a directory.
type ignoreRules struct {
	base     string // slash-separated path that the patterns are relative to
	patterns []pattern
}

func parseIgnore(base string, lines []string) ignoreRules {
	r := ignoreRules{base: base}
	for _, line := range lines {
		if p, ok := parsePattern(line); ok {
			r.patterns = append(r.patterns, p)
		}
	}
	return r
}

// parsePattern reads a line as https://git-scm.com/docs/gitignore describes.
func parsePattern(line string) (pattern, bool) {
	var p pattern
	line = strings.TrimRight(line, "\r\n")
	if !strings.HasSuffix(line, `\ `) {
		line = strings.TrimRight(line, " \t")
	}
	if line == "" || line[0] == '#' {
		return p, false
	}
	if line[0] == '!' {
		p.negated, line = true, line[1:]
	}
	line, p.dirOnly = strings.CutSuffix(line, "/")
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return p, false
	}
	expr := globExpression(line)
	if !anchored {
		expr = "(?:.*/)?" + expr
	}
	re, err := regexp.Compile("(?s)^" + expr + "$")
	p.match = re
	return p, err == nil
}

func globExpression(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); {
		rest := glob[i:]
		switch {
		case strings.HasPrefix(rest, "**/") && (i == 0 || glob[i-1] == '/'):
			b.WriteString("(?:.*/)?")
			i += 3
		case rest == "**" && (i == 0 || glob[i-1] == '/'):
			b.WriteString(".*")
			i += 2
		case rest[0] == '*':
			b.WriteString("[^/]*")
			i++
		case rest[0] == '?':
			b.WriteString("[^/]")
			i++
		case rest[0] == '[' && strings.IndexByte(rest[1:], ']') > 0:
			end := strings.IndexByte(rest[1:], ']') + 1
			class := rest[1:end]
			if class[0] == '!' {
				class = "^" + class[1:]
			}
			b.WriteString("[" + strings.ReplaceAll(class, `\`, `\\`) + "]")
			i += end + 1
		case rest[0] == '\\' && len(rest) > 1:
			b.WriteString(regexp.QuoteMeta(rest[1:2]))
			i += 2
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
			i++
		}
	}
	return b.String()
}

// ignored says whether the last pattern that matches excludes a path. Rules
// come from the outermost directory to the innermost.
func ignored(rules []ignoreRules, name string, dir bool) bool {
	out := false
	for _, r := range rules {
		rel := name
		if r.base != "" && r.base != "." {
			var ok bool
			if rel, ok = strings.CutPrefix(name, strings.TrimSuffix(r.base, "/")+"/"); !ok {
				continue
			}
		}
		rel = path.Clean(rel)
		for _, p := range r.patterns {
			if (!p.dirOnly || dir) && p.match.MatchString(rel) {
				out = !p.negated
			}
		}
	}
	return out
}
