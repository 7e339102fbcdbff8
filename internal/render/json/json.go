// Package json writes and reads reports in their wire form,
// "plimsoll.report/v1", and derives the JSON Schema of that form from the
// types of package report.
package json

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// wire makes the encoding agree with the struct tags of package report: zero
// counts and flags marked omitempty are left out, and the counts of the
// summary stand in a fixed order. Text of a cluster may be invalid UTF-8, which
// JSON cannot hold: it is written as U+FFFD.
var wire = json.JoinOptions(
	jsonv1.OmitEmptyWithLegacySemantics(true),
	jsontext.AllowInvalidUTF8(true),
	json.WithMarshalers(json.JoinMarshalers(
		json.MarshalToFunc(func(e *jsontext.Encoder, m map[report.Verdict]int) error {
			return writeCounts(e, group.Verdicts, m)
		}),
		json.MarshalToFunc(func(e *jsontext.Encoder, m map[report.Severity]int) error {
			return writeCounts(e, report.Severities, m)
		}),
	)),
)

// Write streams the report to w, indented, with a newline at the end.
func Write(w io.Writer, r *report.Report) error {
	if err := json.MarshalEncode(jsontext.NewEncoder(w, wire, jsontext.WithIndent("  ")), r); err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
}

// writeCounts writes a count for every key, in the order of keys.
func writeCounts[K ~string](e *jsontext.Encoder, keys []K, m map[K]int) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, k := range keys {
		if err := e.WriteToken(jsontext.String(string(k))); err != nil {
			return err
		}
		if err := e.WriteToken(jsontext.Int(int64(m[k]))); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// Read reads a report of this schema. It refuses every other document, fields
// that the schema does not have, and a list of items that is not the
// checklist: a box that is silently missing would read as one that is fine.
// Items outside of it may be missing: they are there where they were judged.
func Read(r io.Reader) (*report.Report, error) {
	var rep report.Report
	err := json.UnmarshalRead(r, &rep, json.RejectUnknownMembers(true))
	switch {
	case rep.Schema != report.SchemaV1 && rep.Schema != "":
		return nil, fmt.Errorf("reading a report: its schema is %q, this version of plimsoll reads %q", rep.Schema, report.SchemaV1)
	case rep.Schema == "" && err != nil:
		return nil, fmt.Errorf("reading a report: not a %s document as written by plimsoll scan -o json: %w", report.SchemaV1, err)
	case rep.Schema == "":
		return nil, fmt.Errorf("reading a report: not a %s document as written by plimsoll scan -o json: it names no schema", report.SchemaV1)
	case err != nil:
		return nil, fmt.Errorf("reading a %s report: %w", report.SchemaV1, err)
	}
	if err := verify(&rep); err != nil {
		return nil, fmt.Errorf("reading a %s report: %w", report.SchemaV1, err)
	}
	return &rep, nil
}

// verify finds what the renderers rely on and the types cannot say.
func verify(r *report.Report) error {
	all, boxes := checklist.AllItems(), len(checklist.Items())
	if len(r.Items) < boxes {
		return fmt.Errorf("it has %d items, the checklist has %d", len(r.Items), boxes)
	}
	place := 0 // of the item in all
	for i := range r.Items {
		it := &r.Items[i]
		for i >= boxes && place < len(all) && all[place].ID != it.ID {
			place++ // not judged
		}
		if place == len(all) {
			return fmt.Errorf("items[%d] is %q (%q), which is not the next of those beside the checklist", i, it.ID, it.Number)
		}
		want := all[place]
		place++
		if it.ID != want.ID || it.Number != want.Number || it.Section != want.Section || it.Companion != want.Companion() {
			return fmt.Errorf("items[%d] is %q (%q), the checklist has %q (%s) there", i, it.ID, it.Number, want.ID, want.Number)
		}
		if err := known(it.Verdict); err != nil {
			return fmt.Errorf("item %s: %w", it.Number, err)
		}
		for _, c := range it.Checks {
			if err := known(c.Verdict); err != nil {
				return fmt.Errorf("check %q: %w", c.ID, err)
			}
			for _, f := range c.Findings {
				if err := known(f.Verdict); err != nil {
					return fmt.Errorf("a finding of check %q: %w", c.ID, err)
				}
			}
		}
	}
	return nil
}

func known(v report.Verdict) error {
	for _, w := range report.Verdicts {
		if v == w {
			return nil
		}
	}
	return fmt.Errorf("%q is not a verdict", v)
}
