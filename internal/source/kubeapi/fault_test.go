package kubeapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const podsPath = "/api/v1/pods"

var onlyPods = []report.KindID{inventory.Pods.ID}

func manyPods(n int) []runtime.Object {
	var out []runtime.Object
	for i := range n {
		out = append(out, &corev1.Pod{ObjectMeta: objectMeta(fmt.Sprintf("ns%02d", i%20), fmt.Sprintf("p%05d", i)), Spec: webSpec("abcde", "n")})
	}
	return out
}

func podNames(inv *inventory.Inventory) []string {
	var names []string
	for o := range inventory.All(view(inv), inventory.Pods) {
		names = append(names, o.Namespace+"/"+o.Name)
	}
	return names
}

func namesOf(objects []runtime.Object) []string {
	var names []string
	for _, o := range objects {
		names = append(names, key(o))
	}
	slices.Sort(names)
	return names
}

func TestPages(t *testing.T) {
	for _, n := range []int{0, 1, 499, 500, 501, 1203} {
		objects := manyPods(n)
		f := newFakeAPI(t, objects...)
		inv, source, _ := f.read(Options{Kinds: onlyPods})
		if d := cmp.Diff(namesOf(objects), podNames(inv)); d != "" || source.Objects != n || len(inv.Gaps(inventory.Pods.ID, "")) > 0 {
			t.Errorf("%d pods: source %+v, gaps %v, names (-want +got):\n%s", n, source, inv.AllGaps(), d)
		}
		if got, want := len(f.asked())-1, max(1, (n+pageLimit-1)/pageLimit); got != want {
			t.Errorf("%d pods: %d pages, want %d", n, got, want)
		}
	}
}

// TestExpiredList lets the snapshot of a list expire in the middle, while pods
// come and go.
func TestExpiredList(t *testing.T) {
	gone, late := "ns00/p00000", &corev1.Pod{ObjectMeta: objectMeta("ns99", "late")}
	for _, times := range []int{1, restarts, restarts + 1, restarts + 5} {
		t.Run(fmt.Sprint(times), func(t *testing.T) {
			objects := manyPods(1800)
			f := newFakeAPI(t, objects...)
			left, gones := times, 0
			f.fault = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
				if r.URL.Path == podsPath && left > 0 && r.URL.Query().Get("continue") != "" {
					left--
					f.expire()
					if left == 0 {
						f.remove(podsPath, "p00000")
						f.add(late)
					}
					gones++
				}
				return false
			}
			inv, source, _ := f.read(Options{Kinds: onlyPods})
			names := podNames(inv)
			for _, o := range objects {
				if _, there := slices.BinarySearch(names, key(o)); key(o) != gone && !there {
					t.Fatalf("%s is lost", key(o))
				}
			}
			if !slices.Contains(names, "ns99/late") {
				t.Error("the pod at the end of the newer state is lost")
			}
			if len(slices.Compact(slices.Clone(names))) != len(names) {
				t.Error("pods are there twice")
			}
			// A list that was begun anew is of one state; one that was continued
			// may still have what went away.
			mixed := times > restarts
			if slices.Contains(names, gone) != mixed {
				t.Errorf("the pod that went away is there: %v", !mixed)
			}
			if (len(source.Notes) > 0) != mixed || len(inv.Gaps(inventory.Pods.ID, "")) > 0 {
				t.Errorf("notes %+v, gaps %v", source.Notes, inv.AllGaps())
			}
		})
	}
}

// TestExpiredForEver checks that a server that never holds a list is given up.
func TestExpiredForEver(t *testing.T) {
	f := newFakeAPI(t, manyPods(1800)...)
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Query().Get("continue") != "" {
			writeStatus(w, http.StatusGone, "too old", "after:ns01")
			return true
		}
		return false
	}
	inv, _, _ := f.read(Options{Kinds: onlyPods})
	wantGap(t, inv, report.Gap{Kind: inventory.Pods.ID, Cause: report.Truncated, Detail: "only the first 500 pods could be read: the server answered 410 Gone: too old"})
}

// wantGap checks the first gap of pods, but for How unless that is wanted too.
func wantGap(t *testing.T, inv *inventory.Inventory, want report.Gap) {
	t.Helper()
	gaps := inv.AllGaps()
	if len(gaps) != 1 {
		t.Fatalf("gaps %v, want one", gaps)
	}
	if gaps[0].How == "" {
		t.Error("the gap does not say what would close it")
	}
	if want.How == "" {
		gaps[0].How = ""
	}
	if d := cmp.Diff(want, gaps[0]); d != "" {
		t.Errorf("gap (-want +got):\n%s", d)
	}
}

