package kube

import "syscall"

// sysProcAttr makes a server die with the test, even if the test is killed and
// has no time to stop it. The group of its own keeps a Ctrl-C for the test, so
// that the servers are still there while the test ends.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
