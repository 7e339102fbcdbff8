package files

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v4"
)

// A plain scalar means what YAML 1.1 as implemented by go-yaml v2 makes of it,
// because that is what kubectl and the API server use: "yes" and "on" are
// booleans, 0644 is octal, 1_000 a number, and a timestamp stays a string.
// The parser resolves scalars by other rules, so the tags that it found are
// not looked at unless they are written down.

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

type scalarType uint8

const (
	stringScalar scalarType = iota
	nullScalar
	boolScalar
	intScalar
	uintScalar
	floatScalar
)

type scalar struct {
	typ   scalarType
	text  string
	bool  bool
	int   int64
	uint  uint64
	float float64
}

var words = map[string]scalar{
	"": {typ: nullScalar}, "~": {typ: nullScalar}, "null": {typ: nullScalar}, "Null": {typ: nullScalar}, "NULL": {typ: nullScalar},
	"y": {typ: boolScalar, bool: true}, "Y": {typ: boolScalar, bool: true},
	"yes": {typ: boolScalar, bool: true}, "Yes": {typ: boolScalar, bool: true}, "YES": {typ: boolScalar, bool: true},
	"true": {typ: boolScalar, bool: true}, "True": {typ: boolScalar, bool: true}, "TRUE": {typ: boolScalar, bool: true},
	"on": {typ: boolScalar, bool: true}, "On": {typ: boolScalar, bool: true}, "ON": {typ: boolScalar, bool: true},
	"n": {typ: boolScalar}, "N": {typ: boolScalar}, "no": {typ: boolScalar}, "No": {typ: boolScalar}, "NO": {typ: boolScalar},
	"false": {typ: boolScalar}, "False": {typ: boolScalar}, "FALSE": {typ: boolScalar},
	"off": {typ: boolScalar}, "Off": {typ: boolScalar}, "OFF": {typ: boolScalar},
	".nan": {typ: floatScalar, float: math.NaN()}, ".NaN": {typ: floatScalar, float: math.NaN()}, ".NAN": {typ: floatScalar, float: math.NaN()},
	".inf": {typ: floatScalar, float: math.Inf(1)}, ".Inf": {typ: floatScalar, float: math.Inf(1)}, ".INF": {typ: floatScalar, float: math.Inf(1)},
	"+.inf": {typ: floatScalar, float: math.Inf(1)}, "+.Inf": {typ: floatScalar, float: math.Inf(1)}, "+.INF": {typ: floatScalar, float: math.Inf(1)},
	"-.inf": {typ: floatScalar, float: math.Inf(-1)}, "-.Inf": {typ: floatScalar, float: math.Inf(-1)}, "-.INF": {typ: floatScalar, float: math.Inf(-1)},
}

var yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// plain resolves an untagged plain scalar.
func plain(s string) scalar {
	str := scalar{text: s}
	if s == "" {
		return scalar{typ: nullScalar}
	}
	switch c := s[0]; {
	case c == '.' || c == '~' || strings.IndexByte("yYnNtTfFoO", c) >= 0:
		if len(s) > 5 && c != '.' {
			return str
		}
		if w, ok := words[s]; ok {
			return w
		}
		if c == '.' {
			if f, err := strconv.ParseFloat(s, 64); err == nil {
				return scalar{typ: floatScalar, float: f}
			}
		}
		return str
	case c == '+' || c == '-' || '0' <= c && c <= '9':
		if w, ok := words[s]; ok {
			return w
		}
		return number(s)
	}
	return str
}

// number resolves a plain scalar that starts like a number.
func number(s string) scalar {
	plain := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return scalar{typ: intScalar, int: i}
	}
	if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return scalar{typ: uintScalar, uint: u}
	}
	if yamlFloat.MatchString(plain) {
		if f, err := strconv.ParseFloat(plain, 64); err == nil {
			return scalar{typ: floatScalar, float: f}
		}
	}
	return scalar{text: s}
}

var (
	errTag    = errors.New("a value does not fit its YAML tag")
	errNumber = errors.New("infinity and not-a-number cannot be written as JSON")
	errKey    = errors.New("a mapping key is not a string, number or boolean")
)

// resolve finds what a scalar node means.
func resolve(n *yaml.Node) (scalar, error) {
	if n.Style&yaml.TaggedStyle == 0 {
		if n.Style&quoted != 0 || n.Tag == "!" {
			return scalar{text: n.Value}, nil
		}
		return plain(n.Value), nil
	}
	return tagged(n)
}

func tagged(n *yaml.Node) (scalar, error) {
	s := plain(n.Value)
	switch n.Tag {
	case "!!str":
		return scalar{text: n.Value}, nil
	case "!!bool":
		if s.typ == boolScalar {
			return s, nil
		}
	case "!!null":
		if s.typ == nullScalar {
			return s, nil
		}
	case "!!int":
		if s.typ == intScalar || s.typ == uintScalar {
			return s, nil
		}
	case "!!float":
		switch s.typ {
		case floatScalar:
			return s, nil
		case intScalar:
			return scalar{typ: floatScalar, float: float64(s.int)}, nil
		}
	case "!!binary":
		return decodeBinary(n.Value)
	case "!!timestamp":
		if isTimestamp(n.Value) {
			return scalar{text: n.Value}, nil
		}
	default: // a tag of the application: the text stands for itself
		return scalar{text: n.Value}, nil
	}
	return scalar{}, errTag
}

// key is the JSON name that a mapping key becomes.
func (s scalar) key() (string, error) {
	switch s.typ {
	case stringScalar:
		return s.text, nil
	case boolScalar:
		return strconv.FormatBool(s.bool), nil
	case intScalar:
		return strconv.FormatInt(s.int, 10), nil
	case floatScalar:
		switch f := strconv.FormatFloat(s.float, 'g', -1, 32); f {
		case "+Inf":
			return ".inf", nil
		case "-Inf":
			return "-.inf", nil
		case "NaN":
			return ".nan", nil
		default:
			return f, nil
		}
	}
	return "", errKey
}

// append writes the scalar as JSON.
func (s scalar) append(dst []byte) ([]byte, error) {
	switch s.typ {
	case nullScalar:
		return append(dst, "null"...), nil
	case boolScalar:
		return strconv.AppendBool(dst, s.bool), nil
	case intScalar:
		return strconv.AppendInt(dst, s.int, 10), nil
	case uintScalar:
		return strconv.AppendUint(dst, s.uint, 10), nil
	case floatScalar:
		if math.IsInf(s.float, 0) || math.IsNaN(s.float) {
			return dst, errNumber
		}
		return jsontext.AppendFloat(dst, s.float, 64), nil
	}
	return appendString(dst, s.text), nil
}

// appendString writes a JSON string. Text that is not UTF-8 gets replacement
// characters, as encoding/json writes it.
func appendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst, _ = jsontext.AppendQuote(dst, s) // fails for invalid UTF-8 only
	return dst
}
