package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
)

func newWhoCan(s IO) *cobra.Command {
	var f accessFlags
	namespace, everywhere := "", false
	cmd := &cobra.Command{
		Use:   "who-can VERB RESOURCE[.GROUP][/SUBRESOURCE] [NAME] | VERB /PATH",
		Short: "List who may do something, and by which grants",
		Long: `List the subjects that may do something, and the grants by which they may.
Who is in a group that may is not listed: the credentials say that.

Without -n it lists who may in any namespace at all, and where. Without NAME
it also lists grants that are limited to some names, and says which. What
Kubernetes itself grants, unmodified, is only counted; --all lists it.`,
		Example: `  plimsoll access who-can get secrets -n shop
  plimsoll access who-can create pods/exec
  plimsoll access who-can patch deployments.apps web -n shop -f rbac.yaml
  plimsoll access who-can get /metrics`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > 3 {
				return usagef(`who can do what? Such as: plimsoll access who-can get secrets -n shop`)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.format("text", "json"); err != nil {
				return err
			}
			r, err := requestArg(args, namespace, everywhere)
			if err != nil {
				return err
			}
			return whoCan(cmd.Context(), s, &f, r)
		},
	}
	f.register(cmd, "text, json")
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "in this `NAMESPACE`")
	cmd.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "in all namespaces at once")
	cmd.Flags().BoolVar(&f.all, "all", false, "also list what Kubernetes itself grants")
	return cmd
}

// requestArg reads what is asked for.
func requestArg(args []string, namespace string, everywhere bool) (access.Request, error) {
	r := access.Request{Verb: args[0], Namespace: access.Any, Name: access.Any}
	switch {
	case namespace != "" && everywhere:
		return r, usagef("-n and -A contradict each other")
	case namespace != "":
		r.Namespace = namespace
	case everywhere:
		r.Namespace = ""
	}
	if len(args) == 3 {
		r.Name = args[2]
	}
	if strings.HasPrefix(args[1], "/") {
		if len(args) == 3 || namespace != "" {
			return r, usagef("%s is a path, which has no name and is in no namespace", args[1])
		}
		return access.Request{Verb: args[0], Path: args[1]}, nil
	}
	text, sub, _ := strings.Cut(args[1], "/")
	name, apiGroup, qualified := strings.Cut(text, ".")
	r.Resource, r.Group, r.Subresource = name, apiGroup, sub
	known, ok := resourceNamed(name)
	switch {
	case qualified && (!ok || known.group != apiGroup), name == "*":
		return r, nil // of another project, or of all
	case !ok:
		return r, usagef("no resource of Kubernetes is called %q%s; write that of another project with its group: %s.example.com", name, suggest(name, resourceNames()), name)
	}
	r.Resource, r.Group = known.name, known.group
	if known.cluster {
		if namespace != "" {
			return r, usagef("%s are in no namespace: leave out -n", r.Resource)
		}
		r.Namespace = ""
	}
	return r, nil
}

// way is one way in which a subject may do what was asked.
type way struct {
	access.Access
	// names are those that the grant is limited to, nil for none.
	names    []string
	original bool
}

// ways lists each grant once: where it allows the request for every name it is
// not limited, whatever other rules it has.
func (a *accessEvidence) ways(r access.Request) []way {
	var ways []way
	for _, x := range a.engine.WhoCan(r) {
		w := way{Access: x, original: a.original(x.Subject, x.Grant)}
		if r.Name == access.Any {
			whole := r
			whole.Name = ""
			if _, ok := x.Role.Allows(whole); !ok {
				for _, rule := range x.Role.Rules {
					if access.Allows(rule.PolicyRule, r) {
						w.names = append(w.names, rule.ResourceNames...)
					}
				}
				slices.Sort(w.names)
				w.names = slices.Compact(w.names)
			}
		}
		ways = append(ways, w)
	}
	return ways
}

