//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// ownProcessGroup starts the child in a process group of its own and ends the
// whole group when the context is done.
func ownProcessGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
