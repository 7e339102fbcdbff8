package holdings

import (
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// MaxMonths is how many months may lie between two reviews.
//
// https://kubernetes.io/docs/concepts/security/security-checklist/#authentication-authorization
const MaxMonths = 24

// Due is when the next review after one is due.
func Due(r inventory.AccessReview) time.Time { return r.Date.AddDate(0, MaxMonths, 0) }

// Newest finds the newest record of a review.
func Newest(r inventory.Reader) (newest inventory.Object[inventory.AccessReview], found bool) {
	for o := range inventory.All(r, inventory.AccessReviews) {
		if !found || o.Value.Date.After(newest.Value.Date) {
			newest, found = o, true
		}
	}
	return newest, found
}

// Changes are what became of the grants since a review.
type Changes struct {
	// Added are new; Changed grant another right than they did.
	Added, Changed []*Holding
	// Removed are gone although the review did not say so.
	Removed []inventory.ReviewedGrant
	// Open are decisions that are not carried out: what was to be revoked is
	// still there, what was to be changed is the same.
	Open []inventory.ReviewedGrant
	// Foreign is true where nothing that the review covers is there: it is the
	// review of something else.
	Foreign bool
}

type key struct{ binding, subject string }

func (h *Holding) key() key { return key{h.BindingName(), h.Subject.String()} }

// In finds what a review says of holdings.
func In(r inventory.AccessReview) func(*Holding) (inventory.ReviewedGrant, bool) {
	reviewed := map[key]inventory.ReviewedGrant{}
	for _, g := range r.Grants {
		reviewed[key{g.Binding, g.Subject}] = g
	}
	return func(h *Holding) (inventory.ReviewedGrant, bool) {
		g, ok := reviewed[h.key()]
		return g, ok
	}
}

// Since compares the list with a review.
func (l *List) Since(r inventory.AccessReview) Changes {
	var c Changes
	of, there := In(r), map[key]*Holding{}
	for _, h := range l.Holdings {
		g, reviewed := of(h)
		there[h.key()] = h
		switch {
		case !reviewed:
			c.Added = append(c.Added, h)
		case g.Right != h.Right:
			c.Changed = append(c.Changed, h)
		}
	}
	for _, g := range r.Grants {
		h := there[key{g.Binding, g.Subject}]
		switch {
		case h == nil && g.Decision != inventory.Revoke:
			c.Removed = append(c.Removed, g)
		case h != nil && g.Decision == inventory.Revoke, h != nil && g.Decision == inventory.Change && g.Right == h.Right:
			c.Open = append(c.Open, g)
		}
	}
	c.Foreign = len(r.Grants) > 0 && len(l.Holdings) > 0 && len(c.Added) == len(l.Holdings)
	return c
}

// Any reports whether anything is other than it was reviewed.
func (c Changes) Any() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) > 0 }

// String says how many grants changed: "2 grants were added, 1 changed".
func (c Changes) String() string {
	var parts []string
	for _, x := range []struct {
		n    int
		what string
	}{{len(c.Added), "added"}, {len(c.Changed), "changed"}, {len(c.Removed), "removed"}} {
		switch {
		case x.n == 0:
		case len(parts) > 0:
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.what))
		case x.n == 1:
			parts = append(parts, "1 grant was "+x.what)
		default:
			parts = append(parts, fmt.Sprintf("%d grants were %s", x.n, x.what))
		}
	}
	if len(parts) == 0 {
		return "no grant changed"
	}
	return strings.Join(parts, ", ")
}
