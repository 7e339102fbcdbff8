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

// leaksInSpec searches the literal variables, command lines, probes and hooks of
// all containers.
func leaksInSpec(spec *corev1.PodSpec, prefix string) []Leak {
	var found []Leak
	for i := range spec.InitContainers {
		found = leaksInContainer(found, prefix+"spec.initContainers["+strconv.Itoa(i)+"]", &spec.InitContainers[i])
	}
	for i := range spec.Containers {
		found = leaksInContainer(found, prefix+"spec.containers["+strconv.Itoa(i)+"]", &spec.Containers[i])
	}
	for i := range spec.EphemeralContainers {
		c := (*corev1.Container)(&spec.EphemeralContainers[i].EphemeralContainerCommon)
		found = leaksInContainer(found, prefix+"spec.ephemeralContainers["+strconv.Itoa(i)+"]", c)
	}
	return found
}

func leaksInContainer(found []Leak, at string, c *corev1.Container) []Leak {
	for i := range c.Env {
		if c.Env[i].Value != "" {
			found = add(found, at+".env["+strconv.Itoa(i)+"].value", credential.Find(c.Env[i].Name, c.Env[i].Value))
		}
	}
	found = leaksInCommand(found, at, c.Command, c.Args)
	for _, p := range []struct {
		name  string
		probe *corev1.Probe
	}{{"startupProbe", c.StartupProbe}, {"readinessProbe", c.ReadinessProbe}, {"livenessProbe", c.LivenessProbe}} {
		if p.probe != nil {
			found = leaksInHandler(found, at+"."+p.name, p.probe.Exec, p.probe.HTTPGet)
		}
	}
	if l := c.Lifecycle; l != nil && l.PostStart != nil {
		found = leaksInHandler(found, at+".lifecycle.postStart", l.PostStart.Exec, l.PostStart.HTTPGet)
	}
	if l := c.Lifecycle; l != nil && l.PreStop != nil {
		found = leaksInHandler(found, at+".lifecycle.preStop", l.PreStop.Exec, l.PreStop.HTTPGet)
	}
	return found
}

func leaksInHandler(found []Leak, at string, exec *corev1.ExecAction, get *corev1.HTTPGetAction) []Leak {
	if exec != nil {
		found = leaksInCommand(found, at+".exec", exec.Command, nil)
	}
	if get != nil {
		for i, h := range get.HTTPHeaders {
			found = add(found, at+".httpGet.httpHeaders["+strconv.Itoa(i)+"].value", credential.Find(h.Name, h.Value))
		}
	}
	return found
}

// leaksInCommand searches a command line: an option may stand in the command,
// and its value in the arguments.
func leaksInCommand(found []Leak, at string, command, args []string) []Leak {
	if len(command)+len(args) == 0 {
		return found
	}
	for _, l := range credential.FindArgs(slices.Concat(command, args)) {
		field := at + ".command[" + strconv.Itoa(l.Arg) + "]"
		if l.Arg >= len(command) {
			field = at + ".args[" + strconv.Itoa(l.Arg-len(command)) + "]"
		}
		found = append(found, Leak{field, l})
	}
	return found
}

// copies are the annotations in which tools keep the object as it was applied:
// kubectl, kapp (https://carvel.dev/kapp/docs/latest/diff/) and operators made
// with kopf (https://kopf.readthedocs.io/en/stable/configuration/).
var copies = map[string]bool{
	corev1.LastAppliedConfigAnnotation:            true,
	"kapp.k14s.io/original":                       true,
	"kopf.zalando.org/last-handled-configuration": true,
}

// leaksInMeta adds what the annotations hold. A copy of the object repeats its
// fields: of it counts what is not, or no longer, in them. The hint tells equal
// values from others as far as that goes.
func leaksInMeta(found []Leak, m *metav1.ObjectMeta) []Leak {
	found = leaksInAnnotations(found, "metadata", m.Annotations)
	for _, key := range slices.Sorted(maps.Keys(m.Annotations)) {
		if copies[key] {
			old := slices.DeleteFunc(credential.Find(key, m.Annotations[key]), func(c credential.Leak) bool {
				return slices.ContainsFunc(found, func(l Leak) bool { return l.Rule == c.Rule && l.Hint == c.Hint })
			})
			found = add(found, "metadata.annotations["+key+"]", old)
		}
	}
	return found
}

func leaksInAnnotations(found []Leak, path string, annotations map[string]string) []Leak {
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if !copies[key] {
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
