//go:build linux && !race

package child

import "syscall"

// LimitsMemory says whether this build enforces [Limits.Memory].
const LimitsMemory = true

// limitMemory bounds the private writable memory of this process for good,
// and forbids core dumps, which would hold the input.
//
// RLIMIT_DATA rather than RLIMIT_AS: the Go runtime reserves hundreds of MiB
// of addresses that it never touches. Since Linux 4.7 RLIMIT_DATA counts
// every private writable mapping, which is what the runtime turns such a
// reservation into when it uses it.
func limitMemory(bytes int64) {
	lower(syscall.RLIMIT_DATA, uint64(bytes))
	lower(syscall.RLIMIT_CORE, 0)
}

// lower needs no right and cannot fail: a limit that is lower already stays.
func lower(resource int, n uint64) {
	var now syscall.Rlimit
	if syscall.Getrlimit(resource, &now) == nil {
		n = min(n, now.Max)
	}
	syscall.Setrlimit(resource, &syscall.Rlimit{Cur: n, Max: n})
}
