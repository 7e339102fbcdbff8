package cli

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/checks"
	"github.com/plimsoll-sec/plimsoll/internal/config"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/json"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// BenchmarkScan does what "plimsoll scan --offline -o json" does with the real
// manifests of the corpora: read, seal, evaluate, render. Its peak-RSS-MiB is
// that of the process so far, so that it says something only where this is the
// first benchmark that runs, with -benchtime 1x.
func BenchmarkScan(b *testing.B) {
	dir := corpus(b, "real-world")
	b.SetBytes(size(b, dir))
	b.ReportAllocs()
	objects, before := 0, processorTime(b)
	for b.Loop() {
		s := IO{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard, Getenv: os.Getenv, Now: time.Now}
		evidence := &inventory.Builder{}
		src, err := (&fileFlags{}).read(b.Context(), s, evidence, newProgress(s), []string{dir}, nil, false)
		if err != nil {
			b.Fatal(err)
		}
		objects += src.Objects
		r, _ := evaluate(evidence, time.Now(), time.Now(), config.Default(), checks.All, report.Scan{Sources: []report.Source{src}})
		if err := json.Write(s.Stdout, r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(objects)/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric((processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(peakMemory(b), "peak-RSS-MiB")
}

// corpus is a folder of real manifests, which benchmarks do without where it
// is not there.
func corpus(b *testing.B, name string) string {
	b.Helper()
	dir := os.Getenv("PLIMSOLL_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpora") // beside the module
	}
	dir = filepath.Join(dir, name)
	if _, err := os.Stat(dir); err != nil {
		b.Skipf("no corpus %s: set PLIMSOLL_CORPORA", name)
	}
	return dir
}

// size is the sum of the sizes of the files in a directory.
func size(b *testing.B, dir string) (bytes int64) {
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

// processorTime is what the process used of all processors, which says more
// than the wall time on a machine that is shared.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is the largest resident set that the process had so far, in MiB.
func peakMemory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Logf("no peak memory: %v", err)
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	return 0
}
