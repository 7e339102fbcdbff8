// Command plimsoll verifies a Kubernetes cluster, or manifests, against the
// Security Checklist of the Kubernetes documentation.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/plimsoll-sec/plimsoll/internal/cli"
	"github.com/plimsoll-sec/plimsoll/internal/source/files/child"
)

func main() {
	// Charts and kustomizations are rendered by this same program, in a child
	// process with limits.
	if handled, code := child.Handle(os.Args); handled {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}
