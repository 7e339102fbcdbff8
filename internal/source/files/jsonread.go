package files

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonValues reads JSON values that stand one after the other in a text which
// begins at a line.
func (f *file) jsonValues(data []byte, line int) *fault {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), lenient...)
	at := 0
	for {
		raw, err := dec.ReadValue()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return jsonFault(err, data, line)
		}
		end := int(dec.InputOffset())
		start := end - len(raw)
		line += bytes.Count(data[at:start], newline)
		f.document(&jsonValue{raw: raw, start: line}, header{}, 0)
		line += bytes.Count(data[start:end], newline)
		at = end
	}
}

// jsonFault says where JSON text is broken. The library's words are not used:
// they quote the text.
func jsonFault(err error, data []byte, line int) *fault {
	f := &fault{line: line, what: "it is not JSON"}
	var syntactic *jsontext.SyntacticError
	if !errors.As(err, &syntactic) {
		return f
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		f.what = "it is not JSON: it ends too early"
	}
	offset := int(min(max(syntactic.ByteOffset, 0), int64(len(data))))
	f.line += bytes.Count(data[:offset], newline)
	f.column = offset - (bytes.LastIndexByte(data[:offset], '\n') + 1) + 1
	return f
}
