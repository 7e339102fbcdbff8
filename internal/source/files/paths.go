package files

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Options says what is read and how.
type Options struct {
	// Paths are files, directories, charts (directories or .tgz files),
	// kustomizations, and "-" for stdin.
	Paths []string
	Stdin io.Reader
	// Exclude holds patterns as in a .gitignore, relative to each directory in
	// Paths. Those in [IgnoreFile] of a directory hold below it.
	Exclude []string
	// RenderChart and RenderKustomization render a directory (or chart
	// archive). Without them, charts and kustomizations are gaps.
	RenderChart, RenderKustomization Renderer
	// Beside says that a cluster is read as well: then the input is not the
	// universe, and what is not in it is left to the other source.
	Beside bool
	// Progress, if set, is told how many of the inputs are done. It is not
	// called concurrently.
	Progress func(done, total int)
}

// Renderer renders the chart or kustomization at a path to a stream of
// manifests. Its errors must not quote values.
type Renderer func(ctx context.Context, path string) ([]byte, error)

// Read reads paths. The error says that the paths make no sense: one does not
// exist, or there is nothing to read in it. Whatever else goes wrong is a
// problem and a gap.
func Read(ctx context.Context, b *inventory.Builder, o Options) (report.Source, error) {
	inputs, all, err := findInputs(o)
	if err != nil {
		return report.Source{}, err
	}
	var (
		next     = make(chan input)
		wait     sync.WaitGroup
		mu       sync.Mutex
		done     int
		shared   sync.Mutex
		finished = func(t *tally) {
			mu.Lock()
			defer mu.Unlock()
			all.add(t)
			done++
			if o.Progress != nil {
				o.Progress(done, len(inputs))
			}
		}
	)
	for range min(max(runtime.GOMAXPROCS(0), 2), max(len(inputs), 1)) {
		wait.Go(func() {
			w := &worker{b: b, large: &shared}
			for in := range next {
				finished(w.take(ctx, o, in))
			}
		})
	}
	for _, in := range inputs {
		next <- in
	}
	close(next)
	wait.Wait()
	if o.Beside {
		all.concludeBeside(b)
	} else {
		all.conclude(b)
	}
	return all.source(strings.Join(o.Paths, " ")), nil
}

// worker reads one input after the other, in buffers that it keeps.
type worker struct {
	b    *inventory.Builder
	e    emitter
	in   *bufio.Reader
	text []byte
	// large is held while a large document is read, so that only one at a
	// time takes its many times larger memory.
	large *sync.Mutex
}

func (w *worker) file(name string) *file {
	nothing := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	return &file{tally: newTally(), worker: w, name: name, sibling: nothing}
}

func (w *worker) take(ctx context.Context, o Options, in input) *tally {
	f := w.file(in.name)
	switch {
	case ctx.Err() != nil:
		f.problem(f.at(0), "not read: the scan was stopped", report.TimedOut, inventory.AnyKind)
	case in.kind == stdin:
		f.read(&cancelReader{ctx, o.Stdin})
	case in.kind == chart:
		f.rendered(ctx, o.RenderChart, in.path, "chart")
	case in.kind == kustomization:
		f.rendered(ctx, o.RenderKustomization, in.path, "kustomization")
	default:
		f.open(ctx, in)
	}
	return f.tally
}

func (f *file) open(ctx context.Context, in input) {
	r, err := os.Open(in.path)
	if err != nil {
		f.problem(f.at(0), "cannot be opened: "+reason(err), report.Unreadable, inventory.AnyKind)
		return
	}
	defer r.Close() // it was only read
	f.sibling = func(name string) ([]byte, error) { return readSibling(in.path, name) }
	f.optional = !in.explicit && isConfigName(in.path)
	f.read(&cancelReader{ctx, r})
}

// maxSibling is more than any configuration of an admission plugin has.
const maxSibling = 1 << 20

// readSibling reads a file that a configuration refers to. Where the path is
// one of the host that the configuration was copied from, the file of the
// same name beside it is taken.
func readSibling(from, name string) ([]byte, error) {
	candidates := []string{filepath.Join(filepath.Dir(from), filepath.Base(name))}
	if !filepath.IsAbs(name) {
		candidates = []string{filepath.Join(filepath.Dir(from), name)}
	}
	info, err := os.Stat(candidates[0])
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxSibling:
		return nil, fmt.Errorf("it is not a file of at most %d KiB", maxSibling>>10)
	}
	return os.ReadFile(candidates[0])
}

// rendered reads what a chart or kustomization renders to.
func (f *file) rendered(ctx context.Context, render Renderer, path, what string) {
	if render == nil {
		f.problem(f.at(0), "a "+what+", which is not rendered", report.Unreadable, inventory.AnyKind)
		return
	}
	data, err := render(ctx, path)
	if err != nil {
		f.problem(f.at(0), err.Error(), report.Unreadable, inventory.AnyKind)
		return
	}
	f.directory, f.from, f.kustomized = f.name, f.name, what == "kustomization"
	f.name += " (rendered)"
	f.yaml(bufio.NewReader(bytes.NewReader(data)))
}

// cancelReader stops reading when the scan is stopped.
type cancelReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
