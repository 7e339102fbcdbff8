package podpolicy

import (
	"errors"
	"regexp"
	"strings"
)

// expr is an expression in that part of CEL which policies on pods are written
// in. op is "id", "lit", "list", "map" (the empty one), "." (select), "[]"
// (index), "call" (args[0] is the receiver, which has no op for a
// function), "?:", or an operator.
//
// https://github.com/google/cel-spec/blob/master/doc/langdef.md
type expr struct {
	op, text string
	args     []*expr
}

var (
	tokens    = regexp.MustCompile(`\s*(//[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|&&|\|\||[=!<>]=|\.\?|[-+*/%!<>().,\[\]?:{}])`)
	errSyntax = errors.New("not understood")
)

// maxDepth is how deep expressions may nest.
const maxDepth = 200

type parser struct {
	rest  []string
	depth int
}

// parseCEL parses an expression.
func parseCEL(text string) (*expr, error) {
	p := &parser{}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		m := tokens.FindStringSubmatchIndex(text)
		if m == nil || m[0] != 0 {
			return nil, errSyntax
		}
		if token := text[m[2]:m[3]]; !strings.HasPrefix(token, "//") {
			p.rest = append(p.rest, token)
		}
		text = text[m[1]:]
	}
	e, err := p.ternary()
	if err == nil && len(p.rest) > 0 {
		err = errSyntax
	}
	return e, err
}

func (p *parser) peek() string {
	if len(p.rest) == 0 {
		return ""
	}
	return p.rest[0]
}

func (p *parser) accept(token string) bool {
	if p.peek() != token {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) ternary() (*expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	cond, err := p.binary(0)
	if err != nil || !p.accept("?") {
		return cond, err
	}
	yes, err := p.ternary()
	if err != nil || !p.accept(":") {
		return nil, errSyntax
	}
	no, err := p.ternary()
	return &expr{op: "?:", args: []*expr{cond, yes, no}}, err
}

// operators by how tight they bind.
var operators = []map[string]bool{
	{"||": true}, {"&&": true},
	{"==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "in": true},
	{"+": true, "-": true},
}

func (p *parser) binary(level int) (*expr, error) {
	if level == len(operators) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil && operators[level][p.peek()] {
		op := p.peek()
		p.rest = p.rest[1:]
		var right *expr
		right, err = p.binary(level + 1)
		left = &expr{op: op, args: []*expr{left, right}}
	}
	return left, err
}

func (p *parser) unary() (*expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	defer func() { p.depth-- }()
	if p.accept("!") {
		x, err := p.unary()
		return &expr{op: "!", args: []*expr{x}}, err
	}
	e, err := p.primary()
	for err == nil {
		switch {
		case p.accept("."), p.accept(".?"):
			name := p.peek()
			if name == "" {
				return nil, errSyntax
			}
			p.rest = p.rest[1:]
			if p.accept("(") {
				e = &expr{op: "call", text: name, args: []*expr{e}}
				err = p.list(e, ")")
				continue
			}
			e = &expr{op: ".", text: name, args: []*expr{e}}
		case p.accept("["):
			e = &expr{op: "[]", args: []*expr{e}}
			if err = p.list(e, "]"); err == nil && len(e.args) != 2 {
				err = errSyntax
			}
		default:
			return e, nil
		}
	}
	return e, err
}

func (p *parser) primary() (*expr, error) {
	token := p.peek()
	if token == "" {
		return nil, errSyntax
	}
	p.rest = p.rest[1:]
	switch first := token[0]; {
	case token == "(":
		e, err := p.ternary()
		if err != nil || !p.accept(")") {
			return nil, errSyntax
		}
		return e, nil
	case token == "[":
		e := &expr{op: "list"}
		return e, p.list(e, "]")
	case token == "{" && p.accept("}"):
		return &expr{op: "map"}, nil
	case first == '"' || first == '\'':
		if strings.Contains(token, `\`) {
			return nil, errSyntax
		}
		return &expr{op: "lit", text: token[1 : len(token)-1]}, nil
	case token == "true" || token == "false" || first >= '0' && first <= '9':
		return &expr{op: "lit", text: token}, nil
	case first >= 'a' && first <= 'z' || first >= 'A' && first <= 'Z' || first == '_':
		if p.accept("(") {
			e := &expr{op: "call", text: token, args: []*expr{{}}}
			return e, p.list(e, ")")
		}
		return &expr{op: "id", text: token}, nil
	}
	return nil, errSyntax
}

// list parses expressions up to the closing token.
func (p *parser) list(into *expr, end string) error {
	for !p.accept(end) {
		e, err := p.ternary()
		if err != nil {
			return err
		}
		into.args = append(into.args, e)
		if p.peek() != end && !p.accept(",") {
			return errSyntax
		}
	}
	return nil
}
