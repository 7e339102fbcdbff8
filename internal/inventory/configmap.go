package inventory

import (
	corev1 "k8s.io/api/core/v1"
)

// keptConfigMaps are the ConfigMaps whose content checks read, by namespace
// ("" for any) and name: they configure components. Of all others no value
// enters the inventory.
var keptConfigMaps = []struct{ namespace, name string }{
	{"", "config-policy-controller"}, // sigstore's policy-controller
	{"", "connaisseur-app-config"},
	{"", "connaisseur-env"},
	{"", KyvernoConfigMap},
}

func keepsOfConfigMap(namespace, name string) bool {
	for _, k := range keptConfigMaps {
		if k.name == name && (k.namespace == "" || k.namespace == namespace) {
			return true
		}
	}
	return false
}

func putConfigMap(b *Builder, x *corev1.ConfigMap, o Origin) {
	c := ConfigMap{Items: len(x.Data) + len(x.BinaryData), Leaks: leaksInConfigMap(x)}
	c.Meta = meta(&x.ObjectMeta)
	if keepsOfConfigMap(x.Namespace, x.Name) {
		c.Data = x.Data
	}
	if _, ok := x.Labels[AccessReviewLabel]; ok {
		putReviewOfConfigMap(b, x, o)
	}
	Put(b, ConfigMaps, subject("v1", "ConfigMap", &x.ObjectMeta), o, c)
}
