package secrets

import (
	"fmt"
	"iter"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// tokenPath is where programs look for the token.
const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount"

// projectedTokens quotes the projected tokens for the API server that a
// container mounts.
func projectedTokens(w *workload.Workload) []report.Evidence {
	var found []report.Evidence
	for i, v := range mountedVolumes(w) {
		if v.Projected == nil {
			continue
		}
		for j, s := range v.Projected.Sources {
			if s.ServiceAccountToken == nil || !forAPIServer(s.ServiceAccountToken, v.at) {
				continue
			}
			field := fmt.Sprintf("spec.volumes[%d].projected.sources[%d].serviceAccountToken", i, j)
			found = append(found, w.PodEvidence(field, "mounted at "+v.at, "no token"))
		}
	}
	return found
}

// mountedVolume is a volume that a container mounts, and where.
type mountedVolume struct {
	corev1.Volume
	at string
}

// mountedVolumes yields them with their index.
func mountedVolumes(w *workload.Workload) iter.Seq2[int, mountedVolume] {
	return func(yield func(int, mountedVolume) bool) {
		used := map[string]string{}
		for c := range w.Containers() {
			for _, m := range c.VolumeMounts {
				used[m.Name] = m.MountPath
			}
		}
		for i, v := range w.Spec().Volumes {
			if at, ok := used[v.Name]; ok && !yield(i, mountedVolume{v, at}) {
				return
			}
		}
	}
}

// legacyTokens yields the token Secrets that a container mounts, with the
// account that each is of.
func legacyTokens(e *check.Eval, w *workload.Workload) iter.Seq2[string, report.Evidence] {
	return func(yield func(string, report.Evidence) bool) {
		for i, v := range mountedVolumes(w) {
			if v.Secret == nil {
				continue
			}
			for s := range inventory.Named(e, inventory.Secrets, w.Namespace, v.Secret.SecretName) {
				account := s.Value.Annotations[corev1.ServiceAccountNameKey]
				if s.Value.Type != corev1.SecretTypeServiceAccountToken || account == "" || !inventory.Beside(s, w.Object) {
					continue
				}
				if !yield(account, w.PodEvidence(fmt.Sprintf("spec.volumes[%d].secret.secretName", i), s.Name, "no token")) {
					return
				}
			}
		}
	}
}

// forAPIServer reports whether the API server is the token's audience. Without
// one it is. An issuer may have a name of its own, so a token at the place where
// programs look for it counts too.
func forAPIServer(t *corev1.ServiceAccountTokenProjection, at string) bool {
	switch t.Audience {
	case "", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local":
		return true
	}
	return path.Clean(strings.ReplaceAll(strings.TrimPrefix(at, "C:"), `\`, "/")) == tokenPath // a drive and its separators on Windows
}
