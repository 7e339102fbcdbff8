package child

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"sync/atomic"
)

// Task is a piece of work that is done in a child process.
type Task struct {
	name string
	do   func(request []byte) ([]byte, error)
}

// tasks is filled by package variables, so it is complete when main begins.
var tasks = map[string]*Task{}

// handled is true once Handle was called. Without that, a program that starts
// itself again would do all of its own work in the child, this included.
var handled atomic.Bool

// Define makes a task; it is called for package variables only. The name is
// the hidden first argument of the program, such as "__render-chart". What do
// returns is passed to the parent, an error by its text, which must not quote
// values of the input.
func Define(name string, do func(request []byte) ([]byte, error)) *Task {
	if tasks[name] != nil {
		panic("child: two tasks are named " + name)
	}
	tasks[name] = &Task{name, do}
	return tasks[name]
}

// Handle has to be the first thing that main does, and TestMain in tests that
// run tasks. If the program was started as a child, it does the task that
// args (as in os.Args) asks for, and main must exit at once with the code
// returned: the task may be running still, if the parent is gone.
func Handle(args []string) (isChild bool, exit int) {
	handled.Store(true)
	if len(args) != 2 || tasks[args[1]] == nil {
		return false, 0
	}
	return true, tasks[args[1]].serve(os.Stdin, os.Stdout)
}

func (t *Task) serve(stdin io.Reader, stdout io.Writer) int {
	var e envelope
	if err := json.NewDecoder(stdin).Decode(&e); err != nil {
		return 2 // not started by Run
	}
	fence(e.Memory)

	parentGone := make(chan struct{})
	go func() {
		io.Copy(io.Discard, stdin)
		close(parentGone)
	}()
	finished := make(chan int, 1)
	go func() {
		head := done
		out, err := t.try(e.Request)
		if err != nil {
			head, out = refused, []byte(err.Error())
		}
		_, headErr := io.WriteString(stdout, head)
		_, outErr := stdout.Write(out)
		if headErr != nil || outErr != nil {
			finished <- 2 // nobody reads
			return
		}
		finished <- 0
	}()
	select {
	case <-parentGone:
		return 2
	case exit := <-finished:
		return exit
	}
}

// try does the work. The text of a panic may quote values, so only its type
// is told.
func (t *Task) try(request []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the library panicked (%T); please report this as a bug", p)
		}
	}()
	return t.do(request)
}

// maxStack is the share of the memory limit that one goroutine's stack may
// have. A stack grows by doubling and copying, so more could not be used.
func maxStack(memory int64) int64 { return memory / 4 }

// fence takes from this process what the work does not need.
func fence(memory int64) {
	// Libraries log values of the input.
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	debug.SetTraceback("none")

	http.DefaultTransport = offline{}

	// The garbage collector works harder before the hard limit is reached.
	debug.SetMemoryLimit(memory / 4 * 3)
	debug.SetMaxStack(int(maxStack(memory)))
	limitMemory(memory)
}

// offline is an HTTP transport that refuses every request.
type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("this process does not use the network")
}
