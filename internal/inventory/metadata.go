package inventory

import (
	"iter"
	"maps"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Metadata returns the metadata itself; what embeds Meta has it too.
func (m Meta) Metadata() Meta { return m }

// Metadata yields the metadata of every object that has one, ordered by kind
// and subject. It is for statements that objects carry (waivers), not for
// checks: they declare what they read.
func (inv *Inventory) Metadata() iter.Seq[Object[Meta]] {
	return func(yield func(Object[Meta]) bool) {
		for _, k := range slices.Sorted(maps.Keys(inv.tables)) {
			for _, r := range inv.tables[k].rows {
				m, ok := r.value.(interface{ Metadata() Meta })
				if ok && !yield(Object[Meta]{r.subject, r.origin, m.Metadata()}) {
					return
				}
			}
		}
	}
}

// Across are the kinds whose objects bear on other namespaces than their own: a
// scan that is limited to some does not have all that bear on those. A binding
// anywhere may give rights to an account of theirs.
var Across = []report.KindID{RoleBindings.ID, EndpointSlices.ID, KyvernoExceptions.ID, KyvernoCELExceptions.ID, GatekeeperConfigs.ID, Authorizations.ID}

// Limit restricts the builder to namespaces: objects of other namespaces, and
// the other Namespace objects, are not taken. Objects whose namespace is not
// written down stay: they would be applied to the namespace at hand.
func (b *Builder) Limit(namespaces []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scope = namespaces
}

// Matched reports whether any object of the namespaces that the builder is
// limited to was put.
func (b *Builder) Matched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.matched
}

// outside reports whether the subject lies outside of the builder's limit.
func (b *Builder) outside(s report.Subject) bool {
	if len(b.scope) == 0 {
		return false
	}
	ns := s.Namespace
	if s.Kind == "Namespace" && s.APIVersion == "v1" {
		ns = s.Name
	}
	return ns != "" && !slices.Contains(b.scope, ns)
}
