package files

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// A record of an access review is read from YAML and JSON; one that cannot be
// is a gap, since it may have been the newest.
func TestAccessReviews(t *testing.T) {
	const record = `# kept in git
apiVersion: plimsoll.review/v1
kind: AccessReview
date: "2026-10-01T00:00:00Z"
reviewer: ann
digest: sha256:00
unmodified: 0
grants: []
`
	for _, c := range []struct {
		name, text string
		at         string
		problems   []string
	}{
		{"review.yaml", record, "review.yaml:2", nil},
		{"review.json", `{"apiVersion":"plimsoll.review/v1","kind":"AccessReview","date":"2026-10-01T00:00:00Z","reviewer":"ann","digest":"x","unmodified":0,"grants":[]}`, "review.json:1", nil},
		{"nobody.yaml", strings.Replace(record, "ann", `""`, 1), "", []string{"nobody.yaml:2: it names no reviewer", "gap config/AccessReview"}},
		{"v2.yaml", strings.Replace(record, "v1", "v2", 1), "", []string{`v2.yaml:2: it is "plimsoll.review/v2" "AccessReview", and plimsoll.review/v1 AccessReview is read`, "gap config/AccessReview"}},
		{"torn.yaml", record + "- [\n", "", []string{"torn.yaml:9: column 1: not YAML: did not find expected key", "gap config/AccessReview"}},
	} {
		inv, s := readOne(t, c.name, c.text)
		at := ""
		for _, r := range kind(inv, inventory.AccessReviews) {
			at = r.Locate("")
		}
		if d := cmp.Diff(c.problems, problems(inv, s)); d != "" || at != c.at {
			t.Errorf("%s is read at %q:\n%s", c.name, at, d)
		}
	}
}
