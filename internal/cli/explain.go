package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/checks"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func newExplain(s IO) *cobra.Command {
	all := false
	c := &cobra.Command{
		Use:   "explain ID…",
		Short: "Say what an item or check means, how it is decided, and what to do",
		Example: `  plimsoll explain 2.3
  plimsoll explain pods/memory-limits/limit`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("explain what? \"plimsoll checks\" lists the items and checks")
			}
			for _, id := range args {
				if !known(checks.All, id) {
					return usagef("no check, item or section is called %q%s", id, suggest(id, names(checks.All)))
				}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return names(checks.All), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, id := range args {
				explain(s.Stdout, id, all)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "a page for every check of an item or section, not a list of them")
	return c
}

// explain writes about a check, or about an item or section and its checks: in
// full where there is one, or all are asked for.
func explain(w io.Writer, id string, all bool) {
	picked := slices.DeleteFunc(slices.Clone(checks.All), func(c *check.Check) bool { return !means(id, c) })
	for _, it := range checklist.AllItems() {
		number, _, _ := strings.Cut(it.Number, ".")
		if id != it.ID && id != it.Number && id != it.Section && id != number {
			continue
		}
		fmt.Fprintf(w, "%s %s\n%s\n%s\n\n", it.Number, it.Title, it.ID, it.Anchor())
		if !slices.ContainsFunc(checks.All, func(c *check.Check) bool { return c.Item == it }) {
			fmt.Fprint(w, "No check decides this item yet: it is unknown in every report.\n\n")
			continue
		}
		if all || len(picked) == 1 {
			continue
		}
		for _, c := range picked {
			if c.Item == it {
				fill(w, fmt.Sprintf("  %s (%s)  ", c.ID, c.Severity), c.Title+".")
			}
		}
		fmt.Fprintln(w)
	}
	if len(picked) > 1 && !all {
		fmt.Fprintf(w, "plimsoll explain ID says more of a check; --all of all these.\n")
		return
	}
	for _, c := range picked {
		explainCheck(w, c)
	}
}

// explainCheck writes one page about a check.
func explainCheck(w io.Writer, c *check.Check) {
	severity := string(c.Severity)
	if c.Severity == report.Info {
		severity += ": never decides the item"
	}
	fmt.Fprintf(w, "%s (%s)\n%s.\n\n", c.ID, severity, c.Title)
	fill(w, "  ", c.Why)
	fmt.Fprint(w, "\nWhat to do\n")
	fill(w, "  ", c.Remediation)
	x := checks.Explain(c.ID)
	example(w, "This does not pass", x.Bad)
	example(w, "This passes", x.Good)
	fmt.Fprint(w, "\nHow it is decided\n")
	links := c.Refs
	for _, p := range x.Decided {
		if p.Heading == "See" {
			if !slices.ContainsFunc(links, func(r report.Reference) bool { return r.URL == p.Text }) {
				links = append(links, report.Reference{URL: p.Text})
			}
			continue
		}
		fill(w, fmt.Sprintf("  %-*s  ", len("Cannot tell when"), p.Heading), p.Text)
	}
	fill(w, fmt.Sprintf("  %-*s  ", len("Cannot tell when"), "Reads"), checks.Reads(c.Needs, ""))
	fmt.Fprint(w, "\nSee also\n")
	for _, r := range links {
		fmt.Fprintf(w, "  %s\n", strings.TrimSpace(r.Name+" "+r.URL))
	}
	fmt.Fprintln(w)
}

func example(w io.Writer, heading, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(w, "\n%s\n", heading)
	for line := range strings.Lines(text) {
		fmt.Fprint(w, "    ", line)
	}
}

// explainColumns is as wide as text gets: a book's line, whatever the terminal.
const explainColumns = 100

// fill writes text in lines; the first begins with the label, the others are
// indented as far.
func fill(w io.Writer, label, text string) {
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		line := label
		column := utf8.RuneCountInString(label)
		for i, word := range strings.Fields(paragraph) {
			n := utf8.RuneCountInString(word)
			switch {
			case i == 0:
			case column+1+n > explainColumns:
				fmt.Fprintln(w, line)
				line = strings.Repeat(" ", utf8.RuneCountInString(label))
				column = len(line)
			default:
				line, column = line+" ", column+1
			}
			line, column = line+word, column+n
		}
		fmt.Fprintln(w, line)
		label = strings.Repeat(" ", utf8.RuneCountInString(label))
	}
}
