package workload

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// limitRangerAnnotation marks pods whose resources were filled in by the
// LimitRanger admission plugin.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/plugin/pkg/admission/limitranger/admission.go
const limitRangerAnnotation = "kubernetes.io/limit-ranger"

// ownLabels are written by controllers on what they make.
var ownLabels = map[string]bool{
	"pod-template-hash":                        true, // Deployment
	"controller-revision-hash":                 true, // StatefulSet, DaemonSet
	"pod-template-generation":                  true, // DaemonSet
	"statefulset.kubernetes.io/pod-name":       true,
	"apps.kubernetes.io/pod-index":             true,
	"controller-uid":                           true, // Job
	"job-name":                                 true,
	"batch.kubernetes.io/controller-uid":       true,
	"batch.kubernetes.io/job-name":             true,
	"batch.kubernetes.io/job-completion-index": true,
}

// comparer remembers comparisons by identity: sources share equal pod specs.
type comparer map[[2]*corev1.PodSpec]bool

// as reports whether the made pod or template is what the maker asked for, but
// for what the API server and the controllers write on every pod.
func (c comparer) as(maker, made *inventory.PodBearer) bool {
	if !sameLabels(maker.Template.Labels, made.Template.Labels) ||
		confinement(maker.Template.Annotations) != confinement(made.Template.Annotations) {
		return false
	}
	limited := made.Annotations[limitRangerAnnotation] != ""
	key := [2]*corev1.PodSpec{maker.Template.Spec, made.Template.Spec}
	if same, ok := c[key]; ok && !limited {
		return same
	}
	same := equal(normal(maker.Template.Spec, limited), normal(made.Template.Spec, limited))
	if !limited {
		c[key] = same
	}
	return same
}

// equal reports whether two specs mean the same. Mostly they are written in the
// same words, which is seen faster in their encoding; other words may mean the
// same, as quantities do.
func equal(a, b *corev1.PodSpec) bool {
	x, errX := a.Marshal()
	y, errY := b.Marshal()
	return errX == nil && errY == nil && bytes.Equal(x, y) || apiequality.Semantic.DeepEqual(a, b)
}

// sameLabels reports whether b is a with labels that controllers add.
func sameLabels(a, b map[string]string) bool {
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v && !ownLabels[k] {
			return false
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok && !ownLabels[k] {
			return false
		}
	}
	return true
}

// confinement joins the annotations that once configured seccomp and AppArmor,
// which upstream still reads.
func confinement(annotations map[string]string) string {
	var found []string
	for k, v := range annotations {
		if strings.Contains(k, "seccomp.security.alpha.kubernetes.io/") || strings.HasPrefix(k, corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix) {
			found = append(found, k+"="+v)
		}
	}
	if len(found) > 1 {
		slices.Sort(found)
	}
	return strings.Join(found, ",")
}

// normal is a copy of the spec without what the API server's admission plugins,
// the scheduler and the controllers write on every pod.
func normal(spec *corev1.PodSpec, limited bool) *corev1.PodSpec {
	s := spec.DeepCopy()
	s.NodeName = "" // scheduler
	s.Hostname, s.Subdomain = "", ""
	s.Priority, s.PreemptionPolicy = nil, nil // Priority
	s.Tolerations = nil                       // DefaultTolerationSeconds, DaemonSet controller
	s.Affinity = nil                          // DaemonSet controller pins each pod to its node
	s.ImagePullSecrets = nil                  // ServiceAccount
	s.Overhead = nil                          // RuntimeClass
	s.DeprecatedServiceAccount = ""
	if s.ServiceAccountName == "default" {
		s.ServiceAccountName = ""
	}
	if s.SecurityContext == nil {
		s.SecurityContext = &corev1.PodSecurityContext{}
	}
	token := map[string]bool{} // volumes that the ServiceAccount plugin projects
	s.Volumes = filter(s.Volumes, func(v corev1.Volume) bool {
		token[v.Name] = strings.HasPrefix(v.Name, "kube-api-access-") && v.Projected != nil
		// A claim template of a StatefulSet becomes a volume of its pods.
		return !token[v.Name] && v.PersistentVolumeClaim == nil
	})
	for _, cs := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range cs {
			c := &cs[i]
			c.VolumeMounts = filter(c.VolumeMounts, func(m corev1.VolumeMount) bool { return !token[m.Name] })
			if limited {
				c.Resources = corev1.ResourceRequirements{}
			}
			asPod(s, c)
		}
	}
	if s.EnableServiceLinks == nil {
		links := corev1.DefaultEnableServiceLinks
		s.EnableServiceLinks = &links
	}
	if s.Resources != nil {
		s.Resources.Requests = nil // derived from the containers' where unset
	}
	return s
}

// asPod gives a container the defaults that the API server gives to pods, and
// for historical reasons not to templates.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/v1/defaults.go (SetDefaults_Pod)
func asPod(s *corev1.PodSpec, c *corev1.Container) {
	for name, limit := range c.Resources.Limits {
		if _, ok := c.Resources.Requests[name]; !ok {
			if c.Resources.Requests == nil {
				c.Resources.Requests = corev1.ResourceList{}
			}
			c.Resources.Requests[name] = limit
		}
	}
	for i := range c.Ports {
		if p := &c.Ports[i]; s.HostNetwork && p.HostPort == 0 {
			p.HostPort = p.ContainerPort
		}
	}
}

// filter keeps what holds; nothing kept is nil, as in a template that lists nothing.
func filter[T any](in []T, keep func(T) bool) []T {
	var out []T
	for _, x := range in {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

// fingerprint is equal for pods that are equal once normalised.
func fingerprint(p *inventory.PodBearer) string {
	labels := map[string]string{}
	for k, v := range p.Template.Labels {
		if !ownLabels[k] {
			labels[k] = v
		}
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, v := range []any{labels, confinement(p.Template.Annotations), normal(p.Template.Spec, false)} {
		if err := enc.Encode(v); err != nil {
			panic(err) // API types always encode
		}
	}
	return string(h.Sum(nil))
}