// TestRetries checks what is tried again and with what patience.
func TestRetries(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { writeStatus(w, code, "etcdserver: no leader", "") }
	}
	busy := func(seconds string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", seconds)
			writeStatus(w, http.StatusTooManyRequests, "too many requests", "")
		}
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", acceptProtobuf)
		w.Header().Set("Content-Length", "100000")
		w.Write(make([]byte, 100))
		panic(http.ErrAbortHandler)
	}
	reset := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	const ms = time.Millisecond
	for _, tc := range []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request)
		times int // on the second page; 99: always
		waits []time.Duration
		gap   string // detail of the gap; empty: none
		cause report.Cause
	}{
		{"429 twice", busy("7"), 2, []time.Duration{7 * time.Second, 7 * time.Second}, "", ""},
		{"429 that asks for too much", busy("3600"), 99, nil, "the server answered 429 Too Many Requests: too many requests", report.Failed},
		{"500 twice", status(500), 2, []time.Duration{500 * ms, 1000 * ms}, "", ""},
		{"502", status(502), 1, []time.Duration{500 * ms}, "", ""},
		{"503 for ever", status(503), 99, []time.Duration{500 * ms, 1000 * ms, 2000 * ms, 4000 * ms}, "the server answered 503 Service Unavailable: etcdserver: no leader", report.Failed},
		{"504 for ever", status(504), 99, []time.Duration{500 * ms, 1000 * ms, 2000 * ms, 4000 * ms}, "the server answered 504 Gateway Timeout: etcdserver: no leader", report.TimedOut},
		{"400", status(400), 99, nil, "the server answered 400 Bad Request: etcdserver: no leader", report.Failed},
		{"cut body", cut, 1, []time.Duration{500 * ms}, "", ""},
		{"cut body for ever", cut, 99, []time.Duration{500 * ms, 1000 * ms, 2000 * ms, 4000 * ms}, "HOST closed", report.Failed},
		{"reset", reset, 2, []time.Duration{500 * ms, 1000 * ms}, "", ""},
	} {
		for _, firstPage := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", tc.name, firstPage), func(t *testing.T) {
				objects := manyPods(700)
				f := newFakeAPI(t, objects...)
				left := tc.times
				f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
					if r.URL.Path != podsPath || (r.URL.Query().Get("continue") == "") != firstPage || left == 0 {
						return false
					}
					left--
					tc.fault(w, r)
					return true
				}
				c, waits := f.open(Options{Kinds: onlyPods})
				var b inventory.Builder
				if _, _, err := c.Read(t.Context(), &b); err != nil {
					t.Fatal(err)
				}
				inv := b.Seal(time.Time{})
				if d := cmp.Diff(tc.waits, *waits, cmp.Transformer("", func(d []time.Duration) []time.Duration { return append([]time.Duration{}, d...) })); d != "" {
					t.Errorf("waits (-want +got):\n%s", d)
				}
				if tc.gap == "" {
					if len(inv.AllGaps()) > 0 || len(podNames(inv)) != len(objects) {
						t.Errorf("%d pods, gaps %v", len(podNames(inv)), inv.AllGaps())
					}
					return
				}
				detail := strings.Replace(tc.gap, "HOST closed", c.target.base.Host+" closed the connection in the middle of an answer", 1)
				want := report.Gap{Kind: inventory.Pods.ID, Cause: tc.cause, Detail: detail}
				witnesses := 0
				if !firstPage {
					witnesses = pageLimit
					want.Cause, want.Detail = report.Truncated, "only the first 500 pods could be read: "+detail
				}
				wantGap(t, inv, want)
				if len(podNames(inv)) != witnesses {
					t.Errorf("%d pods are kept as witnesses, want %d", len(podNames(inv)), witnesses)
				}
			})
		}
	}
}