func whoCan(ctx context.Context, s IO, f *accessFlags, r access.Request) error {
	a, err := f.read(ctx, s)
	if err != nil {
		return err
	}
	ways := a.ways(r)
	hidden := 0
	if !f.all {
		n := len(ways)
		ways = slices.DeleteFunc(ways, func(w way) bool { return w.original })
		hidden = n - len(ways)
	}
	write := func(w io.Writer) error { return writeWays(w, r, ways, hidden, &a.beside) }
	if f.output == "json" {
		write = asJSON(waysJSON(r, ways, hidden, a))
	}
	if err := answer(s, write); err != nil {
		return err
	}
	return a.incomplete(s, a.gaps)
}

func writeWays(w io.Writer, r access.Request, ways []way, hidden int, b *beside) error {
	fmt.Fprintf(w, "Who can %s:\n\n", group.Plain(requestText(r)))
	policies := b.covering(r)
	if len(ways)+len(policies) == 0 {
		fmt.Fprintln(w, "nobody by a grant of somebody's")
	} else {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "SUBJECT\tBY\tSCOPE")
		for _, x := range ways {
			scope := scopeOf(x.Grant)
			if x.names != nil {
				scope += ", only " + strings.Join(x.names, ", ")
			}
			if x.original {
				scope += " (bootstrap)"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\n", group.Plain(x.Subject.String()), group.Plain(x.Grant.String()), group.Plain(scope))
		}
		for _, p := range policies {
			fmt.Fprintf(t, "%s\t%s\t%s\n", group.Plain(p.Subject), group.Plain("ABAC policy "+p.At), group.Plain(p.Scope))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	if hidden > 0 {
		fmt.Fprintf(w, "%s of Kubernetes itself not listed; --all lists them.\n", group.Noun(hidden, "unmodified grant"))
	}
	_, err := fmt.Fprintln(w, strings.TrimSpace("The group system:masters may do everything without a grant. "+b.caveat()))
	return err
}

func requestText(r access.Request) string {
	if r.Path != "" {
		return r.Verb + " " + r.Path
	}
	text := r.Verb + " " + r.Resource
	if r.Group != "" {
		text += "." + r.Group
	}
	if r.Subresource != "" {
		text += "/" + r.Subresource
	}
	if r.Name != access.Any {
		text += " " + r.Name
	}
	known, ok := resourceNamed(r.Resource)
	switch {
	case r.Namespace == access.Any:
		return text + " in any namespace"
	case r.Namespace != "":
		return text + " in namespace " + r.Namespace
	case ok && known.cluster && known.group == r.Group:
		return text
	}
	return text + " in all namespaces"
}

// grantJSON is a grant on the wire.
type grantJSON struct {
	Subject   string   `json:"subject"`
	Role      string   `json:"role"`
	Binding   string   `json:"binding"`
	Scope     string   `json:"scope"`
	At        string   `json:"at"`
	Names     []string `json:"names,omitempty"`
	Bootstrap bool     `json:"bootstrap"`
}

func newGrantJSON(s access.Subject, g *access.Grant, original bool) grantJSON {
	ref, b := g.Binding.Value.RoleRef, g.Binding
	return grantJSON{
		Subject: s.String(), Role: ref.Kind + " " + ref.Name, Binding: b.Kind + " " + strings.TrimPrefix(b.Namespace+"/"+b.Name, "/"),
		Scope: scopeOf(g), At: b.Locate(""), Bootstrap: original,
	}
}

func waysJSON(r access.Request, ways []way, hidden int, a *accessEvidence) any {
	grants := []grantJSON{}
	for _, w := range ways {
		g := newGrantJSON(w.Subject, w.Grant, w.original)
		g.Names = w.names
		grants = append(grants, g)
	}
	return struct {
		Schema      string      `json:"schema"`
		Request     string      `json:"request"`
		Grants      []grantJSON `json:"grants"`
		Policies    []abacJSON  `json:"abacPolicies"`
		Authorizers []chainJSON `json:"authorizers"`
		Hidden      int         `json:"hidden"`
		Missing     []string    `json:"missing"`
	}{"plimsoll.access.who-can/v1", requestText(r), grants, a.beside.covering(r), a.beside.chains(), hidden, missing(a.gaps)}
}
