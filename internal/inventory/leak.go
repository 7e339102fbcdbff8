package inventory

import (
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/credential"
)

// Leak is a credential in a field that should not hold one. The field is
// searched when its object is put, so that nothing after that has to handle the
// value.
type Leak struct {
	// Field is the path of the field: "data[application.yaml]".
	Field string
	credential.Leak
}

// leaksInConfigMap searches the items and annotations.
func leaksInConfigMap(x *corev1.ConfigMap) []Leak {
	var found []Leak
	for _, key := range slices.Sorted(maps.Keys(x.Data)) {
		found = add(found, "data["+key+"]", credential.Find(key, x.Data[key]))
	}
	for _, key := range slices.Sorted(maps.Keys(x.BinaryData)) {
		found = add(found, "binaryData["+key+"]", credential.Find(key, string(x.BinaryData[key])))
	}
	return leaksInMeta(found, &x.ObjectMeta)
}

// leaksInTemplate searches a pod template and the annotations of the object
// around it. path is the template's; empty for a Pod.
func leaksInTemplate(m *metav1.ObjectMeta, t *corev1.PodTemplateSpec, path string) []Leak {
	found := leaksInSpec(&t.Spec, path+".")
	return leaksInMeta(leaksInAnnotations(found, path+".metadata", t.Annotations), m)
}

// leaksInSpec searches the literal variables and command lines of all containers.
func leaksInSpec(spec *corev1.PodSpec, prefix string) []Leak {
	var found []Leak
	one := func(list string, i int, c *corev1.Container) {
		at := prefix + "spec." + list + "[" + strconv.Itoa(i) + "]"
		for j := range c.Env {
			if c.Env[j].Value != "" {
				found = add(found, at+".env["+strconv.Itoa(j)+"].value", credential.Find(c.Env[j].Name, c.Env[j].Value))
			}
		}
		if len(c.Command)+len(c.Args) == 0 {
			return
		}
		for _, l := range credential.FindArgs(slices.Concat(c.Command, c.Args)) {
			field := at + ".command[" + strconv.Itoa(l.Arg) + "]"
			if l.Arg >= len(c.Command) {
				field = at + ".args[" + strconv.Itoa(l.Arg-len(c.Command)) + "]"
			}
			found = append(found, Leak{field, l})
		}
	}
	for i := range spec.InitContainers {
		one("initContainers", i, &spec.InitContainers[i])
	}
	for i := range spec.Containers {
		one("containers", i, &spec.Containers[i])
	}
	for i := range spec.EphemeralContainers {
		one("ephemeralContainers", i, (*corev1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon))
	}
	return found
}

// leaksInMeta adds what the annotations hold. kubectl's copy of the object
// repeats its fields: it is searched only where they hold nothing (any more).
func leaksInMeta(found []Leak, m *metav1.ObjectMeta) []Leak {
	found = leaksInAnnotations(found, "metadata", m.Annotations)
	if applied := m.Annotations[corev1.LastAppliedConfigAnnotation]; applied != "" && len(found) == 0 {
		return add(found, "metadata.annotations["+corev1.LastAppliedConfigAnnotation+"]", credential.Find(corev1.LastAppliedConfigAnnotation, applied))
	}
	return found
}

func leaksInAnnotations(found []Leak, path string, annotations map[string]string) []Leak {
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if key != corev1.LastAppliedConfigAnnotation {
			found = add(found, path+".annotations["+key+"]", credential.Find(key, annotations[key]))
		}
	}
	return found
}

func add(found []Leak, field string, leaks []credential.Leak) []Leak {
	for _, l := range leaks {
		found = append(found, Leak{field, l})
	}
	return found
}

// leaksInPod is leaksInSpec for a spec that many pods share: it is searched once.
func (b *Builder) leaksInPod(spec *corev1.PodSpec) []Leak {
	b.mu.Lock()
	found, ok := b.leaks[spec]
	b.mu.Unlock()
	if ok {
		return found
	}
	found = leaksInSpec(spec, "")
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.leaks == nil {
		b.leaks = map[*corev1.PodSpec][]Leak{}
	}
	b.leaks[spec] = found
	return found
}
