// Package inventory holds the evidence of one moment: typed, sorted, indexed
// and immutable, together with the gaps where evidence could not be read.
//
// Sources fill a [Builder]; [Builder.Seal] makes the [Inventory] that checks
// read through a [View] restricted to what they declared. What every table
// holds is declared in kinds.go.
package inventory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Kind is a typed handle on one table. Kinds are declared in kinds.go only.
type Kind[T any] struct{ ID report.KindID }

// Need says that a check reads k and cannot pass without it.
func (k Kind[T]) Need() Need { return Need{Kind: k.ID} }

// Optional says that a check reads k where it is there, and can pass without it.
func (k Kind[T]) Optional() Need { return Need{Kind: k.ID, Optional: true} }

// Need is one kind of evidence that a check reads.
type Need struct {
	Kind     report.KindID
	Optional bool
}

// Optional turns needs into such that a check can pass without.
func Optional(needs []Need) []Need {
	out := make([]Need, len(needs))
	for i, n := range needs {
		out[i] = Need{Kind: n.Kind, Optional: true}
	}
	return out
}

// Kinds lists what the needs are of.
func Kinds(needs []Need) []report.KindID {
	out := make([]report.KindID, len(needs))
	for i, n := range needs {
		out[i] = n.Kind
	}
	return out
}

// AnyKind is the kind of a gap that bears on every kind: a document that could
// not be parsed may have held anything.
const AnyKind report.KindID = "*"

// Object is one piece of evidence and where it came from.
type Object[T any] struct {
	report.Subject
	Origin
	Value T
}

// Evidence quotes a field of the object. Field is in the API server's
// notation, "spec.containers[0].image" or "metadata.labels[app]"; the place is
// that of the field or of the nearest parent that is written down.
func (o Object[T]) Evidence(field, got, want string) report.Evidence {
	return report.Evidence{At: o.Locate(field), Field: field, Got: got, Want: want}
}

type row struct {
	subject report.Subject
	origin  Origin
	value   any
}

type table struct {
	rows        []row
	byNamespace map[string][]row
	// byName is made when it is first asked for, which is for few tables.
	byName func() map[[2]string][]row
}

func newTable(rows []row) *table {
	return &table{
		rows:        rows,
		byNamespace: group(rows, func(s *report.Subject) string { return s.Namespace }),
		byName: sync.OnceValue(func() map[[2]string][]row {
			return group(rows, func(s *report.Subject) [2]string { return [2]string{s.Namespace, s.Name} })
		}),
	}
}

// group cuts sorted rows into those of one key. Only where a table has several
// kinds or versions are they not in one piece already, and copied.
func group[K comparable](rows []row, key func(*report.Subject) K) map[K][]row {
	out := map[K][]row{}
	for len(rows) > 0 {
		k, n := key(&rows[0].subject), 1
		for n < len(rows) && key(&rows[n].subject) == k {
			n++
		}
		if before := out[k]; before == nil {
			out[k] = rows[:n:n]
		} else {
			out[k] = append(before, rows[:n]...)
		}
		rows = rows[n:]
	}
	return out
}

// Builder collects evidence. It is the only way to make an Inventory, and it
// is safe for concurrent use.
type Builder struct {
	mu        sync.Mutex
	rows      map[report.KindID][]row
	collected map[report.KindID]bool
	gaps      []report.Gap
	scope     []string
	matched   bool // an object of a namespace in scope was put
	leaks     map[*corev1.PodSpec][]Leak
}

// Put adds one object of kind k.
func Put[T any](b *Builder, k Kind[T], s report.Subject, o Origin, v T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if clusterScoped[k.ID] {
		s.Namespace = "" // the API server drops it as well
	}
	if b.outside(s) {
		return
	}
	b.matched = b.matched || s.Namespace != "" || s.Kind == "Namespace"
	if b.rows == nil {
		b.rows = map[report.KindID][]row{}
	}
	b.rows[k.ID] = append(b.rows[k.ID], row{s, o, v})
}

// Collected records that the kinds were read, even if there was nothing to
// read. A kind that no source recorded is a gap.
func (b *Builder) Collected(kinds ...report.KindID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.collected == nil {
		b.collected = map[report.KindID]bool{}
	}
	for _, k := range kinds {
		b.collected[k] = true
	}
}

// Has reports whether a source recorded kind k as read.
func (b *Builder) Has(k report.KindID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.collected[k]
}

// Gap records evidence that could not be read.
func (b *Builder) Gap(gs ...report.Gap) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gaps = append(b.gaps, gs...)
}

