//go:build !unix

package child

import "os/exec"

// ownProcessGroup does nothing: the child starts no programs, and the context
// ends the child itself.
func ownProcessGroup(*exec.Cmd) {}
