package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

// cluster is the sample cluster while it is made.
type cluster struct {
	kubernetes.Interface
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
	// nodes are those of the manifests, as the API server knew them last.
	nodes []corev1.Node
}

func connect(kubeconfig string) (*cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig of the cluster: %w", err)
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{} // the flaws are there on purpose
	c := &cluster{}
	if c.Interface, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("making a client of the cluster: %w", err)
	}
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("making a client of the cluster: %w", err)
	}
	groups, err := restmapper.GetAPIGroupResources(c.Discovery())
	if err != nil {
		return nil, fmt.Errorf("asking the cluster for its resources: %w", err)
	}
	c.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	return c, nil
}

func (c *cluster) version() (string, error) {
	v, err := c.Discovery().ServerVersion()
	if err != nil {
		return "", fmt.Errorf("asking the cluster for its version: %w", err)
	}
	return v.GitVersion, nil
}

// first are the kinds that others wait for.
var first = []string{"Namespace", "Node", "ServiceAccount", "Secret", "LimitRange"}

// readManifests returns the objects of all files, those of the kinds in first
// before the others.
func readManifests(fsys fs.FS) ([]*unstructured.Unstructured, error) {
	names, err := fs.Glob(fsys, "shop/*.yaml")
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("reading the manifests: %w", err)
		}
		for dec := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096); ; {
			o := &unstructured.Unstructured{}
			if err := dec.Decode(&o.Object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("reading %s: %w", name, err)
			}
			out = append(out, o)
		}
	}
	rank := func(o *unstructured.Unstructured) int {
		if i := slices.Index(first, o.GetKind()); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(out, func(a, b *unstructured.Unstructured) int { return rank(a) - rank(b) })
	return out, nil
}

func (c *cluster) applyAll(ctx context.Context, manifests []*unstructured.Unstructured) error {
	for _, o := range manifests {
		if o.GetAnnotations()[corev1.MirrorPodAnnotationKey] != "" {
			if err := c.ownByNode(o); err != nil {
				return err
			}
		}
		if err := c.apply(ctx, o); err != nil {
			return err
		}
		switch o.GetKind() {
		case "Node":
			if err := c.readNodes(ctx); err != nil {
				return err
			}
		case "CronJob":
			// A run that was missed since yesterday is made up for at once.
			yesterday := time.Now().AddDate(0, 0, -1).UTC().Format(time.RFC3339)
			if err := c.applyStatus(ctx, o, map[string]any{"lastScheduleTime": yesterday}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownByNode makes a mirror pod belong to its node, as the kubelet does.
func (c *cluster) ownByNode(pod *unstructured.Unstructured) error {
	name, _, _ := unstructured.NestedString(pod.Object, "spec", "nodeName")
	for i := range c.nodes {
		if n := &c.nodes[i]; n.Name == name {
			owner := metav1.NewControllerRef(n, corev1.SchemeGroupVersion.WithKind("Node"))
			owner.BlockOwnerDeletion = nil
			pod.SetOwnerReferences([]metav1.OwnerReference{*owner})
			return nil
		}
	}
	return fmt.Errorf("mirror pod %s stands on node %q, which the manifests do not have", pod.GetName(), name)
}

// applyPatience is how long the controllers get to make what an object waits
// for, such as the default ServiceAccount of a new namespace.
const applyPatience = 30 * time.Second

// apply creates the object, or changes what is there already.
func (c *cluster) apply(ctx context.Context, o *unstructured.Unstructured) error {
	client, err := c.resource(o)
	if err != nil {
		return err
	}
	for start := time.Now(); ; {
		_, err := client.Apply(ctx, o.GetName(), o, applyOptions)
		if err == nil {
			return nil
		}
		if !apierrors.IsForbidden(err) || time.Since(start) > applyPatience {
			return fmt.Errorf("applying %s: %w", describe(o), err)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func (c *cluster) applyStatus(ctx context.Context, o *unstructured.Unstructured, status map[string]any) error {
	client, err := c.resource(o)
	if err != nil {
		return err
	}
	patch := &unstructured.Unstructured{Object: map[string]any{"status": status}}
	patch.SetGroupVersionKind(o.GroupVersionKind())
	patch.SetName(o.GetName())
	if _, err := client.ApplyStatus(ctx, o.GetName(), patch, applyOptions); err != nil {
		return fmt.Errorf("applying the status of %s: %w", describe(o), err)
	}
	return nil
}

var applyOptions = metav1.ApplyOptions{FieldManager: "kubectl", Force: true}

func (c *cluster) resource(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := o.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, fmt.Errorf("looking up the resource of %s: %w", describe(o), err)
	}
	client := c.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return client, nil
	}
	return client.Namespace(o.GetNamespace()), nil
}

func describe(o *unstructured.Unstructured) string {
	if ns := o.GetNamespace(); ns != "" {
		return fmt.Sprintf("%s %s/%s", o.GetKind(), ns, o.GetName())
	}
	return fmt.Sprintf("%s %s", o.GetKind(), o.GetName())
}

// pause waits a moment.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(250 * time.Millisecond):
		return nil
	}
}
