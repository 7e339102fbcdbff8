package config

import (
	"cmp"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8slabels "k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/waiver"
)

var known = Known{Items: checklist.Items(), Checks: []string{
	"network/default-deny/ingress", "network/default-deny/egress", "pods/memory-limits/limit", "pods/security-standards/baseline", "pods/seccomp",
	"access/rbac/secrets-read",
}}

// complete uses every key.
const complete = `# what we accept
apiVersion: plimsoll.dev/v1
kind: Config
waivers:
- rule: pods/memory-limits
  subjects:
  - {kind: Deployment, namespace: "legacy-*", name: "batch-*", labels: "app=batch,tier in (x)", part: "sidecar"}
  - namespace: old
  controls: [hostPathVolumes, hostPorts]
  reason: >
    moves to the new
    platform
  owner: team-a
  until: 2027-01-31
- rule: ["2.3", pods/security-standards/baseline, "net*/*"]
  everywhere: true
  reason: 'a "reason"'
  until: "2026-12-24"
attestations:
- item: "3.4"
  statement: quotas bound it
  by: Ann
  date: 2026-10-01
  expires: 2027-10-01
- {item: pods/memory-limits/limit, statement: x, by: z, date: 2026-10-01, expires: 2026-10-01}
tiers:
- name: payment
  sensitive: yes # as in YAML 1.1
  namespaces: ["pay-*"]
  selector:
    matchLabels: {app: pay, empty: ""}
    matchExpressions:
    - {key: tier, operator: In, values: [a, "1"]}
    - {key: dev, operator: DoesNotExist}
- name: sensitive
  namespaces: ["*"]
allowedSubjects:
- rule: access/rbac
  kind: Group
  name: "oidc:*"
- {rule: [pods/workload-rights, "1.1"], kind: ServiceAccount, name: deployer, namespace: ci}
annotations:
  waivers: forbid
exclude: ["**/testdata/**", "!keep.yaml"]
`

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestParse(t *testing.T) {
	got, err := Parse("p.yaml", []byte(complete), known)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := k8slabels.Parse("app=batch,tier in (x)")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Waivers: []waiver.Waiver{
			{
				At: "p.yaml:5", Rules: []string{"pods/memory-limits"},
				Subjects: []waiver.Subject{{Kind: "Deployment", Namespace: "legacy-*", Name: "batch-*", Part: "sidecar", Labels: labels}, {Namespace: "old"}},
				Controls: []string{"hostPathVolumes", "hostPorts"},
				Reason:   "moves to the new platform", Owner: "team-a", Until: date(2027, 1, 31),
			},
			{At: "p.yaml:15", Rules: []string{"network/default-deny", "pods/security-standards/baseline", "net*/*"}, Reason: `a "reason"`, Until: date(2026, 12, 24)},
		},
		Attestations: []waiver.Attestation{
			{At: "p.yaml:20", Rule: "pods/cpu-limits", Statement: "quotas bound it", By: "Ann", Date: date(2026, 10, 1), Expires: date(2027, 10, 1)},
			{At: "p.yaml:25", Rule: "pods/memory-limits/limit", Statement: "x", By: "z", Date: date(2026, 10, 1), Expires: date(2026, 10, 1)},
		},
		Tiers: []inventory.Tier{
			{Name: "payment", Sensitive: true, Namespaces: []string{"pay-*"}, Selector: &metav1.LabelSelector{
				MatchLabels: map[string]string{"app": "pay", "empty": ""},
				MatchExpressions: []metav1.LabelSelectorRequirement{
					{Key: "tier", Operator: metav1.LabelSelectorOpIn, Values: []string{"a", "1"}}, {Key: "dev", Operator: metav1.LabelSelectorOpDoesNotExist},
				},
			}},
			{Name: "sensitive", Sensitive: true, Namespaces: []string{"*"}},
		},
		AllowedSubjects: []inventory.AllowedSubject{
			{Checks: []string{"access/rbac", "access/rbac/secrets-read"}, Kind: "Group", Name: "oidc:*"},
			{Checks: []string{"access/system-masters", "pods/workload-rights"}, Kind: "ServiceAccount", Name: "deployer", Namespace: "ci"},
		},
		Exclude: []string{"**/testdata/**", "!keep.yaml"},
		place:   "p.yaml",
	}
	opts := gocmp.Options{gocmp.AllowUnexported(Config{}), gocmp.Comparer(func(a, b k8slabels.Selector) bool {
		return a == nil && b == nil || a != nil && b != nil && a.String() == b.String()
	})}
	if d := gocmp.Diff(want, got, opts); d != "" {
		t.Error(d)
	}
	if d := gocmp.Diff(inventory.Setting{Tiers: want.Tiers, AllowedSubjects: want.AllowedSubjects}, got.Setting()); d != "" {
		t.Error(d)
	}

	// What is stated by aliases, in flow style, in JSON or in another encoding
	// is the same.
	least := &Config{
		Waivers: []waiver.Waiver{{
			At: "p.yaml:1", Rules: []string{"pods/seccomp"}, Subjects: []waiver.Subject{{Name: "pods"}}, Reason: "pods", Until: date(2027, 1, 31),
		}},
		AnnotationWaivers: true, place: "p.yaml",
	}
	for _, text := range []string{
		`{apiVersion: plimsoll.dev/v1, waivers: [{rule: pods/seccomp, subjects: [{name: pods}], reason: pods, until: 2027-01-31}]}`,
		`{"apiVersion":"plimsoll.dev/v1","kind":"Config","waivers":[{"rule":"3.5","subjects":[{"name":"pods"}],"reason":"pods","until":"2027-01-31"}]}`,
		`{apiVersion: plimsoll.dev/v1, waivers: [{rule: !!str "3.5", subjects: [{name: &n pods}], reason: *n, until: 2027-01-31}], annotations: {waivers: allow}}`,
		"\uFEFF" + `{apiVersion: plimsoll.dev/v1, waivers: [{rule: pods/seccomp, subjects: [{name: pods}], reason: pods, until: 2027-01-31}]}` + "\r\n...\r\n",
	} {
		got, err := Parse("p.yaml", []byte(text), known)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if d := gocmp.Diff(least, got, opts); d != "" {
			t.Errorf("%s\n%s", text, d)
		}
	}
}