// Absorb moves everything that other collected into b and leaves other empty.
// A source that may have to start over collects apart and gives what stands.
func (b *Builder) Absorb(other *Builder) {
	other.mu.Lock()
	rows, collected, gaps := other.rows, other.collected, other.gaps
	other.rows, other.collected, other.gaps = nil, nil, nil
	other.mu.Unlock()
	b.Collected(slices.Collect(maps.Keys(collected))...)
	b.Gap(gaps...)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rows == nil {
		b.rows = map[report.KindID][]row{}
	}
	for k, r := range rows {
		b.rows[k] = append(b.rows[k], r...)
	}
}

// Count is the number of objects of kind k so far.
func (b *Builder) Count(k report.KindID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.rows[k])
}

// Inventory is the evidence of one moment. It is immutable and safe for
// concurrent use.
type Inventory struct {
	// Observed is when the evidence was taken.
	Observed time.Time
	tables   map[report.KindID]*table
	gaps     []report.Gap
	facts    *sync.Map
	limited  bool // to some namespaces
}

// Seal sorts, indexes and freezes what was collected. Objects that two sources
// describe differently become a conflict gap. The Builder must not be used
// afterwards.
func (b *Builder) Seal(observed time.Time) *Inventory {
	b.mu.Lock()
	defer b.mu.Unlock()
	inv := &Inventory{Observed: observed, tables: map[report.KindID]*table{}, facts: &sync.Map{}, limited: len(b.scope) > 0}
	gaps := slices.Clone(b.gaps)
	for k := range b.collected {
		inv.tables[k] = newTable(nil)
	}
	for k, rows := range b.rows {
		// Stable: rendered objects have no lines, and keep the order of their file.
		slices.SortStableFunc(rows, func(x, y row) int {
			return cmp.Or(report.CompareSubjects(x.subject, y.subject), x.origin.compare(y.origin))
		})
		rows, conflicts := merge(k, rows)
		gaps = append(gaps, conflicts...)
		inv.tables[k] = newTable(rows)
	}
	slices.SortFunc(gaps, compareGaps)
	inv.gaps = slices.Compact(gaps)
	return inv
}

// merge drops what is written twice in the same words, and finds what two
// sources describe differently. Two files of one source may define one object
// in different ways (overlays, environments): both are judged.
func merge(k report.KindID, rows []row) ([]row, []report.Gap) {
	var gaps []report.Gap
	out := rows[:0]
	for len(rows) > 0 {
		first := rows[0]
		n := 1
		for n < len(rows) && rows[n].subject == first.subject {
			n++
		}
		out = append(out, first)
		if n > 1 {
			// There may be thousands: each is compared only with those that
			// hash the same.
			alike := map[uint64][]int{hash(first.value): {len(out) - 1}}
			copies := 0
			for _, r := range rows[1:n] {
				h := hash(r.value)
				twin := slices.IndexFunc(alike[h], func(i int) bool { return reflect.DeepEqual(out[i].value, r.value) })
				if twin >= 0 {
					out[alike[h][twin]].copy(r)
					continue
				}
				if r.origin.Source != first.origin.Source { // rows are sorted by it
					gaps = append(gaps, report.Gap{
						Kind: k, Scope: r.subject.Namespace, Cause: report.Conflict,
						Detail: fmt.Sprintf("%s %s differs between %s and %s", r.subject.Kind, r.subject.Name, first.origin.Locate(""), r.origin.Locate("")),
						How:    "scan them apart and compare the two reports",
					})
				}
				alike[h] = append(alike[h], len(out))
				copies++
				r.subject.Copy = copies
				out = append(out, r)
			}
		}
		rows = rows[n:]
	}
	return slices.Clip(out), gaps
}

var hashSeed = maphash.MakeSeed()

// hash is the same for equal evidence.
func hash(v any) uint64 {
	text, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return maphash.Bytes(hashSeed, text)
}

func compareGaps(a, b report.Gap) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Cause, b.Cause),
		cmp.Compare(a.Detail, b.Detail), cmp.Compare(a.How, b.How),
	)
}

// Gaps returns what is missing of k in a namespace; scope "" means anywhere.
// A kind that no source collected is one gap everywhere.
func (inv *Inventory) Gaps(k report.KindID, scope string) []report.Gap {
	var out []report.Gap
	for _, g := range inv.gaps {
		if (g.Kind == k || g.Kind == AnyKind) && (scope == "" || g.Scope == "" || g.Scope == scope) {
			out = append(out, g)
		}
	}
	if _, ok := inv.tables[k]; !ok && len(out) == 0 {
		out = append(out, report.Gap{Kind: k, Cause: report.NotCollected, Detail: "no source of this scan brings it", How: howToCollect(k)})
	}
	return out
}

