package review

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/holdings"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// draft makes the sheet of objects.
func draft(o Options, objects ...any) *Sheet {
	b := &inventory.Builder{}
	for _, x := range objects {
		inventory.PutObject(b, x, inventory.Origin{Source: "files", Place: "rbac.yaml"})
	}
	v := b.Seal(time.Time{}).View(escalation.Needs)
	o.Graph = escalation.Build(v, access.Grants.Of(v), escalation.Options{})
	return Draft(holdings.All.Of(v), o)
}

func binding(kind, namespace, name, role string, subjects ...rbacv1.Subject) any {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: metav1.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)}
	ref := rbacv1.RoleRef{Kind: "ClusterRole", Name: role}
	if kind == "RoleBinding" {
		return &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
	}
	return &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
}

func user(name string) rbacv1.Subject { return rbacv1.Subject{Kind: "User", Name: name} }

func account(namespace, name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: "ServiceAccount", Namespace: namespace, Name: name}
}

// fill writes decisions into the table of a sheet, row by row.
func fill(t testing.TB, s *Sheet, asCSV bool, decisions ...string) string {
	t.Helper()
	var b bytes.Buffer
	write := s.Markdown
	if asCSV {
		write = s.CSV
	}
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	if asCSV {
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range decisions {
			cells := rows[i+1]
			cells[len(cells)-2], cells[len(cells)-1], _ = strings.Cut(d, " ")
		}
		var out bytes.Buffer
		if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	text := b.String()
	for _, d := range decisions {
		decision, note, _ := strings.Cut(d, " ")
		text = strings.Replace(text, "|  |  |\n", "| "+decision+" | "+note+" |\n", 1)
	}
	return text
}

func TestDraft(t *testing.T) {
	pods := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Rules: []rbacv1.PolicyRule{
		{Verbs: []string{"create"}, APIGroups: []string{""}, Resources: []string{"pods"}},
		{Verbs: []string{"get"}, APIGroups: []string{"apps"}, Resources: []string{"deployments/scale"}, ResourceNames: []string{"web"}},
	}}
	reader := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics"}}}}
	s := draft(Options{},
		pods, reader,
		binding("RoleBinding", "shop", "ci", "pods", account("shop", "ci")),
		binding("ClusterRoleBinding", "", "all", "pods", rbacv1.Subject{Kind: "Group", Name: "system:authenticated"}),
		binding("ClusterRoleBinding", "", "metrics", "reader", user("ann")),
		binding("ClusterRoleBinding", "", "gone", "not-there", user("ann")),
		binding("ClusterRoleBinding", "", "cluster-admin", "cluster-admin", rbacv1.Subject{Kind: "Group", Name: "system:masters"}, user("eve")),
		binding("ClusterRoleBinding", "", "eks:node-manager", "reader", user("node")),
	)
	var got []string
	for _, r := range s.Rows {
		got = append(got, strings.Join([]string{r.Subject, r.Right, r.Scope, r.Why, r.Risk, r.Seen, r.Change}, " | "))
	}
	want := []string{
		"Group system:authenticated | ClusterRole pods by ClusterRoleBinding all: create pods; get deployments.apps/scale named web | cluster | somebody | critical: workload-create | 2024-02-03 | first review",
		"ServiceAccount shop/ci | ClusterRole pods by RoleBinding shop/ci: create pods; get deployments.apps/scale named web | namespace shop | somebody | medium: workload-create | 2024-02-03 | first review",
		"User ann | ClusterRole not-there by ClusterRoleBinding gone: no such role | cluster | somebody | none: reads only | 2024-02-03 | first review",
		"User ann | ClusterRole reader by ClusterRoleBinding metrics: get /metrics | cluster | somebody | none: reads only | 2024-02-03 | first review",
		"User eve | ClusterRole cluster-admin by ClusterRoleBinding cluster-admin: * *.*; * * | cluster | bootstrap, and somebody changed the binding | high: all-rights | 2024-02-03 | first review",
		"User node | ClusterRole reader by ClusterRoleBinding eks:node-manager: get /metrics | cluster | EKS, by the name of the binding | none: reads only | 2024-02-03 | first review",
		"all that Kubernetes itself names (1 grant) | its own roles, unmodified | as it made them | bootstrap | none: the cluster needs them | not known | ",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Whatever leads everybody to cluster-admin is critical, even from a namespace.
func TestCritical(t *testing.T) {
	s := draft(Options{},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Rules: []rbacv1.PolicyRule{{Verbs: []string{"create"}, APIGroups: []string{""}, Resources: []string{"pods"}}}},
		binding("RoleBinding", "shop", "web", "pods", account("shop", "default")),
		binding("ClusterRoleBinding", "", "operator", "cluster-admin", account("shop", "operator")),
	)
	if got := s.Rows[0].Risk; got != "critical: workload-create" {
		t.Errorf("%s: %s", s.Rows[0].Subject, got)
	}
}

func TestUsage(t *testing.T) {
	s := draft(Options{Usage: usage{"User ann": time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)}}, binding("ClusterRoleBinding", "", "x", "view", user("ann"), user("bob")))
	if s.Rows[0].Used != "2026-05-06" || s.Rows[1].Used != "not seen" {
		t.Errorf("last used %q and %q", s.Rows[0].Used, s.Rows[1].Used)
	}
}

