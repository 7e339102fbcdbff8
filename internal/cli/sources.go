package cli

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/source/files"
	"github.com/plimsoll-sec/plimsoll/internal/source/files/chart"
	"github.com/plimsoll-sec/plimsoll/internal/source/files/kustomization"
	"github.com/plimsoll-sec/plimsoll/internal/source/kubeapi"
)

// fileFlags are the flags of the files source.
type fileFlags struct {
	exclude []string
	values  []string
	set     []string
}

func (f *fileFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.exclude, "exclude", nil, "leave out files that match this gitignore `PATTERN`, repeatable")
	flags.StringArrayVar(&f.values, "values", nil, "values `FILE` for charts, repeatable")
	flags.StringArrayVar(&f.set, "set", nil, "`KEY=VALUE` for charts, repeatable")
}

func (f *fileFlags) read(ctx context.Context, s IO, b *inventory.Builder, p *progress, paths, exclude []string, beside bool) (report.Source, error) {
	for _, name := range f.values {
		if _, err := os.Stat(name); err != nil {
			return report.Source{}, usagef("--values: %w", err)
		}
	}
	charts := chart.Options{Values: f.values, Set: f.set}
	src, err := files.Read(ctx, b, files.Options{
		Paths:               paths,
		Stdin:               s.Stdin,
		Beside:              beside,
		Exclude:             slices.Concat(exclude, f.exclude),
		RenderChart:         charts.Render,
		RenderKustomization: kustomization.Options{}.Render,
		Progress:            func(done, total int) { p.show(done, total, "files") },
	})
	if err != nil {
		return src, &exitError{exitUsage, err}
	}
	return src, nil
}

// liveFlags say which cluster to read.
type liveFlags struct {
	kubeconfig string
	context    string
	namespaces []string
	timeout    time.Duration
}

func (f *liveFlags) register(flags *pflag.FlagSet) {
	f.registerCluster(flags)
	flags.StringSliceVarP(&f.namespaces, "namespace", "n", nil, "only these namespaces")
}

// registerCluster registers all but the namespaces.
func (f *liveFlags) registerCluster(flags *pflag.FlagSet) {
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig `FILE` (default $KUBECONFIG, ~/.kube/config, then the pod's own account)")
	flags.StringVar(&f.context, "context", "", "kubeconfig `CONTEXT` (default the current one)")
	flags.DurationVar(&f.timeout, "request-timeout", 30*time.Second, "how long one request to the cluster may take")
}

// asked reports whether a cluster was asked for explicitly.
func (f *liveFlags) asked() bool { return f.kubeconfig != "" || f.context != "" }

func (f *liveFlags) open(kinds []report.KindID, p *progress) (*kubeapi.Client, error) {
	client, err := kubeapi.Open(kubeapi.Options{
		Kubeconfig: f.kubeconfig,
		Context:    f.context,
		Namespaces: f.namespaces,
		Kinds:      kinds,
		Timeout:    f.timeout,
		UserAgent:  "plimsoll/" + Version(),
		Progress:   p.show,
	})
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return client, nil
}

func (f *liveFlags) read(ctx context.Context, b *inventory.Builder, p *progress, kinds []report.KindID) (report.Source, report.Cluster, error) {
	// What was given as a file is not asked of the cluster.
	kinds = slices.DeleteFunc(slices.Clone(kinds), b.Has)
	client, err := f.open(kinds, p)
	if err != nil {
		return report.Source{}, report.Cluster{}, err
	}
	src, cluster, err := client.Read(ctx, b)
	if err != nil {
		return src, cluster, &exitError{exitIncomplete, err}
	}
	return src, cluster, nil
}

// evidence says what a command reads: files, a cluster, or both.
type evidence struct {
	paths []string
	// exclude are patterns of files that the configuration leaves out.
	exclude []string
	live    bool
	// kinds are those that are asked of the cluster.
	kinds []report.KindID
}

// gather reads the evidence, and says in scan where it came from.
func gather(ctx context.Context, s IO, p *progress, e evidence, files *fileFlags, live *liveFlags, scan *report.Scan) (*inventory.Builder, error) {
	b := &inventory.Builder{}
	b.Limit(live.namespaces)
	scan.Cluster = report.Cluster{Nodes: -1}
	if len(e.paths) > 0 {
		src, err := files.read(ctx, s, b, p, e.paths, e.exclude, e.live)
		if err != nil {
			return nil, err
		}
		scan.Sources = append(scan.Sources, src)
	}
	if e.live {
		src, cluster, err := live.read(ctx, b, p, e.kinds)
		if ctx.Err() != nil {
			return nil, incompletef("interrupted")
		}
		if err != nil {
			return nil, err
		}
		scan.Sources = append(scan.Sources, src)
		scan.Cluster = cluster
	}
	if len(live.namespaces) > 0 {
		if !e.live && !b.Matched() {
			return nil, usagef("--namespace %s: the input has no object of it", strings.Join(live.namespaces, ","))
		}
		for _, k := range inventory.Across {
			b.Gap(report.Gap{
				Kind: k, Cause: report.NotCollected,
				Detail: "objects of other namespaces were left out by --namespace", How: "run it without --namespace",
			})
		}
	}
	if ctx.Err() != nil {
		return nil, incompletef("interrupted")
	}
	return b, nil
}
