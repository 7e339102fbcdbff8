package inventory

// SystemNamespace reports whether Kubernetes itself creates the namespace and
// keeps its own objects there.
//
// https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
func SystemNamespace(name string) bool {
	switch name {
	case "kube-system", "kube-public", "kube-node-lease":
		return true
	}
	return false
}
