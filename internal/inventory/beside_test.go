package inventory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func TestBeside(t *testing.T) {
	object := func(namespace, place string, rendered ...string) Object[Meta] {
		o := Origin{Source: "files", Place: place}
		if len(rendered) > 0 {
			o.Rendered = rendered[0]
		}
		return Object[Meta]{report.Subject{Namespace: namespace}, o, Meta{}}
	}
	for _, tt := range []struct {
		name string
		a, b Object[Meta]
		want bool
	}{
		{"one namespace, wherever", object("shop", "a/web.yaml"), object("shop", "b/policy.yaml"), true},
		{"two namespaces in one file", object("shop", "a.yaml"), object("pay", "a.yaml"), false},
		{"one names none", object("", "a.yaml"), object("shop", "a.yaml"), false},
		{"one file", object("", "a.yaml"), object("", "a.yaml"), true},
		{"one directory", object("", "shop/web.yaml"), object("", "shop/policy.yaml"), true},
		{"two directories", object("", "shop/web.yaml"), object("", "pay/policy.yaml"), false},
		{"a directory below", object("", "shop/web.yaml"), object("", "shop/base/policy.yaml"), false},
		{"one chart", object("", "charts/shop/templates/web.yaml", "charts/shop"), object("", "charts/shop/charts/db/templates/db.yaml", "charts/shop"), true},
		{"two charts of one directory", object("", "charts/shop", "charts/shop"), object("", "charts/pay", "charts/pay"), false},
	} {
		if Beside(tt.a, tt.b) != tt.want || Beside(tt.b, tt.a) != tt.want {
			t.Errorf("%s: want %t", tt.name, tt.want)
		}
	}
}

// Copies stand in several places at once.
func TestBesideCopies(t *testing.T) {
	b := &Builder{}
	put := func(k Kind[Meta], name string, places ...string) {
		for _, p := range places {
			Put(b, k, report.Subject{Name: name}, Origin{Source: "files", Place: p, Line: 1}, Meta{})
		}
	}
	put(CSIDrivers, "both", "shop/a.yaml", "pay/a.yaml")
	put(CSIDrivers, "shop", "shop/b.yaml")
	put(Namespaces, "both", "pay/c.yaml", "shop/c.yaml")
	put(Namespaces, "pay", "pay/d.yaml")
	v := b.Seal(time.Time{}).View([]Need{CSIDrivers.Need(), Namespaces.Need()})
	got := map[string]bool{}
	for x := range All(v, CSIDrivers) {
		for y := range All(v, Namespaces) {
			got[x.Name+" beside "+y.Name] = Beside(x, y)
		}
	}
	want := map[string]bool{"both beside both": true, "both beside pay": true, "shop beside both": false, "shop beside pay": false}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