// TestRefused has every mistake with its message. The first line of the file,
// which names the version, is not written in the table where it is right.
func TestRefused(t *testing.T) {
	const (
		w = "\nwaivers:\n- {rule: pods/seccomp, everywhere: true, reason: x, until: 2027-01-31"
		a = "\nattestations:\n- {item: '3.4', statement: s, by: b, date: 2026-10-01"
	)
	for _, tt := range []struct {
		in   string
		want string
	}{
		// The file.
		{"apiVersion: plimsoll.dev/v2", `p.yaml:1: apiVersion: "plimsoll.dev/v2" is not plimsoll.dev/v1, did you mean "plimsoll.dev/v1"?`},
		{"apiVersion: v1\nkind: Secret\ndata: {a: aHVudGVyMg==}", `p.yaml:1: apiVersion: "v1" is not plimsoll.dev/v1, did you mean "plimsoll.dev/v1"?
p.yaml:2: kind: "Secret" is not Config
p.yaml:3: unknown key "data"; the keys here are allowedSubjects, annotations, apiVersion, attestations, exclude, kind, tiers, waivers`},
		{"kind: Config", `p.yaml:1: key "apiVersion" is missing: the version of this format`},
		{"", `p.yaml:1: is empty: start it with "apiVersion: plimsoll.dev/v1"`},
		{"# nothing\n", `p.yaml:1: is empty: start it with "apiVersion: plimsoll.dev/v1"`},
		{"---\n", `p.yaml:1: has no value: give it a mapping (key: value), or delete the key`},
		{"- a", `p.yaml:1: must be a mapping (key: value)`},
		{"text", `p.yaml:1: must be a mapping (key: value)`},
		{"\n---\nkind: Config", `p.yaml:2: a second document starts here: a configuration is one document`},
		{"\nkind: [", `p.yaml:2: is not YAML: did not find expected node content`},
		{"\n\tkind: Config", `p.yaml:2: is not YAML: found a tab character that violates indentation`},
		{"\nkind: \x00", `p.yaml:2: is not text in UTF-8`},
		{"\nkind: \xff", `p.yaml:2: is not text in UTF-8`},
		{"\nkind: *nobody", `p.yaml:2: is not YAML: unknown anchor 'nobody' referenced`},

		// Keys.
		{"\nwaiver: []", `p.yaml:2: unknown key "waiver", did you mean "waivers"?`},
		{"\nWaivers: []", `p.yaml:2: unknown key "Waivers", did you mean "waivers"?`},
		{"\nthresholds: {}", `p.yaml:2: unknown key "thresholds"; the keys here are allowedSubjects, annotations, apiVersion, attestations, exclude, kind, tiers, waivers`},
		{w + ", raeson: y}", `p.yaml:3: waivers[0]: unknown key "raeson", did you mean "reason"?`},
		{w + ", reason: y}", `p.yaml:3: waivers[0]: key "reason" is there twice, first on line 3`},
		{"\nkind: Config\nkind: Config", `p.yaml:3: key "kind" is there twice, first on line 2`},
		{"\n<<: {kind: Config}", `p.yaml:2: merge keys (<<) are not supported: write the keys out`},
		{"\n? [a]\n: b", `p.yaml:2: a key must be a plain name`},
		{"\n" + strings.Repeat("k", 200) + ": 1", `p.yaml:2: unknown key "` + strings.Repeat("k", 80) + `…"; the keys here are allowedSubjects, annotations, apiVersion, attestations, exclude, kind, tiers, waivers`},

		// Types.
		{"\nwaivers:", `p.yaml:2: waivers: has no value: give it a list, or delete the key`},
		{"\nwaivers: null", `p.yaml:2: waivers: has no value: give it a list, or delete the key`},
		{"\nwaivers: {}", `p.yaml:2: waivers: must be a list`},
		{"\nwaivers: [x]", `p.yaml:2: waivers[0]: must be a mapping (key: value)`},
		{"\nannotations: []", `p.yaml:2: annotations: must be a mapping (key: value)`},
		{"\nexclude: a", `p.yaml:2: exclude: must be a list`},
		{"\nexclude: [[a]]", `p.yaml:2: exclude[0]: must be a string`},
		{"\nexclude: [12, a, no, 1.5, ~, 0x10, !x a, !!int '3']", `p.yaml:2: exclude[0]: must be a string: put it in quotes
p.yaml:2: exclude[2]: must be a string: put it in quotes
p.yaml:2: exclude[3]: must be a string: put it in quotes
p.yaml:2: exclude[4]: has no value: give it one, or delete the key
p.yaml:2: exclude[5]: must be a string: put it in quotes
p.yaml:2: exclude[6]: the tag "!x" has no meaning here
p.yaml:2: exclude[7]: the tag "!!int" has no meaning here`},
		{"\nexclude: !mine [a]", `p.yaml:2: exclude: the tag "!mine" has no meaning here`},
		{"\nwaivers:\n- {rule: pods/seccomp, everywhere: 'true', reason: x, until: 2027-01-31}", `p.yaml:3: waivers[0].everywhere: must be true or false`},

		// Waivers.
		{"\nwaivers:\n- {}", `p.yaml:3: waivers[0]: key "rule" is missing: what is accepted: an item by number or id, a check, or a glob over ids such as pods/*, which covers all that begins so
p.yaml:3: waivers[0]: key "reason" is missing: why it is acceptable
p.yaml:3: waivers[0]: key "until" is missing: the last day (UTC) on which it holds
p.yaml:3: waivers[0]: key "subjects" is missing: say which, or "everywhere: true" for all`},
		{w + ", subjects: [{name: x}]}", `p.yaml:3: waivers[0].everywhere: contradicts subjects: delete one of the two`},
		{"\nwaivers:\n- {rule: pods/seccomp, everywhere: false, reason: x, until: 2027-01-31}", `p.yaml:3: waivers[0].everywhere: must be true, or left out`},
		{"\nwaivers:\n- {rule: pods/seccomp, subjects: [], reason: x, until: 2027-01-31}", `p.yaml:3: waivers[0].subjects: is an empty list: name something, or delete the key`},
		{"\nwaivers:\n- {rule: pods/seccomp, subjects: [{}], reason: x, until: 2027-01-31}", `p.yaml:3: waivers[0].subjects[0]: says nothing: give at least one of its keys`},
		{"\nwaivers:\n- rule: pods/seccomp\n  subjects:\n  - name: ''\n  reason: ' '\n  until: 2027-02-30", `p.yaml:5: waivers[0].subjects[0].name: is empty
p.yaml:6: waivers[0].reason: is empty
p.yaml:7: waivers[0].until: "2027-02-30" is not a day: write YYYY-MM-DD`},
		{"\nwaivers:\n- {rule: pods/seccomp, everywhere: true, reason: x, until: 2027-01-31T00:00:00Z}", `p.yaml:3: waivers[0].until: "2027-01-31T00:00:00Z" is not a day: write YYYY-MM-DD`},
		{"\nwaivers:\n- {rule: pods/seccomp, everywhere: true, reason: x, until: }", `p.yaml:3: waivers[0].until: has no value: give it one, or delete the key`},
		{"\nwaivers:\n- {rule: pods/seccomp, subjects: [x], reason: x, until: 2027-01-31}", `p.yaml:3: waivers[0].subjects[0]: must be a mapping (key: value)`},
		{w + ", controls: []}", `p.yaml:3: waivers[0].controls: is an empty list: name something, or delete the key`},
		{"\nwaivers:\n- {rule: pods/seccomp, subjects: [{nmae: x}, {name: '[a', labels: 'a=b=c'}, {labels: ' '}, {labels: ','}], reason: x, until: 2027-01-31}",
			`p.yaml:3: waivers[0].subjects[0]: unknown key "nmae", did you mean "name"?
p.yaml:3: waivers[0].subjects[1].name: "[a" is not a glob: close each [, and put a character after each backslash
p.yaml:3: waivers[0].subjects[1].labels: "a=b=c" is not a label selector: found '=', expected: ',' or 'end of string'
p.yaml:3: waivers[0].subjects[2].labels: is empty
p.yaml:3: waivers[0].subjects[3].labels: "," is not a label selector: found ',', expected: !, identifier, or 'end of string'`},

		// Rules.
		{"\nwaivers:\n- {rule: 3.3, everywhere: true, reason: x, until: 2027-01-31}", `p.yaml:3: waivers[0].rule[0]: must be a string: put it in quotes`},
		{"\nwaivers:\n- {rule: [], everywhere: true, reason: x, until: 2027-01-31}", `p.yaml:3: waivers[0].rule: is an empty list: name something, or delete the key`},
		{"\nwaivers:\n- rule: [pods/memroy-limits, seccomp, pods/memory-limits/limits, '9.9', pods, podz/*, 'pods/[', quite/another, network/default-deny]\n  everywhere: true\n  reason: x\n  until: 2027-01-31",
			`p.yaml:3: waivers[0].rule[0]: no item or check is called "pods/memroy-limits", did you mean "pods/memory-limits"?
p.yaml:3: waivers[0].rule[1]: no item or check is called "seccomp", did you mean "pods/seccomp"?
p.yaml:3: waivers[0].rule[2]: no item or check is called "pods/memory-limits/limits", did you mean "pods/memory-limits/limit"?
p.yaml:3: waivers[0].rule[3]: no item or check is called "9.9"
p.yaml:3: waivers[0].rule[4]: "pods" is a section: to name all of its checks, write "pods/*"
p.yaml:3: waivers[0].rule[5]: "podz/*" matches no item or check, did you mean "pods/*"?
p.yaml:3: waivers[0].rule[6]: "pods/[" is not a glob: close each [, and put a character after each backslash
p.yaml:3: waivers[0].rule[7]: no item or check is called "quite/another"`},

		// Attestations.
		{a + ", expires: 2026-09-30}", `p.yaml:3: attestations[0].expires: is before the date, 2026-10-01`},
		{a + "}", `p.yaml:3: attestations[0]: key "expires" is missing: the last day (UTC) on which it holds`},
		{"\nattestations:\n- {item: 'pods/*', statement: s, by: b, date: 2026-10-01, expires: 2027-10-01}", `p.yaml:3: attestations[0].item: "pods/*" is a glob: name one item or check`},
		{"\nattestations:\n- {item: pods/cpu-limit, statement: s, by: '', date: 1.10.2026, expires: 2027-10-01}", `p.yaml:3: attestations[0].item: no item or check is called "pods/cpu-limit", did you mean "pods/cpu-limits"?
p.yaml:3: attestations[0].by: is empty
p.yaml:3: attestations[0].date: "1.10.2026" is not a day: write YYYY-MM-DD`},

		// Tiers.
		{"\ntiers:\n- {name: a b, namespaces: [x]}\n- {name: a}\n- {name: a, namespaces: []}\n- {name: a, selector: {}}\n- {name: sensitive, sensitive: false, namespaces: ['[']}",
			`p.yaml:3: tiers[0].name: "a b" is not the value of a label: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
p.yaml:4: tiers[1]: says nothing of its workloads: give namespaces (["*"] for all) or a selector
p.yaml:5: tiers[2].namespaces: is an empty list: name something, or delete the key
p.yaml:5: tiers[2].name: tier "a" is there twice, first on line 4
p.yaml:6: tiers[3].name: tier "a" is there twice, first on line 5
p.yaml:6: tiers[3].selector: selects everything: give matchLabels or matchExpressions
p.yaml:7: tiers[4].namespaces[0]: "[" is not a glob: close each [, and put a character after each backslash
p.yaml:7: tiers[4].sensitive: a tier of the name "sensitive" is sensitive: rename it, or delete this key`},
		{"\ntiers: [x]", `p.yaml:2: tiers[0]: must be a mapping (key: value)`},
		{"\ntiers:\n- {namespaces: [a]}\n- {name: '', namespaces: [a]}", `p.yaml:3: tiers[0]: key "name" is missing: the tier's name, also as the value of the label plimsoll.dev/tier
p.yaml:4: tiers[1].name: is empty`},
		{"\ntiers:\n- {name: a, selector: {matchLabels: {app: 1}}}\n- {name: b, selector: {matchExpressions: [{key: a, operator: in, values: [x]}]}}\n- {name: c, selector: {matchExpressions: [{key: a, operator: In}]}}\n- {name: d, selector: {matchLabels: {'-': x}}}",
			`p.yaml:3: tiers[0].selector.matchLabels[app]: must be a string: put it in quotes
p.yaml:4: tiers[1].selector.matchExpressions[0].operator: "in" is not In or NotIn or Exists or DoesNotExist, did you mean "In"?
p.yaml:5: tiers[2].selector: is not a label selector: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty
p.yaml:6: tiers[3].selector: is not a label selector: key: Invalid value: "-": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`},

		// Allowed subjects, annotations, excludes.
		{"\nallowedSubjects:\n- {rule: access/rbac, kind: group, name: x, namespace: z}\n- {rule: access/rbac, kind: User, name: x, namespace: z}\n- {rule: access/rbac, kind: ServiceAccount, name: x}\n- {kind: Group, name: '['}",
			`p.yaml:3: allowedSubjects[0].kind: "group" is not Group or ServiceAccount or User, did you mean "Group"?
p.yaml:4: allowedSubjects[1].namespace: a User is in no namespace: delete the key
p.yaml:5: allowedSubjects[2]: key "namespace" is missing: a ServiceAccount is in one, "*" for any
p.yaml:6: allowedSubjects[3].name: "[" is not a glob: close each [, and put a character after each backslash
p.yaml:6: allowedSubjects[3]: key "rule" is missing: what is allowed: an item by number or id, a check, or a glob over ids`},
		{"\nannotations: {waivers: forbidden}", `p.yaml:2: annotations.waivers: "forbidden" is not allow or forbid, did you mean "forbid"?`},
		{"\nannotations: {waivers: false}", `p.yaml:2: annotations.waivers: must be a string: put it in quotes`},
		{"\nexclude: ['a/[/b', '']", `p.yaml:2: exclude[0]: "a/[/b" is not a pattern: close each [, and put a character after each backslash
p.yaml:2: exclude[1]: is empty`},
	} {
		in := tt.in
		if strings.HasPrefix(in, "\n") {
			in = "apiVersion: plimsoll.dev/v1" + in
		}
		c, err := Parse("p.yaml", []byte(in), known)
		if err == nil {
			t.Errorf("accepted: %s", tt.in)
			continue
		}
		if d := gocmp.Diff(strings.Split(tt.want, "\n"), strings.Split(err.Error(), "\n")); d != "" || c != nil {
			t.Errorf("%s\n%s", in, d)
		}
	}
}

