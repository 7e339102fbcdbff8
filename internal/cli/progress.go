package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// progress is one line on a terminal that says how far the work is. It is
// silent everywhere else, and for work that takes no time to notice.
type progress struct {
	io      IO
	mu      sync.Mutex
	started time.Time
	drawn   time.Time
	shown   bool
}

const (
	progressDelay    = 300 * time.Millisecond // before the line appears
	progressInterval = 100 * time.Millisecond // between two drawings
)

func newProgress(s IO) *progress { return &progress{io: s, started: s.Now()} }

// show draws the line: done of total things. It may be called concurrently.
func (p *progress) show(done, total int, what string) {
	if !p.io.Interactive {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.io.Now()
	if now.Sub(p.started) < progressDelay || now.Sub(p.drawn) < progressInterval {
		return
	}
	p.drawn, p.shown = now, true
	const cells = 24
	filled := 0
	if total > 0 {
		filled = min(cells, done*cells/total)
	}
	fmt.Fprintf(p.io.Stderr, "\r\x1b[K%s%s %d/%d %s", strings.Repeat("━", filled), strings.Repeat("─", cells-filled), done, total, what)
}

// done removes the line.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.io.Stderr, "\r\x1b[K")
		p.shown = false
	}
}
