//go:build !linux

package kube

import "syscall"

// sysProcAttr asks for nothing: only Linux can make a child die with its parent.
func sysProcAttr() *syscall.SysProcAttr {
	return nil
}
