// Package child runs work on untrusted input in a child process with limits.
//
// Rendering a chart or a kustomization executes what its author wrote: a
// template such as {{ range until 1000000000 }} ends the process that renders
// it, and no recover helps. So the program starts itself again with a hidden
// first argument, the child limits its own memory and does the work, and the
// parent limits time and output. What happens to the child becomes an error.
//
// The child has no environment (so no PATH to find programs in, no proxy, no
// credentials) and its HTTP client refuses every request. That is the second
// fence: the work is expected not to try.
package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Limits bounds what a child may use. A zero field means the default.
type Limits struct {
	Memory int64         // in bytes; default 1 GiB; see LimitsMemory
	Time   time.Duration // wall time; default 60 s
	Output int64         // in bytes; default 256 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Memory == 0 {
		l.Memory = 1 << 30
	}
	if l.Time == 0 {
		l.Time = time.Minute
	}
	if l.Output == 0 {
		l.Output = 256 << 20
	}
	return l
}

// envelope is what the parent sends to the child's standard input.
type envelope struct {
	Memory  int64
	Request json.RawMessage
}

// done stands before the output of a child that did its work, refused before
// the text of the error of one that could not. Anything else is not an answer.
const (
	done    = "plimsoll child: done\n"
	refused = "plimsoll child: refused\n"
)

var errTime = errors.New("time limit")

// Run does the task in a child process and returns its output. The request is
// sent as JSON. The error says which limit was reached ("used more than 1 GiB
// of memory"), or is the task's own, or the context's.
func (t *Task) Run(ctx context.Context, request any, limits Limits) ([]byte, error) {
	if !handled.Load() {
		return nil, fmt.Errorf("%s cannot run in a child process: main has to call child.Handle first", t.name)
	}
	limits = limits.withDefaults()
	raw, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	input, err := json.Marshal(envelope{limits.Memory, raw})
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program in order to start it again: %w", err)
	}

	limited, cancel := context.WithTimeoutCause(ctx, limits.Time, errTime)
	defer cancel()
	cmd := exec.CommandContext(limited, self, t.name)
	cmd.Env = []string{}
	ownProcessGroup(cmd)
	cmd.WaitDelay = time.Second
	stdout := &bounded{limit: limits.Output + int64(len(done)), full: cancel}
	// The crash text of a Go program is searched for its reason, never shown.
	stderr := &bounded{limit: 64 << 10}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	// The child ends itself when its standard input ends, that is when this
	// process is gone, however it went. Wait closes this end.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a child process: %w", err)
	}
	go stdin.Write(input) // fails only when the child ended; Wait says how
	err = cmd.Wait()

	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case stdout.over:
		return nil, fmt.Errorf("produced more than %s of output", Size(limits.Output))
	case context.Cause(limited) == errTime:
		return nil, fmt.Errorf("took longer than %s", limits.Time)
	case err != nil:
		return nil, crash(cmd.ProcessState, stderr.kept.String(), limits)
	}
	if out, ok := bytes.CutPrefix(stdout.kept.Bytes(), []byte(done)); ok {
		return out, nil
	}
	if text, ok := bytes.CutPrefix(stdout.kept.Bytes(), []byte(refused)); ok {
		return nil, errors.New(string(text))
	}
	return nil, errors.New("gave no answer; please report this as a bug")
}

// crash says why the Go runtime or the kernel ended a child.
func crash(state *os.ProcessState, stderr string, limits Limits) error {
	has := func(texts ...string) bool {
		for _, s := range texts {
			if strings.Contains(stderr, s) {
				return true
			}
		}
		return false
	}
	switch {
	case has("stack overflow", "goroutine stack exceeds"):
		return fmt.Errorf("recursed without end: used more than %s of stack", Size(maxStack(limits.Memory)))
	// The texts of the runtime and of cgo when mmap or clone fails.
	case has("out of memory", "cannot allocate memory", "failed to create new OS thread", "pthread_create failed"):
		return fmt.Errorf("used more than %s of memory", Size(limits.Memory))
	case !state.Exited():
		return fmt.Errorf("was ended by the system (%s), probably for its use of memory", state)
	}
	return fmt.Errorf("crashed (%s); please report this as a bug", state)
}

// bounded keeps up to limit bytes; full, if any, is called when there are
// more. The buffer is not embedded: its ReadFrom would go past the limit.
type bounded struct {
	kept  bytes.Buffer
	limit int64
	over  bool
	full  func()
}

func (b *bounded) Write(p []byte) (int, error) {
	room := max(0, b.limit-int64(b.kept.Len()))
	if int64(len(p)) <= room {
		return b.kept.Write(p)
	}
	b.over = true
	b.kept.Write(p[:room])
	if b.full != nil {
		b.full()
	}
	return len(p), nil // what is too much is read and dropped
}

// Size renders a number of bytes in the largest unit that divides it.
func Size(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for i < len(units)-1 && n >= 1024 && n%1024 == 0 {
		n, i = n/1024, i+1
	}
	return fmt.Sprintf("%d %s", n, units[i])
}
