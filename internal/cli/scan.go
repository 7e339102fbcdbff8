package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/checks"
	"github.com/plimsoll-sec/plimsoll/internal/config"
	"github.com/plimsoll-sec/plimsoll/internal/engine"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/waiver"
)

// scanFlags are the flags of scan.
type scanFlags struct {
	offline     bool
	checkAccess bool
	live        liveFlags
	render      renderFlags
	files       fileFlags
	config      string
	checks      []string
	skip        []string
}

// renderFlags say where reports go and what makes the command fail.
type renderFlags struct {
	outputs []string
	failOn  string
	all     bool
	verbose bool
	ascii   bool
}

func (f *renderFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&f.outputs, "output", "o", nil, "`FORMAT[=FILE]`, repeatable: terminal, json, markdown (default terminal)")
	cmd.Flags().StringVar(&f.failOn, "fail-on", "high", "exit with 1 for findings of this severity or worse: critical, high, medium, low, never; add ,unknown or ,manual to fail on such items too")
	cmd.Flags().BoolVar(&f.all, "all", false, "show every group of findings on the terminal")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show every finding with its evidence on the terminal")
	cmd.Flags().BoolVar(&f.ascii, "ascii", false, "no symbols beyond ASCII on the terminal")
}

func newScan(s IO) *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:   "scan [PATH…]",
		Short: "Scan manifests or a cluster against the checklist",
		Long: `Scan evidence against the 35 boxes of the Kubernetes Security Checklist, and
against what its companion page asks of an application (section A).

Without PATH it reads the cluster of the current kubeconfig context. PATH is a
manifest, a directory, a Helm chart, a kustomization, saved kubectl output, a
component's configuration file, a kubeconfig or a PEM certificate; - is stdin.
With PATH, the cluster is read as well only where --context or --kubeconfig is
given.

Exit codes: 0 nothing at or above --fail-on, 1 something is, 2 usage or
configuration error, 3 the scan could not be completed: no cluster, nothing to
judge, or input that could not be read and might have failed the gate.`,
		Example: `  plimsoll scan                                  the current cluster
  plimsoll scan --check-access                   may this identity read what is needed?
  plimsoll scan --offline deploy/ chart/         a gate in CI, which never contacts a cluster
  helm template x | plimsoll scan -              what another tool renders
  kubectl get all,ns,netpol,sa,limits,roles,rolebindings,clusterroles,clusterrolebindings -A -o json | plimsoll scan -
  plimsoll scan -o json=report.json -o markdown  two reports of one scan
  plimsoll scan --checks pods,2.3 --skip 3.4     some boxes only
  plimsoll scan --skip application               the 35 boxes and nothing beside them`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runScan(cmd.Context(), s, &f, args)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.offline, "offline", false, "never contact a cluster, whatever else is given")
	flags.BoolVar(&f.checkAccess, "check-access", false, "only ask the API server whether this identity may read what the scan needs")
	flags.StringVar(&f.config, "config", "", "configuration `FILE` (default plimsoll.yaml, where it exists)")
	flags.StringSliceVar(&f.checks, "checks", nil, "only these: ids or globs of checks, items by id or number, sections")
	flags.StringSliceVar(&f.skip, "skip", nil, "all but these")
	f.live.register(flags)
	f.files.register(flags)
	f.render.register(cmd)
	return cmd
}

func runScan(ctx context.Context, s IO, f *scanFlags, paths []string) error {
	started := s.Now()
	threshold, err := parseThreshold(f.render.failOn)
	if err != nil {
		return err
	}
	outputs, err := parseOutputs(f.render.outputs)
	if err != nil {
		return err
	}
	selected, left, err := selectChecks(checks.All, f.checks, f.skip)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(f.config)
	if err != nil {
		return err
	}
	live := !f.offline && (len(paths) == 0 || f.live.asked())
	if f.checkAccess {
		if f.offline {
			return usagef("--check-access asks the cluster; it cannot be combined with --offline")
		}
		return checkAccess(ctx, s, &f.live, selected)
	}
	if !live && len(paths) == 0 {
		return usagef("--offline needs a PATH to scan")
	}

	at, fixed := s.now()
	scan := report.Scan{Scope: f.live.namespaces, Skipped: left}
	p := newProgress(s)
	defer p.done()
	b, err := gather(ctx, s, p, evidence{paths: paths, exclude: cfg.Exclude, live: live, kinds: checks.Kinds(selected)}, &f.files, &f.live, &scan)
	if err != nil {
		return err
	}
	// What a person stated ends by the clock, whatever the report is dated.
	today := at
	if now := s.Now().UTC(); now.After(today) {
		today = now
	}
	r, unreadable := evaluate(b, at, today, cfg, selected, scan)
	p.done()
	if !fixed {
		r.Scan.DurationMS = s.Now().Sub(started).Milliseconds()
	}
	if err := write(s, &f.render, outputs, r); err != nil {
		return err
	}
	return outcome(r, unreadable, threshold)
}

