package cli

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/plimsoll-sec/plimsoll/internal/checks"
	"github.com/plimsoll-sec/plimsoll/internal/config"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
	"github.com/plimsoll-sec/plimsoll/internal/source/files"
)

// The sample cluster: what a real API server listed, made by test/e2e/demo.
var (
	//go:embed demo/cluster.json.gz
	demoCluster []byte
	//go:embed demo/kubelet-config.yaml
	demoKubelet []byte
	//go:embed demo/cluster.info.json
	demoInfo []byte
)

func newDemo(s IO) *cobra.Command {
	var f renderFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Scan the sample cluster that comes with the program",
		Long: `Scan a sample cluster that is embedded in the program: a small shop as it
stood on a real API server, with the usual flaws. It needs no cluster, no files
and no network.`,
		Example: `  plimsoll demo
  plimsoll demo --all
  plimsoll demo -o markdown`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runDemo(s, &f) },
	}
	f.register(cmd)
	if err := cmd.Flags().Set("fail-on", "never"); err != nil {
		panic(err)
	}
	cmd.Flags().Lookup("fail-on").DefValue = "never"
	return cmd
}

func runDemo(s IO, f *renderFlags) error {
	threshold, err := parseThreshold(f.failOn)
	if err != nil {
		return err
	}
	outputs, err := parseOutputs(f.outputs)
	if err != nil {
		return err
	}
	started := s.Now()
	r, err := demoReport()
	if err != nil {
		return incompletef("reading the sample cluster: %w", err)
	}
	if _, fixed := s.now(); !fixed {
		r.Scan.DurationMS = s.Now().Sub(started).Milliseconds()
	}
	if err := write(s, f, outputs, r); err != nil {
		return err
	}
	return outcome(r, false, threshold)
}

func demoReport() (*report.Report, error) {
	var info struct {
		Observed     time.Time `json:"observed"`
		Name         string    `json:"name"`
		Version      string    `json:"version"`
		Distribution string    `json:"distribution"`
		Provider     string    `json:"provider"`
		Nodes        int       `json:"nodes"`
	}
	if err := json.Unmarshal(demoInfo, &info); err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(demoCluster))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	b := &inventory.Builder{}
	src := files.ReadFiles(b, []files.File{
		{Name: "sample-cluster.json", Data: data},
		{Name: "kubelet-config.yaml", Data: demoKubelet},
	})
	if len(src.Problems) > 0 {
		return nil, fmt.Errorf("%s: %s", src.Problems[0].At, src.Problems[0].Message)
	}
	src.Detail = "the sample cluster that comes with plimsoll"
	r, _ := evaluate(b, info.Observed, info.Observed, config.Default(), checks.All, report.Scan{
		Sources: []report.Source{src},
		Cluster: report.Cluster{
			Name: info.Name, Version: info.Version, Distribution: info.Distribution,
			Provider: info.Provider, Nodes: info.Nodes,
		},
	})
	return r, nil
}