type usage map[string]time.Time

func (u usage) LastUsed(h *holdings.Holding) (time.Time, bool) {
	at, ok := u[h.Subject.String()]
	return at, ok
}

// hostile are names that whoever writes to the cluster can choose.
var hostile = []string{
	`=HYPERLINK("http://evil.example","x")`, "+1", "-1", "@sum", "＝1", "a|b", "a\\|b", "`x`", "<script>alert(1)</script>", "[x](javascript:1)", "![x](http://evil.example)",
	"a\nb | c", "\t=1", "a\r\n| 0 | x |", "\x1b[31mred", "\u202ereversed", "\"quoted\"", "a,b;c", "'", "'; rm -rf / #", "$(id)", "| id |", "&amp;", "a  b", " a", "-rf", "#1", "@team", "\xff",
}

// A sheet full of such names says no more than it means, and reads back.
func TestHostile(t *testing.T) {
	var objects []any
	decisions := []string{}
	for i, name := range hostile {
		objects = append(objects, binding("ClusterRoleBinding", "", fmt.Sprintf("%02d", i)+name, name, user(fmt.Sprintf("%02d", i)+name), user(name)))
		decisions = append(decisions, "keep", "keep fine")
	}
	s := draft(Options{}, objects...)
	for _, asCSV := range []bool{false, true} {
		text := fill(t, s, asCSV, decisions...)
		decided, err := s.Read(text)
		if err != nil || len(decided) != len(decisions) {
			t.Fatalf("csv %v: %d rows: %v", asCSV, len(decided), err)
		}
		if asCSV {
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				for _, cell := range row {
					if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "+") || strings.HasPrefix(cell, "-") || strings.HasPrefix(cell, "@") || strings.ContainsAny(cell, "\t\r\n") {
						t.Errorf("a spreadsheet takes %q for a formula", cell)
					}
				}
			}
			continue
		}
		if strings.Contains(text, "<script>") || strings.Contains(text, "x](") || strings.Contains(text, "\x1b") || strings.Contains(text, "\u202e") {
			t.Errorf("Markdown takes a name for more than text:\n%s", text)
		}
		if n := strings.Count(text, "\n| "); n != len(decisions)+1 {
			t.Errorf("%d rows, want %d", n, len(decisions)+1)
		}
	}
}

