package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// settlePatience bounds the wait until everything runs: half a minute on
	// an idle machine.
	settlePatience = 5 * time.Minute
	// heartbeat is how often nodes report. The controller manager gives up on
	// a node that has not for 50 seconds.
	heartbeat = 10 * time.Second
)

// settle plays the scheduler and the kubelets until everything runs.
func (c *cluster) settle(ctx context.Context, manifests []*unstructured.Unstructured) error {
	var reported time.Time
	k := &kubelets{cluster: c, bound: map[string]int{}, address: map[string]netip.Addr{}}
	for start := time.Now(); ; {
		if time.Since(reported) > heartbeat {
			if err := c.reportNodes(ctx, manifests); err != nil {
				return err
			}
			reported = time.Now()
		}
		if err := k.work(ctx); err != nil {
			return err
		}
		waiting, err := c.unsettled(ctx)
		if err != nil {
			return err
		}
		if waiting == "" {
			return nil
		}
		if time.Since(start) > settlePatience {
			return fmt.Errorf("not everything runs after %s: %s", settlePatience, waiting)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// reportNodes reports the status of each node's manifest, and that it is ready.
func (c *cluster) reportNodes(ctx context.Context, manifests []*unstructured.Unstructured) error {
	now := time.Now().UTC().Format(time.RFC3339)
	for _, o := range manifests {
		if o.GetKind() != "Node" {
			continue
		}
		status, _, err := unstructured.NestedMap(o.Object, "status")
		if err != nil {
			return fmt.Errorf("reading the status of %s: %w", describe(o), err)
		}
		i := slices.IndexFunc(c.nodes, func(n corev1.Node) bool { return n.Name == o.GetName() })
		since := c.nodes[i].CreationTimestamp.UTC().Format(time.RFC3339)
		condition := func(typ, status, reason, message string) map[string]any {
			return map[string]any{
				"type": typ, "status": status, "reason": reason, "message": message,
				"lastHeartbeatTime": now, "lastTransitionTime": since,
			}
		}
		status["conditions"] = []any{
			condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
			condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
			condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
			condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
		}
		if err := c.applyStatus(ctx, o, status); err != nil {
			return err
		}
	}
	return c.readNodes(ctx)
}

func (c *cluster) readNodes(ctx context.Context) error {
	nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing the nodes: %w", err)
	}
	c.nodes = nodes.Items
	return nil
}

// unsettled says what is not as it should be yet, "" if nothing is.
func (c *cluster) unsettled(ctx context.Context) (string, error) {
	for _, look := range []func(context.Context) (string, error){
		c.unreadyNode, c.unreadyDeployment, c.unreadyDaemonSet, c.unreadyStatefulSet,
		c.unreadyReplicationController, c.unfinishedCronJob, c.unreadyPod, c.emptyToken,
	} {
		waiting, err := look(ctx)
		if err != nil {
			return "", fmt.Errorf("looking whether everything runs: %w", err)
		}
		if waiting != "" {
			return waiting, nil
		}
	}
	return "", nil
}

func (c *cluster) unreadyNode(ctx context.Context) (string, error) {
	nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, n := range nodes.Items {
		for _, t := range n.Spec.Taints {
			if t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable {
				return fmt.Sprintf("node %s has the taint %s", n.Name, t.Key), nil
			}
		}
	}
	return "", nil
}

func (c *cluster) unreadyDeployment(ctx context.Context) (string, error) {
	list, err := c.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, d := range list.Items {
		if s := d.Status; s.ObservedGeneration < d.Generation || s.AvailableReplicas != *d.Spec.Replicas {
			waiting := lacking("Deployment", d.Namespace, d.Name, s.AvailableReplicas, *d.Spec.Replicas)
			for _, cond := range s.Conditions {
				if cond.Type == "ReplicaFailure" { // admission refuses its pods
					waiting += ": " + cond.Message
				}
			}
			return waiting, nil
		}
	}
	return "", nil
}

func (c *cluster) unreadyDaemonSet(ctx context.Context) (string, error) {
	list, err := c.AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, d := range list.Items {
		s := d.Status
		if s.ObservedGeneration < d.Generation || s.DesiredNumberScheduled == 0 || s.NumberAvailable != s.DesiredNumberScheduled {
			return lacking("DaemonSet", d.Namespace, d.Name, s.NumberAvailable, s.DesiredNumberScheduled), nil
		}
	}
	return "", nil
}

func (c *cluster) unreadyStatefulSet(ctx context.Context) (string, error) {
	list, err := c.AppsV1().StatefulSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, s := range list.Items {
		if s.Status.ObservedGeneration < s.Generation || s.Status.AvailableReplicas != *s.Spec.Replicas {
			return lacking("StatefulSet", s.Namespace, s.Name, s.Status.AvailableReplicas, *s.Spec.Replicas), nil
		}
	}
	return "", nil
}

func (c *cluster) unreadyReplicationController(ctx context.Context) (string, error) {
	list, err := c.CoreV1().ReplicationControllers("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, r := range list.Items {
		if r.Status.ObservedGeneration < r.Generation || r.Status.AvailableReplicas != *r.Spec.Replicas {
			return lacking("ReplicationController", r.Namespace, r.Name, r.Status.AvailableReplicas, *r.Spec.Replicas), nil
		}
	}
	return "", nil
}

func lacking(kind, namespace, name string, have, want int32) string {
	return fmt.Sprintf("%s %s/%s has %d of %d pods available", kind, namespace, name, have, want)
}

func (c *cluster) unfinishedCronJob(ctx context.Context) (string, error) {
	list, err := c.BatchV1().CronJobs("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, j := range list.Items {
		if j.Status.LastSuccessfulTime == nil {
			return fmt.Sprintf("CronJob %s/%s has no finished Job", j.Namespace, j.Name), nil
		}
	}
	return "", nil
}

func (c *cluster) unreadyPod(ctx context.Context) (string, error) {
	pods, err := c.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, p := range pods.Items {
		if p.Status.Phase == corev1.PodPending || p.DeletionTimestamp != nil {
			return fmt.Sprintf("pod %s/%s is %s", p.Namespace, p.Name, cmp.Or(p.Status.Reason, string(p.Status.Phase))), nil
		}
	}
	return "", nil
}

// emptyToken finds a token Secret that the controller manager has not filled.
func (c *cluster) emptyToken(ctx context.Context) (string, error) {
	secrets, err := c.CoreV1().Secrets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, s := range secrets.Items {
		if s.Type == corev1.SecretTypeServiceAccountToken && len(s.Data[corev1.ServiceAccountTokenKey]) == 0 {
			return fmt.Sprintf("Secret %s/%s has no token", s.Namespace, s.Name), nil
		}
	}
	return "", nil
}
