// Package review carries the review of access: it drafts a sheet with a row for
// each grant, reads the decisions that somebody wrote into it, and makes the
// record that is signed off and the commands that carry the decisions out.
//
//	s := review.Draft(holdings.All.Of(r), review.Options{Graph: g})
//	s.Markdown(w)
//	decided, err := s.Read(text)       // after somebody filled it in
//	record := s.Record(decided, "ann", time.Now())
//
// A sheet is full of names that whoever may write to the cluster has chosen. They
// are kept from being read as Markdown, as formulas of a spreadsheet, and as words
// of a shell.
package review

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/holdings"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
)

// Usage says when a right was used, as audit logs show it.
type Usage interface {
	// LastUsed is when the subject last did what only the grant allows; false
	// where that was not seen.
	LastUsed(*holdings.Holding) (time.Time, bool)
}

// Options are what a draft is made with beside the grants.
type Options struct {
	// Graph says what the grants lead to, by the rules of a minor version of
	// Kubernetes 1, 0 where that is not known.
	Graph *escalation.Graph
	Minor int
	// Last is the review before this one; nil if there is none, or if there may
	// be one that could not be read: LastUnknown.
	Last        *inventory.AccessReview
	LastUnknown bool
	// Usage is nil where no audit log was given.
	Usage Usage
}

// Sheet is a review before it is signed off.
type Sheet struct {
	Rows []Row
	// Changes are those since the last review.
	Changes holdings.Changes

	list *holdings.List
	last *inventory.AccessReview
}

// Row is one grant to decide about, or all of those that Kubernetes itself made.
type Row struct {
	// ID is the same as long as the row means the same.
	ID string `json:"id"`
	// Holding is nil in the row of the unmodified grants of Kubernetes.
	Holding *holdings.Holding `json:"-"`

	Subject string `json:"subject"`
	Right   string `json:"right"`
	Scope   string `json:"scope"`
	Why     string `json:"why"`
	Risk    string `json:"risk"`
	Seen    string `json:"firstSeen"`
	Used    string `json:"lastUsed"`
	Change  string `json:"change"`
}

// columns are the cells of a row, and the two that a person fills in.
var columns = []string{"id", "subject", "right", "scope", "why it is there", "risk", "first seen", "last used", "since the last review", "decision", "note"}

func (r *Row) cells() []string {
	return []string{r.ID, r.Subject, r.Right, r.Scope, r.Why, r.Risk, r.Seen, r.Used, r.Change, "", ""}
}

// notKnown stands where nothing tells. A dash would be a formula's beginning.
const notKnown = "not known"

// Draft makes the sheet of a list of grants.
func Draft(l *holdings.List, o Options) *Sheet {
	s := &Sheet{list: l, last: o.Last}
	reviewed := func(*holdings.Holding) (g inventory.ReviewedGrant, ok bool) { return }
	if o.Last != nil {
		s.Changes = l.Since(*o.Last)
		reviewed = holdings.In(*o.Last)
	}
	for _, h := range l.Holdings {
		g, known := reviewed(h)
		r := Row{
			ID: id(h), Holding: h, Subject: h.Subject.String(), Right: right(h), Scope: scope(h),
			Why: why(h), Risk: RiskOf(h, o.Graph, o.Minor).String(), Seen: cmp.Or(seen(h), g.Since, notKnown), Used: notKnown, Change: change(h, g, known, o.Last),
		}
		if o.LastUnknown {
			r.Change = notKnown
		}
		if o.Usage != nil {
			if at, ok := o.Usage.LastUsed(h); ok {
				r.Used = at.UTC().Format(time.DateOnly)
			} else {
				r.Used = "not seen"
			}
		}
		s.Rows = append(s.Rows, r)
	}
	if n := len(l.Originals); n > 0 {
		s.Rows = append(s.Rows, Row{
			ID: id(l.Originals...), Subject: "all that Kubernetes itself names (" + group.Noun(n, "grant") + ")", Right: "its own roles, unmodified", Scope: "as it made them",
			Why: "bootstrap", Risk: "none: the cluster needs them", Seen: notKnown, Used: notKnown,
		})
	}
	return s
}

func id(hs ...*holdings.Holding) string {
	h := sha256.New()
	for _, x := range hs {
		fmt.Fprintf(h, "%q %q %s\n", x.BindingName(), x.Subject.String(), x.Right)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func scope(h *holdings.Holding) string {
	switch {
	case h.ClusterWide():
		return "cluster"
	case h.Binding.Namespace == "":
		return "the namespace it is applied to"
	}
	return "namespace " + h.Binding.Namespace
}

// right names the role and the binding, and says what the role grants.
func right(h *holdings.Holding) string {
	text := h.RoleName() + " by " + h.BindingName() + ": "
	if h.Role == nil {
		return text + "no such role"
	}
	var rules []string
	for _, r := range h.Role.Rules {
		rules = append(rules, Summary(r.PolicyRule))
	}
	rules = slices.Compact(rules)
	const shown = 3
	if more := len(rules) - shown; more > 1 {
		rules = append(rules[:shown:shown], fmt.Sprintf("and %d rules more", more))
	}
	return text + cmp.Or(strings.Join(rules, "; "), "nothing")
}

// Summary is a rule in few words: "get, list pods, deployments.apps".
func Summary(r *rbacv1.PolicyRule) string {
	var what []string
	for _, resource := range r.Resources {
		for _, group := range r.APIGroups {
			word := resource
			if name, sub, ok := strings.Cut(resource, "/"); group != "" && ok {
				word = name + "." + group + "/" + sub
			} else if group != "" {
				word += "." + group
			}
			what = append(what, word)
		}
	}
	text := few(r.Verbs) + " " + few(slices.Concat(what, r.NonResourceURLs))
	if len(r.ResourceNames) > 0 {
		text += " named " + few(r.ResourceNames)
	}
	return text
}

func few(words []string) string {
	const shown = 6
	if more := len(words) - shown; more > 1 {
		return strings.Join(words[:shown], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(words, ", ")
}

// why says who made the grant.
func why(h *holdings.Holding) string {
	for _, x := range []struct {
		what string
		by   bootstrap.Verdict
	}{{"binding", h.BindingBy}, {"role", h.RoleBy}} {
		switch {
		case x.by.Maker == bootstrap.Somebody && x.what == "binding":
			if by := h.Binding.Value.Labels["app.kubernetes.io/managed-by"]; by != "" {
				return "somebody, with " + by
			}
			return "somebody"
		case x.by.ByName:
			return string(x.by.Maker) + ", by the name of the " + x.what
		case x.by.Grants():
			return "bootstrap, and somebody changed the " + x.what
		}
	}
	return "bootstrap"
}

func seen(h *holdings.Holding) string {
	if at := h.Binding.Value.Created; !at.IsZero() {
		return at.UTC().Format(time.DateOnly)
	}
	return ""
}

func change(h *holdings.Holding, g inventory.ReviewedGrant, known bool, last *inventory.AccessReview) string {
	switch {
	case last == nil:
		return "first review"
	case !known:
		return "new"
	case g.Right != h.Right:
		return "changed"
	case g.Decision != inventory.Keep:
		return "the same, though it was to " + string(g.Decision)
	}
	return "the same"
}
