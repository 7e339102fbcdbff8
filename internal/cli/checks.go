package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/checks"
)

func newChecks(s IO) *cobra.Command {
	return &cobra.Command{
		Use:   "checks",
		Short: "List the items and their checks",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
			for _, it := range checklist.AllItems() {
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
