package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kubelets play the scheduler and the kubelets of all nodes.
type kubelets struct {
	*cluster
	// bound counts the pods of an owner that have a node.
	bound map[string]int
	// address is the last one that a node gave to a pod.
	address map[string]netip.Addr
}

// work binds the pods that have no node, and reports the others as running, or
// as finished if they are of a Job.
func (k *kubelets) work(ctx context.Context) error {
	pods, err := k.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing the pods: %w", err)
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		switch {
		case p.Spec.NodeName == "":
			err = k.bind(ctx, p)
		case p.Status.Phase == corev1.PodPending:
			err = k.start(ctx, p)
		}
		// Gone or changed since the list: the next round sees it.
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func (k *kubelets) bind(ctx context.Context, p *corev1.Pod) error {
	b := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: k.nodeFor(p)},
	}
	if err := k.CoreV1().Pods(p.Namespace).Bind(ctx, b, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("binding pod %s/%s: %w", p.Namespace, p.Name, err)
	}
	return nil
}

// nodeFor is the node that a DaemonSet made the pod for. The pods of other
// owners go round the workers, from one that their name decides, so that a
// new run does not move them.
func (k *kubelets) nodeFor(p *corev1.Pod) string {
	if a := p.Spec.Affinity; a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
			for _, field := range term.MatchFields {
				if field.Key == metav1.ObjectNameField {
					return field.Values[0]
				}
			}
		}
	}
	var workers []string
	for _, n := range k.nodes {
		if !slices.ContainsFunc(n.Spec.Taints, isControlPlane) {
			workers = append(workers, n.Name)
		}
	}
	owner := p.Namespace + "/" + p.Name
	if o := metav1.GetControllerOf(p); o != nil {
		owner = p.Namespace + "/" + o.Name
	}
	h := fnv.New32a()
	h.Write([]byte(owner))
	n := int(h.Sum32()%uint32(len(workers))) + k.bound[owner]
	k.bound[owner]++
	return workers[n%len(workers)]
}

func isControlPlane(t corev1.Taint) bool { return t.Key == "node-role.kubernetes.io/control-plane" }

// start reports what the kubelet reports of a pod that runs, or has run.
func (k *kubelets) start(ctx context.Context, p *corev1.Pod) error {
	owner := metav1.GetControllerOf(p)
	finished := owner != nil && owner.Kind == "Job"
	now := metav1.Now()
	s := &p.Status
	s.Phase = corev1.PodRunning
	ready := condition(corev1.PodReady, now, "")
	if finished {
		s.Phase = corev1.PodSucceeded
		ready = condition(corev1.PodReady, now, "PodCompleted")
	}
	containersReady := ready
	containersReady.Type = corev1.ContainersReady
	s.Conditions = append(s.Conditions, condition(corev1.PodInitialized, now, ""), ready, containersReady)
	s.StartTime = &now
	if err := k.locate(p); err != nil {
		return err
	}
	for _, c := range p.Spec.InitContainers {
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		s.InitContainerStatuses = append(s.InitContainerStatuses, containerStatus(c, now, finished || !sidecar))
	}
	for _, c := range p.Spec.Containers {
		s.ContainerStatuses = append(s.ContainerStatuses, containerStatus(c, now, finished))
	}
	if _, err := k.CoreV1().Pods(p.Namespace).UpdateStatus(ctx, p, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("reporting pod %s/%s as %s: %w", p.Namespace, p.Name, s.Phase, err)
	}
	return nil
}

// condition is one that holds, or that does not for a reason.
func condition(t corev1.PodConditionType, now metav1.Time, reason string) corev1.PodCondition {
	c := corev1.PodCondition{Type: t, Status: corev1.ConditionTrue, Reason: reason, LastTransitionTime: now}
	if reason != "" {
		c.Status = corev1.ConditionFalse
	}
	return c
}

// locate gives the pod the address of its node, and one of its own from the
// node's range unless it is on the host network.
func (k *kubelets) locate(p *corev1.Pod) error {
	i := slices.IndexFunc(k.nodes, func(n corev1.Node) bool { return n.Name == p.Spec.NodeName })
	if i < 0 {
		return fmt.Errorf("pod %s/%s is bound to node %q, which is not there", p.Namespace, p.Name, p.Spec.NodeName)
	}
	n := &k.nodes[i]
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			p.Status.HostIP, p.Status.PodIP = a.Address, a.Address
		}
	}
	if !p.Spec.HostNetwork {
		last, ok := k.address[n.Name]
		if !ok {
			podRange, err := netip.ParsePrefix(n.Spec.PodCIDR)
			if err != nil {
				return fmt.Errorf("reading the pod range of node %s: %w", n.Name, err)
			}
			last = podRange.Addr().Next() // the bridge
		}
		k.address[n.Name] = last.Next()
		p.Status.PodIP = last.Next().String()
	}
	p.Status.HostIPs = []corev1.HostIP{{IP: p.Status.HostIP}}
	p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}}
	return nil
}

func containerStatus(c corev1.Container, now metav1.Time, finished bool) corev1.ContainerStatus {
	started := !finished
	s := corev1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: imageID(c.Image), Ready: true, Started: &started}
	if finished {
		s.State.Terminated = &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}
	} else {
		s.State.Running = &corev1.ContainerStateRunning{StartedAt: now}
	}
	return s
}

// imageID is the repository and digest of an image. Nothing was pulled: where
// the reference has no digest, it is that of the reference's text.
func imageID(image string) string {
	name, digest, ok := strings.Cut(image, "@")
	if !ok {
		digest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(image)))
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name + "@" + digest
}
