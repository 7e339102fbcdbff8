package files

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// corpus is a folder of real manifests, which tests do without where it is
// not there.
func corpus(tb testing.TB, name string) string {
	tb.Helper()
	dir := os.Getenv("PLIMSOLL_CORPORA")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			tb.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			up := filepath.Dir(root)
			if up == root {
				tb.Fatal("no go.mod above the test")
			}
			root = up
		}
		dir = filepath.Join(root, "..", "shared", "corpora")
	}
	dir = filepath.Join(dir, name)
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("no corpus %s: set PLIMSOLL_CORPORA", name)
	}
	return dir
}

func BenchmarkRealWorld(b *testing.B) {
	dir := corpus(b, "real-world")
	var bytes int64
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
	b.SetBytes(bytes)
	b.ReportAllocs()
	objects, before := 0, processorTime(b)
	for b.Loop() {
		builder := &inventory.Builder{}
		s, err := Read(context.Background(), builder, Options{Paths: []string{dir}})
		if err != nil {
			b.Fatal(err)
		}
		builder.Seal(time.Time{})
		objects += s.Objects
	}
	b.ReportMetric(float64(objects)/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric((processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(peakMemory(b), "peak-MiB")
}

// processorTime is what the process used of all processors, which says more
// than the wall time on a machine that is shared.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is the largest resident set that the process had so far.
func peakMemory(tb testing.TB) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Logf("no peak memory: %v", err)
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				tb.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	return 0
}

// BenchmarkSavedCluster reads what "kubectl get pods -A -o json" prints.
func BenchmarkSavedCluster(b *testing.B) {
	const item = `        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "5",
                "labels": {"app": "web"}, "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {"f:conditions": {}}}}]},
            "spec": {
                "containers": [
                    {"name": "web", "image": "registry.example.com/web@sha256:0123456789abcdef", "env": [{"name": "A", "value": "b"}],
                     "resources": {"limits": {"memory": "128Mi"}, "requests": {"memory": "128Mi", "cpu": "100m"}},
                     "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access", "readOnly": true}]}
                ],
                "serviceAccountName": "web"
            },
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
                "containerStatuses": [{"name": "web", "ready": true, "restartCount": 0, "image": "web", "imageID": "x", "containerID": "y"}]}
        },
`
	const items = 40_000
	b.SetBytes(items * int64(len(item)))
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		in := &repeated{head: `{"apiVersion": "v1", "items": [` + "\n", text: item, times: items, tail: "null], \"kind\": \"List\"}"}
		if _, err := Read(context.Background(), &inventory.Builder{}, Options{Paths: []string{"-"}, Stdin: in}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(items*b.N)/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric((processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(peakMemory(b), "peak-MiB")
}
