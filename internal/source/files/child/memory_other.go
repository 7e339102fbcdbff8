//go:build !linux || race

package child

// LimitsMemory says whether this build enforces [Limits.Memory].
const LimitsMemory = false

// limitMemory does nothing: only Linux has a limit that the Go runtime feels,
// and the race detector maps more than any limit. The collector's soft limit
// and the time limit remain.
func limitMemory(int64) {}
