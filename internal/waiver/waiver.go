// Package waiver applies what persons stated to a report: waivers, which
// accept failures for a time, and attestations, which answer what only a
// person can. Both say why, and both end. Neither touches evidence: what is
// unknown stays unknown, and what was found stays in the report.
package waiver

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Waiver accepts failing findings until a day.
type Waiver struct {
	// At is where it is stated: "plimsoll.yaml:7", or the place of the object
	// that carries the annotation.
	At string
	// Rules say of which checks, in the form that [ParseRule] returns.
	Rules []string
	// Subjects say about what: any one of them suffices, none means everything.
	Subjects []Subject
	// Object, where it is set, is the only object that the waiver covers, with
	// all its parts.
	Object *report.Subject
	// Controls are the sub-codes that are accepted; none means all.
	Controls []string
	Reason   string
	Owner    string
	// Until is the last day (UTC) on which the waiver holds.
	Until time.Time
	// Refused says why the waiver cannot be honoured; empty for one that can.
	Refused string
}

// Subject describes subjects of findings. The fields other than Labels are
// globs as [ValidGlob] has them. What is given must be there and match: a
// namespace of "*" does not match what has no namespace.
type Subject struct {
	Kind, Namespace, Name, Part string
	// Labels are those of the object, or nil for any.
	Labels labels.Selector
}

// Attestation answers findings that only a person can decide.
type Attestation struct {
	// At is where it is stated.
	At string
	// Rule is the ID of an item, which stands for all its checks, or of a check.
	Rule      string
	Statement string
	By        string
	// Date is the day on which it was stated, Expires the last day (UTC) on
	// which it holds.
	Date, Expires time.Time
}

// covers says whether the waiver speaks of a finding, whatever its verdict, of
// a check that its rules cover and about its object, if it has one.
func (w *Waiver) covers(f *report.Finding, labelsOf func(report.Subject) map[string]string) bool {
	if len(w.Controls) > 0 && !slices.Contains(w.Controls, f.Control) {
		return false
	}
	if w.Object != nil && !w.sameFile(f) {
		return false
	}
	return len(w.Subjects) == 0 || slices.ContainsFunc(w.Subjects, func(s Subject) bool { return s.matches(f.Subject, labelsOf) })
}

func (s Subject) matches(r report.Subject, labelsOf func(report.Subject) map[string]string) bool {
	for _, field := range []struct{ pattern, value string }{
		{s.Kind, r.Kind}, {s.Namespace, r.Namespace}, {s.Name, r.Name}, {s.Part, r.Part},
	} {
		if field.pattern != "" && (field.value == "" || !glob(field.pattern, field.value)) {
			return false
		}
	}
	if s.Labels == nil {
		return true
	}
	// Labels that are not known match nothing, not even "!app".
	known := labelsOf(r)
	return known != nil && s.Labels.Matches(labels.Set(known))
}

// sameFile tells apart two files that define one object in different ways
// (environments, overlays): an annotation in one of them says nothing about the
// other. Where an API is the source there is only one.
func (w *Waiver) sameFile(f *report.Finding) bool {
	if len(f.Evidence) == 0 || strings.HasPrefix(w.At, "live:") {
		return true
	}
	return slices.ContainsFunc(f.Evidence, func(e report.Evidence) bool { return file(e.At) == file(w.At) })
}

// file is a place without its line.
func file(at string) string {
	if i := strings.LastIndexByte(at, ':'); i >= 0 && strings.Trim(at[i+1:], "0123456789") == "" {
		return at[:i]
	}
	return at
}

// compare orders waivers by their end, the last one first, and otherwise by
// what they say, so that the choice between two does not depend on their order.
func (w *Waiver) compare(v *Waiver) int {
	return cmp.Or(v.Until.Compare(w.Until), cmp.Compare(w.Reason, v.Reason), cmp.Compare(w.Owner, v.Owner))
}

// String says what the waiver covers: "pods/* for Deployment shop/web".
func (w *Waiver) String() string {
	b := strings.Join(w.Rules, ", ")
	if len(w.Controls) > 0 {
		b += " (" + strings.Join(w.Controls, ", ") + ")"
	}
	subjects := make([]string, 0, len(w.Subjects)+1)
	if o := w.Object; o != nil {
		subjects = append(subjects, Subject{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}.String())
	}
	for _, s := range w.Subjects {
		subjects = append(subjects, s.String())
	}
	if len(subjects) == 0 {
		return b + " everywhere"
	}
	return b + " for " + strings.Join(subjects, " or ")
}

// String describes the subjects in one line.
func (s Subject) String() string {
	words := []string{s.Kind}
	if s.Kind == "" {
		words[0] = "anything"
		if s.Name != "" {
			words[0] = "anything named"
		}
	}
	switch {
	case s.Namespace != "" && s.Name != "":
		words = append(words, s.Namespace+"/"+s.Name)
	case s.Namespace != "":
		words = append(words, "in "+s.Namespace)
	case s.Name != "":
		words = append(words, s.Name)
	}
	if s.Part != "" {
		words = append(words, "part "+s.Part)
	}
	if s.Labels != nil {
		words = append(words, "with labels "+s.Labels.String())
	}
	return strings.Join(words, " ")
}

// compare orders attestations like waivers.
func (a *Attestation) compare(b *Attestation) int {
	return cmp.Or(b.Expires.Compare(a.Expires), cmp.Compare(a.Statement, b.Statement), cmp.Compare(a.By, b.By))
}

// String says what is attested.
func (a *Attestation) String() string { return a.Rule + ": " + a.Statement }
