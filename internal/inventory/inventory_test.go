package inventory

import (
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var at = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func named(ns, name string) report.Subject {
	return report.Subject{Kind: "LimitRange", APIVersion: "v1", Namespace: ns, Name: name}
}

func file(place string, line int32) Origin {
	return Origin{Source: "files", Place: place, Line: line}
}

func TestSealIsDeterministic(t *testing.T) {
	var first string
	for seed := range int64(20) {
		b := &Builder{}
		names := []string{"a", "b", "c", "d", "e"}
		rand.New(rand.NewSource(seed)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, n := range names {
			Put(b, LimitRanges, named("ns-"+n, n), file(n+".yaml", 1), LimitRange{Meta: Meta{UID: "u"}})
			b.Gap(report.Gap{Kind: Pods.ID, Scope: n, Cause: report.Forbidden})
		}
		if d := b.Seal(at).Digest(); first == "" {
			first = d
		} else if d != first {
			t.Fatalf("seed %d gives another inventory", seed)
		}
	}
}

func TestUndeclaredReadsPanic(t *testing.T) {
	b := &Builder{}
	b.Collected(Pods.ID, LimitRanges.ID)
	v := b.Seal(at).View([]Need{Pods.Need()})
	fact := &Fact[int]{Needs: []Need{LimitRanges.Need()}, Build: func(View) int { return 1 }}
	for name, read := range map[string]func(){
		"All":     func() { All(v, LimitRanges) },
		"In":      func() { In(v, LimitRanges, "a") },
		"Len":     func() { Len(v, LimitRanges) },
		"Missing": func() { v.Missing(LimitRanges.ID, "") },
		"Fact":    func() { fact.Of(v) },
	} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), "undeclared need v1/LimitRange") {
					t.Errorf("%s of an undeclared kind: %v", name, p)
				}
			}()
			read()
		}()
	}
}

func TestFactIsBuiltOnce(t *testing.T) {
	b := &Builder{}
	b.Collected(Pods.ID)
	inv := b.Seal(at)
	built := 0
	fact := &Fact[int]{Needs: []Need{Pods.Need()}, Build: func(View) int { built++; return 7 }}
	for range 3 {
		if got := fact.Of(inv.View(fact.Needs)); got != 7 {
			t.Fatal(got)
		}
	}
	if built != 1 {
		t.Errorf("built %d times", built)
	}
	if fact.Of(inv.Without(Pods.ID).View(fact.Needs)); built != 2 {
		t.Error("an inventory without the kind shares the fact of one with it")
	}
}

func TestGaps(t *testing.T) {
	b := &Builder{}
	b.Collected(LimitRanges.ID)
	b.Gap(
		report.Gap{Kind: LimitRanges.ID, Scope: "a", Cause: report.Forbidden},
		report.Gap{Kind: LimitRanges.ID, Scope: "a", Cause: report.Forbidden}, // said twice, counted once
		report.Gap{Kind: AnyKind, Cause: report.Unreadable},
	)
	inv := b.Seal(at)
	for _, tt := range []struct {
		kind  report.KindID
		scope string
		want  []report.Cause
	}{
		{LimitRanges.ID, "", []report.Cause{report.Unreadable, report.Forbidden}},
		{LimitRanges.ID, "a", []report.Cause{report.Unreadable, report.Forbidden}},
		{LimitRanges.ID, "b", []report.Cause{report.Unreadable}},
		{Pods.ID, "", []report.Cause{report.Unreadable}},
	} {
		var got []report.Cause
		for _, g := range inv.Gaps(tt.kind, tt.scope) {
			got = append(got, g.Cause)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s in %q: %s", tt.kind, tt.scope, d)
		}
	}
	none := (&Builder{}).Seal(at)
	if g := none.Gaps(Pods.ID, "x"); len(g) != 1 || g[0].Cause != report.NotCollected || g[0].How == "" {
		t.Errorf("a kind that nobody collected: %+v", g)
	}
}

func TestDuplicates(t *testing.T) {
	put := func(b *Builder, o Origin, uid string) {
		Put(b, LimitRanges, named("a", "x"), o, LimitRange{Meta: Meta{UID: "u"}, Limits: nil})
		_ = uid
	}
	b := &Builder{}
	put(b, file("one.yaml", 1), "u")
	put(b, file("two.yaml", 4), "u")
	inv := b.Seal(at)
	v := inv.View([]Need{LimitRanges.Need()})
	got := slices.Collect(All(v, LimitRanges))
	if len(got) != 1 || got[0].Copies != 1 || got[0].Place != "one.yaml" {
		t.Errorf("equal objects in two files: %+v", got)
	}

	b = &Builder{}
	put(b, file("one.yaml", 1), "u")
	Put(b, LimitRanges, named("a", "x"), file("two.yaml", 1), LimitRange{Meta: Meta{UID: "other"}})
	inv = b.Seal(at)
	if n := Len(inv.View([]Need{LimitRanges.Need()}), LimitRanges); n != 2 || len(inv.AllGaps()) != 0 {
		t.Errorf("two files that differ: %d objects, gaps %v", n, inv.AllGaps())
	}

	b = &Builder{}
	put(b, file("one.yaml", 1), "u")
	Put(b, LimitRanges, named("a", "x"), Origin{Source: "kubeapi", Place: "live:x"}, LimitRange{Meta: Meta{UID: "other"}})
	gaps := b.Seal(at).AllGaps()
	if len(gaps) != 1 || gaps[0].Cause != report.Conflict || gaps[0].Scope != "a" {
		t.Errorf("two sources that differ: %v", gaps)
	}
}

