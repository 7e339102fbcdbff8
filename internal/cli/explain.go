package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/checks"
)

func newChecks(s IO) *cobra.Command {
	return &cobra.Command{
		Use:   "checks",
		Short: "List the 35 items and their checks",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
			for _, it := range checklist.Items() {
				fmt.Fprintf(w, "%s\t%s\t\t%s\n", it.Number, it.ID, it.Title)
				for _, c := range checks.All {
					if c.Item == it {
						fmt.Fprintf(w, "\t%s\t%s\t%s\n", c.ID, c.Severity, c.Title)
					}
				}
			}
			return w.Flush()
		},
	}
}

func newExplain(s IO) *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID…",
		Short: "Say what an item or check means, and what to do",
		Example: `  plimsoll explain 2.3
  plimsoll explain pods/memory-limits/limit`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return names(checks.All), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, id := range args {
				if err := explain(s.Stdout, id); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func explain(w io.Writer, id string) error {
	items := slices.DeleteFunc(checklist.Items(), func(it *checklist.Item) bool {
		return id != it.ID && id != it.Number && id != it.Section
	})
	picked := slices.DeleteFunc(slices.Clone(checks.All), func(c *check.Check) bool { return !means(id, c) })
	if len(items) == 0 && len(picked) == 0 {
		return usagef("no check, item or section is called %q%s", id, suggest(id, names(checks.All)))
	}
	for _, it := range items {
		fmt.Fprintf(w, "%s %s\n%s\n%s\n\n", it.Number, it.Title, it.ID, it.Anchor())
		if !slices.ContainsFunc(checks.All, func(c *check.Check) bool { return c.Item == it }) {
			fmt.Fprint(w, "No check decides this item yet: it is unknown in every report.\n\n")
		}
	}
	for _, c := range picked {
		fmt.Fprintf(w, "%s (%s)\n%s\n\n%s\n\n%s\n", c.ID, c.Severity, c.Title, strings.TrimSpace(c.Why), strings.TrimSpace(c.Remediation))
		for _, r := range c.Refs {
			fmt.Fprintf(w, "  %s %s\n", r.Name, r.URL)
		}
		fmt.Fprintln(w)
	}
	return nil
}
