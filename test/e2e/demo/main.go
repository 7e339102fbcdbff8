// Command demo makes the sample cluster that "plimsoll demo" scans: it starts
// a real API server and controller manager, applies the manifests of shop/,
// plays the scheduler and the kubelets until everything runs, and writes what
// the API server then lists. No Secret value is written.
//
//	go run ./test/e2e/demo -o internal/cli/demo/cluster.json.gz
//
// The servers have to be built before, with "make cluster".
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/plimsoll-sec/plimsoll/test/e2e/kube"
)

//go:embed shop/*.yaml
var shop embed.FS

// info is what the snapshot does not say of itself. The CLI embeds it too.
type info struct {
	// Observed is when the objects were listed.
	Observed     time.Time `json:"observed"`
	Name         string    `json:"name"`
	Version      string    `json:"version"`
	Distribution string    `json:"distribution"`
	Provider     string    `json:"provider"`
	Nodes        int       `json:"nodes"`
}

func main() {
	log.SetFlags(0)
	out := flag.String("o", filepath.FromSlash("internal/cli/demo/cluster.json.gz"),
		"write the snapshot to this `file`, and cluster.info.json beside it")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q: there are only flags", flag.Arg(0))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *out); err != nil {
		log.Fatalf("making the sample cluster: %v", err)
	}
}

func run(ctx context.Context, out string) error {
	dir, err := os.MkdirTemp("", "plimsoll-demo-")
	if err != nil {
		return fmt.Errorf("making a directory for the servers: %w", err)
	}
	defer os.RemoveAll(dir)
	manifests, err := readManifests(shop)
	if err != nil {
		return err
	}
	log.Print("starting etcd, kube-apiserver and kube-controller-manager")
	servers, err := kube.Run(ctx, dir, kube.Options{ControllerManager: true})
	if err != nil {
		return err
	}
	defer servers.Stop()
	c, err := connect(servers.Kubeconfig)
	if err != nil {
		return err
	}
	log.Printf("applying %d objects", len(manifests))
	if err := c.applyAll(ctx, manifests); err != nil {
		return err
	}
	log.Print("waiting until everything runs")
	if err := c.settle(ctx, manifests); err != nil {
		return err
	}
	facts := info{
		Observed:     time.Now().UTC().Truncate(time.Second),
		Name:         "shop-prod",
		Distribution: "kubeadm",
		Nodes:        len(c.nodes),
	}
	if facts.Version, err = c.version(); err != nil {
		return err
	}
	snapshot, err := c.dump(ctx)
	if err != nil {
		return err
	}
	return write(out, snapshot, facts)
}

func write(out string, snapshot []byte, facts info) error {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(snapshot); err != nil {
		return fmt.Errorf("compressing the snapshot: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compressing the snapshot: %w", err)
	}
	about, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the facts of the cluster: %w", err)
	}
	if err := os.WriteFile(out, packed.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the snapshot: %w", err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(out), "cluster.info.json"), append(about, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the facts of the cluster: %w", err)
	}
	log.Printf("wrote %s: %d bytes, %d unpacked", out, packed.Len(), len(snapshot))
	return nil
}
