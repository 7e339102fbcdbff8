package inventory

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const signedOff = `{"apiVersion":"plimsoll.review/v1","kind":"AccessReview","date":"2026-11-01T02:03:04Z","reviewer":"ann","digest":"sha256:00","unmodified":3,
"grants":[{"binding":"RoleBinding shop/ci","subject":"ServiceAccount shop/ci","role":"ClusterRole edit","right":"sha256:01","since":"2024-02-03","decision":"keep"}]}`

func TestReadAccessReview(t *testing.T) {
	if r, err := ReadAccessReview([]byte(signedOff)); err != nil || r.Reviewer != "ann" || len(r.Grants) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	grant := signedOff[strings.Index(signedOff, `{"binding"`):strings.Index(signedOff, "]}")]
	for _, c := range []struct{ name, old, new, want string }{
		{"not JSON", signedOff, "reviewed", "it does not decode"},
		{"a typo", `"reviewer"`, `"reviwer"`, "it does not decode"},
		{"another version", "review/v1", "review/v2", `it is "plimsoll.review/v2" "AccessReview"`},
		{"no date", `"date":"2026-11-01T02:03:04Z",`, "", "it has no date"},
		{"not a date", "2026-11-01T02:03:04Z", "today", "it does not decode"},
		{"nobody", `"ann"`, `" "`, "it names no reviewer"},
		{"no digest", `"sha256:00"`, `""`, "it does not say what it covers"},
		{"not decided", `"keep"`, `""`, `grants[0] has the decision ""`},
		{"no subject", `"ServiceAccount shop/ci"`, `""`, "grants[0] does not say what it is"},
		{"twice", grant, grant + "," + grant, "grants[1] is there twice"},
	} {
		_, err := ReadAccessReview([]byte(strings.Replace(signedOff, c.old, c.new, 1)))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// A ConfigMap holds a record by its label alone; its digests are no credentials.
func TestReviewInConfigMap(t *testing.T) {
	put := func(label, data string) *Inventory {
		b := &Builder{}
		PutObject(b, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "plimsoll-access-review", Labels: map[string]string{label: "true"}},
			Data:       map[string]string{AccessReviewKey: data},
		}, Origin{})
		b.Collected(AccessReviews.ID)
		return b.Seal(time.Time{})
	}
	records := func(inv *Inventory) int { return Len(inv.View([]Need{AccessReviews.Need()}), AccessReviews) }

	long := strings.NewReplacer("sha256:00", "sha256:"+strings.Repeat("4f8a91cc", 8), "sha256:01", "sha256:"+strings.Repeat("0d2b77ea", 8)).Replace(signedOff)
	inv := put(AccessReviewLabel, long)
	if records(inv) != 1 || len(inv.AllGaps()) > 0 {
		t.Errorf("%d records, gaps %v", records(inv), inv.AllGaps())
	}
	for m := range All(inv.View([]Need{ConfigMaps.Need()}), ConfigMaps) {
		if len(m.Value.Leaks) > 0 || m.Value.Data != nil {
			t.Errorf("leaks %v, data %v", m.Value.Leaks, m.Value.Data)
		}
	}
	if inv := put("app", long); records(inv) != 0 || len(inv.AllGaps()) > 0 {
		t.Error("a ConfigMap without the label counts")
	}
	if inv := put(AccessReviewLabel, "{}"); records(inv) != 0 || len(inv.Gaps(AccessReviews.ID, "")) != 1 || inv.AllGaps()[0].Cause != report.Unreadable {
		t.Errorf("a broken record: gaps %v", inv.AllGaps())
	}
}

func FuzzReadAccessReview(f *testing.F) {
	f.Add([]byte(signedOff))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadAccessReview(data)
		if err == nil && (r.Date.IsZero() || strings.TrimSpace(r.Reviewer) == "") {
			t.Errorf("accepted %+v", r)
		}
	})
}