// TestHang checks that a server that takes requests and never answers costs a
// bounded time, and that nothing more is asked of it then.
func TestHang(t *testing.T) {
	f := newFakeAPI(t)
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path == "/version" {
			return false
		}
		<-r.Context().Done()
		return true
	}
	inv, _, _ := f.read(Options{Kinds: allKinds(), Timeout: 50 * time.Millisecond})
	for _, k := range allKinds() {
		gaps := inv.Gaps(k, "")
		if len(gaps) != 1 || gaps[0].Cause != report.TimedOut && k != inventory.PodSecurityDefaults.ID {
			t.Errorf("%s: %v", k, gaps)
		}
	}
	lists := map[string]bool{}
	for _, r := range f.asked() {
		lists[r] = true
	}
	if len(lists) > lostAfter+parallel+2 {
		t.Errorf("%d different requests to a server that is gone", len(lists))
	}

	t.Run("from the first contact on", func(t *testing.T) {
		f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool { <-r.Context().Done(); return true }
		c, waits := f.open(Options{Timeout: 50 * time.Millisecond})
		_, _, err := c.Read(t.Context(), &inventory.Builder{})
		want := fmt.Sprintf("connecting to the cluster (%s): no whole answer from %s within 50ms", c.target, c.target.base.Host)
		if err == nil || err.Error() != want || len(*waits) > 0 {
			t.Errorf("error %v after waits %v, want %s", err, *waits, want)
		}
	})
	t.Run("in the middle of an answer", func(t *testing.T) {
		f := newFakeAPI(t, manyPods(3)...)
		f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path != podsPath {
				return false
			}
			w.Header().Set("Content-Type", acceptProtobuf)
			w.Write(protobufPrefix)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return true
		}
		inv, _, _ := f.read(Options{Kinds: onlyPods, Timeout: 50 * time.Millisecond})
		if g := inv.AllGaps(); len(g) != 1 || g[0].Cause != report.TimedOut {
			t.Errorf("gaps %v", g)
		}
	})
}

// TestCancel ends a scan in the middle: what was read stays, the rest is a gap.
func TestCancel(t *testing.T) {
	f := newFakeAPI(t, manyPods(700)...)
	ctx, cancel := context.WithCancel(t.Context())
	f.fault = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Query().Get("continue") != "" {
			cancel()
			<-r.Context().Done()
		}
		return false
	}
	c, _ := f.open(Options{Kinds: onlyPods})
	var b inventory.Builder
	if _, _, err := c.Read(ctx, &b); err != nil {
		t.Fatal(err)
	}
	inv := b.Seal(time.Time{})
	wantGap(t, inv, report.Gap{Kind: inventory.Pods.ID, Cause: report.Truncated, Detail: "only the first 500 pods could be read: the scan was ended before this was read"})

	if _, _, err := c.Read(ctx, &b); !errors.Is(err, context.Canceled) {
		t.Errorf("a scan that was ended before it began: %v", err)
	}
}

// TestOtherAnswers checks that an answer of another sort is never an empty list.
func TestOtherAnswers(t *testing.T) {
	send := func(contentType string, body []byte) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.Header().Set("Content-Type", contentType); w.Write(body) }
	}
	res, _ := inventory.ResourceFor(inventory.ServiceAccounts.ID)
	other := listOf(res, nil, "")
	good := protobufOf(listOf(must2(inventory.ResourceFor(inventory.Pods.ID)), manyPods(1), ""))
	for name, answer := range map[string]func(http.ResponseWriter){
		"html":             send("text/html; charset=utf-8", []byte("<html>log in</html>")),
		"nothing":          send("", nil),
		"empty protobuf":   send(acceptProtobuf, nil),
		"empty json":       send(acceptJSON, nil),
		"other list":       send(acceptProtobuf, protobufOf(other)),
		"other json list":  send(acceptJSON, []byte(`{"kind":"ServiceAccountList","apiVersion":"v1","items":[]}`)),
		"json null":        send(acceptJSON, []byte(`null`)),
		"json no kind":     send(acceptJSON, []byte(`{"items":[]}`)),
		"json as protobuf": send(acceptProtobuf, []byte(`{"kind":"PodList","apiVersion":"v1","items":[]}`)),
		"status":           send(acceptJSON, []byte(`{"kind":"Status","apiVersion":"v1","status":"Failure"}`)),
		"garbled":          send(acceptProtobuf, append(slices.Clone(good[:len(good)-30]), bytes.Repeat([]byte{0xff}, 30)...)),
		"no content":       func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.URL.Path == podsPath {
					answer(w)
					return true
				}
				return false
			}
			inv, source, _ := f.read(Options{Kinds: onlyPods})
			gaps := inv.AllGaps()
			if len(gaps) != 1 || gaps[0].Cause != report.Unreadable && gaps[0].Cause != report.Failed || gaps[0].How == "" {
				t.Errorf("gaps %v", gaps)
			}
			if len(source.Problems) != 1 || source.Problems[0].At != "GET "+podsPath {
				t.Errorf("problems %v", source.Problems)
			}
		})
	}
}

