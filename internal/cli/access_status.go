package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/holdings"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
)

// status is how the last review stands.
type status struct {
	Schema   string `json:"schema"`
	Date     string `json:"date"` // empty where no record is there
	Reviewer string `json:"reviewer"`
	At       string `json:"at"`
	// Due is the day by which the next review is due.
	Due     string   `json:"due"`
	Overdue bool     `json:"overdue"`
	Months  int      `json:"months"`
	Grants  int      `json:"grants"`
	Digest  string   `json:"digest"`
	Added   []string `json:"added"`
	Changed []string `json:"changed"`
	Removed []string `json:"removed"`
	// Open are decisions that are not carried out.
	Open    []string `json:"open"`
	Foreign bool     `json:"foreign"`
	Missing []string `json:"missing"`

	summary string
}

func reviewStatus(ctx context.Context, s IO, f *reviewFlags) error {
	a, err := f.read(ctx, s, reviewNeeds...)
	if err != nil {
		return err
	}
	last, at, known := a.lastReview()
	gaps := a.gaps
	if !known {
		for _, n := range reviewNeeds {
			gaps = append(gaps, a.Missing(n.Kind, "")...)
		}
	}
	x := status{
		Schema: "plimsoll.access.status/v1", Digest: a.list.Digest, Missing: missing(gaps),
		Added: []string{}, Changed: []string{}, Removed: []string{}, Open: []string{},
	}
	if last != nil {
		now, _ := s.now()
		due := holdings.Due(*last)
		x.Date, x.Reviewer, x.At, x.Grants = last.Date.UTC().Format(time.DateOnly), last.Reviewer, at, len(last.Grants)
		x.Due, x.Overdue, x.Months = due.UTC().Format(time.DateOnly), now.After(due), monthsBetween(last.Date.UTC(), now)
		c := a.list.Since(*last)
		x.Foreign, x.summary = c.Foreign, c.String()
		for _, h := range c.Added {
			x.Added = append(x.Added, holdingText(h))
		}
		for _, h := range c.Changed {
			x.Changed = append(x.Changed, holdingText(h))
		}
		for _, g := range c.Removed {
			x.Removed = append(x.Removed, g.Subject+": "+g.Role+" by "+g.Binding)
		}
		for _, g := range c.Open {
			x.Open = append(x.Open, fmt.Sprintf("%s: %s by %s: %s", g.Subject, g.Role, g.Binding, g.Decision))
		}
	}
	write := x.write
	if f.output == "json" {
		write = asJSON(x)
	}
	if err := answer(s, write); err != nil {
		return err
	}
	if err := a.incomplete(s, gaps); err != nil {
		return err
	}
	if x.Date == "" || x.Overdue || x.Foreign {
		return &exitError{code: exitFindings}
	}
	return nil
}

// maxLines is how many changes of each kind are shown.
const maxLines = 20

func holdingText(h *holdings.Holding) string {
	return h.Subject.String() + ": " + h.RoleName() + " by " + h.BindingName()
}

// monthsBetween is the number of whole months from one time to a later one.
func monthsBetween(from, to time.Time) int {
	n := 0
	for !from.AddDate(0, n+1, 0).After(to) {
		n++
	}
	return n
}

func (x status) write(w io.Writer) error {
	if x.Date == "" {
		_, err := fmt.Fprintln(w, "No review of access is on record.")
		return err
	}
	fmt.Fprintf(w, "The last review of access is of %s by %s, %s ago (%s).\n", x.Date, group.Plain(x.Reviewer), group.Noun(x.Months, "month"), group.Plain(x.At))
	if x.Overdue {
		fmt.Fprintf(w, "The next one was due by %s.\n", x.Due)
	} else {
		fmt.Fprintf(w, "The next one is due by %s.\n", x.Due)
	}
	if x.Foreign {
		_, err := fmt.Fprintf(w, "None of the %s that it decided is here: it is the review of something else.\n", group.Noun(x.Grants, "grant"))
		return err
	}
	fmt.Fprintf(w, "It decided %s; since then %s.\n", group.Noun(x.Grants, "grant"), x.summary)
	for _, part := range []struct {
		title string
		lines []string
	}{{"Added", x.Added}, {"Changed", x.Changed}, {"Removed", x.Removed}, {"Decided and not carried out", x.Open}} {
		if len(part.lines) > 0 {
			fmt.Fprintf(w, "\n%s\n", part.title)
		}
		for i, line := range part.lines {
			if i == maxLines {
				fmt.Fprintf(w, "  and %s; -o json has them all\n", group.Noun(len(part.lines)-i, "more line"))
				break
			}
			fmt.Fprintf(w, "  %s\n", group.Plain(line))
		}
	}
	return nil
}