// AllGaps returns every gap that the sources recorded.
func (inv *Inventory) AllGaps() []report.Gap { return slices.Clone(inv.gaps) }

// Without returns inv with one kind missing. Tests use it to prove that no
// check passes on missing evidence.
func (inv *Inventory) Without(k report.KindID) *Inventory {
	c := *inv
	c.tables, c.facts = maps.Clone(inv.tables), &sync.Map{}
	delete(c.tables, k)
	return &c
}

// Digest is a hash over all evidence and gaps. Equal evidence gives equal
// digests; tests use it to prove that checks change nothing.
func (inv *Inventory) Digest() string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	write := func(v any) {
		if err := enc.Encode(v); err != nil {
			fmt.Fprintf(h, "%#v", v)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(inv.tables)) {
		write(k)
		for _, r := range inv.tables[k].rows {
			write(r.subject)
			write(r.origin.Locate(""))
			write(r.value)
		}
	}
	write(inv.gaps)
	return hex.EncodeToString(h.Sum(nil))
}

// View is an inventory restricted to declared needs. Reading anything else
// panics, so that a declaration is never less than the truth.
type View struct {
	inv   *Inventory
	needs []Need
}

// View restricts inv to needs.
func (inv *Inventory) View(needs []Need) View { return View{inv, needs} }

// Observed is when the evidence was taken. It replaces the clock in checks: a
// snapshot judged next year gives the same report.
func (v View) Observed() time.Time { return v.inv.Observed }

// Limited reports whether other namespaces than those of the scan were left
// out: what is not found may be there.
func (v View) Limited() bool { return v.inv.limited }

// Missing returns the gaps of k that bear on a namespace; "" means anywhere.
func (v View) Missing(k report.KindID, scope string) []report.Gap {
	v.declared(k)
	return v.inv.Gaps(k, scope)
}

// Reader is a View or something that embeds one.
type Reader interface{ view() View }

func (v View) view() View { return v }

func (v View) declared(k report.KindID) {
	if !slices.ContainsFunc(v.needs, func(n Need) bool { return n.Kind == k }) {
		panic("undeclared need " + string(k))
	}
}

func (v View) table(k report.KindID) *table {
	v.declared(k)
	if t := v.inv.tables[k]; t != nil {
		return t
	}
	return newTable(nil)
}

// All yields every object of a kind, ordered by subject.
func All[T any](r Reader, k Kind[T]) iter.Seq[Object[T]] { return each[T](r.view().table(k.ID).rows) }

// In yields the objects of one namespace, ordered by subject.
func In[T any](r Reader, k Kind[T], namespace string) iter.Seq[Object[T]] {
	return each[T](r.view().table(k.ID).byNamespace[namespace])
}

// Named yields the objects of one namespace and name: several, where several
// files define it.
func Named[T any](r Reader, k Kind[T], namespace, name string) iter.Seq[Object[T]] {
	return each[T](r.view().table(k.ID).byName()[[2]string{namespace, name}])
}

// Get finds one object by namespace and name. Where several files define it,
// the first in file order is returned.
func Get[T any](r Reader, k Kind[T], namespace, name string) (Object[T], bool) {
	for o := range Named(r, k, namespace, name) {
		return o, true
	}
	var none Object[T]
	return none, false
}

// Len is the number of objects of a kind.
func Len[T any](r Reader, k Kind[T]) int { return len(r.view().table(k.ID).rows) }

func each[T any](rows []row) iter.Seq[Object[T]] {
	return func(yield func(Object[T]) bool) {
		for _, r := range rows {
			if !yield(Object[T]{r.subject, r.origin, r.value.(T)}) {
				return
			}
		}
	}
}

// Fact is a value derived from tables, computed once per inventory and shared
// by the checks that declare its needs.
type Fact[T any] struct {
	Needs []Need
	Build func(View) T
}

// Of returns the fact for the inventory behind r, which must have declared all
// of f's needs.
func (f *Fact[T]) Of(r Reader) T {
	v := r.view()
	for _, n := range f.Needs {
		v.declared(n.Kind)
	}
	once, _ := v.inv.facts.LoadOrStore(f, sync.OnceValue(func() T { return f.Build(v.inv.View(f.Needs)) }))
	return once.(func() T)()
}