func TestLimit(t *testing.T) {
	b := &Builder{}
	b.Limit([]string{"a"})
	for _, ns := range []string{"a", "b", ""} {
		Put(b, LimitRanges, named(ns, "x"), file("f", 1), LimitRange{})
	}
	for _, ns := range []string{"a", "b"} {
		Put(b, Namespaces, report.Subject{Kind: "Namespace", APIVersion: "v1", Name: ns}, file("f", 1), Meta{})
	}
	if n, m := b.Count(LimitRanges.ID), b.Count(Namespaces.ID); n != 2 || m != 1 {
		t.Errorf("%d objects, %d namespaces, want 2 and 1", n, m)
	}
}

// A namespace that a manifest gives to what lies in none is not the object's.
func TestNamespaceOfTheCluster(t *testing.T) {
	b := &Builder{}
	b.Limit([]string{"shop"})
	for _, k := range []Kind[Role]{ClusterRoles, Roles} {
		Put(b, k, report.Subject{Namespace: "pay", Name: "reader"}, file("r.yaml", 1), Role{})
	}
	v := b.Seal(at).View([]Need{ClusterRoles.Need(), Roles.Need()})
	if _, ok := Get(v, ClusterRoles, "", "reader"); !ok || Len(v, Roles) > 0 {
		t.Errorf("the ClusterRole is there: %t, Roles of another namespace: %d", ok, Len(v, Roles))
	}
}

func TestLocate(t *testing.T) {
	var b LineIndexBuilder
	spec := RootPath.Key("spec")
	b.Add(spec, 5)
	b.Add(spec.Key("containers"), 6)
	b.Add(spec.Key("containers").Index(1), 9)
	b.Add(spec.Key("containers").Index(1).Key("image"), 10)
	b.Add(RootPath.Key("metadata").Key("labels").Key("pod-security.kubernetes.io/enforce"), 3)
	b.Add(RootPath.Key("data").Key("app.ini").Text(), 21)
	o := Origin{Place: "f.yaml", Line: 1, Fields: b.Build()}
	for field, want := range map[string]string{
		"":                           "f.yaml:1",
		"kind":                       "f.yaml:1",
		"spec":                       "f.yaml:5",
		"spec.hostNetwork":           "f.yaml:5",
		"spec.containers[0].image":   "f.yaml:6",
		"spec.containers[1].image":   "f.yaml:10",
		"spec.containers[1].image.x": "f.yaml:10",
		"spec.containers[1].resources.limits.memory":          "f.yaml:9",
		"metadata.labels[pod-security.kubernetes.io/enforce]": "f.yaml:3",
		"spec.containers[": "f.yaml:6",
	} {
		if got := o.Locate(field); got != want {
			t.Errorf("%q is at %s, want %s", field, got, want)
		}
	}
	for _, tt := range []struct {
		field string
		line  int
		want  string
	}{{"data[app.ini]", 3, "f.yaml:23"}, {"data[app.ini]", 0, "f.yaml:1"}, {"spec", 3, "f.yaml:5"}} {
		if got := o.LocateLine(tt.field, tt.line); got != tt.want {
			t.Errorf("line %d of %q is at %s, want %s", tt.line, tt.field, got, tt.want)
		}
	}
	if got := (Origin{Place: "live:/api/v1/pods"}).LocateLine("data[app.ini]", 3); got != "live:/api/v1/pods" {
		t.Error(got)
	}
	if got := (Origin{Place: "live:/api/v1/pods"}).Locate("spec"); got != "live:/api/v1/pods" {
		t.Error(got)
	}
}

func TestKindsAreServed(t *testing.T) {
	seen := map[report.KindID]bool{}
	for _, r := range Resources {
		if seen[r.Kind] {
			t.Errorf("%s is listed twice", r.Kind)
		}
		seen[r.Kind] = true
	}
	for _, c := range Customs {
		if seen[c.ID] || len(c.Versions) == 0 || c.Resource == "" {
			t.Errorf("%s is listed twice, or not how it is read", c.ID)
		}
		seen[c.ID] = true
	}
	for _, k := range PodBearers {
		if !seen[k.ID] {
			t.Errorf("%s cannot be read from an API server", k.ID)
		}
	}
}

func FuzzLocate(f *testing.F) {
	for _, s := range []string{"spec.a[0].b", "[", "]", "a[b", "a[[]]", ".", "..", "a[-1]", "a[99999999999999999999]"} {
		f.Add(s)
	}
	var b LineIndexBuilder
	b.Add(RootPath.Key("spec"), 5)
	o := Origin{Place: "f", Line: 1, Fields: b.Build()}
	f.Fuzz(func(t *testing.T, field string) {
		if got := o.Locate(field); got != "f:1" && got != "f:5" {
			t.Errorf("%q is at %s", field, got)
		}
	})
}
