package secrets

import (
	"fmt"
	"iter"

	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
)

// secretRefs yields the Secrets that the pod's containers get to see, by the
// field that names them: volumes, projected volumes and environment variables.
func secretRefs(w *workload.Workload) iter.Seq2[string, string] {
	return func(yield func(field, name string) bool) {
		for i, v := range w.Spec().Volumes {
			if v.Secret != nil && !yield(fmt.Sprintf("spec.volumes[%d].secret.secretName", i), v.Secret.SecretName) {
				return
			}
			if v.Projected == nil {
				continue
			}
			for j, s := range v.Projected.Sources {
				if s.Secret != nil && !yield(fmt.Sprintf("spec.volumes[%d].projected.sources[%d].secret.name", i, j), s.Secret.Name) {
					return
				}
			}
		}
		for c := range w.Containers() {
			for i, env := range c.Env {
				if env.ValueFrom != nil && env.ValueFrom.SecretKeyRef != nil &&
					!yield(fmt.Sprintf("%s.env[%d].valueFrom.secretKeyRef.name", c.Field, i), env.ValueFrom.SecretKeyRef.Name) {
					return
				}
			}
			for i, env := range c.EnvFrom {
				if env.SecretRef != nil && !yield(fmt.Sprintf("%s.envFrom[%d].secretRef.name", c.Field, i), env.SecretRef.Name) {
					return
				}
			}
		}
	}
}
