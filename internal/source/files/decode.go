package files

import (
	"errors"
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
