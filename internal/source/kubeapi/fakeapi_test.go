package kubeapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// fakeAPI speaks the wire format of an API server over HTTPS: what it sends is
// encoded by Kubernetes' own serializers, pages have snapshots that can expire.
// It exists for faults that a real server does not show on demand.
type fakeAPI struct {
	t      testing.TB
	server *httptest.Server

	mu       sync.Mutex
	objects  map[string][]runtime.Object // by the path of the cluster-wide list
	requests []string
	// fault, if set, may answer the nth request (from 1) to a path in place of
	// the server.
	fault     func(w http.ResponseWriter, r *http.Request, nth int) bool
	nth       map[string]int
	jsonOnly  bool
	version   string
	groups    []any // of the aggregated discovery
	oldGroups map[string][]metav1.APIResource
	snapshots map[int][]runtime.Object
	// seen is the Authorization header of the last request.
	authorization string
}

func newFakeAPI(t testing.TB, objects ...runtime.Object) *fakeAPI {
	f := &fakeAPI{t: t, objects: map[string][]runtime.Object{}, nth: map[string]int{}, snapshots: map[int][]runtime.Object{}, version: "v1.37.2"}
	f.add(objects...)
	f.server = httptest.NewUnstartedServer(f)
	f.server.EnableHTTP2 = true
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	return f
}

func resourceOf(o runtime.Object) inventory.Resource {
	gvk := kindOf(o)
	for _, r := range inventory.Resources {
		version, kind := apiVersionKind(r.Kind)
		if gvk.GroupVersion().String() == version && gvk.Kind == kind {
			return r
		}
	}
	panic("no resource for " + gvk.String())
}

func kindOf(o runtime.Object) schema.GroupVersionKind {
	gvks, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		panic(err)
	}
	return gvks[0]
}

func (f *fakeAPI) add(objects ...runtime.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range objects {
		r := resourceOf(o)
		path := groupPath(r.Group, r.Version) + "/" + r.Resource
		f.objects[path] = append(f.objects[path], o)
	}
	for _, list := range f.objects {
		slices.SortStableFunc(list, func(a, b runtime.Object) int { return strings.Compare(key(a), key(b)) })
	}
}

func (f *fakeAPI) remove(path, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[path] = slices.DeleteFunc(slices.Clone(f.objects[path]), func(o runtime.Object) bool { return accessor(o).GetName() == name })
}

func accessor(o runtime.Object) metav1.Object {
	m, err := meta.Accessor(o)
	if err != nil {
		panic(err)
	}
	return m
}

func key(o runtime.Object) string { return accessor(o).GetNamespace() + "/" + accessor(o).GetName() }

func (f *fakeAPI) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	f.nth[r.URL.Path]++
	n, fault := f.nth[r.URL.Path], f.fault
	f.authorization = r.Header.Get("Authorization")
	f.mu.Unlock()
	if fault != nil && fault(w, r, n) {
		return
	}
	switch r.URL.Path {
	case "/version":
		writeJSON(w, map[string]string{"gitVersion": f.version})
	case "/apis":
		f.discovery(w)
	default:
		if gv, ok := strings.CutPrefix(r.URL.Path, "/apis/"); ok && f.oldGroups[gv] != nil {
			writeJSON(w, metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: gv, APIResources: f.oldGroups[gv]})
			return
		}
		f.list(w, r)
	}
}

