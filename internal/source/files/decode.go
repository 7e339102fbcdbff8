package files

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// decodeFault says which field of an object does not have the type that the
// API wants. The value is not quoted.
func decodeFault(err error, lines *inventory.LineIndex) *fault {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return &fault{what: "it does not decode as an object of its kind"}
	}
	path := fieldPath(semantic.JSONPointer)
	f := &fault{what: "the API server refuses the type of the object"}
	if path != "" {
		f.what = "the API server refuses the type of " + path
	}
	if found := jsonTypes[semantic.JSONKind]; found != "" {
		f.what += " (" + found + ")"
	}
	if line, ok := lines.Line(path); ok {
		f.line = int(line)
	}
	return f
}

// unknownField names a field that the API does not have: a slip that leaves
// out what was meant, and that kubectl refuses.
func unknownField(err error, lines *inventory.LineIndex) *fault {
	f := &fault{what: "a field that its kind does not have; kubectl refuses the object"}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return f
	}
	path := fieldPath(semantic.JSONPointer)
	if name := path[strings.LastIndexAny(path, ".]")+1:]; fieldName.MatchString(name) {
		f.what = "unknown field " + path + "; kubectl refuses the object"
	}
	if line, ok := lines.Line(path); ok {
		f.line = int(line)
	}
	return f
}

// isDirective reports whether a document has a directive of strategic merge
// patches ("$patch: delete"): then it is a patch, and not the object that it
// looks like.
func isDirective(err error) bool {
	var semantic *json.SemanticError
	return errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic) && strings.HasPrefix(semantic.JSONPointer.LastToken(), "$")
}

// fieldName is what a field can be called; anything else may be a value in the
// wrong place.
var fieldName = regexp.MustCompile(`^[a-z][A-Za-z]{0,40}$`)

var jsonTypes = map[jsontext.Kind]string{
	'n': "null", 't': "a boolean", 'f': "a boolean", '0': "a number", '"': "a string", '{': "a mapping", '[': "a sequence",
}

// fieldPath writes a JSON pointer in the API server's notation.
func fieldPath(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		switch {
		case isIndex(token) || strings.ContainsAny(token, "./"):
			b.WriteString("[" + token + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(token)
		}
	}
	return b.String()
}

func isIndex(token string) bool {
	_, err := strconv.Atoi(token)
	return err == nil
}
