package kubeapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Access says whether a scan may read something.
type Access struct {
	// Kind is the kind that is read; empty for a path that is no resource.
	Kind report.KindID `json:"kind,omitempty"`
	// Verb and Resource are the right in RBAC's terms: "list",
	// "deployments.apps" or a path like "/apis".
	Verb     string `json:"verb"`
	Resource string `json:"resource"`
	// Namespace is where; empty means the whole cluster.
	Namespace string `json:"namespace,omitempty"`
	Allowed   bool   `json:"allowed"`
	// Reason is what the server says about it; it is often empty.
	Reason string `json:"reason,omitempty"`
	// How says what would give the right; empty where it is there.
	How string `json:"how,omitempty"`
}

// CheckAccess asks the server what a scan with these options may read. It reads
// nothing else. Where Namespaces limits the scan, namespaced kinds are asked
// for in each of them.
func (c *Client) CheckAccess(ctx context.Context) ([]Access, error) {
	if _, err := c.version(ctx); err != nil {
		return nil, err
	}
	var out []Access
	for _, res := range resourcesFor(c.options.Kinds) {
		scopes := []string{""}
		if res.Namespaced && len(c.options.Namespaces) > 0 {
			scopes = c.options.Namespaces
		}
		for _, ns := range scopes {
			a := Access{Kind: res.Kind, Verb: "list", Resource: qualified(res), Namespace: ns}
			err := c.review(ctx, &a, authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: ns, Verb: "list", Group: res.Group, Version: res.Version, Resource: res.Resource,
			}})
			if err != nil {
				return nil, err
			}
			if !a.Allowed {
				a.How = grant(res, ns)
			}
			out = append(out, a)
		}
	}
	for _, url := range urlsFor(c.options.Kinds) {
		a := Access{Verb: "get", Resource: url}
		err := c.review(ctx, &a, authorizationv1.SelfSubjectAccessReviewSpec{
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Verb: "get", Path: url},
		})
		if err != nil {
			return nil, err
		}
		if !a.Allowed {
			a.How = fmt.Sprintf("grant the verb get on the URL %s; the ClusterRole system:discovery does", url)
		}
		out = append(out, a)
	}
	return out, nil
}

func (c *Client) review(ctx context.Context, a *Access, spec authorizationv1.SelfSubjectAccessReviewSpec) error {
	q := call{
		path:   "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
		accept: acceptJSON,
		body: authorizationv1.SelfSubjectAccessReview{
			TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"},
			Spec:     spec,
		},
	}
	err := c.do(ctx, q, func(resp *http.Response) error {
		data, err := io.ReadAll(&sizeLimit{resp.Body, statusSize})
		if err != nil {
			return err
		}
		var answer authorizationv1.SelfSubjectAccessReview
		if json.Unmarshal(data, &answer) != nil || answer.Kind != "SelfSubjectAccessReview" {
			return unreadablef("the answer is not a SelfSubjectAccessReview")
		}
		a.Allowed, a.Reason = answer.Status.Allowed, c.secrets.clean(answer.Status.Reason)
		return nil
	})
	if err != nil {
		return fmt.Errorf("asking %s whether %s %s is allowed: %w", c.target, a.Verb, a.Resource, err)
	}
	return nil
}