func (f *fakeAPI) discovery(w http.ResponseWriter) {
	if f.oldGroups != nil {
		byGroup := map[string][]metav1.GroupVersionForDiscovery{}
		list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
		for gv := range f.oldGroups {
			g, v, _ := strings.Cut(gv, "/")
			byGroup[g] = append(byGroup[g], metav1.GroupVersionForDiscovery{GroupVersion: gv, Version: v})
		}
		for g, versions := range byGroup {
			list.Groups = append(list.Groups, metav1.APIGroup{Name: g, Versions: versions})
		}
		writeJSON(w, list)
		return
	}
	w.Header().Set("Content-Type", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
	json.NewEncoder(w).Encode(map[string]any{"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": map[string]any{}, "items": f.groups})
}

// group is one group of the aggregated discovery, with one version.
func group(name, version, freshness string, kinds ...string) map[string]any {
	var resources []any
	for _, k := range kinds {
		resources = append(resources, map[string]any{"resource": strings.Replace(strings.ToLower(k)+"s", "policys", "policies", 1), "responseKind": map[string]string{"kind": k}})
	}
	return map[string]any{"metadata": map[string]string{"name": name}, "versions": []any{map[string]any{"version": version, "freshness": freshness, "resources": resources}}}
}

// oldGroups is the same discovery as servers before Kubernetes 1.26 give it.
func oldGroups(groups []any) map[string][]metav1.APIResource {
	out := map[string][]metav1.APIResource{}
	for _, g := range groups {
		name := g.(map[string]any)["metadata"].(map[string]string)["name"]
		for _, v := range g.(map[string]any)["versions"].([]any) {
			list := []metav1.APIResource{}
			resources, _ := v.(map[string]any)["resources"].([]any)
			for _, r := range resources {
				x := r.(map[string]any)
				list = append(list, metav1.APIResource{Name: x["resource"].(string), Kind: x["responseKind"].(map[string]string)["kind"]})
			}
			out[name+"/"+v.(map[string]any)["version"].(string)] = list
		}
	}
	return out
}

func (f *fakeAPI) list(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path, namespace := r.URL.Path, ""
	if i := strings.Index(path, "/namespaces/"); i >= 0 {
		rest := path[i+len("/namespaces/"):]
		ns, resource, ok := strings.Cut(rest, "/")
		if !ok {
			f.get(w, path[:i]+"/namespaces", ns)
			return
		}
		path, namespace = path[:i]+"/"+resource, ns
	}
	res := slices.IndexFunc(inventory.Resources, func(x inventory.Resource) bool { return groupPath(x.Group, x.Version)+"/"+x.Resource == path })
	if res < 0 {
		writeStatus(w, http.StatusNotFound, "the server could not find the requested resource", "")
		return
	}
	only, _ := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	current := slices.DeleteFunc(slices.Clone(f.objects[path]), func(o runtime.Object) bool {
		return namespace != "" && accessor(o).GetNamespace() != namespace || only != "" && accessor(o).GetName() != only
	})
	limit := cmp.Or(must(strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), "0"))), len(current))
	snapshot, offset := len(f.snapshots)+1, 0
	if token := r.URL.Query().Get("continue"); token != "" {
		if after, ok := strings.CutPrefix(token, "after:"); ok {
			offset, _ = slices.BinarySearchFunc(current, after+"\x00", func(o runtime.Object, k string) int { return strings.Compare(key(o), k) })
		} else {
			must(fmt.Sscanf(token, "%d:%d", &snapshot, &offset))
			if f.snapshots[snapshot] == nil {
				writeStatus(w, http.StatusGone, "The provided continue parameter is too old", "after:"+lastKey(token))
				return
			}
			current = f.snapshots[snapshot]
		}
	}
	f.snapshots[snapshot] = current
	page, next := current[offset:], ""
	if len(page) > limit {
		page = page[:limit]
		next = fmt.Sprintf("%d:%d:%s", snapshot, offset+limit, base64.RawURLEncoding.EncodeToString([]byte(key(page[limit-1]))))
	}
	f.write(w, r, inventory.Resources[res], page, next)
}

func lastKey(token string) string {
	return string(must(base64.RawURLEncoding.DecodeString(token[strings.LastIndexByte(token, ':')+1:])))
}

// expire makes the server forget all snapshots, as compaction does.
func (f *fakeAPI) expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.snapshots {
		f.snapshots[i] = nil
	}
}

func (f *fakeAPI) get(w http.ResponseWriter, path, name string) {
	for _, o := range f.objects[path] {
		if accessor(o).GetName() == name {
			o.GetObjectKind().SetGroupVersionKind(kindOf(o))
			w.Header().Set("Content-Type", acceptProtobuf)
			w.Write(protobufOf(o))
			return
		}
	}
	writeStatus(w, http.StatusNotFound, "not found", "")
}

