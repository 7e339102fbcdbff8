package kubeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const (
	secretsPath = "/api/v1/secrets"
	// canary stands for the value of a Secret.
	canary = "canary-c2VjcmV0LXZhbHVl"
)

var onlySecrets = []report.KindID{inventory.Secrets.ID}

func TestSecretsAreMetadata(t *testing.T) {
	f := newFakeAPI(t)
	for i := range 1100 {
		s := secret("shop", fmt.Sprintf("s%04d", i), canary, i%5)
		s.Annotations["kubectl.kubernetes.io/last-applied-configuration"] = `{"data":{"k":"` + canary + `"}}`
		f.add(s)
	}
	accepted := map[string]bool{}
	f.fault = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path == secretsPath {
			accepted[r.Header.Get("Accept")+" "+r.URL.Query().Get("includeObject")] = true
		}
		return false
	}
	inv, source, _ := f.read(Options{Kinds: onlySecrets})
	if len(inv.AllGaps()) > 0 || source.Objects != 1100 {
		t.Fatalf("%d objects, gaps %v", source.Objects, inv.AllGaps())
	}
	for o := range inventory.All(view(inv), inventory.Secrets) {
		var i int
		fmt.Sscanf(o.Name, "s%d", &i)
		if o.Value.Keys != i%5 || o.Value.Type != "kubernetes.io/tls" {
			t.Errorf("%s: %+v", o.Name, o.Value)
		}
		if text := fmt.Sprintf("%+v", o); strings.Contains(text, canary) {
			t.Fatalf("a value is in the inventory: %s", text)
		}
	}
	if d := cmp.Diff(map[string]bool{"application/json;as=Table;g=meta.k8s.io;v=v1 Metadata": true}, accepted); d != "" {
		t.Errorf("what was asked for (-want +got):\n%s", d)
	}
}

// TestSecretsThatAreNoTable gives the values of Secrets in every way in which a
// server can that ignores what was asked for. Each answer goes on without end:
// who reads on past the first sign does not come back.
func TestSecretsThatAreNoTable(t *testing.T) {
	item := `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"},"data":{"k":"` + canary + `"}},`
	columns := `"columnDefinitions":[{"name":"Name"},{"name":"Type"},{"name":"Data"},{"name":"Age"}]`
	table := `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},` + columns + `,"rows":[`
	for name, answer := range map[string]struct{ contentType, head, again string }{
		"list":                        {acceptJSON, `{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[`, item},
		"list, items first":           {acceptJSON, `{"items":[`, item},
		"rows before kind":            {acceptJSON, `{"apiVersion":"meta.k8s.io/v1",` + columns + `,"rows":[`, item},
		"rows of another kind":        {acceptJSON, `{"kind":"SecretTable","apiVersion":"meta.k8s.io/v1",` + columns + `,"rows":[`, item},
		"table with whole objects":    {acceptJSON, table, `{"cells":["a","Opaque",1,"3d"],"object":` + item[:len(item)-1] + `},`},
		"table with data in metadata": {acceptJSON, table, `{"cells":["a","Opaque",1,"3d"],"object":{"kind":"PartialObjectMetadata","metadata":{"name":"a"},"data":{"k":"` + canary + `"}}},`},
		"table with values as cells":  {acceptJSON, table, `{"cells":["a","Opaque",{"k":"` + canary + `"},"3d"]},`},
		"table with values in a row":  {acceptJSON, table, `{"data":{"k":"` + canary + `"}},`},
		"table without type and data": {acceptJSON, `{"kind":"Table","apiVersion":"meta.k8s.io/v1","columnDefinitions":[{"name":"Name"}],"rows":[`, `{"cells":["` + canary + `"]},`},
		"protobuf":                    {acceptProtobuf, "k8s\x00", canary},
		"text":                        {"text/plain", canary, canary},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.URL.Path != secretsPath {
					return false
				}
				w.Header().Set("Content-Type", answer.contentType)
				fmt.Fprint(w, answer.head)
				for r.Context().Err() == nil {
					fmt.Fprint(w, answer.again)
				}
				return true
			}
			start := time.Now()
			inv, source, _ := f.read(Options{Kinds: onlySecrets})
			if took := time.Since(start); took > DefaultTimeout/2 {
				t.Errorf("it was read on for %s", took)
			}
			gaps := inv.AllGaps()
			if len(gaps) != 1 || gaps[0].Cause != report.Unreadable {
				t.Errorf("gaps %v", gaps)
			}
			if inventory.Len(view(inv), inventory.Secrets) > 0 {
				t.Error("Secrets were taken from it")
			}
			all, err := json.Marshal([]any{gaps, source})
			if err != nil || strings.Contains(string(all), canary[:8]) {
				t.Errorf("a value is in the report: %s (%v)", all, err)
			}
			if n := len(f.asked()); n != 2 {
				t.Errorf("%d requests: it was asked for again", n)
			}
		})
	}
}

// TestCutTable checks that half a Table is asked for again, and that one that
// is not well-formed is not.
func TestCutTable(t *testing.T) {
	f := newFakeAPI(t)
	f.add(secret("shop", "a", canary, 2))
	f.fault = func(w http.ResponseWriter, r *http.Request, nth int) bool {
		if r.URL.Path != secretsPath || nth > 1 {
			return false
		}
		w.Header().Set("Content-Type", acceptJSON)
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"kind":"Table","apiVersion":"meta.k8s.io/v1","columnDefinitions":[{"name":"Type"},{"name":"Da`)
		panic(http.ErrAbortHandler)
	}
	inv, source, _ := f.read(Options{Kinds: onlySecrets})
	if len(inv.AllGaps()) > 0 || source.Objects != 1 {
		t.Errorf("%d objects, gaps %v", source.Objects, inv.AllGaps())
	}

	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path != secretsPath {
			return false
		}
		w.Header().Set("Content-Type", acceptJSON)
		fmt.Fprintf(w, `{"kind":"Table","apiVersion":"meta.k8s.io/v1",%s}`, canary)
		return true
	}
	inv, _, _ = f.read(Options{Kinds: onlySecrets})
	gaps := inv.AllGaps()
	if len(gaps) != 1 || gaps[0].Cause != report.Unreadable || strings.Contains(fmt.Sprint(gaps), "canary") {
		t.Errorf("gaps %v", gaps)
	}
}

// TestCopyOfTheObjectIsNotDecoded checks that kubectl's copy of an object, which
// has the values of a Secret, is passed over when it is read, not only later.
func TestCopyOfTheObjectIsNotDecoded(t *testing.T) {
	s := secret("shop", "a", canary, 1)
	s.Annotations[corev1.LastAppliedConfigAnnotation] = canary
	s.Annotations["kapp.k14s.io/original"] = canary
	answer := httptest.NewRecorder()
	writeJSON(answer, tableOf([]runtime.Object{s}, ""))
	rows, _, err := decodeTable(answer.Body)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	var m metav1.ObjectMeta
	if err := newDecoder(inventory.ServiceAccounts.ID, newSpecs()).meta(must(s.ObjectMeta.Marshal()), &m); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"kubernetes.io/service-account.name": "web"}
	if d := cmp.Diff(want, rows[0].meta.Annotations); d != "" {
		t.Errorf("from a Table (-want +got):\n%s", d)
	}
	want["note"], want["kapp.k14s.io/original"] = "x", canary // it is no Secret to that decoder
	if d := cmp.Diff(want, m.Annotations); d != "" {
		t.Errorf("from protobuf (-want +got):\n%s", d)
	}
	if len(m.ManagedFields) > 0 {
		t.Error("managedFields were decoded")
	}
}
