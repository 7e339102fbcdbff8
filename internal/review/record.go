package review

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Record is the record of a review that was decided on a day.
func (s *Sheet) Record(decided []Decided, reviewer string, at time.Time) inventory.AccessReview {
	r := inventory.AccessReview{
		APIVersion: inventory.AccessReviewVersion, Kind: inventory.AccessReviewKind,
		Date: at.UTC(), Reviewer: reviewer, Digest: s.list.Digest, Unmodified: len(s.list.Originals), Grants: []inventory.ReviewedGrant{},
	}
	for _, d := range decided {
		h := d.Holding
		if h == nil {
			continue // counted above
		}
		since := d.Seen
		if since == notKnown {
			since = ""
		}
		r.Grants = append(r.Grants, inventory.ReviewedGrant{
			Binding: h.BindingName(), Subject: h.Subject.String(), Role: h.RoleName(), Right: h.Right,
			Since: cmp.Or(since, at.UTC().Format(time.DateOnly)), Decision: d.Decision, Note: d.Note,
		})
	}
	return r
}

// YAML is a record as a file that plimsoll reads.
func YAML(r inventory.AccessReview) ([]byte, error) {
	text, err := yaml.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	return text, nil
}

// maxConfigMap is what the API server takes for the data of a ConfigMap.
//
// https://kubernetes.io/docs/concepts/configuration/configmap/#motivation
const maxConfigMap = 1 << 20

// ConfigMap is the manifest of a ConfigMap that holds a record.
func ConfigMap(r inventory.AccessReview, namespace string) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	if len(data) >= maxConfigMap {
		return nil, fmt.Errorf("the record of %d grants takes %d bytes, and a ConfigMap holds less than %d: keep it as a file", len(r.Grants), len(data), maxConfigMap)
	}
	text, err := yaml.Marshal(corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: "plimsoll-access-review", Namespace: namespace, Labels: map[string]string{inventory.AccessReviewLabel: "true"}},
		Data:       map[string]string{inventory.AccessReviewKey: string(data)},
	})
	if err != nil {
		return nil, fmt.Errorf("writing the ConfigMap: %w", err)
	}
	// Client-side apply would copy it into an annotation, which holds 256 KiB.
	return append([]byte("# kubectl apply --server-side -f FILE\n"), text...), nil
}
