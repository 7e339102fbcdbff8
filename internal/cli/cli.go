// Package cli is the command line: it parses flags, wires sources, checks and
// renderers together, and turns the outcome into an exit code.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit codes.
const (
	exitOK         = 0 // nothing at or above the threshold
	exitFindings   = 1 // something is
	exitUsage      = 2 // usage or configuration error
	exitIncomplete = 3 // the scan could not be completed
)

// exitError carries an exit code to Main.
type exitError struct {
	code int
	err  error // nil where everything is said already
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func incompletef(format string, args ...any) error {
	return &exitError{exitIncomplete, fmt.Errorf(format, args...)}
}

// IO is the world around a command.
type IO struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Now            func() time.Time
	// Width and Height are the size of the terminal that stdout is, 0 if it is none.
	Width, Height int
	// Interactive is true where stderr is a terminal: progress may be shown.
	Interactive bool
}

// System is the IO of the process.
func System() IO {
	s := IO{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: time.Now}
	if w, h, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		s.Width, s.Height = w, h
	}
	s.Interactive = term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb" && os.Getenv("CI") == ""
	return s
}

// now is the moment of the scan. SOURCE_DATE_EPOCH fixes it, so that equal
// input gives equal bytes (https://reproducible-builds.org/specs/source-date-epoch/).
func (s IO) now() (at time.Time, fixed bool) {
	if n, err := strconv.ParseInt(s.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), true
	}
	return s.Now().UTC().Truncate(time.Second), false
}

// width is the width to render for: that of the terminal, $COLUMNS, or 100.
func (s IO) width() int {
	columns, _ := strconv.Atoi(s.Getenv("COLUMNS"))
	return cmp.Or(s.Width, max(columns, 0), 100)
}

// color reports whether to use colour (https://no-color.org).
func (s IO) color() bool {
	return s.Width > 0 && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}

// Main runs one command line and returns its exit code.
func Main(ctx context.Context, args []string, s IO) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{exitUsage, err} // cobra's own errors are usage errors
	}
	if exit.err != nil {
		fmt.Fprintf(s.Stderr, "plimsoll: %v\n", exit.err)
	}
	return exit.code
}

func newRoot(s IO) *cobra.Command {
	root := &cobra.Command{
		Use:   "plimsoll",
		Short: "Verify a Kubernetes cluster against the Kubernetes Security Checklist",
		Long: `Plimsoll verifies a Kubernetes cluster, or manifests, against the Security
Checklist of the Kubernetes documentation: all 35 boxes, each with a verdict
that rests on evidence. What could not be seen is "unknown", never a pass.`,
		Example: `  plimsoll demo                          a sample cluster, with nothing set up
  plimsoll scan ./manifests              manifests, charts, kustomizations
  plimsoll scan                          the cluster of the current kubeconfig context`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(s.Stdin)
	root.SetOut(s.Stdout)
	root.SetErr(s.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see %q", err, cmd.CommandPath()+" --help")
	})
	root.AddCommand(newScan(s), newAccess(s), newDemo(s), newChecks(s), newExplain(s), newVersion(s))
	return root
}
