package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/holdings"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

func newAccess(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "access",
		Short: "Say who may do what and why, and carry the review of access",
		Long: `Answer from the roles and bindings of a cluster, or of files (-f), as the API
server's RBAC authorizer decides; who-can and show also from ABAC policy files
that are given. Where some of them could not be read, the answer says that it is
incomplete, and the exit code is 3.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newWhoCan(s), newShow(s), newPath(s), newReview(s))
	return c
}

// accessFlags say what the commands below "access" read, and how they answer.
type accessFlags struct {
	paths  []string
	live   liveFlags
	files  fileFlags
	config string
	output string
	all    bool
}

func (f *accessFlags) register(cmd *cobra.Command, formats string) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.paths, "filename", "f", nil, "read `PATH`, as \"plimsoll scan PATH\" does, in place of the cluster; repeatable")
	flags.StringVar(&f.config, "config", "", "configuration `FILE` (default plimsoll.yaml, where it exists)")
	flags.StringVarP(&f.output, "output", "o", strings.Split(formats, ", ")[0], "`FORMAT`: "+formats)
	f.live.registerCluster(flags)
	f.files.register(flags)
}

// format checks -o against the formats of a command.
func (f *accessFlags) format(formats ...string) error {
	if !slices.Contains(formats, f.output) {
		return usagef("-o %s: no format is called %q%s; there are %s", f.output, f.output, suggest(f.output, formats), strings.Join(formats, ", "))
	}
	return nil
}

// accessEvidence is what the commands answer from.
type accessEvidence struct {
	inventory.View
	engine *access.Engine
	list   *holdings.List
	beside beside
	minor  int
	// gaps are what is missing of roles and bindings, so that a subject may
	// have more rights than is known.
	gaps []report.Gap
	// text is true where a person reads the answer.
	text bool
}

// read reads roles and bindings, and what further needs ask for.
func (f *accessFlags) read(ctx context.Context, s IO, more ...inventory.Need) (*accessEvidence, error) {
	cfg, err := loadConfig(f.config)
	if err != nil {
		return nil, err
	}
	needs := slices.Clone(access.Needs)
	for _, n := range more {
		if !slices.ContainsFunc(needs, func(m inventory.Need) bool { return m.Kind == n.Kind }) {
			needs = append(needs, n)
		}
	}
	e := evidence{paths: f.paths, exclude: cfg.Exclude, live: len(f.paths) == 0 || f.live.asked()}
	e.kinds = append(e.kinds, besideKinds...)
	for _, n := range needs {
		e.kinds = append(e.kinds, n.Kind)
	}
	needs = withBeside(needs)
	p := newProgress(s)
	defer p.done()
	var scan report.Scan
	b, err := gather(ctx, s, p, e, &f.files, &f.live, &scan)
	if err != nil {
		return nil, err
	}
	at, _ := s.now()
	v := b.Seal(at).View(needs)
	a := &accessEvidence{View: v, engine: access.Grants.Of(v), list: holdings.All.Of(v), minor: minorOf(scan.Cluster.Version), text: f.output == "text"}
	a.beside = besideOf(v)
	a.gaps = slices.Clone(a.beside.gaps)
	for _, n := range access.Needs {
		a.gaps = append(a.gaps, v.Missing(n.Kind, "")...)
	}
	slices.SortFunc(a.gaps, func(x, y report.Gap) int { return strings.Compare(x.String(), y.String()) })
	a.gaps = slices.Compact(a.gaps)
	return a, nil
}

// graphNeeds are the needs of graph.
var graphNeeds = slices.Concat(escalation.Needs, podsecurity.Enforced.Needs)

// graph finds what rights lead to.
func (a *accessEvidence) graph() *escalation.Graph {
	policies := podsecurity.Enforced.Of(a)
	return escalation.Build(a, a.engine, escalation.Options{Minor: a.minor, HostAccess: func(namespace string) bool {
		p, known := policies.For(namespace)
		return !known || !p.Enforces()
	}})
}

// original reports whether Kubernetes itself gives a subject a grant, and
// nobody changed that.
func (a *accessEvidence) original(s access.Subject, g *access.Grant) bool {
	return g.Implied || a.list.Of(s, g).Original()
}

// incomplete says what is missing, and turns that into the exit code.
func (a *accessEvidence) incomplete(s IO, gaps []report.Gap) error {
	for _, g := range gaps {
		fmt.Fprintf(s.Stderr, "missing: %s", group.Plain(g.String()))
		if g.How != "" {
			fmt.Fprintf(s.Stderr, "; %s", group.Plain(g.How))
		}
		fmt.Fprintln(s.Stderr)
	}
	if len(gaps) == 0 {
		return nil
	}
	if a.text { // beside the answer, which may be all that is kept
		fmt.Fprintf(s.Stdout, "\nThis answer is incomplete: %s.\n", group.Plain(gaps[0].String()))
	}
	return incompletef("the answer is incomplete: there may be grants that could not be read")
}

// missing is gaps in words, for JSON.
func missing(gaps []report.Gap) []string {
	texts := []string{}
	for _, g := range gaps {
		texts = append(texts, g.String())
	}
	return texts
}

// minorOf is the minor of a version such as "v1.37.2-eks-1"; 0 if it has none.
func minorOf(version string) int {
	rest, ok := strings.CutPrefix(version, "v1.")
	digits, _, _ := strings.Cut(rest, ".")
	minor, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return 0
	}
	return minor
}

// answer writes to stdout what a command found.
func answer(s IO, write func(io.Writer) error) error {
	w := bufio.NewWriter(s.Stdout)
	err := write(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return incompletef("writing the answer: %w", err)
	}
	return nil
}

func asJSON(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
}

// subject reads the subject that a command is about, once its flags are right.
func (f *accessFlags) subject(text string) (access.Subject, error) {
	if err := f.format("text", "json"); err != nil {
		return access.Subject{}, err
	}
	return subjectArg(text)
}

// subjectArg reads a subject as people write it.
func subjectArg(text string) (access.Subject, error) {
	kind, name, ok := strings.Cut(text, ":")
	namespace, account, isAccount := strings.Cut(text, "/")
	switch {
	case ok && name != "" && kind == "user":
		return access.NewUser(name), nil
	case ok && name != "" && kind == "group":
		return access.Group(name), nil
	case ok && kind == "sa":
		namespace, account, isAccount = strings.Cut(name, "/")
	case ok && kind == "system":
		if s := access.NewUser(text); s.Namespace != "" { // system:serviceaccount:shop:web
			return s, nil
		}
	}
	if !isAccount || namespace == "" || account == "" || strings.Contains(account, "/") {
		return access.Subject{}, usagef("%q is no subject: write user:ann, group:ops or sa:NAMESPACE/NAME", text)
	}
	return access.Account(namespace, account), nil
}

// oneSubject is the check of the arguments of a command about a subject.
func oneSubject(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s needs one subject: user:ann, group:ops or sa:NAMESPACE/NAME", cmd.CommandPath())
	}
	return nil
}

// scopeOf is where a grant holds.
func scopeOf(g *access.Grant) string {
	switch {
	case g.ClusterWide():
		return "cluster"
	case g.Binding.Namespace == "":
		return "the namespace it is applied to"
	}
	return "namespace " + g.Binding.Namespace
}
