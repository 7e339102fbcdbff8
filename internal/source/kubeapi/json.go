package kubeapi

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonPage takes a list apart as listPage does, for a server that answers with
// JSON all the same.
func jsonPage(body []byte, apiVersion, kind string, item func([]byte)) (next string, err error) {
	var gotVersion, gotKind string
	var items []jsontext.Value
	err = members(jsontext.NewDecoder(bytes.NewReader(body)), func(d *jsontext.Decoder, name string) (err error) {
		switch name {
		case "apiVersion":
			gotVersion, err = readString(d)
		case "kind":
			gotKind, err = readString(d)
		case "metadata":
			next, err = readContinue(d)
		case "items":
			err = elements(d, func(d *jsontext.Decoder) error {
				v, err := d.ReadValue()
				items = append(items, v.Clone())
				return err
			})
		default:
			err = d.SkipValue()
		}
		return err
	})
	if err != nil {
		return "", unreadablef("the answer is not a list in JSON")
	}
	if err := expectList(gotVersion, gotKind, apiVersion, kind); err != nil {
		return "", err
	}
	for _, v := range items {
		item(v)
	}
	return next, nil
}

// members calls f with the name of each member of an object. f reads the value.
func members(d *jsontext.Decoder, f func(d *jsontext.Decoder, name string) error) error {
	if d.PeekKind() == jsontext.KindNull {
		return d.SkipValue()
	}
	if err := expect(d, jsontext.KindBeginObject); err != nil {
		return err
	}
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := readString(d)
		if err != nil {
			return err
		}
		if err := f(d, name); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// elements calls f for each element of an array. f reads it.
func elements(d *jsontext.Decoder, f func(d *jsontext.Decoder) error) error {
	if d.PeekKind() == jsontext.KindNull {
		return d.SkipValue()
	}
	if err := expect(d, jsontext.KindBeginArray); err != nil {
		return err
	}
	for d.PeekKind() != jsontext.KindEndArray {
		if err := f(d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func expect(d *jsontext.Decoder, k jsontext.Kind) error {
	t, err := d.ReadToken()
	if err == nil && t.Kind() != k {
		err = unreadablef("the answer has another structure than it should")
	}
	return err
}

func readString(d *jsontext.Decoder) (string, error) {
	t, err := d.ReadToken()
	if err != nil {
		return "", err
	}
	if t.Kind() != jsontext.KindString {
		return "", unreadablef("the answer has another structure than it should")
	}
	return t.String(), nil
}

// readContinue reads the continue token in the metadata of a list.
func readContinue(d *jsontext.Decoder) (token string, err error) {
	err = members(d, func(d *jsontext.Decoder, name string) (err error) {
		if name == "continue" {
			token, err = readString(d)
			return err
		}
		return d.SkipValue()
	})
	return token, err
}