// TestHostile gives what is made to hurt: each is an error, and none a hang or
// a flood of messages.
func TestHostile(t *testing.T) {
	bomb := "apiVersion: plimsoll.dev/v1\nkind: &a Config\nexclude: &b [" + strings.Repeat("x,", 900) + "x]\nwaivers:\n" +
		strings.Repeat("- {controls: *b}\n", 160)
	laughs := "a: &a {k: v}\n"
	for c := 'b'; c <= 'z'; c++ {
		laughs += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "*" + string(c-1) + "]\n"
	}
	for name, tt := range map[string]struct{ in, want string }{
		"too large":       {"apiVersion: plimsoll.dev/v1 # " + strings.Repeat("x", maxBytes), "p.yaml: is larger than 1048576 bytes: no configuration is"},
		"aliases":         {bomb, "\np.yaml: the rest was not read"},
		"a long alias":    {"exclude: [&a " + strings.Repeat("long", 100_000) + strings.Repeat(",*a", 200_000) + "]", "exclude[24]: is too much"},
		"a billion":       {laughs, `unknown key "a"`},
		"itself":          {"apiVersion: plimsoll.dev/v1\nwaivers: &a [*a, *a]", "waivers[1]: must be a mapping"},
		"nested lists":    {"waivers: " + strings.Repeat("[", 100_000), "is not YAML: exceeded max depth of 10000"},
		"nested mappings": {strings.Repeat("{a: ", 100_000), "is not YAML: exceeded max depth of 10000"},
		"many mistakes":   {strings.Repeat("kidn: 1\n", 100_000), "p.yaml: the rest was not read: is it a configuration of plimsoll?"},
		"many bad rules":  {"waivers: [{rule: [" + strings.Repeat("pods/memroylimits-and-much-more-of-the-same-here,", 20_000) + "x]}]", "the rest was not read"},
		"a long name":     {"waivers: [{rule: " + strings.Repeat("a*", 500_000) + "}]", "matches no item or check"},
		"a long anchor":   {"waivers: *" + strings.Repeat("a", 500_000), "aaaa…"},
		"quotes":          {"waivers: [{rule: " + strings.Repeat("'", 500_001) + "}]", "is not YAML"},
		"nested blocks":   {strings.Repeat("- ", 500_000), "is not YAML: exceeded max depth of 10000"},
		"a binary":        {"\x7fELF\x02\x01\x01\x00\x00", "p.yaml:1: is not text in UTF-8"},
		"UTF-16":          {"\xff\xfea\x00:\x00 \x00b\x00", "p.yaml:1: is not text in UTF-8"},
	} {
		_, err := Parse("p.yaml", []byte(tt.in), known)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %.300v, want %s", name, err, tt.want)
		}
		if err != nil && strings.Count(err.Error(), "is too much") > 1 {
			t.Errorf("%s: reads on after it was too much", name)
		}
		if err != nil && len(err.Error()) > 200_000 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
}

func TestLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := Load("", known)
	if err != nil || !c.AnnotationWaivers || c.Setting().Tiers != nil {
		t.Errorf("without a file: %+v, %v", c, err)
	}
	if _, err := Load("other.yaml", known); err == nil || err.Error() != "reading the configuration: open other.yaml: no such file or directory" {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(File, []byte(complete), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", File} {
		c, err := Load(name, known)
		if err != nil || c.Place() != File || len(c.Waivers) != 2 {
			t.Errorf("Load(%q): %+v, %v", name, c, err)
		}
	}
	if err := os.WriteFile("bad.yaml", []byte("waiver: []"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load("bad.yaml", known)
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != 2 || ps[0].File != "bad.yaml" || ps[0].Line != 1 {
		t.Errorf("bad.yaml: %v", err)
	}
	for _, name := range []string{"", "bad.yaml"} {
		path := cmp.Or(name, File)
		if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
			t.Fatal(err)
		}
		_, err := Load(name, known)
		if err == nil || name == "" && err.Error() != "the configuration plimsoll.yaml is not a file" {
			t.Errorf("Load(%q) of a directory: %v", name, err)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"waivers", "attestations", "pods/memory-limits", "kind"}
	got := map[string]string{}
	for _, wrong := range []string{"waiver", "wiavers", "Waivers", "attestation", "memory-limit", "knid", "kin", "nd", "tiers", strings.Repeat("w", 81), ""} {
		got[wrong] = suggest(wrong, known)
	}
	mean := func(s string) string { return `, did you mean "` + s + `"?` }
	want := map[string]string{
		"waiver": mean("waivers"), "wiavers": mean("waivers"), "Waivers": mean("waivers"), "attestation": mean("attestations"),
		"memory-limit": mean("pods/memory-limits"), "knid": mean("kind"), "kin": mean("kind"),
	}
	if d := gocmp.Diff(want, got, cmpopts.IgnoreMapEntries(func(_, v string) bool { return v == "" })); d != "" {
		t.Error(d)
	}
}
