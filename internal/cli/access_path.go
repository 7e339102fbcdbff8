package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func newPath(s IO) *cobra.Command {
	var f accessFlags
	cmd := &cobra.Command{
		Use:   "path SUBJECT",
		Short: "Find the shortest way from a subject to cluster-admin",
		Long: `Find how a subject comes to hold every right, step by step, with the grants of
each step; where there is no such way, how it comes to be root on nodes.
SUBJECT is user:ann, group:ops, sa:NAMESPACE/NAME or NAMESPACE/NAME.

Exit codes: 0 the answer stands, 3 none was found and something that may hold
one could not be read.`,
		Example: `  plimsoll access path sa:shop/web
  plimsoll access path group:system:authenticated -f rbac/`,
		Args: oneSubject,
		RunE: func(cmd *cobra.Command, args []string) error {
			subject, err := f.subject(args[0])
			if err != nil {
				return err
			}
			return showPath(cmd.Context(), s, &f, subject)
		},
	}
	f.register(cmd, "text, json")
	return cmd
}

// found is a way, or that there is none.
type found struct {
	Schema  string `json:"schema"`
	Subject string `json:"subject"`
	// To is what the steps end at: "cluster-admin", "root on nodes"; empty
	// where no way to either was found.
	To      string      `json:"to"`
	Steps   []foundStep `json:"steps"`
	Missing []string    `json:"missing"`
}

type foundStep struct {
	From string `json:"from"`
	To   string `json:"to"`
	Rule string `json:"rule"`
	// Text is what the rights let one do.
	Text string      `json:"text"`
	By   []grantJSON `json:"by"`
}

func showPath(ctx context.Context, s IO, f *accessFlags, subject access.Subject) error {
	a, err := f.read(ctx, s, graphNeeds...)
	if err != nil {
		return err
	}
	graph := a.graph()
	x := found{Schema: "plimsoll.access.path/v1", Subject: subject.String(), Steps: []foundStep{}}
	for _, end := range []escalation.State{escalation.Admin, escalation.Node} {
		steps := graph.Path(subject, end)
		if steps == nil {
			continue
		}
		x.To = stateText(end)
		for _, step := range steps {
			y := foundStep{From: stateText(step.From), To: stateText(step.To), Rule: step.Rule, Text: step.Text, By: []grantJSON{}}
			for _, by := range step.By {
				y.By = append(y.By, newGrantJSON(by.Subject, by.Grant, a.original(by.Subject, by.Grant)))
			}
			x.Steps = append(x.Steps, y)
		}
		break
	}
	gaps := a.pathGaps()
	if x.To == stateText(escalation.Admin) {
		gaps = nil // one way is enough, whatever else there may be
	}
	x.Missing = missing(gaps)
	write := x.write
	if f.output == "json" {
		write = asJSON(x)
	}
	if err := answer(s, write); err != nil {
		return err
	}
	return a.incomplete(s, gaps)
}

// pathGaps are what may hold a way that was not seen: every gap of roles and
// bindings, and what of the rest was asked for in vain.
func (a *accessEvidence) pathGaps() []report.Gap {
	gaps := slices.Clone(a.gaps)
	for _, n := range escalation.Needs {
		if n.Optional {
			gaps = append(gaps, refused(a.Missing(n.Kind, ""))...)
		}
	}
	return slices.Compact(gaps)
}

func (x found) write(w io.Writer) error {
	if x.To == "" {
		_, err := fmt.Fprintf(w, "%s: no way to cluster-admin or to root on nodes was found.\nNo way that is known is not a proof that there is none: programs that it may change can hold more rights.\n", group.Plain(x.Subject))
		return err
	}
	fmt.Fprintf(w, "%s → %s in %s\n", group.Plain(x.Subject), x.To, group.Noun(len(x.Steps), "step"))
	for i, step := range x.Steps {
		fmt.Fprintf(w, "\n%d. %s: %s\n", i+1, group.Plain(step.From), step.Text)
		for _, by := range step.By {
			fmt.Fprintf(w, "   by %s → %s of %s (%s)\n", group.Plain(by.Role), group.Plain(by.Binding), group.Plain(by.Subject), group.Plain(by.At))
		}
		fmt.Fprintf(w, "   → %s\n", group.Plain(step.To))
	}
	return nil
}

// stateText is a state as people say it.
func stateText(s escalation.State) string {
	if subject, ok := s.Subject(); ok {
		return subject.String()
	}
	where := " of every namespace"
	if s.Namespace != "" {
		where = " of namespace " + s.Namespace
	}
	switch s.Kind {
	case escalation.Node.Kind:
		return "root on nodes"
	case escalation.Pods:
		return "any pod" + where
	case escalation.Accounts, escalation.Impersonated:
		return "any ServiceAccount" + where
	case escalation.Running:
		return "the running pods" + where
	case escalation.Tokens:
		return "the token Secrets" + where
	case escalation.Users:
		return "any user"
	case escalation.Groups:
		return "any group but system:masters"
	case escalation.RoleIn:
		return fmt.Sprintf("ClusterRole %s%s", s.Name, where)
	}
	return s.Kind // cluster-admin
}
