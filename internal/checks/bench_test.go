package checks

import (
	"cmp"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// BenchmarkLargest judges the largest cluster to plan for, one check after the
// other. The times of checks are of the processors, collection of garbage
// included; that of the first to read a fact holds the fact's. Run it with
// -benchtime 1x; -v lists all that take 100 ms or more.
func BenchmarkLargest(b *testing.B) { judge(b, largest) }

// BenchmarkGrowth multiplies one dimension of a tenth of that cluster by four,
// one at a time: what grows by more than four times is not linear. One of all
// namespaces shows what is not linear in what a namespace holds.
func BenchmarkGrowth(b *testing.B) {
	tenth := largest
	for _, n := range tenth.dimensions() {
		*n.count /= 10
	}
	b.Run("none", func(b *testing.B) { judge(b, tenth) })
	b.Run("one-namespace", func(b *testing.B) {
		one := tenth
		one.namespaces = 1
		judge(b, one)
	})
	for i, n := range tenth.dimensions() {
		b.Run(n.name, func(b *testing.B) {
			more := tenth
			*more.dimensions()[i].count *= 4
			judge(b, more)
		})
	}
}

type dimension struct {
	name  string
	count *int
}

func (c *cluster) dimensions() []dimension {
	return []dimension{
		{"workloads", &c.workloads}, {"namespaces", &c.namespaces}, {"nodes", &c.nodes}, {"network-policies", &c.networkPolicies}, {"config-maps", &c.configMaps},
		{"roles", &c.roles}, {"policies", &c.policies}, {"webhooks", &c.webhooks}, {"stored", &c.stored},
	}
}

// judge measures how long it takes to put the evidence and to judge it, the
// five slowest checks, what the inventory holds, and what judging adds.
func judge(b *testing.B, c cluster) {
	var put, seal time.Duration
	var before, sealed, after uint64
	times := map[string]time.Duration{}
	for b.Loop() {
		b.StopTimer()
		before = heap()
		start := time.Now()
		builder := c.put(b)
		put += time.Since(start)
		start = time.Now()
		inv := builder.Seal(at)
		seal += time.Since(start)
		builder = nil
		sealed = heap()
		b.StartTimer()
		results := evaluate(b, inv, times)
		b.StopTimer()
		after = heap()
		runtime.KeepAlive(inv)
		runtime.KeepAlive(results)
		b.StartTimer()
	}
	per := func(d time.Duration) float64 { return d.Seconds() / float64(b.N) }
	b.ReportMetric(per(put), "put-s")
	b.ReportMetric(per(seal), "seal-s")
	b.ReportMetric(float64(sealed-before)/(1<<20), "inventory-MiB")
	b.ReportMetric(float64(after-sealed)/(1<<20), "results-MiB")
	var all time.Duration
	for _, t := range times {
		all += t
	}
	b.ReportMetric(per(all), "cpu-s/op")
	slowest := slices.SortedFunc(slices.Values(All), func(x, y *check.Check) int { return cmp.Compare(times[y.ID], times[x.ID]) })
	for i, c := range slowest {
		if i < 5 {
			b.ReportMetric(per(times[c.ID]), c.ID+"-s")
		}
		if per(times[c.ID]) >= 0.1 {
			b.Logf("%8.2f s  %s", per(times[c.ID]), c.ID)
		}
	}
}

func evaluate(b *testing.B, inv *inventory.Inventory, times map[string]time.Duration) (results []any) {
	for _, c := range All {
		start := processorTime(b)
		results = append(results, check.Evaluate(c, inv))
		times[c.ID] += processorTime(b) - start
	}
	return results
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

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
