package files

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// place is a line of a file; line 0 means the file as a whole.
type place struct {
	file string
	line int
}

func (p place) String() string {
	if p.line == 0 {
		return p.file
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.file, q.file), cmp.Compare(p.line, q.line))
}

// tally is what was seen in a file, besides the objects themselves. Tallies
// of several files add up to that of the input.
type tally struct {
	objects  int
	problems []problem
	gaps     []report.Gap
	ignored  map[string]example
	notes    map[string]example
	// kinds were in the input: an object, or a typed list, even if empty.
	kinds map[report.KindID]bool
	// foreign families that were seen; crds says whether any
	// CustomResourceDefinition was.
	foreign map[report.KindID]bool
	crds    bool
	// defined are the custom kinds whose CustomResourceDefinition was seen.
	defined map[report.KindID]bool
	// saved says that objects carry marks of an API server.
	saved bool
	// podSecurity says that the PodSecurity plugin's configuration was in the
	// input, or that an AdmissionConfiguration leaves it at its defaults.
	podSecurity bool
	// kubelets says that a kubelet's configuration was in the input.
	kubelets bool
	// authorization says that the cluster's API server was in the input, or its
	// configuration of authorizers.
	authorization bool
	// apiServers is what the flags of kube-apiserver Pods say about the
	// admission configuration.
	apiServers apiServers
}

// apiServers counts kube-apiserver Pods by whether their flags name an
// admission configuration file; at is one that does.
type apiServers struct {
	without, with int
	at            place
}

type problem struct {
	place
	message string
}

type example struct {
	count int
	first place
}

func newTally() *tally {
	return &tally{
		ignored: map[string]example{}, notes: map[string]example{},
		kinds: map[report.KindID]bool{}, foreign: map[report.KindID]bool{}, defined: map[report.KindID]bool{},
	}
}

// problem records what could not be read, and what that leaves unknown.
func (t *tally) problem(at place, message string, cause report.Cause, missing ...report.KindID) {
	t.problemIn("", at, message, cause, missing...)
}

// problemIn is problem for something that is known to be of one namespace.
func (t *tally) problemIn(namespace string, at place, message string, cause report.Cause, missing ...report.KindID) {
	t.problems = append(t.problems, problem{at, message})
	for _, k := range missing {
		t.gaps = append(t.gaps, report.Gap{Kind: k, Scope: namespace, Cause: cause, Detail: at.String() + ": " + message, How: "mend or exclude the file"})
	}
}

func (t *tally) ignore(what string, at place) { countOne(t.ignored, what, at) }

func (t *tally) note(what string, at place) { countOne(t.notes, what, at) }

func countOne(m map[string]example, what string, at place) {
	x, ok := m[what]
	if !ok || at.compare(x.first) < 0 {
		x.first = at
	}
	x.count++
	m[what] = x
}

// add adds the tally of another file.
func (t *tally) add(u *tally) {
	t.objects += u.objects
	t.problems = append(t.problems, u.problems...)
	t.gaps = append(t.gaps, u.gaps...)
	merge(t.ignored, u.ignored)
	merge(t.notes, u.notes)
	maps.Copy(t.kinds, u.kinds)
	maps.Copy(t.foreign, u.foreign)
	maps.Copy(t.defined, u.defined)
	t.crds = t.crds || u.crds
	t.saved = t.saved || u.saved
	t.podSecurity = t.podSecurity || u.podSecurity
	t.kubelets = t.kubelets || u.kubelets
	t.authorization = t.authorization || u.authorization
	if s := u.apiServers; s.with > 0 && (t.apiServers.with == 0 || s.at.compare(t.apiServers.at) < 0) {
		t.apiServers.at = s.at
	}
	t.apiServers.with += u.apiServers.with
	t.apiServers.without += u.apiServers.without
}

func merge(into, from map[string]example) {
	for what, x := range from {
		y, ok := into[what]
		if !ok || x.first.compare(y.first) < 0 {
			y.first = x.first
		}
		y.count += x.count
		into[what] = y
	}
}

// source renders the tally for the report, the same for every order of adding.
func (t *tally) source(detail string) report.Source {
	slices.SortFunc(t.problems, func(x, y problem) int {
		return cmp.Or(x.place.compare(y.place), cmp.Compare(x.message, y.message))
	})
	s := report.Source{Type: sourceType, Detail: detail, Objects: t.objects, Ignored: counts(t.ignored), Notes: counts(t.notes)}
	for _, p := range t.problems {
		s.Problems = append(s.Problems, report.Problem{At: p.place.String(), Message: p.message})
	}
	return s
}

func counts(m map[string]example) []report.Count {
	var out []report.Count
	for _, what := range slices.Sorted(maps.Keys(m)) {
		out = append(out, report.Count{What: what, Count: m[what].count, Example: m[what].first.String()})
	}
	return out
}
