package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/review"
)

func newShow(s IO) *cobra.Command {
	var f accessFlags
	cmd := &cobra.Command{
		Use:   "show SUBJECT",
		Short: "Show all rights of a subject, what they lead to, and the pods that have them",
		Long: `Show the grants that reach a subject, those through the groups that it is
certain to be in included, scope by scope; what escalation they allow; and the
workloads that run as it. SUBJECT is user:ann, group:ops, sa:NAMESPACE/NAME or
NAMESPACE/NAME.`,
		Example: `  plimsoll access show sa:shop/web
  plimsoll access show group:ops -f rbac/`,
		Args: oneSubject,
		RunE: func(cmd *cobra.Command, args []string) error {
			subject, err := f.subject(args[0])
			if err != nil {
				return err
			}
			return show(cmd.Context(), s, &f, subject)
		},
	}
	f.register(cmd, "text, json")
	cmd.Flags().BoolVar(&f.all, "all", false, "also show what Kubernetes itself grants")
	return cmd
}

// shown is all that show says about a subject.
type shown struct {
	Schema  string       `json:"schema"`
	Subject string       `json:"subject"`
	Grants  []shownGrant `json:"grants"`
	// Policies are those of ABAC that are about the subject.
	Policies []abacJSON `json:"abacPolicies"`
	// Node says what the Node authorizer does for the subject.
	Node string `json:"nodeAuthorizer,omitempty"`
	// Hidden is the number of unmodified grants of Kubernetes that are left out.
	Hidden    int              `json:"hidden"`
	Workloads []report.Subject `json:"workloads"`
	Missing   []string         `json:"missing"`
}

type shownGrant struct {
	grantJSON
	// ByName is true where only the names of two ServiceAccounts agree.
	ByName bool     `json:"byName,omitempty"`
	Rules  []string `json:"rules"`
	// Escalations are what the role lets one come to hold by itself.
	Escalations []string `json:"escalations"`
}

func show(ctx context.Context, s IO, f *accessFlags, subject access.Subject) error {
	needs := slices.Concat(workload.Needs(), []inventory.Need{inventory.ServiceAccounts.Optional()})
	a, err := f.read(ctx, s, needs...)
	if err != nil {
		return err
	}
	gaps := slices.Clone(a.gaps)
	x := shown{
		Schema: "plimsoll.access.show/v1", Subject: subject.String(),
		Grants: []shownGrant{}, Workloads: []report.Subject{},
		Policies: a.beside.naming(subject), Node: a.beside.node(subject),
	}
	for _, r := range a.engine.GrantsOf(subject) {
		original := a.original(r.Via, r.Grant)
		if original && !f.all {
			x.Hidden++
			continue
		}
		x.Grants = append(x.Grants, newShownGrant(a, r, original))
	}
	slices.SortStableFunc(x.Grants, func(p, q shownGrant) int { // the whole cluster first
		return cmp.Or(cmp.Compare(p.Scope, q.Scope), cmp.Compare(p.Binding, q.Binding))
	})
	if subject.Kind == rbacv1.ServiceAccountKind {
		for _, w := range workload.All.Of(a) {
			if w.Namespace == subject.Namespace && w.ServiceAccount() == subject.Name {
				x.Workloads = append(x.Workloads, w.Subject)
			}
		}
		for _, n := range workload.Needs() { // what runs as it may be among them
			gaps = append(gaps, refused(a.Missing(n.Kind, subject.Namespace))...)
		}
	}
	gaps = slices.Compact(gaps)
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

func newShownGrant(a *accessEvidence, r access.Reach, original bool) shownGrant {
	g := shownGrant{grantJSON: newGrantJSON(r.Via, r.Grant, original), ByName: r.ByName, Rules: []string{}, Escalations: []string{}}
	if r.Role == nil {
		return g
	}
	for _, rule := range r.Role.Rules {
		g.Rules = append(g.Rules, review.Summary(rule.PolicyRule))
	}
	namespace := ""
	if !r.ClusterWide() {
		namespace = cmp.Or(r.Binding.Namespace, access.Any)
	}
	for _, m := range escalation.Meanings(r.Role, namespace, a.minor) {
		g.Escalations = append(g.Escalations, m.Text)
	}
	return g
}

// refused are the gaps that another identity or another try would close, not
// those of evidence that nobody gave.
func refused(gaps []report.Gap) []report.Gap {
	return slices.DeleteFunc(gaps, func(g report.Gap) bool {
		return g.Cause == report.NotGiven || g.Cause == report.NotCollected || g.Cause == report.NotServed
	})
}

// maxRules is how many rules of a role are shown.
const maxRules = 12

func (x shown) write(w io.Writer) error {
	fmt.Fprintf(w, "%s\n", group.Plain(x.Subject))
	if len(x.Grants)+len(x.Policies) == 0 {
		fmt.Fprint(w, "\nNo grant of somebody's reaches it.\n")
	}
	scope := ""
	for _, g := range x.Grants {
		if g.Scope != scope {
			scope = g.Scope
			in := scope
			if in == "cluster" {
				in = "the cluster"
			}
			fmt.Fprintf(w, "\nIn %s\n", group.Plain(in))
		}
		via := ""
		if g.Subject != x.Subject {
			via = ", through " + g.Subject
		}
		if g.ByName {
			via = ", if it is the " + g.Subject + " that the binding means"
		}
		if g.Bootstrap {
			via += " (bootstrap)"
		}
		fmt.Fprintf(w, "  %s by %s%s\n", group.Plain(g.Role), group.Plain(g.Binding), group.Plain(via))
		if len(g.Rules) == 0 {
			fmt.Fprintln(w, "    nothing: the role is not there, or has no rule")
		}
		for i, r := range g.Rules {
			if i == maxRules {
				fmt.Fprintf(w, "    and %s\n", group.Noun(len(g.Rules)-i, "more rule"))
				break
			}
			fmt.Fprintf(w, "    %s\n", group.Plain(r))
		}
		for _, e := range g.Escalations {
			fmt.Fprintf(w, "    ! %s\n", e)
		}
	}
	if len(x.Policies) > 0 {
		fmt.Fprint(w, "\nBy ABAC\n")
	}
	for _, p := range x.Policies {
		via := ""
		if p.Subject != x.Subject {
			via = ", through " + p.Subject
		}
		fmt.Fprintf(w, "  policy %s%s\n    %s\n", group.Plain(p.At), group.Plain(via), group.Plain(p.Right))
	}
	if x.Node != "" {
		fmt.Fprintf(w, "\n%s\n", x.Node)
	}
	if len(x.Workloads) > 0 {
		fmt.Fprint(w, "\nRuns as it\n")
	}
	for _, r := range x.Workloads {
		fmt.Fprintf(w, "  %s %s\n", r.Kind, group.Plain(strings.TrimPrefix(r.Namespace+"/"+r.Name, "/")))
	}
	if x.Hidden > 0 {
		fmt.Fprintf(w, "\n%s of Kubernetes itself not shown; --all shows them.\n", group.Noun(x.Hidden, "unmodified grant"))
	}
	return nil
}