func (f *fakeAPI) write(w http.ResponseWriter, r *http.Request, res inventory.Resource, page []runtime.Object, next string) {
	if strings.Contains(r.Header.Get("Accept"), "as=Table") {
		writeJSON(w, tableOf(page, next))
		return
	}
	list := listOf(res, page, next)
	if f.jsonOnly {
		writeJSON(w, list)
		return
	}
	w.Header().Set("Content-Type", acceptProtobuf)
	w.Write(protobufOf(list))
}

// listOf makes the list of a kind, as the API server would send it.
func listOf(res inventory.Resource, page []runtime.Object, next string) runtime.Object {
	version, kind := apiVersionKind(res.Kind)
	gv := must(schema.ParseGroupVersion(version))
	list := must(scheme.Scheme.New(gv.WithKind(kind + "List")))
	list.GetObjectKind().SetGroupVersionKind(gv.WithKind(kind + "List"))
	if err := meta.SetList(list, page); err != nil {
		panic(err)
	}
	must(meta.ListAccessor(list)).SetContinue(next)
	must(meta.ListAccessor(list)).SetResourceVersion("7")
	return list
}

func protobufOf(o runtime.Object) []byte {
	var buf bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(o, &buf); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// tableOf prints Secrets as the API server does.
func tableOf(page []runtime.Object, next string) map[string]any {
	rows := []any{}
	for _, o := range page {
		data, _ := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		keys, _ := data["data"].(map[string]any)
		rows = append(rows, map[string]any{
			"cells": []any{accessor(o).GetName(), data["type"], len(keys), "3d"},
			"object": map[string]any{
				"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": data["metadata"],
			},
		})
	}
	columns := []any{}
	for _, c := range []string{"Name", "Type", "Data", "Age"} {
		columns = append(columns, map[string]any{"name": c, "type": "string"})
	}
	return map[string]any{
		"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": map[string]string{"continue": next, "resourceVersion": "7"},
		"columnDefinitions": columns, "rows": rows,
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", acceptJSON)
	// Kubernetes' types have the fields of kind and apiVersion first; a Table
	// is a map here, whose kind must come before its rows all the same.
	if m, ok := v.(map[string]any); ok && m["kind"] != nil {
		kind, version := m["kind"], m["apiVersion"]
		delete(m, "kind")
		delete(m, "apiVersion")
		rest := must(json.Marshal(m))
		fmt.Fprintf(w, `{"kind":%q,"apiVersion":%q,%s`, kind, version, rest[1:])
		return
	}
	json.NewEncoder(w).Encode(v)
}

func writeStatus(w http.ResponseWriter, code int, message, cont string) {
	w.Header().Set("Content-Type", acceptProtobuf)
	w.WriteHeader(code)
	w.Write(protobufOf(&metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   "Failure", Code: int32(code), Message: message, ListMeta: metav1.ListMeta{Continue: cont},
	}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tokenUser is the user of a kubeconfig with a token.
const tokenUser = `{token: canary-token-5931}`

// kubeconfig writes a kubeconfig for a server and returns its path.
func kubeconfig(t testing.TB, server string, ca []byte, user string) string {
	t.Helper()
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: shop, user: scan, namespace: home}}]
clusters: [{name: shop, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: scan, user: %s}]
`, server, base64.StdEncoding.EncodeToString(ca), user)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (f *fakeAPI) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
}

// open makes a client of the fake whose waits are recorded, not waited.
func (f *fakeAPI) open(o Options) (*Client, *[]time.Duration) {
	f.t.Helper()
	if o.Kubeconfig == "" {
		o.Kubeconfig = kubeconfig(f.t, f.server.URL, f.ca(), tokenUser)
	}
	c, err := Open(o)
	if err != nil {
		f.t.Fatal(err)
	}
	var mu sync.Mutex
	var waits []time.Duration
	c.sleep = func(ctx context.Context, d time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		waits = append(waits, d)
		return ctx.Err()
	}
	c.jitter = func() float64 { return 1 }
	return c, &waits
}

// read reads the fake and returns the inventory.
func (f *fakeAPI) read(o Options) (*inventory.Inventory, report.Source, report.Cluster) {
	f.t.Helper()
	c, _ := f.open(o)
	var b inventory.Builder
	source, cluster, err := c.Read(f.t.Context(), &b)
	if err != nil {
		f.t.Fatalf("reading: %v", err)
	}
	return b.Seal(time.Unix(0, 0)), source, cluster
}
