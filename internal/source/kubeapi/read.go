package kubeapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// sourceType names this source in origins and reports.
const sourceType = "kubeapi"

const (
	// parallel is how many kinds are read at a time. More would only queue up
	// at the server, which gives each client its share.
	parallel = 4
	// lostAfter is how many readings in a row may end without an answer before
	// the server is taken to be gone, and nothing more is asked of it.
	lostAfter = 3
)

// reading is one pass over the cluster.
type reading struct {
	c     *Client
	b     *inventory.Builder
	specs *specs
	// cancel ends the pass with an error that concerns all of it.
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	source    report.Source
	notes     map[string]*report.Count
	done, all int
	lost      int
	lostErr   error
	nodes     nodeFacts
	servers   []apiServer
	// systemPods is true when the pods of kube-system were read.
	systemPods bool
	// allNodes is true when all nodes were read.
	allNodes bool

	namespaces func() ([]string, error)
	discovery  func() (*discovery, error)
}

// Read reads the cluster into b. It returns an error only if the cluster as a
// whole cannot be read: no connection, credentials that are not accepted, or a
// namespace that does not exist. When ctx ends, what is missing by then becomes
// gaps. The caller fills in the counts of pods and workloads.
func (c *Client) Read(ctx context.Context, b *inventory.Builder) (report.Source, report.Cluster, error) {
	version, err := c.version(ctx)
	if err != nil {
		return report.Source{}, report.Cluster{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &reading{
		c: c, b: b, specs: newSpecs(), cancel: cancel, notes: map[string]*report.Count{},
		source: report.Source{Type: sourceType, Detail: c.target.String()},
	}
	r.namespaces = sync.OnceValues(func() ([]string, error) { return r.namespaceNames(ctx) })
	r.discovery = sync.OnceValues(func() (*discovery, error) { return c.discover(ctx) })

	jobs := r.jobs()
	r.all = len(jobs)
	queue := make(chan job, len(jobs))
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for j := range queue {
				r.step(0, j.what)
				j.run(ctx)
				r.step(1, j.what)
			}
		})
	}
	wg.Wait()
	var fatal *fatalError
	if errors.As(context.Cause(ctx), &fatal) {
		return report.Source{}, report.Cluster{}, fatal.err
	}
	if r.wanted(inventory.AccessReviews.ID) {
		b.Collected(inventory.AccessReviews.ID) // they came with the ConfigMaps
	}
	if r.wanted(inventory.ABACPolicies.ID) {
		b.Collected(inventory.ABACPolicies.ID) // they are files: flags say whether there are any
	}
	if r.wanted(inventory.Authorizations.ID) {
		r.authorization()
	}
	if r.wanted(inventory.PodSecurityDefaults.ID) {
		r.podSecurityDefaults(ctx)
	}
	return r.finished(), r.cluster(version), nil
}

// fatalError ends a pass.
type fatalError struct{ err error }

func (e *fatalError) Error() string { return e.err.Error() }

type job struct {
	what string
	run  func(context.Context)
}

func (r *reading) wanted(k report.KindID) bool { return slices.Contains(r.c.options.Kinds, k) }

// jobs lists what is to be read, the largest kinds first, so that the last one
// to finish is a small one.
func (r *reading) jobs() []job {
	var jobs []job
	for _, res := range inventory.Resources {
		if r.wanted(res.Kind) {
			jobs = append(jobs, job{res.Resource, func(ctx context.Context) { r.kind(ctx, res) }})
		}
	}
	for _, c := range inventory.Customs {
		if r.wanted(c.ID) {
			jobs = append(jobs, job{c.Resource + "." + c.Group, func(ctx context.Context) { r.custom(ctx, c) }})
		}
	}
	large := []string{"pods", "replicasets", "secrets", "rolebindings"}
	slices.SortStableFunc(jobs, func(a, b job) int {
		rank := func(j job) int {
			if i := slices.Index(large, j.what); i >= 0 {
				return i
			}
			return len(large)
		}
		return cmp.Compare(rank(a), rank(b))
	})
	if slices.ContainsFunc(inventory.Foreigns, func(f inventory.Foreign) bool { return r.wanted(f.ID()) }) {
		jobs = append(jobs, job{"served APIs", r.foreigns})
	}
	return jobs
}

// step tells about progress.
func (r *reading) step(done int, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += done
	if r.c.options.Progress != nil {
		r.c.options.Progress(r.done, r.all, what)
	}
}

