package escalation

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// pod is what entering a pod gives. Pods that are alike are one, unless they
// have a name by which rights may be limited.
type pod struct {
	namespace, name string
	account         string // empty where no token is mounted
	host            bool   // it reaches its node
}

func (p pod) gains() []State {
	var states []State
	if p.host {
		states = append(states, Node)
	}
	if p.account != "" {
		states = append(states, Of(access.Account(p.namespace, p.account)))
	}
	return states
}

// running are the kinds that are pods or make them. In manifests there are only
// the latter.
var running = []inventory.Kind[*inventory.PodBearer]{
	inventory.Pods, inventory.Deployments, inventory.StatefulSets, inventory.DaemonSets, inventory.ReplicaSets,
	inventory.ReplicationControllers, inventory.Jobs, inventory.CronJobs,
}

func readPods(r inventory.Reader, mounts map[access.Subject]*bool) []pod {
	var pods []pod
	seen := map[pod]bool{}
	for _, kind := range running {
		for o := range inventory.All(r, kind) {
			spec := o.Value.Template.Spec
			p := pod{namespace: o.Namespace, account: cmp.Or(spec.ServiceAccountName, spec.DeprecatedServiceAccount, "default"), host: reachesNode(spec)}
			if !MountsToken(spec, mounts[access.Account(p.namespace, p.account)]) {
				p.account = ""
			}
			if kind == inventory.Pods && o.Value.Owner == nil {
				p.name = o.Name // others are made anew under another name
			}
			if !seen[p] {
				seen[p] = true
				pods = append(pods, p)
			}
		}
	}
	return pods
}

// MountsToken reports whether a container of the pod can read a token of its
// account; account is what that says of it.
func MountsToken(spec *corev1.PodSpec, account *bool) bool {
	if slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool {
		return v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool {
			return s.ServiceAccountToken != nil && s.ServiceAccountToken.Audience == "" // others are not for the API server
		})
	}) {
		return true
	}
	automount := cmp.Or(spec.AutomountServiceAccountToken, account)
	return automount == nil || *automount
}

// reachesNode reports whether whoever is in a container is root on the node: a
// privileged container, or one with the node's root directory.
func reachesNode(spec *corev1.PodSpec) bool {
	privileged := func(s *corev1.SecurityContext) bool { return s != nil && s.Privileged != nil && *s.Privileged }
	return slices.ContainsFunc(slices.Concat(spec.InitContainers, spec.Containers), func(c corev1.Container) bool { return privileged(c.SecurityContext) }) ||
		slices.ContainsFunc(spec.EphemeralContainers, func(c corev1.EphemeralContainer) bool { return privileged(c.SecurityContext) }) ||
		slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool { return v.HostPath != nil && v.HostPath.Path == "/" })
}
