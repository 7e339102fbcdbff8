package files

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Limits on one document. The API server refuses request bodies above 3 MiB,
// so that nothing it would take is refused here; lists may be of any size.
const (
	maxDocument = 8 << 20  // bytes of YAML, or of one object in JSON
	maxObject   = 32 << 20 // bytes of JSON that aliases may expand to
	maxDepth    = 10_000   // levels of nesting, the limit of the parsers
)

var (
	errAliases = errors.New("aliases expand to too much")
	errExpands = fmt.Errorf("aliases expand to more than %d MiB", maxObject>>20)
	errCycle   = errors.New("an anchor contains itself")
	errMerge   = errors.New("a merge key (<<) takes a mapping or a sequence of mappings")
)

// tooManyAliases is the limit of go-yaml v2 on alias expansion, which is what
// kubectl and the API server apply.
func tooManyAliases(aliased, all int) bool {
	const low, high = 400_000, 4_000_000
	if aliased <= 100 || all <= 1000 {
		return false
	}
	allowed := 0.99
	switch {
	case all >= high:
		allowed = 0.10
	case all > low:
		allowed = 0.99 - 0.89*float64(all-low)/(high-low)
	}
	return float64(aliased)/float64(all) > allowed
}

// fault says where and how a document cannot be read. It never quotes the
// document, which may hold secrets: what libraries say passes through [plain
// words] first.
type fault struct {
	line, column int // 0: not known
	what         string
}

func (f *fault) Error() string {
	if f.column > 0 {
		return fmt.Sprintf("column %d: %s", f.column, f.what)
	}
	return f.what
}

// yamlFault makes a fault of an error of the YAML parser.
func yamlFault(err error, d document) *fault {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return &fault{line: d.line, what: "not YAML"}
	}
	if load.Stage == yaml.ReaderStage {
		return textFault(d)
	}
	mark := load.Mark
	if mark.Line == 0 {
		mark = load.ContextMark
	}
	return &fault{line: max(mark.Line, 1) + d.line - 1, column: mark.Column, what: "not YAML: " + unquoted(load.Message)}
}

// textFault finds what makes a document no text, because the parser does not
// say where it is.
func textFault(d document) *fault {
	f := &fault{line: d.line, what: "not text: a character that YAML does not allow"}
	for i, text := 0, d.text; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		invalid := r == utf8.RuneError && size == 1
		if invalid || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7F || 0x80 <= r && r < 0xA0 && r != 0x85 {
			if invalid {
				f.what = "not UTF-8"
			}
			f.line += bytes.Count(text[:i], newline)
			f.column = i - bytes.LastIndexByte(text[:i], '\n')
			return f
		}
		i += size
	}
	return f
}

var quotation = regexp.MustCompile("'[^']{2,}'|\"[^\"]{2,}\"|`[^`]*`")

// unquoted cuts out of a library's message what it quotes of the document.
func unquoted(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	message = quotation.ReplaceAllString(message, "…")
	if r := []rune(message); len(r) > 160 {
		message = string(r[:160]) + "…"
	}
	return message
}
