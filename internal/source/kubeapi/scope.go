package kubeapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const (
	// refusals is how many namespaces in a row may refuse a kind before the
	// rest is taken to refuse it too: an account that may read little would
	// otherwise cost a request for each kind and namespace of the cluster.
	refusals = 50
	// namedGaps is how many namespaces are named one by one. Where more are
	// missing, the kind is missing everywhere: one gap instead of thousands.
	namedGaps = 200
)

// byNamespace reads a kind that may not be listed cluster-wide namespace by
// namespace, as far as the account may.
func (r *reading) byNamespace(ctx context.Context, res inventory.Resource, refused error) {
	whole := r.listing(res, "")
	gap := gapOf(whole, "", refused)
	home := r.c.target.namespace
	names, err := r.namespaces()
	if err != nil {
		// The names are not known: the account's own namespace is worth a try.
		if home != "" {
			l := r.listing(res, home)
			if err := r.run(ctx, l); err == nil {
				r.keep(l, home, nil)
				r.b.Collected(res.Kind)
				gap.Detail = fmt.Sprintf("only namespace %q could be read, and the names of the others are not known: %s", home, gap.Detail)
			}
		}
		r.b.Gap(gap)
		r.problem("GET "+whole.path, gap)
		return
	}
	if i := slices.Index(names, home); i > 0 {
		names = slices.Concat([]string{home}, names[:i], names[i+1:])
	}
	var missing []report.Gap
	inARow := 0
	for i, ns := range names {
		if inARow == refusals {
			for _, ns := range names[i:] {
				g := gapOf(whole, ns, refused)
				g.Detail = fmt.Sprintf("not tried after %d namespaces in a row that may not be read: %s", refusals, refused)
				missing = append(missing, g)
			}
			break
		}
		l := r.listing(res, ns)
		err := r.run(ctx, l)
		if !forbidden(err) {
			inARow = 0
			r.conclude(l, ns, err)
			continue
		}
		inARow++
		missing = append(missing, gapOf(l, ns, err))
	}
	if len(missing) == len(names) {
		r.b.Gap(gap)
		r.problem("GET "+whole.path, gap)
		return
	}
	if len(missing) > namedGaps {
		gap.Detail = fmt.Sprintf("%d of %d namespaces could not be read, the first is %q: %s", len(missing), len(names), missing[0].Scope, gap.Detail)
		missing = []report.Gap{gap}
	}
	r.b.Gap(missing...)
	for _, g := range missing {
		r.problem("GET "+r.listing(res, g.Scope).path, g)
	}
}

// namespaceNames lists the names of all namespaces, which is asked for only
// where a kind may not be read cluster-wide.
func (r *reading) namespaceNames(ctx context.Context) ([]string, error) {
	res, _ := inventory.ResourceFor(inventory.Namespaces.ID)
	var names []string
	l := r.listing(res, "")
	l.decoder.saw = func(m *metav1.ObjectMeta, _ any) { names = append(names, m.Name) }
	if err := r.run(ctx, l); err != nil {
		return nil, err
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// namedNamespaces reads the namespaces that the scan is limited to. An account
// that may not list namespaces may often get its own.
func (r *reading) namedNamespaces(ctx context.Context, res inventory.Resource, names []string) {
	for _, ns := range names {
		l := r.listing(res, "")
		l.selector = "metadata.name=" + ns
		err := r.run(ctx, l)
		switch {
		case forbidden(err):
			err = r.c.getNamespace(ctx, l, ns)
		case err == nil && l.count() == 0:
			err = &statusError{code: http.StatusNotFound}
		}
		if notFound(err) {
			r.cancel(&fatalError{fmt.Errorf("namespace %q does not exist in %s: check the name, and \"kubectl get namespaces\"", ns, r.c.target)})
			return
		}
		r.conclude(l, ns, err)
	}
}

// getNamespace reads one namespace by its name into l.
func (c *Client) getNamespace(ctx context.Context, l *listing, name string) error {
	q := call{path: l.path + "/" + url.PathEscape(name), accept: acceptProtobuf}
	return c.do(ctx, q, func(resp *http.Response) error {
		l.buffer.Reset()
		if _, err := l.buffer.ReadFrom(&sizeLimit{resp.Body, pageSize}); err != nil {
			return err
		}
		_, kind, raw, err := openEnvelope(l.buffer.Bytes())
		if err != nil || kind != "Namespace" {
			return unreadablef("the answer is not a Namespace")
		}
		l.decoded(l.decoder.protobuf(l.staged, raw, l.origin))
		return nil
	})
}
