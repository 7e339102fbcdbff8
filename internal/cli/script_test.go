package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plimsoll-sec/plimsoll/internal/source/files/child"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata/script")

func TestMain(m *testing.M) {
	if handled, code := child.Handle(os.Args); handled {
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){
		// The command as a user runs it; the exit code is written out, since
		// scripts only tell success from failure.
		"plimsoll": func() {
			s := System()
			s.Now = func() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }
			code := Main(context.Background(), os.Args[1:], s)
			if code != 0 {
				fmt.Fprintf(os.Stderr, "exit code %d\n", code)
			}
			os.Exit(code)
		},
	})
}

// TestScripts runs plimsoll as users do: see testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			// No cluster is ever reachable from these scripts.
			env.Setenv("KUBECONFIG", env.WorkDir+"/no-kubeconfig")
			env.Setenv("SOURCE_DATE_EPOCH", "1793534400") // 2026-11-01
			return nil
		},
	})
}
