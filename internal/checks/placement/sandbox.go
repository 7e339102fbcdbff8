package placement

import "strings"

// isolation is what the handler of a RuntimeClass puts between a pod and the
// kernel of its node.
type isolation int

const (
	notKnown isolation = iota
	// sandboxed pods have a kernel of their own.
	sandboxed
	// sharedKernel pods are containers as without a RuntimeClass.
	sharedKernel
)

// handlers are the names that the installers and documents of runtimes give
// their handlers. A name is a convention of the node's configuration: others
// are not known.
var handlers = map[string]isolation{
	"runsc":                  sandboxed,    // gVisor: https://gvisor.dev/docs/user_guide/containerd/quick_start/
	"gvisor":                 sandboxed,    // https://cloud.google.com/kubernetes-engine/docs/concepts/sandbox-pods
	"kata":                   sandboxed,    // https://github.com/kata-containers/kata-containers/blob/main/docs/how-to/containerd-kata.md
	"firecracker":            sandboxed,    // https://github.com/firecracker-microvm/firecracker-containerd
	"aws.firecracker":        sandboxed,    // the same, by the name of its shim
	"edera":                  sandboxed,    // https://docs.edera.dev/
	"urunc":                  sandboxed,    // https://urunc.io/
	"runhcs-wcow-hypervisor": sandboxed,    // Hyper-V: https://github.com/containerd/containerd/blob/main/internal/cri/config/config_windows.go
	"runhcs-wcow-process":    sharedKernel, // the same place
	"runc":                   sharedKernel,
	"crun":                   sharedKernel,
	"youki":                  sharedKernel,
	"sysbox-runc":            sharedKernel, // https://github.com/nestybox/sysbox: user namespaces, one kernel
	"nvidia":                 sharedKernel, // https://docs.nvidia.com/datacenter/cloud-native/gpu-operator/latest/
	"nvidia-cdi":             sharedKernel,
	"nvidia-legacy":          sharedKernel,
}

// isolationOf looks a handler up. kata-deploy names one per hypervisor
// (kata-qemu, kata-clh, kata-remote, …), AKS kata-mshv-vm-isolation and kata-cc.
//
// https://github.com/kata-containers/kata-containers/tree/main/tools/packaging/kata-deploy
// https://learn.microsoft.com/azure/aks/use-pod-sandboxing
func isolationOf(handler string) isolation {
	if strings.HasPrefix(handler, "kata-") {
		return sandboxed
	}
	return handlers[handler]
}
