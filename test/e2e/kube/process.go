package kube

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout bounds the start of one server: about five seconds on an idle
	// machine, many times that beside a big build.
	startTimeout = 2 * time.Minute
	// probeTimeout keeps a stranger on a taken port, who may never answer, from
	// hiding that the server has ended.
	probeTimeout = 5 * time.Second
	// portAttempts is how many ports a server may find taken.
	portAttempts = 5
	// tailLines is how much of a log a failure shows.
	tailLines = 30
)

// launchOnFreePort launches a server on a port of its own and returns its URL.
// The paths are those that answer when it is ready. If somebody takes the port
// before the server does, the server ends, and is launched on another one.
func (c *Cluster) launchOnFreePort(ctx context.Context, binary string, flags func(port int) []string, paths ...string) (string, error) {
	var err error
	for range portAttempts {
		var port int
		if port, err = freePort(); err != nil {
			return "", err
		}
		var ready []string
		for _, path := range paths {
			ready = append(ready, loopbackURL(port)+path)
		}
		if err = c.launch(ctx, binary, flags(port), ready...); err == nil {
			return loopbackURL(port), nil
		}
		if !strings.Contains(err.Error(), syscall.EADDRINUSE.Error()) {
			break
		}
	}
	return "", err
}

// launch starts a server and waits until all the URLs of ready answer. The error
// holds the end of the server's log.
func (c *Cluster) launch(ctx context.Context, binary string, flags []string, ready ...string) error {
	p, err := startProcess(ctx, c.Dir, binary, flags)
	if err != nil {
		return err
	}
	if err := c.await(ctx, p, ready); err != nil {
		p.kill()
		return fmt.Errorf("%w\n%s", err, p.logTail())
	}
	c.processes = append(c.processes, p)
	return nil
}

func (c *Cluster) await(ctx context.Context, p *process, urls []string) error {
	timeout := time.After(startTimeout)
	for {
		err := c.getAll(ctx, urls)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended before it was ready: %s", p.name, p.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s is ready: %w", p.name, ctx.Err())
		case <-timeout:
			return fmt.Errorf("waiting until %s is ready: %w", p.name, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// getAll returns an error unless the administrator can get every URL.
func (c *Cluster) getAll(ctx context.Context, urls []string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	for _, url := range urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := c.admin.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("get %s: %s: %s", url, resp.Status, body)
		}
	}
	return nil
}

// process is a server that was started.
type process struct {
	name   string
	log    string // a file
	cmd    *exec.Cmd
	exited chan struct{}
}

func startProcess(ctx context.Context, dir, binary string, args []string) (*process, error) {
	name := filepath.Base(binary)
	p := &process{
		name:   name,
		log:    filepath.Join(dir, name+".log"),
		cmd:    exec.CommandContext(ctx, binary, args...),
		exited: make(chan struct{}),
	}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("making the log of %s: %w", name, err)
	}
	defer log.Close()
	p.cmd.Dir = dir
	p.cmd.Env = []string{} // flags alone decide, not the ETCD_* or proxy variables around the test
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = sysProcAttr()

	started := make(chan error)
	go func() {
		defer close(p.exited)
		// The kernel counts the end of the thread that started a child as the
		// death of its parent, so this one must last as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.cmd.Wait() // ProcessState keeps what it says
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// kill ends the process and returns when it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill() // fails only if there is no process any more
	<-p.exited
}

// logTail returns the end of the log under a title.
func (p *process) logTail() string {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprintf("reading the log of %s: %v", p.name, err)
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	return fmt.Sprintf("end of the log of %s:\n%s", p.name, strings.Join(lines, "\n"))
}

// freePort returns a port that nobody uses at this moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
