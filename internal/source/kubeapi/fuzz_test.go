package kubeapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// FuzzList feeds pages of all kinds, damaged, to the decoders of both
// encodings: they may refuse, never crash.
func FuzzList(f *testing.F) {
	for _, o := range everyKind() {
		body := protobufOf(listOf(resourceOf(o), append(everyKindOf(o), o), "next"))
		f.Add(body)
		f.Add(must(json.Marshal(listOf(resourceOf(o), append(everyKindOf(o), o), "next"))))
	}
	f.Add([]byte("k8s\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		specs := newSpecs()
		for _, res := range inventory.Resources {
			if res.Metadata {
				continue
			}
			version, kind := apiVersionKind(res.Kind)
			var b inventory.Builder
			n := 0
			origin := func(m *metav1.ObjectMeta) (inventory.Origin, bool) {
				n++
				return inventory.Origin{Place: m.Name}, true
			}
			d := newDecoder(res.Kind, specs)
			_, err := listPage(bytes.Clone(body), version, kind, func(msg []byte) error {
				d.protobuf(&b, msg, origin)
				return nil
			})
			if err == nil && !bytes.HasPrefix(body, protobufPrefix) {
				t.Fatal("something without the envelope was taken for a list")
			}
			jsonPage(body, version, kind, func(text []byte) { d.json(&b, text, origin) })
			if got := b.Count(res.Kind); got > n {
				t.Fatalf("%d objects of %d", got, n)
			}
		}
	})
}

// FuzzTable feeds damaged Tables: no value behind a member that a Table of
// metadata does not have may come out.
func FuzzTable(f *testing.F) {
	const columns = `"columnDefinitions":[{"name":"Name"},{"name":"Type"},{"name":"Data"},{"name":"Age"}]`
	f.Add(`{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"continue":"x"},` + columns + `,"rows":[{"cells":["a","Opaque",1,"3d"],"object":{"kind":"PartialObjectMetadata","metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"secret-value"}}}}]}`)
	f.Add(`{"kind":"SecretList","apiVersion":"v1","items":[{"data":{"k":"secret-value"}}]}`)
	f.Add(`{"kind":"Table","apiVersion":"meta.k8s.io/v1",` + columns + `,"rows":[{"cells":["a","Opaque",1,"3d"],"object":{"metadata":{"name":"a"},"data":{"k":"secret-value"}}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		rows, _, err := decodeTable(strings.NewReader(body))
		if err != nil {
			if strings.Contains(err.Error(), "secret-value") {
				t.Fatalf("the error quotes a value: %v", err)
			}
			return
		}
		for _, r := range rows {
			if r.meta.Name == "" {
				t.Fatal("a Secret without a name")
			}
		}
	})
}
