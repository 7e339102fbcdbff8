// Package docgen makes the documents that are derived from code: a page for
// every section's checks, the table of evidence, the schemas and the
// least-privilege ClusterRole. Its test fails where a file is stale;
// "make docs" writes them.
package docgen

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/checks"
	"github.com/plimsoll-sec/plimsoll/internal/config"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/json"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/source/kubeapi"
)

// Files makes every generated file, by its path in the repository, whose
// source is in root.
func Files(root string) (map[string][]byte, error) {
	rbac, err := clusterRole()
	if err != nil {
		return nil, err
	}
	explained, err := explained(root, checks.All)
	if err != nil {
		return nil, err
	}
	explanations := checks.Explanations(explained)
	out := map[string][]byte{
		"deploy/rbac.yaml":        rbac,
		"docs/report.schema.json": json.Schema(),
		"docs/config.schema.json": config.Schema(),
		"docs/evidence.md":        evidence(),
		"docs/checks/README.md":   index(),

		"internal/checks/explained.txtar": explained,
	}
	for _, s := range checklist.AllSections() {
		out["docs/checks/"+s.ID+".md"] = section(s, explanations)
	}
	return out, nil
}

const generated = "<!-- Generated from the code by \"make docs\"; do not edit. -->\n\n"

// of lists the checks of an item.
func of(it *checklist.Item) []*check.Check {
	return slices.DeleteFunc(slices.Clone(checks.All), func(c *check.Check) bool { return c.Item != it })
}

func index() []byte {
	var b strings.Builder
	b.WriteString(generated + "# The 35 items\n\nA row an item of the [Security Checklist](" + checklist.URL + "). An item without checks is `unknown` in every report.\n\n")
	b.WriteString(table(checklist.Items()))
	b.WriteString("\n## Outside of the 35\n\nWhat the [companion page](" + checklist.CompanionURL + ") asks of an application and no item above does, and its like. It is counted apart; `--skip application` leaves it out.\n\n")
	b.WriteString(table(checklist.Application.Items))
	return []byte(b.String())
}

func table(items []*checklist.Item) string {
	var b strings.Builder
	b.WriteString("| item | what is true when it passes | checks |\n|---|---|---|\n")
	for _, it := range items {
		n := "not implemented yet"
		if list := of(it); len(list) > 0 {
			n = fmt.Sprintf("[%d](%s.md#%s)", len(list), it.Section, anchor(it))
		}
		fmt.Fprintf(&b, "| %s `%s` | %s | %s |\n", it.Number, it.ID, it.Title, n)
	}
	return b.String()
}

// anchor is the name that renderers give to an item's heading, in lower case.
func anchor(it *checklist.Item) string {
	return strings.NewReplacer(".", "", "/", "", " ", "-").Replace(strings.ToLower(it.Number + " " + it.ID))
}

func section(s checklist.Section, explanations map[string]checks.Explanation) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s# %s\n\nThe upstream text: <%s>\n", generated, s.Title, s.URL())
	for _, it := range s.Items {
		fmt.Fprintf(&b, "\n## %s %s\n\n%s.\n", it.Number, it.ID, it.Title)
		list := of(it)
		if len(list) == 0 {
			b.WriteString("\nNot implemented yet: `unknown` in every report.\n")
		}
		for _, c := range list {
			fmt.Fprintf(&b, "\n### %s\n\n**%s.** Severity: %s. Examines: each %s.\n\n%s\n\n*What to do.* %s\n",
				c.ID, c.Title, c.Severity, c.Noun, strings.TrimSpace(c.Why), strings.TrimSpace(c.Remediation))
			if c.Any {
				b.WriteString("\nOne that holds is enough.\n")
			}
			b.WriteString("\n")
			x := explanations[c.ID]
			for _, p := range x.Decided {
				fmt.Fprintf(&b, "- *%s* %s\n", p.Heading, p.Text)
			}
			fmt.Fprintf(&b, "\nReads %s.\n", checks.Reads(c.Needs, "`"))
			fmt.Fprintf(&b, "\nThis does not pass:\n\n```yaml\n%s```\n\nThis passes:\n\n```yaml\n%s```\n\n", x.Bad, x.Good)
			for _, r := range c.Refs {
				fmt.Fprintf(&b, "- [%s](%s)\n", r.Name, r.URL)
			}
		}
	}
	return []byte(b.String())
}

// evidence is the table of what each kind of evidence is needed for.
func evidence() []byte {
	var b strings.Builder
	b.WriteString(generated + "# What a scan reads, and what for\n\nA check never passes where evidence that it needs is missing: it is `unknown`, and the report says what would close the gap. \"(helps)\" marks evidence that a check can do without.\n\n")
	b.WriteString("| evidence | from a cluster | items |\n|---|---|---|\n")
	for _, k := range checks.Kinds(checks.All) {
		how := "from files"
		if r, ok := inventory.ResourceFor(k); ok {
			how = "`list " + groupResource(r) + "`"
			if r.Metadata {
				how += ", as a table of metadata only"
			}
		} else if c, ok := inventory.CustomOf(k); ok {
			how = "`list " + groupResource(c.At(c.Versions[0])) + "`"
		} else if slices.ContainsFunc(inventory.Foreigns, func(f inventory.Foreign) bool { return f.ID() == k }) {
			how = "API discovery: recognised, not read yet"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k, how, items(k))
	}
	return []byte(b.String())
}

func groupResource(r inventory.Resource) string {
	if r.Group == "" {
		return r.Resource
	}
	return r.Resource + "." + r.Group
}

func items(k report.KindID) string {
	var words []string
	for _, it := range checklist.AllItems() {
		needed, helps := false, false
		for _, c := range of(it) {
			for _, n := range c.Needs {
				needed = needed || n.Kind == k && !n.Optional
				helps = helps || n.Kind == k && n.Optional
			}
		}
		switch {
		case needed:
			words = append(words, it.Number)
		case helps:
			words = append(words, it.Number+" (helps)")
		}
	}
	if len(words) == 0 {
		return "the head of the report"
	}
	return strings.Join(words, ", ")
}

// clusterRole is the least-privilege access that a scan of a cluster asks for.
func clusterRole() ([]byte, error) {
	role := rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: "plimsoll-scan"},
		Rules:      kubeapi.Rules(checks.Kinds(checks.All)),
	}
	text, err := yaml.Marshal(role)
	if err != nil {
		return nil, fmt.Errorf("writing the ClusterRole: %w", err)
	}
	head := `# What "plimsoll scan" asks of a cluster: these rights and no others, all of
# them read-only. Generated from the checks' needs by "make docs"; do not edit.
# Secrets are listed as a table of metadata (names, types, numbers of keys);
# RBAC cannot grant that without granting their content, so bind this role only
# to identities that you would trust with Secrets, or leave that rule out: what
# needs it is then reported as unknown.
`
	return append([]byte(head), text...), nil
}