func TestRead(t *testing.T) {
	s := draft(Options{}, binding("ClusterRoleBinding", "", "x", "view", user("ann"), user("bob")))
	first, second := s.Rows[0].ID, s.Rows[1].ID
	good := fill(t, s, false, "keep", `change to view in one \| namespace`)
	for _, c := range []struct{ name, text, want string }{
		{"good", good, ""},
		{"good, spaced by an editor", strings.ReplaceAll(good, " | ", "   |  "), ""},
		{"good CSV", fill(t, s, true, "KEEP", "Revoke"), ""},
		{"CSV of a spreadsheet", "\ufeff" + strings.NewReplacer("\n", "\r\n").Replace(fill(t, s, true, "keep", "keep")), ""},
		{"semicolons", semicolons(t, fill(t, s, true, "keep", "keep")), ""},
		{"open", fill(t, s, false, "keep"), "line 13: " + second + " is not decided"},
		{"not a decision", fill(t, s, false, "keep", "maybe"), `line 13: the decision "maybe" is none of keep, revoke and change`},
		{"a change to what", fill(t, s, false, "change", "keep"), "line 12: the note does not say what is to change"},
		{"no such row", strings.Replace(good, first, "0123", 1), `line 12: no grant has the id "0123": it is gone, or it was changed since the sheet was drafted` + "\nthe row of " + first + " is missing: User ann, " + s.Rows[0].Right},
		{"twice", good + good[strings.LastIndex(good, "\n| ")+1:], "line 14: the row " + second + " is there twice"},
		{"another subject", strings.Replace(good, "User ann", "User nobody", 1), `line 12: the subject reads "User nobody", and that of the grant ` + first + ` is "User ann"`},
		{"another scope", strings.Replace(good, "| cluster |", "| namespace shop |", 1), `line 12: the scope reads "namespace shop", and that of the grant ` + first + ` is "cluster"`},
		{"a column less", strings.Replace(good, "| decision |", "| verdict |", 1), `line 10: the column "decision" is missing`},
		{"a cell too many", strings.Replace(good, "| keep |", "| keep | keep |", 1), "line 12: the row has 12 cells, and the table 11 columns"},
		{"nothing", "", "there is no table in it that begins with the column id"},
	} {
		_, err := s.Read(c.text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

func semicolons(t *testing.T, text string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = ';'
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A record reads back as it was, from a file and from a ConfigMap, and the next
// draft knows it.
func TestRecord(t *testing.T) {
	objects := []any{binding("ClusterRoleBinding", "", "x", "view", user("ann"), user("bob"), user("cid"))}
	s := draft(Options{}, objects...)
	decided, err := s.Read(fill(t, s, false, "keep on call", "revoke", "change into edit"))
	if err != nil {
		t.Fatal(err)
	}
	record := s.Record(decided, "Ann", time.Date(2026, 11, 1, 2, 3, 4, 0, time.FixedZone("", 3600)))
	file, err := YAML(record)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.YAMLToJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	back, err := inventory.ReadAccessReview(text)
	if d := cmp.Diff(record, back); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	if g := back.Grants[0]; g.Note != "on call" || g.Since != "2024-02-03" || g.Binding != "ClusterRoleBinding x" || g.Role != "ClusterRole view" {
		t.Errorf("%+v", g)
	}

	manifest, err := ConfigMap(record, "kube-system")
	if err != nil || !bytes.Contains(manifest, []byte("plimsoll.dev/access-review")) {
		t.Errorf("%v\n%s", err, manifest)
	}
	for range 20000 {
		record.Grants = append(record.Grants, record.Grants[0])
	}
	if _, err := ConfigMap(record, "kube-system"); err == nil {
		t.Error("a record is too large for a ConfigMap, and nothing says so")
	}

	var changes []string
	for _, r := range draft(Options{Last: &back}, append(objects, binding("ClusterRoleBinding", "", "y", "view", user("dan")))...).Rows {
		changes = append(changes, r.Change)
	}
	if d := cmp.Diff([]string{"the same", "the same, though it was to revoke", "the same, though it was to change", "new"}, changes); d != "" {
		t.Error(d)
	}
}

// The commands mean what they say to a shell, whatever is in a name.
func TestCommands(t *testing.T) {
	name := "-x'; touch /tmp/owned; '"
	s := draft(Options{},
		binding("ClusterRoleBinding", "", name, "view", user("ann"), user("bob\n; id")),
		binding("RoleBinding", "shop", "ci", "edit", account("shop", "ci"), account("shop", "ci")),
	)
	var decisions []string
	for _, r := range s.Rows {
		decisions = append(decisions, map[bool]string{true: "revoke", false: "keep"}[r.Subject != "User ann"])
	}
	decided, err := s.Read(fill(t, s, false, decisions...))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Commands(&b, decided); err != nil {
		t.Fatal(err)
	}
	sh := exec.Command("sh")
	sh.Stdin = strings.NewReader("kubectl() { printf '<%s> ' \"$@\"; echo; }\n" + b.String())
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ref := `{"op":"test","path":"/roleRef","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"%s"}}`
	ci := `{"kind":"ServiceAccount","name":"ci","namespace":"shop"}`
	want := `<patch> <--type=json> <--patch=[` + fmt.Sprintf(ref, "edit") + `,{"op":"test","path":"/subjects","value":[` + ci + `,` + ci + `]},{"op":"test","path":"/subjects/1","value":` + ci + `},{"op":"remove","path":"/subjects/1"},{"op":"test","path":"/subjects/0","value":` + ci + `},{"op":"remove","path":"/subjects/0"}]> <--namespace=shop> <rolebinding> <--> <ci> 
<delete> <--namespace=shop> <rolebinding> <--> <ci> 
<patch> <--type=json> <--patch=[` + fmt.Sprintf(ref, "view") + `,{"op":"test","path":"/subjects/1","value":{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"bob\n; id"}},{"op":"remove","path":"/subjects/1"}]> <clusterrolebinding> <--> <` + name + `> 
`
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Error(d)
	}
}

func FuzzRead(f *testing.F) {
	s := draft(Options{}, binding("ClusterRoleBinding", "", "x", "view", user("ann"), user("bob")))
	f.Add(fill(f, s, false, "keep", "revoke"))
	f.Add(fill(f, s, true, "keep", "change x"))
	f.Add("| id |\n|-|\n|\\")
	f.Fuzz(func(t *testing.T, text string) {
		decided, err := s.Read(text)
		if err != nil {
			return
		}
		for i, d := range decided {
			if d.Row == nil || d.ID != s.Rows[i].ID || !d.Decision.Known() {
				t.Errorf("row %d: %+v", i, d)
			}
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, name := range hostile {
		f.Add(name, name)
	}
	f.Fuzz(func(t *testing.T, subject, name string) {
		s := draft(Options{}, binding("ClusterRoleBinding", "", name, subject, user(subject)))
		for _, asCSV := range []bool{false, true} {
			if decided, err := s.Read(fill(t, s, asCSV, "keep")); err != nil || len(decided) != len(s.Rows) {
				t.Errorf("csv %v: %v", asCSV, err)
			}
		}
	})
}
