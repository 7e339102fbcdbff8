package kubeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Lists are asked for in pages without a resourceVersion, that is for the
// newest state. From Kubernetes 1.34 on the API server answers this, and the
// pages that follow, from its watch cache (consistent reads, KEP-2340, and
// snapshots of the cache, KEP-4988); older ones read slices of this size from
// etcd, as they do for kubectl. The alternative, resourceVersion=0, is always
// served from the cache, but the server then ignores the limit: 150,000 pods
// in one answer, held in memory at both ends, of any age.
const (
	pageLimit = 500
	// pageSize bounds one page in bytes. A page that is larger is asked for
	// again with fewer objects.
	pageSize = 64 << 20
	// restarts is how often a list whose snapshot has expired is begun anew.
	// After that the rest is read from a newer state.
	restarts = 2
	// idlePages is how many pages may bring nothing new before the server is
	// thought to go in circles.
	idlePages = 3
)

// listing reads one list, of a kind in a namespace or in all of them.
type listing struct {
	client   *Client
	resource inventory.Resource
	path     string // of the list
	objects  string // where the objects are: path without the namespace
	selector string // fieldSelector
	decoder  *decoder
	custom   *inventory.Custom // of another project: the objects come as JSON
	progress func(objects int)

	// staged is what was read so far, seen by name. They are begun anew with
	// the list.
	staged *inventory.Builder
	seen   map[[2]string]bool
	bad    int // objects that could not be decoded
	badWhy string
	// expired counts the times that the snapshot of the list was lost, and
	// mixed is true where the list is of two states.
	expired int
	mixed   bool
	// json is true where the server did not use the encoding that is preferred.
	json   bool
	buffer bytes.Buffer
}

func (c *Client) listing(r inventory.Resource, namespace string, s *specs) *listing {
	l := &listing{client: c, resource: r, objects: groupPath(r.Group, r.Version), decoder: newDecoder(r.Kind, s)}
	l.path = l.objects + "/" + r.Resource
	if namespace != "" {
		l.path = l.objects + "/namespaces/" + url.PathEscape(namespace) + "/" + r.Resource
	}
	if custom, ok := inventory.CustomOf(r.Kind); ok {
		l.custom = &custom
	}
	l.begin()
	return l
}

func groupPath(group, version string) string {
	if group == "" {
		return "/api/" + version
	}
	return "/apis/" + group + "/" + version
}

func (l *listing) begin() {
	l.staged, l.seen, l.bad, l.badWhy = &inventory.Builder{}, map[[2]string]bool{}, 0, ""
}

func (l *listing) count() int { return len(l.seen) }

// run reads the list to its end, or as far as it can: what is staged then is
// what was read.
func (l *listing) run(ctx context.Context) error {
	limit, token, idle := pageLimit, "", 0
	begun := true // nothing was read under token
	for {
		before := l.count()
		next, err := l.page(ctx, limit, token)
		var status *statusError
		var conn *connectionError
		switch {
		case err == nil && next == "":
			return nil
		case err == nil:
			if idle++; l.count() > before {
				idle = 0
			}
			if idle > idlePages || next == token {
				return &contentError{report.Failed, "the server repeats a page of the list"}
			}
			token, begun = next, false
		case errors.Is(err, errPageSize) && limit > 1:
			limit = max(1, limit/8)
		case errors.As(err, &conn) && conn.timeout && limit == pageLimit:
			limit /= 8
		case errors.As(err, &status) && status.code == http.StatusGone && token != "":
			switch l.expired++; {
			case l.expired <= restarts:
				l.begin()
				token, begun = "", true
			case status.cont != "" && !begun:
				// The server's offer: the rest of the list as it is now. Objects
				// come in the order of their names, so that none comes twice and
				// none that was there all the time is left out.
				l.mixed = true
				token, begun = status.cont, true
			default:
				return err
			}
		default:
			return err
		}
	}
}

