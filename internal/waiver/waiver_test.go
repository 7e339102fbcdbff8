package waiver

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func TestParseRule(t *testing.T) {
	for _, tt := range []struct{ in, want, err string }{
		{in: "3.3", want: "pods/memory-limits"},
		{in: "pods/seccomp", want: "pods/seccomp"},
		{in: "pods/security-standards/baseline", want: "pods/security-standards/baseline"},
		{in: "pods/*", want: "pods/*"},
		{in: "*", want: "*"},
		{in: "9.9", want: "9.9"},
		{in: "", err: "is empty: name an item, a check or a glob over their ids"},
		{in: "pods", err: `"pods" is a section: to name all of its checks, write "pods/*"`},
		{in: "pods/[a", err: `"pods/[a" is not a glob: close each [, and put a character after each backslash`},
		{in: `pods/\`, err: `"pods/\\" is not a glob: close each [, and put a character after each backslash`},
	} {
		got, err := ParseRule(tt.in)
		if message(err) != tt.err || err == nil && got != tt.want {
			t.Errorf("ParseRule(%q) = %q, %v, want %q, %q", tt.in, got, err, tt.want, tt.err)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		rule, id string
		want     bool
	}{
		{"pods/seccomp", "pods/seccomp", true},
		{"pods/seccomp", "pods/seccomp/profile", true},
		{"pods/seccomp", "pods/seccomp-extra", false},
		{"pods/seccomp", "pods", false},
		{"pods/seccomp/profile", "pods/seccomp", false},
		{"pods/*", "pods/security-standards/baseline", true},
		{"pods/*", "pods/seccomp", true},
		{"pods/*", "pods", false},
		{"pods/*", "network/default-deny", false},
		{"pods/s*", "pods/seccomp/profile", true},
		{"pods/s*", "pods/memory-limits", false},
		{"*/default-deny/ingress", "network/default-deny/ingress", true},
		{"*/default-deny/ingress", "network/default-deny/egress", false},
		{"pods/*/baseline", "pods/security-standards/baseline", true},
		{"pods*", "pods/seccomp", true},
		{"*", "pods/security-standards/baseline", true},
		{"pods/", "pods/seccomp", false},
		{"", "pods/seccomp", false},
	} {
		if got := Covers(tt.rule, tt.id); got != tt.want {
			t.Errorf("Covers(%q, %q) = %v", tt.rule, tt.id, got)
		}
	}
}

func TestSubjectMatches(t *testing.T) {
	web := report.Subject{Kind: "Deployment", APIVersion: "apps/v1", Namespace: "shop", Name: "web", Part: "nginx"}
	namespace := report.Subject{Kind: "Namespace", APIVersion: "v1", Name: "shop"}
	user := report.Subject{Kind: "User", Name: "https://id.example.org/#ann"}
	known := func(s report.Subject) map[string]string {
		return map[string]map[string]string{"web": {"app": "web", "tier": "front"}, "shop": {}}[s.Name]
	}
	for _, tt := range []struct {
		s    Subject
		of   report.Subject
		want bool
	}{
		{Subject{Kind: "Deployment"}, web, true},
		{Subject{Kind: "deployment"}, web, false}, // as the API spells it
		{Subject{Kind: "*Set"}, web, false},
		{Subject{Namespace: "sh*"}, web, true},
		{Subject{Namespace: "shop"}, namespace, false}, // the Namespace is not in itself
		{Subject{Namespace: "*"}, namespace, false},    // what is given must be there
		{Subject{Kind: "Namespace", Name: "sh?p"}, namespace, true},
		{Subject{Kind: "Deployment", Namespace: "shop", Name: "web", Part: "nginx"}, web, true},
		{Subject{Kind: "Deployment", Namespace: "shop", Name: "web", Part: "sidecar"}, web, false},
		{Subject{Part: "*"}, namespace, false},
		{Subject{Name: "web-*"}, web, false},
		{Subject{Name: "we"}, web, false}, // whole names
		{Subject{Name: "[v-x]eb"}, web, true},
		{Subject{Name: `\web`}, web, true},
		{Subject{Name: "https://id.example.org/*"}, user, true},
		{Subject{Name: "*ann"}, user, true}, // a slash is a character like others
		{Subject{Labels: selector("app=web,tier in (front,back)")}, web, true},
		{Subject{Labels: selector("app=web,tier notin (front)")}, web, false},
		{Subject{Labels: selector("!app")}, namespace, true},
		{Subject{Labels: selector("!app")}, user, false}, // nothing is known of its labels
		{Subject{Name: "nope", Labels: selector("app=web")}, web, false},
	} {
		if got := tt.s.matches(tt.of, known); got != tt.want {
			t.Errorf("%v matches %s %q: %v", tt.s, tt.of.Kind, tt.of.Name, got)
		}
	}
}

func TestString(t *testing.T) {
	shop := report.Subject{Kind: "Deployment", APIVersion: "apps/v1", Namespace: "shop", Name: "web"}
	for want, w := range map[string]Waiver{
		"pods/* everywhere":                         {Rules: []string{"pods/*"}},
		"pods/*, network/* for Deployment shop/web": {Rules: []string{"pods/*", "network/*"}, Object: &shop},
		"pods/security-standards (hostPorts, hostPathVolumes) for anything in legacy-* part sidecar or anything named x with labels app in (a,b)": {
			Rules: []string{"pods/security-standards"}, Controls: []string{"hostPorts", "hostPathVolumes"},
			Subjects: []Subject{{Namespace: "legacy-*", Part: "sidecar"}, {Name: "x", Labels: selector("app in (a,b)")}},
		},
	} {
		if got := w.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAnnotations(t *testing.T) {
	web := report.Subject{Kind: "Deployment", APIVersion: "apps/v1", Namespace: "shop", Name: "web", Part: "nginx"}
	object := web
	object.Part = ""
	for _, tt := range []struct {
		key, value, err string
		want            Waiver
	}{
		{value: "3.3; reason=a = b, c; until=2027-01-31", want: Waiver{Rules: []string{"pods/memory-limits"}, Reason: "a = b, c", Until: day("2027-01-31")}},
		{
			key: Annotation + ".batch", value: " pods/* , 6.4;until= 2027-01-31 ;owner=team a;reason=why;",
			want: Waiver{Rules: []string{"pods/*", "secrets/token-mounts"}, Reason: "why", Owner: "team a", Until: day("2027-01-31")},
		},
		{key: "plimsoll.dev/waiver", err: `annotation "plimsoll.dev/waiver" is not "plimsoll.dev/waive" or "plimsoll.dev/waive.<suffix>"`},
		{key: "plimsoll.dev/waive.", err: `annotation "plimsoll.dev/waive." is not "plimsoll.dev/waive" or "plimsoll.dev/waive.<suffix>"`},
		{value: "", err: `annotation "plimsoll.dev/waive": rule is empty: name an item, a check or a glob over their ids`},
		{value: "3.3,; reason=x; until=2027-01-31", err: `annotation "plimsoll.dev/waive": rule is empty: name an item, a check or a glob over their ids`},
		{value: "pods; reason=x; until=2027-01-31", err: `annotation "plimsoll.dev/waive": rule "pods" is a section: to name all of its checks, write "pods/*"`},
		{value: "3.3", err: `annotation "plimsoll.dev/waive": reason= is missing: say why`},
		{value: "3.3; reason= ; until=2027-01-31", err: `annotation "plimsoll.dev/waive": reason= is missing: say why`},
		{value: "3.3; reason=x", err: `annotation "plimsoll.dev/waive": until= is missing: name the last day, YYYY-MM-DD`},
		{value: "3.3; reason=x; until=2027-02-30", err: `annotation "plimsoll.dev/waive": until= is not a day: write YYYY-MM-DD`},
		{value: "3.3; reason=x; until=", err: `annotation "plimsoll.dev/waive": until= is not a day: write YYYY-MM-DD`},
		{value: "3.3; reason=x; until=2027-01-31; until=2028-01-31", err: `annotation "plimsoll.dev/waive": until= is there twice`},
		{value: "3.3; reason=first; second; until=2027-01-31", err: `annotation "plimsoll.dev/waive": after the rules stand reason=, until= and owner=, apart by semicolons`},
		{value: "3.3; Reason=x; until=2027-01-31", err: `annotation "plimsoll.dev/waive": after the rules stand reason=, until= and owner=, apart by semicolons`},
	} {
		if tt.key == "" {
			tt.key = Annotation
		}
		got, err := ParseAnnotation("web.yaml:3", web, tt.key, tt.value)
		if message(err) != tt.err {
			t.Errorf("%s: %s\ngot  %v\nwant %s", tt.key, tt.value, err, tt.err)
		}
		var want []Waiver
		if tt.err == "" {
			tt.want.At, tt.want.Object = "web.yaml:3", &object
			want = []Waiver{tt.want}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s\n%s", tt.key, tt.value, d)
		}

		// What does not parse is refused under the annotation's name.
		annotated := Annotated("web.yaml:3", web, map[string]string{tt.key: tt.value, "app": "3.3"}, true)
		if tt.err != "" {
			want = []Waiver{{At: "web.yaml:3", Rules: []string{tt.key}, Object: &object, Refused: tt.err}}
		}
		if d := cmp.Diff(want, annotated); d != "" {
			t.Errorf("Annotated %s: %s\n%s", tt.key, tt.value, d)
		}
	}

	both := map[string]string{Annotation + ".b": "3.3; reason=x; until=2027-01-31", Annotation: "malformed"}
	ws := Annotated("web.yaml:3", web, both, false)
	if len(ws) != 2 {
		t.Fatalf("%d waivers, want 2", len(ws))
	}
	for _, w := range ws {
		if !strings.HasPrefix(w.Refused, "the configuration forbids") {
			t.Errorf("%s is not refused by the configuration: %q", w.Rules, w.Refused)
		}
	}
}

func FuzzAnnotation(f *testing.F) {
	f.Add(Annotation, "pods/memory-limits,3.5; reason=batch node; until=2027-01-31; owner=team-a")
	f.Add(Annotation+".x", ";;=;until=;[")
	f.Fuzz(func(t *testing.T, key, value string) {
		ws, err := ParseAnnotation("a.yaml:1", report.Subject{Kind: "Pod", Name: "x"}, key, value)
		if err == nil && (len(ws) != 1 || len(ws[0].Rules) == 0 || ws[0].Reason == "" || ws[0].Until.IsZero() || ws[0].Object == nil) {
			t.Errorf("%q: %q is taken for %+v", key, value, ws)
		}
	})
}

func selector(s string) labels.Selector {
	sel, err := labels.Parse(s)
	if err != nil {
		panic(err)
	}
	return sel
}

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
