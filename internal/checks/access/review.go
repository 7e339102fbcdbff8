package access

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/holdings"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// access-review/current
//
// Statement: access was reviewed within the last 24 months.
// Looks at: the newest record of a review that "plimsoll access review" signed
// off, given as a file or kept in a ConfigMap with the label
// plimsoll.dev/access-review; and at the roles and bindings, for how many grants
// changed since, which decides nothing.
// Passes when: the record is at most 24 calendar months old.
// Fails when: it is older.
// Manual when: there is no record.
// Cannot tell when: a record is broken or dated in the future, ConfigMaps could
// not be read and no record of the last 24 months was given, or none of the
// grants that the record covers is there, so that it is the review of something
// else.
//
// https://kubernetes.io/docs/concepts/security/security-checklist/#authentication-authorization
var accessReview = &check.Check{
	ID:       "access/access-review/current",
	Item:     checklist.AccessReview,
	Title:    "Access was reviewed within the last 24 months",
	Noun:     "review",
	Severity: report.Medium,
	Any:      true,
	Why: "Rights are given when somebody needs them, and stay when nobody does: people change teams, tools are replaced, an account that was made for a week is found by whoever breaks in years later. " +
		"Only a review of every grant finds what no rule calls wrong.",
	Remediation: "Draft the review with `plimsoll access review > sheet.md`, decide each row, and sign it off with `plimsoll access review --sign-off sheet.md --reviewer NAME --out review.yaml`. " +
		"Give `review.yaml` to the scan as PATH, or keep the record in the cluster with `--configmap NAMESPACE`, where only administrators may write.",
	Refs: []report.Reference{{Name: "Kubernetes: RBAC good practices", URL: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#periodic-review"}},
	Needs: slices.Concat(
		[]inventory.Need{inventory.AccessReviews.Need(), inventory.ConfigMaps.Need()},
		inventory.Optional(access.Needs),
	),
	Run: func(e *check.Eval) {
		if record, found := holdings.Newest(e); found {
			judgeReview(e, record)
			return
		}
		cluster := report.Subject{Kind: "Cluster", Name: "cluster"}
		if grants := holdings.All.Of(e).Holdings; len(grants) > 0 {
			e.Manual(cluster, fmt.Sprintf("no review of access is on record, and there are grants to review: %d", len(grants)),
				grants[0].Binding.Evidence("subjects", grants[0].Subject.String(), ""))
			return
		}
		e.Manual(cluster, "no review of access is on record")
	},
}

// skew is how far the clocks of who signed off and who scans may differ.
const skew = 24 * time.Hour

func judgeReview(e *check.Eval, record inventory.Object[inventory.AccessReview]) {
	r, at := record.Value, record.Evidence("date", record.Value.Date.UTC().Format(time.DateOnly), "within 24 months")
	changes, known := changesSince(e, r)
	said := "how many grants changed since is not known"
	if known {
		said = changes.String() + " since"
	}
	switch {
	case r.Date.After(e.Observed().Add(skew)):
		e.Unknown(record.Subject, "the newest record of a review is dated in the future", at)
		return
	case known && changes.Foreign:
		e.Unknown(record.Subject, fmt.Sprintf("none of the %d grants that the newest record covers is there: it is the review of something else", len(r.Grants)), at)
		return
	case e.Observed().After(holdings.Due(r)):
		e.Fail(record.Subject, fmt.Sprintf("the last review is of %s, by %q; %s", r.Date.UTC().Format(time.DateOnly), r.Reviewer, said), at)
	default:
		e.Pass(record.Subject)
	}
	e.Show(changesTable(r, changes, known))
}

// changesSince compares the grants with a review; false where they could not
// be read.
func changesSince(e *check.Eval, r inventory.AccessReview) (holdings.Changes, bool) {
	for _, n := range access.Needs {
		if len(e.Missing(n.Kind, "")) > 0 {
			return holdings.Changes{}, false
		}
	}
	return holdings.All.Of(e).Since(r), true
}

func changesTable(r inventory.AccessReview, c holdings.Changes, known bool) *report.Table {
	t := &report.Table{
		Title:   "Grants since the review of " + r.Date.UTC().Format(time.DateOnly) + " by " + r.Reviewer,
		Columns: []string{"", "grants"},
	}
	for _, row := range []struct {
		what string
		n    int
	}{{"added", len(c.Added)}, {"changed", len(c.Changed)}, {"removed", len(c.Removed)}, {"decided and not carried out", len(c.Open)}} {
		n := "not known"
		if known {
			n = strconv.Itoa(row.n)
		}
		t.Rows = append(t.Rows, []string{row.what, n})
	}
	return t
}