// listing prepares to read one list in this pass.
func (r *reading) listing(res inventory.Resource, namespace string) *listing {
	l := r.c.listing(res, namespace, r.specs)
	l.progress = func(objects int) { r.step(0, fmt.Sprintf("%s: %d", res.Resource, objects)) }
	switch res.Kind {
	case inventory.Nodes.ID:
		l.decoder.saw = func(m *metav1.ObjectMeta, o any) { r.sawNode(m, o.(*corev1.Node)) }
	case inventory.Pods.ID:
		l.decoder.saw = func(m *metav1.ObjectMeta, o any) { r.sawPod(m, o.(*corev1.PodSpec)) }
	}
	return l
}

// run reads a list, unless the server is gone.
func (r *reading) run(ctx context.Context, l *listing) error {
	r.mu.Lock()
	gone := r.lost >= lostAfter
	err := r.lostErr
	r.mu.Unlock()
	if gone {
		return err
	}
	err = l.run(ctx)
	var conn *connectionError
	var status *statusError
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case errors.As(err, &conn):
		r.lost++
		r.lostErr = err
	case errors.As(err, &status) && status.code == http.StatusUnauthorized:
		r.cancel(&fatalError{errors.New(r.c.target.unauthorized(now()))})
	case ctx.Err() == nil:
		r.lost = 0
	}
	return err
}

// kind reads all objects of a kind that are within the limits of the scan.
func (r *reading) kind(ctx context.Context, res inventory.Resource) {
	limit := r.c.options.Namespaces
	switch {
	case len(limit) > 0 && res.Kind == inventory.Namespaces.ID:
		r.namedNamespaces(ctx, res, limit)
	case len(limit) > 0 && res.Namespaced:
		for _, ns := range limit {
			l := r.listing(res, ns)
			r.conclude(l, ns, r.run(ctx, l))
		}
	default:
		l := r.listing(res, "")
		err := r.run(ctx, l)
		if forbidden(err) && res.Namespaced && l.count() == 0 {
			r.byNamespace(ctx, res, err)
			return
		}
		r.conclude(l, "", err)
	}
}

// conclude keeps what a listing brought and records what it did not.
func (r *reading) conclude(l *listing, scope string, err error) {
	k := l.resource.Kind
	r.keep(l, scope, err)
	if err == nil {
		r.b.Collected(k)
		return
	}
	if notFound(err) && l.count() == 0 && r.absent(l.resource) {
		r.b.Collected(k)
		return
	}
	g := gapOf(l, scope, err)
	r.b.Gap(g)
	r.problem("GET "+l.path, g)
}

// keep moves the objects of a listing into the inventory.
func (r *reading) keep(l *listing, scope string, err error) {
	n := l.staged.Count(l.resource.Kind)
	r.b.Absorb(l.staged)
	if l.bad > 0 {
		g := report.Gap{
			Kind: l.resource.Kind, Scope: scope, Cause: report.Unreadable,
			Detail: fmt.Sprintf("%d of %d objects cannot be decoded, the first: %s", l.bad, l.bad+n, l.badWhy),
			How:    "report this with the version of the cluster",
		}
		r.b.Gap(g)
		r.problem("GET "+l.path, g)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source.Objects += n
	if l.mixed {
		r.note("lists that were finished at a newer state than they were begun", l.path)
	}
	if l.json {
		r.note("lists that came as JSON, not as protobuf", l.path)
	}
	if l.resource.Kind == inventory.Pods.ID && err == nil && l.bad == 0 && (scope == "" || scope == metav1.NamespaceSystem) {
		r.systemPods = true
	}
	if l.resource.Kind == inventory.Nodes.ID && err == nil && l.bad == 0 {
		r.allNodes = true
	}
}

// note counts a peculiarity. The caller holds the lock.
func (r *reading) note(what, example string) {
	if r.notes[what] == nil {
		r.notes[what] = &report.Count{What: what, Example: example}
	}
	r.notes[what].Count++
	r.notes[what].Example = min(r.notes[what].Example, example)
}

func (r *reading) problem(at string, g report.Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source.Problems = append(r.source.Problems, report.Problem{At: at, Message: string(g.Cause) + ": " + g.Detail})
}

func (r *reading) finished() report.Source {
	s := r.source
	slices.SortFunc(s.Problems, func(a, b report.Problem) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Message, b.Message))
	})
	for _, n := range r.notes {
		s.Notes = append(s.Notes, *n)
	}
	slices.SortFunc(s.Notes, func(a, b report.Count) int { return cmp.Compare(a.What, b.What) })
	return s
}
