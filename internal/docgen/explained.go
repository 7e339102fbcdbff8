package docgen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// headings are those of the comment above a check, in their order.
var headings = []string{"Statement", "Looks at", "Passes when", "Fails when", "Manual when", "Cannot tell when"}

// explained gathers what explains each check and stands in the source: the
// comment above it, and its fixtures bad.txtar and good.txtar. The program
// carries it as one file.
func explained(root string, list []*check.Check) ([]byte, error) {
	comments, err := decisions(root)
	if err != nil {
		return nil, err
	}
	var out txtar.Archive
	var missing []error
	for _, c := range list {
		text, ok := comments[c.ID]
		if !ok {
			missing = append(missing, fmt.Errorf("%s: no comment above the check begins with its id and has %q", c.ID, headings[0]+":"))
		}
		delete(comments, c.ID)
		out.Files = append(out.Files, txtar.File{Name: c.ID + "/decided", Data: []byte(text)})
		for _, side := range []string{"bad", "good"} {
			example, err := example(root, c, side)
			if err != nil {
				missing = append(missing, fmt.Errorf("%s has no example: %w", c.ID, err))
				continue
			}
			out.Files = append(out.Files, txtar.File{Name: c.ID + "/" + side, Data: example})
		}
	}
	for id := range comments {
		missing = append(missing, fmt.Errorf("a comment explains %q, which is no check", id))
	}
	slices.SortFunc(missing, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return txtar.Format(&out), errors.Join(missing...)
}

// decisions reads the comments above the checks, by the checks' ids: one
// paragraph a line.
func decisions(root string) (map[string]string, error) {
	out := map[string]string{}
	names, err := filepath.Glob(filepath.Join(root, "internal/checks/*/*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		section := filepath.Base(filepath.Dir(name))
		for _, group := range f.Comments {
			ids, text := decision(section, group)
			for _, id := range ids {
				if _, twice := out[id]; twice {
					return nil, fmt.Errorf("%s: a second comment explains %s", name, id)
				}
				out[id] = text
			}
		}
	}
	return out, nil
}

// decision reads one comment: the checks that it stands above, "item/check"
// each or only "check" where the item is the one before, and its paragraphs.
func decision(section string, group *ast.CommentGroup) (ids []string, text string) {
	head, body, ok := strings.Cut(group.Text(), "\n\n"+headings[0]+":")
	if !ok {
		return nil, ""
	}
	item := ""
	for _, word := range regexp.MustCompile(`,\s+|\s+and\s+`).Split(head, -1) {
		if i, _, ok := strings.Cut(word, "/"); ok {
			item = i
		} else {
			word = item + "/" + word
		}
		ids = append(ids, section+"/"+word)
	}
	var paragraphs []string
	apart := false // after an empty line
	for line := range strings.Lines(headings[0] + ":" + body) {
		line = strings.TrimSpace(line)
		heading, rest, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			apart = true
			continue
		case slices.Contains(headings, heading):
			paragraphs = append(paragraphs, heading+": "+capital(rest))
		case strings.HasPrefix(line, "https://"):
			paragraphs = append(paragraphs, "See: "+line)
		case apart:
			paragraphs = append(paragraphs, "Note: "+capital(line))
		default:
			paragraphs[len(paragraphs)-1] += " " + line
		}
		apart = false
	}
	// The statement says what the title says, for all the checks of the comment.
	return ids, strings.Join(paragraphs[1:], "\n") + "\n"
}

func capital(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[n:]
}

// expectation is a comment of a fixture that says what is found on its line.
var expectation = regexp.MustCompile(`\s*# want (fail|unknown|manual) .*`)

// longest is how long a line of an example may get: certificates are shortened.
const longest = 120

// example is a fixture as a person reads it: its files one after another, what
// the check finds written beside the line, and what only the test needs left
// out.
func example(root string, c *check.Check, side string) ([]byte, error) {
	section, _, _ := strings.Cut(c.ID, "/")
	name := filepath.Join(root, "internal/checks", section, "testdata", c.ID, side+".txtar")
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the fixture %s.txtar is not there", side)
	}
	if err != nil {
		return nil, err
	}
	verdict, found, err := checktest.Example(c, name)
	if err != nil {
		return nil, err
	}
	if good := verdict == report.Pass; good != (side == "good") {
		return nil, fmt.Errorf("the fixture %s.txtar is judged %s", side, verdict)
	}
	var out strings.Builder
	for _, f := range txtar.Parse(data).Files {
		if f.Name == "want" || f.Name == "gaps" || f.Name == "collected" {
			continue
		}
		if out.Len() > 0 {
			out.WriteString("---\n")
		}
		if f.Name == "config" {
			out.WriteString("# plimsoll.yaml\n")
		}
		n := 0
		for line := range strings.Lines(string(f.Data)) {
			n++
			line = expectation.ReplaceAllString(strings.TrimRight(line, "\n"), "")
			if len(line) > longest {
				line = line[:longest] + "…"
			}
			out.WriteString(line)
			for i, finding := range found[fmt.Sprintf("%s:%d", f.Name, n)] {
				mark := "  # <- "
				if i > 0 {
					mark = "; "
				}
				out.WriteString(mark + finding.Message)
			}
			out.WriteString("\n")
		}
	}
	return []byte(out.String()), nil
}
