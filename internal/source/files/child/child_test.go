package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What a child can be asked to do in these tests.
var (
	echo    = Define("__echo", func(request []byte) ([]byte, error) { return request, nil })
	refuse  = Define("__refuse", func([]byte) ([]byte, error) { return nil, errors.New("a.yaml:3: no such thing") })
	panics  = Define("__panic", func([]byte) ([]byte, error) { panic("hunter2") })
	crashes = Define("__crash", func([]byte) ([]byte, error) {
		go panic("hunter2")
		select {}
	})
	exits = Define("__exit", func([]byte) ([]byte, error) {
		os.Exit(0)
		return nil, nil
	})
	chatter = Define("__chatter", func([]byte) ([]byte, error) {
		os.Stdout.WriteString("noise")
		return []byte("x"), nil
	})
	spin = Define("__spin", func([]byte) ([]byte, error) {
		//lint:ignore SA5002 it has to be stopped from outside
		for {
		}
	})
	hoard = Define("__hoard", func([]byte) ([]byte, error) {
		var kept [][]byte
		for {
			//lint:ignore SA4010 it is kept to fill the memory
			kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
		}
	})
	hoardAtOnce = Define("__hoard-at-once", func([]byte) ([]byte, error) { return make([]byte, 8<<30), nil })
	recursion   = Define("__recurse", func([]byte) ([]byte, error) { return []byte{byte(recurse(1))}, nil })
	flood       = Define("__flood", func([]byte) ([]byte, error) { return make([]byte, 3<<20), nil })
	use600MiB   = Define("__use-600-mib", func([]byte) ([]byte, error) { return bytes.Repeat([]byte{1}, 600<<20)[:1], nil })

	surroundings = Define("__surroundings", func([]byte) ([]byte, error) {
		_, getErr := http.Get("http://127.0.0.1:1/")
		_, gitErr := exec.LookPath("git")
		return json.Marshal([]any{os.Environ(), getErr.Error(), gitErr != nil})
	})
)

//lint:ignore SA5007 it has to fill the stack
func recurse(n int) int { return recurse(n+1) + n }

func TestMain(m *testing.M) {
	if isChild, exit := Handle(os.Args); isChild {
		os.Exit(exit)
	}
	os.Exit(m.Run())
}

func TestRunGivesBackTheOutput(t *testing.T) {
	big := strings.Repeat("x", 1<<20) // more than a pipe holds
	got, err := echo.Run(t.Context(), big, Limits{})
	if err != nil || string(got) != `"`+big+`"` {
		t.Fatalf("got %d bytes, %v", len(got), err)
	}
}

func TestRunNamesTheReason(t *testing.T) {
	small := Limits{Memory: 256 << 20, Output: 1 << 20}
	for _, c := range []struct {
		task   *Task
		limits Limits
		want   string
		memory bool // needs the memory limit
	}{
		{refuse, small, "a.yaml:3: no such thing", false},
		{panics, small, "the library panicked (string); please report this as a bug", false},
		{crashes, small, "crashed (exit status 2); please report this as a bug", false},
		{exits, small, "gave no answer; please report this as a bug", false},
		{chatter, small, "gave no answer; please report this as a bug", false},
		{spin, Limits{Time: 300 * time.Millisecond}, "took longer than 300ms", false},
		{hoard, small, "used more than 256 MiB of memory", true},
		{hoardAtOnce, Limits{}, "used more than 1 GiB of memory", true},
		{recursion, small, "recursed without end: used more than 64 MiB of stack", false},
		{flood, small, "produced more than 1 MiB of output", false},
	} {
		t.Run(c.task.name, func(t *testing.T) {
			if c.memory && !LimitsMemory {
				t.Skip("this build does not limit memory")
			}
			out, err := c.task.Run(t.Context(), nil, c.limits)
			if err == nil || err.Error() != c.want {
				t.Fatalf("got %d bytes and error %v, want %q", len(out), err, c.want)
			}
		})
	}
}

// The limit must not be so tight that honest work within it fails.
func TestRunLeavesRoomWithinTheLimit(t *testing.T) {
	if out, err := use600MiB.Run(t.Context(), nil, Limits{}); err != nil || len(out) != 1 {
		t.Fatalf("got %d bytes, %v", len(out), err)
	}
}

func TestChildHasNoSurroundings(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows programs cannot start without SYSTEMROOT")
	}
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	out, err := surroundings.Run(t.Context(), nil, Limits{})
	want := `[[],"Get \"http://127.0.0.1:1/\": this process does not use the network",true]`
	if err != nil || string(out) != want {
		t.Fatalf("got %s, %v", out, err)
	}
}

func TestRunStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user went home")
	time.AfterFunc(200*time.Millisecond, func() { cancel(why) })
	if _, err := spin.Run(ctx, nil, Limits{}); !errors.Is(err, why) {
		t.Fatalf("got %v", err)
	}
}

// A parent that was killed closes the child's standard input.
func TestChildEndsWithItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "__spin")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(stdin, `{"Memory":1073741824,"Request":null}`)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("ended before its parent: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	stdin.Close()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		cmd.Process.Kill()
		t.Fatal("still running")
	}
}

// Without Handle in main the child would do everything that the parent does.
func TestRunNeedsHandle(t *testing.T) {
	handled.Store(false)
	defer handled.Store(true)
	_, err := echo.Run(t.Context(), nil, Limits{})
	if err == nil || !strings.Contains(err.Error(), "child.Handle") {
		t.Fatalf("got %v", err)
	}
}

func TestHandleLeavesOtherArgumentsAlone(t *testing.T) {
	for _, args := range [][]string{nil, {"plimsoll"}, {"plimsoll", "scan"}, {"plimsoll", "__echo", "x"}, {"__echo"}, {"plimsoll", "__unknown"}} {
		if isChild, _ := Handle(args); isChild {
			t.Errorf("%q was taken for a task", args)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1000: "1000 bytes", 1 << 10: "1 KiB", 256 << 20: "256 MiB", 3 << 40: "3 TiB", 1<<30 + 1: "1073741825 bytes"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %s, want %s", n, got, want)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	for b.Loop() {
		if _, err := echo.Run(b.Context(), "x", Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
