package kubeapi

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Records of access reviews come with the ConfigMaps.
func TestAccessReviews(t *testing.T) {
	api := newFakeAPI(t, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "review", Labels: map[string]string{inventory.AccessReviewLabel: "true"}},
		Data: map[string]string{
			inventory.AccessReviewKey: `{"apiVersion":"plimsoll.review/v1","kind":"AccessReview","date":"2026-11-01T00:00:00Z","reviewer":"ann","digest":"x"}`,
		},
	})
	kinds := []report.KindID{inventory.AccessReviews.ID, inventory.ConfigMaps.ID}
	inv, _, _ := api.read(Options{Kinds: kinds})
	v := inv.View([]inventory.Need{inventory.AccessReviews.Need(), inventory.ConfigMaps.Need()})
	if n := inventory.Len(v, inventory.AccessReviews); n != 1 || len(inv.AllGaps()) > 0 || len(inv.Gaps(inventory.AccessReviews.ID, "")) > 0 {
		t.Errorf("%d records, gaps %v", n, inv.AllGaps())
	}
}
