package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checks"
)

// checkAccess asks the API server what this identity may read of what the
// checks need, and reads nothing.
func checkAccess(ctx context.Context, s IO, f *liveFlags, selected []*check.Check) error {
	client, err := f.open(checks.Kinds(selected), newProgress(s))
	if err != nil {
		return err
	}
	access, err := client.CheckAccess(ctx)
	if err != nil {
		return &exitError{exitIncomplete, err}
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	missing := 0
	for _, a := range access {
		answer := "yes"
		if !a.Allowed {
			answer = "no"
			missing++
		}
		scope := a.Namespace
		if scope == "" {
			scope = "(everywhere)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", answer, a.Verb, a.Resource, scope, a.How)
	}
	if err := w.Flush(); err != nil {
		return incompletef("writing: %w", err)
	}
	if missing > 0 {
		return incompletef("%d of %d rights are missing: what needs them will be unknown; deploy/rbac.yaml grants them all", missing, len(access))
	}
	return nil
}
