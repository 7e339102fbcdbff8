package application

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// pipes begins the names of pipes on Windows, where case does not count.
const pipes = "//./"

// sockets are where container runtimes listen. /var/run is a link to /run.
//
// https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/#installing-runtime
var sockets = []string{
	"/run/docker.sock",
	"/run/docker/containerd/containerd.sock", // the containerd that dockerd starts
	"/run/containerd/containerd.sock",
	"/run/crio/crio.sock",
	"/run/cri-dockerd.sock",
	"/run/dockershim.sock",
	"/run/podman/podman.sock",
	"/run/k3s/containerd/containerd.sock", // K3s and RKE2
	"/run/k0s/containerd.sock",
	"/var/snap/microk8s/common/run/containerd.sock",
	pipes + "pipe/docker_engine",
	pipes + "pipe/containerd-containerd",
}

// runtime-socket/host-path
//
// Statement: no container reaches the socket of a container runtime.
// Looks at: hostPath volumes and where containers mount them, subPath included.
// Passes when: no mount shows such a socket or a directory above it. A volume
// that nothing mounts shows nothing.
// Fails when: one does; once for the workload, with all its mounts. readOnly
// protects the file and not what listens behind it. /var counts as above
// /var/run, and holds the socket of MicroK8s: where /var/run is a link, the
// sockets of others are not seen through it, but everything that the runtime
// and the kubelet keep is.
// Cannot tell when: a variable decides which part of such a directory is mounted.
//
// That a path of the host is mounted at all is 3.2.
var runtimeSocket = &check.Check{
	ID:       "application/runtime-socket/host-path",
	Item:     checklist.RuntimeSocket,
	Title:    "No container reaches the socket of a container runtime",
	Noun:     "workload",
	Severity: report.High,
	Why: "Whoever can talk to the container runtime is root on the node: it starts privileged containers for anybody who asks, past the API server, its admission and its audit log. " +
		"One break-in into such a container takes the node, and with it the Secrets and tokens of every pod on it. Mounting the socket read-only changes nothing: it can be connected to all the same.",
	Remediation: "Remove the mount. Build images with a builder that needs no daemon, read container metrics from the kubelet, and mount only the directory that is needed, such as `/var/log`.",
	Refs: []report.Reference{
		{Name: "Installing a container runtime: its sockets", URL: "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/#installing-runtime"},
		{Name: "Volumes: hostPath", URL: "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"},
		{Name: "OWASP Docker Security Cheat Sheet, rule 1", URL: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html"},
	},
	Needs: workload.Needs(),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			judgeMounts(e, w)
		}
	},
}

func judgeMounts(e *check.Eval, w *workload.Workload) {
	var shown []string // paths of the host, quoted
	above, writable := false, false
	var seen, unclear []report.Evidence
	for c := range w.Containers() {
		for i, m := range c.VolumeMounts {
			v := slices.IndexFunc(w.Spec().Volumes, func(v corev1.Volume) bool { return v.Name == m.Name && v.HostPath != nil })
			if v < 0 {
				continue
			}
			host := w.Spec().Volumes[v].HostPath.Path
			at, variable := mounted(host, m)
			if !reaches(at, variable) {
				continue
			}
			field := fmt.Sprintf("%s.volumeMounts[%d].", c.Field, i)
			if variable {
				unclear = append(unclear, w.PodEvidence(field+"subPathExpr", m.SubPathExpr, ""))
				continue
			}
			seen = append(seen, w.PodEvidence(field+"mountPath", m.MountPath, ""),
				w.PodEvidence(fmt.Sprintf("spec.volumes[%d].hostPath.path", v), host, "no runtime's socket, nor a directory above one"))
			if quoted := fmt.Sprintf("%q", at); !slices.Contains(shown, quoted) {
				shown = append(shown, quoted)
			}
			above, writable = above || !slices.Contains(sockets, linked(at)), writable || !m.ReadOnly
		}
	}
	switch {
	case len(shown) > 0:
		msg := "mounts " + strings.Join(shown, ", ") + " of the host, the socket of a container runtime"
		switch {
		case len(shown) == 1 && shown[0] == `"/var"`:
			msg = "mounts \"/var\" of the host, where container runtimes and the kubelet keep what they run, and some runtimes listen"
		case above:
			msg = "mounts " + strings.Join(shown, ", ") + " of the host, where sockets of container runtimes are"
		}
		if !writable {
			msg += "; that it is read-only does not prevent connections"
		}
		w.Counted(e.Fail(w.Subject, msg, seen...))
	case len(unclear) > 0:
		w.Counted(e.Unknown(w.Subject, "a variable decides whether a mount shows the socket of a container runtime", unclear...))
	default:
		e.Pass(w.Subject)
	}
}

// mounted is the path of the host that a mount shows. Where a variable decides
// the rest, it is how the path begins.
func mounted(host string, m corev1.VolumeMount) (at string, variable bool) {
	host = strings.ReplaceAll(host, `\`, "/")
	if strings.HasPrefix(host, pipes) {
		return strings.ToLower(host), false
	}
	if before, _, found := strings.Cut(m.SubPathExpr, "$("); found {
		return strings.TrimSuffix(path.Clean(host), "/") + "/" + before, true
	}
	return path.Join(host, m.SubPath, m.SubPathExpr), false
}

// reaches reports whether a path of the host is a runtime's socket or a
// directory above one, or, where a variable decides the rest, may be.
func reaches(at string, variable bool) bool {
	at = linked(at)
	above := strings.TrimSuffix(at, "/") + "/"
	return at == "/var" || slices.ContainsFunc(sockets, func(s string) bool {
		return s == at || strings.HasPrefix(s, above) || variable && strings.HasPrefix(s, at)
	})
}

// linked follows the link from /var/run to /run.
func linked(at string) string {
	if rest, ok := strings.CutPrefix(at, "/var/run"); ok && (rest == "" || rest[0] == '/') {
		return "/run" + rest
	}
	return at
}
