package kubeapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// acceptTable asks for what kubectl prints. There is deliberately no other
// encoding to fall back to: a server that cannot print must refuse.
const acceptTable = "application/json;as=Table;g=meta.k8s.io;v=v1"

// errNotTable ends the reading of an answer that may hold the values of
// Secrets.
var errNotTable = unreadablef("the server answered with something else than the Table that was asked for; it was not read further, as it may hold the values of Secrets")

// tableRow is one Secret.
type tableRow struct {
	meta metav1.ObjectMeta
	typ  corev1.SecretType
	keys int
}

// readTable reads Secrets from a Table while it arrives. At the first member
// that a Table of metadata does not have, it stops: nothing that may be a value
// is decoded.
func (l *listing) readTable(resp *http.Response) (next string, err error) {
	contentType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if contentType != acceptJSON {
		return "", notKubernetes(contentType)
	}
	rows, next, err := decodeTable(&sizeLimit{resp.Body, pageSize})
	if err != nil {
		return "", err
	}
	for i := range rows {
		r := &rows[i]
		if o, ok := l.origin(&r.meta); ok {
			inventory.PutSecret(l.staged, &r.meta, r.typ, r.keys, o)
		}
	}
	return next, nil
}

func decodeTable(r io.Reader) (rows []tableRow, next string, err error) {
	var version, kind string
	var columns []string
	d := jsontext.NewDecoder(r)
	err = members(d, func(d *jsontext.Decoder, name string) (err error) {
		switch name {
		case "apiVersion":
			version, err = readString(d)
		case "kind":
			kind, err = readString(d)
		case "metadata":
			next, err = readContinue(d)
		case "columnDefinitions":
			columns, err = readColumns(d)
		case "rows":
			if kind != "Table" || version != metav1.SchemeGroupVersion.String() {
				return errNotTable
			}
			err = elements(d, func(d *jsontext.Decoder) error {
				row, err := readRow(d, columns)
				rows = append(rows, row)
				return err
			})
		default:
			return errNotTable
		}
		return err
	})
	if err == nil && kind != "Table" {
		err = errNotTable
	}
	// The decoder's own errors quote what they stumble over.
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, "", io.ErrUnexpectedEOF
		}
		err = unreadablef("the answer is not a Table in JSON")
	}
	return rows, next, err
}

func readColumns(d *jsontext.Decoder) (columns []string, err error) {
	err = elements(d, func(d *jsontext.Decoder) error {
		column := ""
		err := members(d, func(d *jsontext.Decoder, name string) (err error) {
			if name == "name" {
				column, err = readString(d)
				return err
			}
			return d.SkipValue()
		})
		columns = append(columns, column)
		return err
	})
	return columns, err
}

func readRow(d *jsontext.Decoder, columns []string) (row tableRow, err error) {
	typ, data := slices.Index(columns, "Type"), slices.Index(columns, "Data")
	if typ < 0 || data < 0 {
		return row, unreadablef("the Table has no columns Type and Data")
	}
	cells, object := 0, false
	err = members(d, func(d *jsontext.Decoder, name string) error {
		switch name {
		case "cells":
			return elements(d, func(d *jsontext.Decoder) error {
				i := cells
				cells++
				t, err := d.ReadToken()
				switch {
				case err != nil:
					return err
				case i == typ && t.Kind() == jsontext.KindString:
					row.typ = corev1.SecretType(intern(t.String()))
				case i == data && t.Kind() == jsontext.KindNumber:
					n, err := t.Int()
					row.keys = int(n)
					return err
				case i == typ || i == data || t.Kind() == jsontext.KindBeginObject || t.Kind() == jsontext.KindBeginArray:
					return errNotTable
				}
				return nil
			})
		case "object":
			object = true
			return readPartialObject(d, &row.meta)
		case "conditions":
			return d.SkipValue()
		default:
			return errNotTable
		}
	})
	if err == nil && (!object || row.meta.Name == "" || cells != len(columns)) {
		err = unreadablef("a row of the Table has no metadata or not all of its cells")
	}
	return row, err
}

func readPartialObject(d *jsontext.Decoder, m *metav1.ObjectMeta) error {
	return members(d, func(d *jsontext.Decoder, name string) error {
		switch name {
		case "apiVersion":
			_, err := readString(d)
			return err
		case "kind":
			kind, err := readString(d)
			if err == nil && kind != "PartialObjectMetadata" {
				err = errNotTable
			}
			return err
		case "metadata":
			return readMeta(d, m)
		default:
			return errNotTable
		}
	})
}

// readMeta reads the metadata that checks read. Annotations are passed over but
// for those that are kept: kubectl and other tools put copies of the object
// there, with the values.
func readMeta(d *jsontext.Decoder, m *metav1.ObjectMeta) error {
	stringMap := func(to *map[string]string, keeps func(string) bool) error {
		return members(d, func(d *jsontext.Decoder, key string) error {
			if !keeps(key) {
				return d.SkipValue()
			}
			value, err := readString(d)
			if *to == nil {
				*to = map[string]string{}
			}
			(*to)[intern(key)] = intern(value)
			return err
		})
	}
	return members(d, func(d *jsontext.Decoder, name string) (err error) {
		switch name {
		case "name":
			m.Name, err = readString(d)
		case "generateName":
			m.GenerateName, err = readString(d)
		case "namespace":
			m.Namespace, err = readString(d)
			m.Namespace = intern(m.Namespace)
		case "resourceVersion":
			m.ResourceVersion, err = readString(d)
		case "uid":
			var uid string
			uid, err = readString(d)
			m.UID = types.UID(uid)
		case "labels":
			err = stringMap(&m.Labels, func(string) bool { return true })
		case "annotations":
			err = stringMap(&m.Annotations, inventory.KeepsOfSecret)
		case "ownerReferences":
			err = elements(d, func(d *jsontext.Decoder) error {
				o, err := readOwner(d)
				m.OwnerReferences = append(m.OwnerReferences, o)
				return err
			})
		default:
			err = d.SkipValue()
		}
		return err
	})
}

func readOwner(d *jsontext.Decoder) (o metav1.OwnerReference, err error) {
	err = members(d, func(d *jsontext.Decoder, name string) (err error) {
		switch name {
		case "apiVersion":
			o.APIVersion, err = readString(d)
		case "kind":
			o.Kind, err = readString(d)
		case "name":
			o.Name, err = readString(d)
		case "uid":
			var uid string
			uid, err = readString(d)
			o.UID = types.UID(uid)
		case "controller":
			t, tokenErr := d.ReadToken()
			if tokenErr != nil {
				return tokenErr
			}
			is := t.Kind() == jsontext.KindTrue
			o.Controller = &is
		default:
			err = d.SkipValue()
		}
		return err
	})
	return o, err
}

// sizeLimit ends a reading that is longer than a page may be.
type sizeLimit struct {
	r    io.Reader
	left int
}

func (s *sizeLimit) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, errPageSize
	}
	n, err := s.r.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}