func must2[T any](v T, ok bool) T {
	if !ok {
		panic("missing")
	}
	return v
}

// TestOneBadObject checks that the others are read all the same.
func TestOneBadObject(t *testing.T) {
	f := newFakeAPI(t)
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path != podsPath {
			return false
		}
		w.Header().Set("Content-Type", acceptJSON)
		fmt.Fprint(w, `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[
			{"metadata":{"namespace":"a","name":"good"}},
			{"metadata":{"namespace":"a","name":"bad"},"spec":{"containers":"canary-value"}}]}`)
		return true
	}
	inv, _, _ := f.read(Options{Kinds: onlyPods})
	wantGap(t, inv, report.Gap{Kind: inventory.Pods.ID, Cause: report.Unreadable,
		Detail: "1 of 2 objects cannot be decoded, the first: an object does not have the fields of its kind"})
	if d := cmp.Diff([]string{"a/good"}, podNames(inv)); d != "" {
		t.Error(d)
	}
}

// TestServerInCircles checks that a server that gives the same page for ever is
// given up, and that its pods are there once.
func TestServerInCircles(t *testing.T) {
	f := newFakeAPI(t)
	n := 0
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path != podsPath {
			return false
		}
		n++
		w.Header().Set("Content-Type", acceptProtobuf)
		w.Write(protobufOf(listOf(must2(inventory.ResourceFor(inventory.Pods.ID)), manyPods(2), fmt.Sprint("token", n))))
		return true
	}
	inv, source, _ := f.read(Options{Kinds: onlyPods})
	wantGap(t, inv, report.Gap{Kind: inventory.Pods.ID, Cause: report.Truncated, Detail: "only the first 2 pods could be read: the server repeats a page of the list"})
	if source.Objects != 2 || n > idlePages+2 {
		t.Errorf("%d pods after %d pages", source.Objects, n)
	}
}

// TestRedirect checks that credentials do not follow a redirect.
func TestRedirect(t *testing.T) {
	f, elsewhere := newFakeAPI(t), newFakeAPI(t)
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path == podsPath {
			http.Redirect(w, r, elsewhere.server.URL+podsPath, http.StatusTemporaryRedirect)
		}
		return r.URL.Path == podsPath
	}
	inv, _, _ := f.read(Options{Kinds: onlyPods})
	wantGap(t, inv, report.Gap{Kind: inventory.Pods.ID, Cause: report.Failed, Detail: "the server answered 307 Temporary Redirect"})

	// The same server under another path would be trusted with the connection.
	f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.URL.Path == podsPath {
			http.Redirect(w, r, "/login", http.StatusFound)
		}
		return r.URL.Path == podsPath
	}
	f.read(Options{Kinds: onlyPods})
	if len(elsewhere.asked()) > 0 || slices.Contains(f.asked(), "GET /login") {
		t.Errorf("the redirect was followed: %v, %v", f.asked(), elsewhere.asked())
	}
}

// TestLargePage checks that a page that is too large to hold is asked for in
// smaller ones, and that an object that is too large ends the list.
func TestLargePage(t *testing.T) {
	for _, limit := range []string{"62", "0"} {
		objects := manyPods(100)
		f := newFakeAPI(t, objects...)
		f.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.URL.Path != podsPath || r.URL.Query().Get("limit") == limit {
				return false
			}
			w.Header().Set("Content-Type", acceptProtobuf)
			for chunk, n := make([]byte, 1<<20), 0; n <= pageSize; n += len(chunk) {
				w.Write(chunk)
			}
			return true
		}
		inv, _, _ := f.read(Options{Kinds: onlyPods})
		if limit == "0" {
			wantGap(t, inv, report.Gap{Kind: inventory.Pods.ID, Cause: report.Truncated, Detail: "one object of the list is larger than 64 MiB"})
		} else if len(podNames(inv)) != len(objects) || len(inv.AllGaps()) > 0 {
			t.Errorf("%d pods, gaps %v", len(podNames(inv)), inv.AllGaps())
		}
	}
}
