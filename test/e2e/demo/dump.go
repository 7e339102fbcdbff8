package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// dump returns what the API server lists of every kind that Plimsoll reads, as
// one typed list after the other. Empty lists are there too: they are the
// evidence that there is nothing. So is the list of CustomResourceDefinitions,
// without which the policies of other projects would be unknown.
func (c *cluster) dump(ctx context.Context) ([]byte, error) {
	resources := []schema.GroupVersionResource{{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}}
	for _, r := range inventory.Resources {
		resources = append(resources, schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Resource})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	var values [][]byte // of all Secrets
	for _, r := range resources {
		list, err := c.list(ctx, r)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			o := &list.Items[i]
			if o.GetKind() == "Secret" {
				values = append(values, takeValues(o)...)
			}
			clean(o)
		}
		if err := enc.Encode(document(list)); err != nil {
			return nil, fmt.Errorf("encoding the %s: %w", r.Resource, err)
		}
	}
	if n := leaks(out.Bytes(), values); n > 0 {
		return nil, fmt.Errorf("%d Secret values are in the snapshot, outside of the Secrets' data: it is not written", n)
	}
	return out.Bytes(), nil
}

// list reads a resource page by page, ordered by namespace and name.
func (c *cluster) list(ctx context.Context, r schema.GroupVersionResource) (*unstructured.UnstructuredList, error) {
	all := &unstructured.UnstructuredList{}
	for next := ""; ; {
		page, err := c.dynamic.Resource(r).List(ctx, metav1.ListOptions{Limit: 500, Continue: next})
		if err != nil {
			return nil, fmt.Errorf("listing the %s: %w", r.Resource, err)
		}
		all.Object = page.Object
		all.Items = append(all.Items, page.Items...)
		if next = page.GetContinue(); next == "" {
			break
		}
	}
	slices.SortFunc(all.Items, func(a, b unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	return all, nil
}

// document is the list as the API server writes it: the items leave out the
// kind that the list names.
func document(list *unstructured.UnstructuredList) map[string]any {
	items := make([]any, 0, len(list.Items))
	for _, o := range list.Items {
		delete(o.Object, "apiVersion")
		delete(o.Object, "kind")
		items = append(items, o.Object)
	}
	return map[string]any{
		"apiVersion": list.GetAPIVersion(),
		"kind":       list.GetKind(),
		"metadata":   map[string]any{"resourceVersion": list.GetResourceVersion()},
		"items":      items,
	}
}

// clean takes away what no reader needs, and the copy of the whole object that
// kubectl keeps in an annotation.
func clean(o *unstructured.Unstructured) {
	o.SetManagedFields(nil)
	annotations := o.GetAnnotations()
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	if len(annotations) == 0 {
		annotations = nil
	}
	o.SetAnnotations(annotations)
}

// takeValues empties the values of a Secret, leaves the keys, and returns what
// the values were.
func takeValues(o *unstructured.Unstructured) [][]byte {
	data, _, _ := unstructured.NestedStringMap(o.Object, "data")
	var values [][]byte
	for k, v := range data {
		if value, err := base64.StdEncoding.DecodeString(v); err == nil {
			values = append(values, value)
		}
		data[k] = ""
	}
	if data != nil {
		// A map of strings can always be set in an object.
		_ = unstructured.SetNestedStringMap(o.Object, data, "data")
	}
	return values
}

// leaks counts the values that a text holds, plain or in base64. Those that
// are too short to tell, such as the name of a namespace, do not count.
func leaks(text []byte, values [][]byte) int {
	n := 0
	for _, v := range values {
		if len(v) < 16 {
			continue
		}
		encoded := base64.StdEncoding.EncodeToString(v)
		if bytes.Contains(text, v) || bytes.Contains(text, []byte(encoded)) {
			n++
		}
	}
	return n
}