// page reads one page and returns the token of the next.
func (l *listing) page(ctx context.Context, limit int, token string) (next string, err error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if token != "" {
		query.Set("continue", token)
	}
	if l.selector != "" {
		query.Set("fieldSelector", l.selector)
	}
	q := call{path: l.path, query: query, accept: acceptProtobuf + "," + acceptJSON}
	read := l.readObjects
	if l.custom != nil {
		q.accept = acceptJSON
	}
	if l.resource.Metadata {
		q.accept = acceptTable
		query.Set("includeObject", "Metadata")
		read = l.readTable
	}
	err = l.client.do(ctx, q, func(resp *http.Response) error {
		next, err = read(resp)
		return err
	})
	if l.progress != nil {
		l.progress(l.count())
	}
	return next, err
}

var errPageSize = &contentError{report.Truncated, fmt.Sprintf("one object of the list is larger than %d MiB", pageSize>>20)}

// readObjects reads a page whole before it decodes: a page that breaks off
// leaves nothing behind.
func (l *listing) readObjects(resp *http.Response) (next string, err error) {
	l.buffer.Reset()
	if _, err := l.buffer.ReadFrom(io.LimitReader(resp.Body, pageSize+1)); err != nil {
		return "", err
	}
	if l.buffer.Len() > pageSize {
		return "", errPageSize
	}
	version, kind := apiVersionKind(l.resource.Kind)
	contentType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch contentType {
	case acceptProtobuf:
		return listPage(l.buffer.Bytes(), version, kind, func(msg []byte) error {
			l.decoded(l.decoder.protobuf(l.staged, msg, l.origin))
			return nil
		})
	case acceptJSON:
		if l.custom != nil {
			return jsonPage(l.buffer.Bytes(), l.resource.Group+"/"+l.resource.Version, "", func(text []byte) {
				l.decoded(l.putCustom(text))
			})
		}
		l.json = true
		return jsonPage(l.buffer.Bytes(), version, kind, func(text []byte) {
			l.decoded(l.decoder.json(l.staged, text, l.origin))
		})
	default:
		return "", notKubernetes(contentType)
	}
}

// putCustom adds an object of another project.
func (l *listing) putCustom(text []byte) error {
	var head struct {
		APIVersion, Kind string
		Metadata         metav1.ObjectMeta
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return errors.New("an object does not have the metadata that every object has")
	}
	o, ok := l.origin(&head.Metadata)
	if !ok {
		return nil
	}
	if err := l.custom.Put(l.staged, head.APIVersion, head.Kind, text, o); err != nil {
		return fmt.Errorf("%s/%s: %w", head.Metadata.Namespace, head.Metadata.Name, err)
	}
	return nil
}

func notKubernetes(contentType string) error {
	return unreadablef("the answer is %.40q, not a Kubernetes object: a login page or a proxy may stand before the API server", contentType)
}

func (l *listing) decoded(err error) {
	if err == nil {
		return
	}
	if l.bad++; l.bad == 1 {
		l.badWhy = l.client.secrets.clean(err.Error())
	}
}

// origin says where an object was read, and refuses what is there already.
func (l *listing) origin(m *metav1.ObjectMeta) (inventory.Origin, bool) {
	name := [2]string{m.Namespace, m.Name}
	if l.seen[name] {
		return inventory.Origin{}, false
	}
	l.seen[name] = true
	place := "live:" + l.objects
	if m.Namespace != "" && l.resource.Namespaced {
		place += "/namespaces/" + m.Namespace
	}
	return inventory.Origin{Source: sourceType, Place: place + "/" + l.resource.Resource + "/" + m.Name + "@" + m.ResourceVersion}, true
}

// apiVersionKind splits a kind into what objects say of themselves.
func apiVersionKind(k report.KindID) (apiVersion, kind string) {
	i := strings.LastIndexByte(string(k), '/')
	return string(k)[:i], string(k)[i+1:]
}