// loadConfig reads the configuration; what is wrong in it is a usage error.
func loadConfig(name string) (*config.Config, error) {
	known := config.Known{Items: checklist.AllItems()}
	for _, c := range checks.All {
		known.Checks = append(known.Checks, c.ID)
	}
	cfg, err := config.Load(name, known)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return cfg, nil
}

// evaluate seals the evidence and judges it. It also says whether evidence of
// the selected checks was given and could not be read.
func evaluate(b *inventory.Builder, at, today time.Time, cfg *config.Config, selected []*check.Check, scan report.Scan) (r *report.Report, unreadable bool) {
	inventory.Put(b, inventory.Settings, report.Subject{Kind: "Config", Name: "plimsoll.yaml"},
		inventory.Origin{Source: "config", Place: cfg.Place()}, cfg.Setting())
	inv := b.Seal(at)
	r = engine.Evaluate(inv, selected, scan.Skipped...)
	r.Tool = report.Tool{Name: "plimsoll", Version: Version()}
	scan.Observed = at
	scan.Cluster.Workloads, scan.Cluster.Pods = 0, 0
	for _, w := range workload.All.Of(inv.View(workload.Needs())) {
		scan.Cluster.Workloads++
		scan.Cluster.Pods += w.Pods
	}
	r.Scan = scan
	applyStatements(r, inv, cfg, today)
	kinds := append(checks.Kinds(selected), inventory.AnyKind)
	return r, slices.ContainsFunc(inv.AllGaps(), func(g report.Gap) bool {
		return (g.Cause == report.Unreadable || g.Cause == report.Truncated) && slices.Contains(kinds, g.Kind)
	})
}

// applyStatements applies the waivers and attestations of the configuration
// and the waivers that objects carry.
func applyStatements(r *report.Report, inv *inventory.Inventory, cfg *config.Config, today time.Time) {
	ws := slices.Clone(cfg.Waivers)
	labels := map[report.Subject]map[string]string{}
	for o := range inv.Metadata() {
		ws = append(ws, waiver.Annotated(o.Locate("metadata.annotations"), o.Subject, o.Value.Annotations, cfg.AnnotationWaivers)...)
		labels[object(o.Subject)] = o.Value.Labels
	}
	of := func(s report.Subject) map[string]string {
		s = object(s)
		if l, ok := labels[s]; ok && l == nil {
			return map[string]string{} // it has none; nil would mean not known
		}
		return labels[s]
	}
	waiver.Apply(r, ws, cfg.Attestations, of, today)
}

// object is the object that a subject is about or a part of.
func object(s report.Subject) report.Subject {
	s.Part, s.Stable = "", ""
	return s
}

// outcome turns the report into the exit code.
func outcome(r *report.Report, unreadable bool, t threshold) error {
	seen := 0
	var problems []report.Problem
	for _, src := range r.Scan.Sources {
		seen += src.Objects
		problems = append(problems, src.Problems...)
	}
	for _, it := range r.Items {
		for _, c := range it.Checks {
			if i := slices.IndexFunc(c.Gaps, func(g report.Gap) bool { return g.Cause == report.CheckPanicked }); i >= 0 {
				return incompletef("%s: please report this defect", c.Gaps[i].Detail)
			}
		}
	}
	switch {
	case seen == 0 && len(problems) == 0:
		return incompletef("nothing to judge: there is no object in the input that a check reads")
	case seen == 0:
		return incompletef("nothing to judge: %s", first(problems))
	case t.exceeded(r):
		return &exitError{code: exitFindings}
	case t.severity != "" && unreadable:
		// What could not be read may hold what the gate is there for.
		return incompletef("the gate cannot be trusted: %s; mend the input, or leave it out with --exclude", first(problems))
	}
	return nil
}

// first names the first of the problems, and says how many there are.
func first(problems []report.Problem) string {
	if len(problems) == 0 {
		return "something could not be read"
	}
	text := problems[0].At + ": " + problems[0].Message
	if more := len(problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}
