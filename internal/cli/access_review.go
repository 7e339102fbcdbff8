package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/holdings"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/review"
)

// reviewFlags are the flags of review.
type reviewFlags struct {
	accessFlags
	status    bool
	signOff   string
	reviewer  string
	out       string
	configMap string
	patches   string
}

func newReview(s IO) *cobra.Command {
	var f reviewFlags
	cmd := &cobra.Command{
		Use:   "review",
		Short: "Draft the review of access, sign it off, and say how old it is",
		Long: `Draft the review of access that the checklist asks for every 24 months (item
1.5): a sheet with a row for each grant. Write keep, revoke or change into each
row, and sign the sheet off. That writes the record, which "plimsoll scan"
reads as a file or out of a ConfigMap, and the kubectl commands that take away
what was revoked. Plimsoll itself never writes to a cluster.

Exit codes of --status: 0 the review is of the last 24 months, 1 it is older or
there is none, 3 that could not be told.`,
		Example: `  plimsoll access review > sheet.md
  plimsoll access review -o csv > sheet.csv
  plimsoll access review --sign-off sheet.md --reviewer "Ann" --out review.yaml
  plimsoll access review --sign-off sheet.md --reviewer "Ann" --configmap kube-system --patches revoke.sh
  plimsoll access review --status --context prod -f review.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			switch {
			case f.status:
				return reviewStatus(cmd.Context(), s, &f)
			case f.signOff != "":
				return signOff(cmd.Context(), s, &f)
			}
			return draftReview(cmd.Context(), s, &f)
		},
	}
	f.register(cmd, "markdown, csv, json")
	flags := cmd.Flags()
	flags.BoolVar(&f.status, "status", false, "say when the last review was, and what changed since")
	flags.StringVar(&f.signOff, "sign-off", "", "record the decisions in this `SHEET`")
	flags.StringVar(&f.reviewer, "reviewer", "", "the `NAME` of who decided")
	flags.StringVar(&f.out, "out", "", "write the record to this `FILE` (default stdout)")
	flags.StringVar(&f.configMap, "configmap", "", "write the record as the manifest of a ConfigMap in this `NAMESPACE` to stdout")
	flags.StringVar(&f.patches, "patches", "", "write the commands that carry the decisions out to this `FILE` (default stdout, where the record is not)")
	return cmd
}

// check refuses what does not go together.
func (f *reviewFlags) check() error {
	switch {
	case f.status && f.signOff != "":
		return usagef("--status and --sign-off are two commands")
	case f.signOff == "" && (f.reviewer != "" || f.out != "" || f.configMap != "" || f.patches != ""):
		return usagef("--reviewer, --out, --configmap and --patches belong to --sign-off SHEET")
	case f.signOff != "" && strings.TrimSpace(f.reviewer) == "":
		return usagef("--sign-off needs --reviewer NAME: who decided")
	}
	return f.format("markdown", "csv", "json")
}

// reviewNeeds are what a review reads beside the grants.
var reviewNeeds = []inventory.Need{inventory.AccessReviews.Optional(), inventory.ConfigMaps.Optional()}

// lastReview is the review before this one, nil if there is none. known is
// false where there may be a newer one that could not be read.
func (a *accessEvidence) lastReview() (last *inventory.AccessReview, at string, known bool) {
	if o, ok := holdings.Newest(a); ok {
		last, at = &o.Value, o.Locate("")
	}
	for _, n := range reviewNeeds {
		known = len(a.Missing(n.Kind, "")) == 0
		if !known {
			break
		}
	}
	return last, at, known
}

// sheet drafts the review.
func (f *reviewFlags) sheet(ctx context.Context, s IO) (*review.Sheet, *accessEvidence, error) {
	a, err := f.read(ctx, s, slices.Concat(graphNeeds, reviewNeeds)...)
	if err != nil {
		return nil, nil, err
	}
	last, _, known := a.lastReview()
	if !known {
		fmt.Fprintln(s.Stderr, "a record of an earlier review may be there and could not be read; give it with -f")
	}
	return review.Draft(a.list, review.Options{Graph: a.graph(), Minor: a.minor, Last: last, LastUnknown: !known}), a, nil
}

func draftReview(ctx context.Context, s IO, f *reviewFlags) error {
	sheet, a, err := f.sheet(ctx, s)
	if err != nil {
		return err
	}
	write := sheet.Markdown
	switch f.output {
	case "csv":
		write = sheet.CSV
	case "json":
		write = asJSON(sheet.JSON(missing(a.gaps)))
	}
	if err := answer(s, write); err != nil {
		return err
	}
	return a.incomplete(s, a.gaps)
}

func signOff(ctx context.Context, s IO, f *reviewFlags) error {
	text, err := readSheet(s, f.signOff)
	if err != nil {
		return usagef("reading the sheet: %w", err)
	}
	sheet, a, err := f.sheet(ctx, s)
	if err != nil {
		return err
	}
	if len(a.gaps) > 0 { // what was not seen was not decided
		return a.incomplete(s, a.gaps)
	}
	decided, err := sheet.Read(text)
	if err != nil {
		return usagef("the sheet cannot be signed off:\n%s", sheetProblems(f.signOff, err))
	}
	at, _ := s.now()
	record := sheet.Record(decided, strings.TrimSpace(f.reviewer), at)
	counts := map[inventory.Decision]int{}
	for _, g := range record.Grants {
		counts[g.Decision]++
	}
	commands := counts[inventory.Revoke]+counts[inventory.Change] > 0
	if commands && f.patches == "" && (f.out == "" || f.configMap != "") {
		return usagef("grants are to be revoked or changed: say with --patches FILE where the commands go; stdout is taken by the record")
	}
	if err := f.writeRecord(s, record); err != nil {
		return err
	}
	if commands {
		write := func(w io.Writer) error { return review.Commands(w, decided) }
		if f.patches == "" {
			err = answer(s, write)
		} else if err = writeFile(f.patches, write); err != nil {
			err = incompletef("writing the commands: %w", err)
		}
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(s.Stderr, "signed off by %s: %d kept, %d to be revoked, %d to be changed, %s of Kubernetes itself\n",
		group.Plain(record.Reviewer), counts[inventory.Keep], counts[inventory.Revoke], counts[inventory.Change], group.Noun(record.Unmodified, "unmodified grant"))
	return nil
}

// sheetLimit is more than the sheet of any cluster takes.
const sheetLimit = 256 << 20

func readSheet(s IO, name string) (string, error) {
	in := s.Stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, sheetLimit+1))
	if err == nil && len(text) > sheetLimit {
		err = errors.New("it is too large")
	}
	return string(text), err
}

// sheetProblems names the lines of the sheet.
func sheetProblems(name string, err error) string {
	var ps review.Problems
	if !errors.As(err, &ps) {
		return err.Error()
	}
	const shown = 50
	var lines []string
	for i, p := range ps {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %s", group.Noun(len(ps)-shown, "more problem")))
			break
		}
		at := name
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d", name, p.Line)
		}
		lines = append(lines, at+": "+p.What)
	}
	return strings.Join(lines, "\n")
}

// writeRecord writes the record wherever it was asked for.
func (f *reviewFlags) writeRecord(s IO, record inventory.AccessReview) error {
	file, err := review.YAML(record)
	if err != nil {
		return incompletef("%w", err)
	}
	put := func(text []byte) func(io.Writer) error {
		return func(w io.Writer) error { _, err := w.Write(text); return err }
	}
	if f.configMap != "" {
		manifest, err := review.ConfigMap(record, f.configMap)
		if err != nil {
			return usagef("%w", err)
		}
		if err := answer(s, put(manifest)); err != nil {
			return err
		}
	}
	switch {
	case f.out != "":
		if err := writeFile(f.out, put(file)); err != nil {
			return incompletef("writing the record: %w", err)
		}
	case f.configMap == "":
		return answer(s, put(file))
	}
	return nil
}
