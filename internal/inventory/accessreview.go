package inventory

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// What a record of an access review is called, as a file and as a ConfigMap.
const (
	AccessReviewVersion = "plimsoll.review/v1"
	AccessReviewKind    = "AccessReview"
	// AccessReviewLabel marks a ConfigMap whose item AccessReviewKey is a record.
	AccessReviewLabel = AnnotationPrefix + "access-review"
	AccessReviewKey   = "review.json"
)

// HowAccessReviews says how to bring a record into a scan.
const HowAccessReviews = `give the record that "plimsoll access review --sign-off" wrote as PATH`

// AccessReview is the record of an access review: who decided when what is to
// become of each grant.
type AccessReview struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Date       time.Time `json:"date"`
	Reviewer   string    `json:"reviewer"`
	// Digest is that of all roles and bindings that were there.
	Digest string `json:"digest"`
	// Unmodified counts the grants that Kubernetes itself made and nobody
	// changed, which were decided as one.
	Unmodified int             `json:"unmodified"`
	Grants     []ReviewedGrant `json:"grants"`
}

// ReviewedGrant is the decision about one subject of one binding.
type ReviewedGrant struct {
	Binding string `json:"binding"` // "RoleBinding shop/deployer"
	Subject string `json:"subject"` // "ServiceAccount shop/ci"
	Role    string `json:"role"`    // "ClusterRole edit"
	// Right is the digest of what the role grants.
	Right string `json:"right"`
	// Since is the day on which the grant was first seen.
	Since    string   `json:"since"`
	Decision Decision `json:"decision"`
	Note     string   `json:"note,omitzero"`
}

// Decision is what is to become of a grant.
type Decision string

// The decisions.
const (
	Keep   Decision = "keep"
	Revoke Decision = "revoke"
	Change Decision = "change"
)

// Known reports whether the decision is one of the three.
func (d Decision) Known() bool { return d == Keep || d == Revoke || d == Change }

// ReadAccessReview decodes a record. The error says what is wrong with it.
func ReadAccessReview(data []byte) (AccessReview, error) {
	var r AccessReview
	if err := json.Unmarshal(data, &r, json.RejectUnknownMembers(true)); err != nil {
		return AccessReview{}, errors.New("it does not decode as a record of " + AccessReviewVersion)
	}
	switch {
	case r.APIVersion != AccessReviewVersion || r.Kind != AccessReviewKind:
		return AccessReview{}, fmt.Errorf("it is %q %q, and %s %s is read", r.APIVersion, r.Kind, AccessReviewVersion, AccessReviewKind)
	case r.Date.IsZero():
		return AccessReview{}, errors.New("it has no date")
	case strings.TrimSpace(r.Reviewer) == "":
		return AccessReview{}, errors.New("it names no reviewer")
	case r.Digest == "" || r.Unmodified < 0:
		return AccessReview{}, errors.New("it does not say what it covers")
	}
	type key struct{ binding, subject string }
	seen := map[key]bool{}
	for i, g := range r.Grants {
		k := key{g.Binding, g.Subject}
		switch {
		case g.Binding == "" || g.Subject == "" || g.Right == "":
			return AccessReview{}, fmt.Errorf("grants[%d] does not say what it is", i)
		case !g.Decision.Known():
			return AccessReview{}, fmt.Errorf("grants[%d] has the decision %q", i, g.Decision)
		case seen[k]:
			return AccessReview{}, fmt.Errorf("grants[%d] is there twice", i)
		}
		seen[k] = true
	}
	return r, nil
}

// PutAccessReview adds a record from the text of it in JSON. Name is that of
// the file or object that holds it.
func PutAccessReview(b *Builder, namespace, name string, data []byte, o Origin) error {
	r, err := ReadAccessReview(data)
	if err != nil {
		return err
	}
	Put(b, AccessReviews, report.Subject{Kind: AccessReviewKind, APIVersion: AccessReviewVersion, Namespace: namespace, Name: name}, o, r)
	return nil
}

// putReviewOfConfigMap reads a record out of a ConfigMap. One that is broken
// may have been the newest.
func putReviewOfConfigMap(b *Builder, x *corev1.ConfigMap, o Origin) {
	if err := PutAccessReview(b, x.Namespace, x.Name, []byte(x.Data[AccessReviewKey]), o); err != nil {
		b.Gap(report.Gap{
			Kind: AccessReviews.ID, Scope: x.Namespace, Cause: report.Unreadable,
			Detail: fmt.Sprintf("ConfigMap %s/%s with the label %s: %v", x.Namespace, x.Name, AccessReviewLabel, err),
			How:    "mend or delete the ConfigMap",
		})
	}
}
