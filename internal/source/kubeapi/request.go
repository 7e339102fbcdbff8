package kubeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const (
	acceptProtobuf = "application/vnd.kubernetes.protobuf"
	acceptJSON     = "application/json"
)

const (
	// tries is how often a request is sent that the server answers with "later",
	// or whose connection breaks; slowTries how often one that it does not
	// answer in time, because each of those costs a whole timeout.
	tries     = 5
	slowTries = 2
	// firstWait doubles from try to try up to longestWait. A server that asks
	// for more patience than longestAsked is not waited for.
	firstWait    = 500 * time.Millisecond
	longestWait  = 8 * time.Second
	longestAsked = time.Minute
	// statusSize bounds the answer to a failed request, in bytes.
	statusSize = 64 << 10
)

// call is one request.
type call struct {
	path   string
	query  url.Values
	accept string
	body   any // sent as JSON by POST; nil for a GET
	// first is true for the first contact, which should not keep a person
	// waiting who gave a wrong address.
	first bool
}

// statusError is an answer other than success.
type statusError struct {
	code       int
	message    string // cleaned
	cont       string // the continue token of a 410
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.code, http.StatusText(e.code))
	if e.message != "" {
		text += ": " + e.message
	}
	return text
}

// contentError is an answer that arrived whole and cannot be used. Asking again
// does not help.
type contentError struct {
	cause report.Cause
	text  string
}

func (e *contentError) Error() string { return e.text }

func unreadablef(format string, args ...any) error {
	return &contentError{report.Unreadable, fmt.Sprintf(format, args...)}
}

// do sends a request until it succeeds or it is not worth another try. read is
// given the answer of each success; it must start afresh each time, as an
// answer that breaks off is asked for again.
func (c *Client) do(ctx context.Context, q call, read func(*http.Response) error) error {
	for try := 1; ; try++ {
		err := c.once(ctx, q, read)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait, again := c.retry(q, err, try)
		if !again {
			return err
		}
		if c.sleep(ctx, wait) != nil {
			return ctx.Err()
		}
	}
}

func (c *Client) once(ctx context.Context, q call, read func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	u := *c.target.base
	u.Path, u.RawQuery = u.Path+q.path, q.query.Encode()
	method, body := http.MethodGet, io.Reader(nil)
	if q.body != nil {
		data, err := json.Marshal(q.body)
		if err != nil {
			return fmt.Errorf("encoding a request to %s: %w", q.path, err)
		}
		method, body = http.MethodPost, bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return unreadablef("%s is not a path of an API server", q.path)
	}
	r.Header.Set("Accept", q.accept)
	if q.body != nil {
		r.Header.Set("Content-Type", acceptJSON)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return c.connectionError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return c.statusError(resp)
	}
	err = read(resp)
	var content *contentError
	if err != nil && !errors.As(err, &content) {
		return c.connectionError(ctx, err)
	}
	return err
}

// statusError reads what the server says about a failure. The body of anything
// but a Status is not repeated: it may be the page of a proxy.
func (c *Client) statusError(resp *http.Response) error {
	e := &statusError{code: resp.StatusCode}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
		e.retryAfter = time.Duration(s) * time.Second
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, statusSize))
	if err != nil {
		return e
	}
	if status, ok := decodeStatus(data); ok {
		e.message, e.cont = c.secrets.clean(status.Message), status.Continue
		if status.Details != nil && status.Details.RetryAfterSeconds > 0 && e.retryAfter == 0 {
			e.retryAfter = time.Duration(status.Details.RetryAfterSeconds) * time.Second
		}
	}
	return e
}

func decodeStatus(data []byte) (metav1.Status, bool) {
	var status metav1.Status
	if bytes.HasPrefix(data, protobufPrefix) {
		_, kind, raw, err := openEnvelope(data)
		return status, err == nil && kind == "Status" && status.Unmarshal(raw) == nil
	}
	if json.Unmarshal(data, &status) != nil || status.Kind != "Status" {
		return metav1.Status{}, false
	}
	return status, true
}

// retry says whether a request is sent again, and after what time.
func (c *Client) retry(q call, err error, try int) (time.Duration, bool) {
	most := tries
	var asked time.Duration
	var status *statusError
	var conn *connectionError
	switch {
	case errors.As(err, &status):
		switch status.code {
		case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		case http.StatusUnauthorized:
			// A credential plugin renews what the server refused.
			most = 2
		default:
			return 0, false
		}
		asked = status.retryAfter
	case errors.As(err, &conn):
		if conn.final {
			return 0, false
		}
		switch {
		case conn.timeout && q.first:
			most = 1
		case conn.timeout, q.first:
			most = slowTries
		}
	default:
		return 0, false
	}
	if try >= most || asked > longestAsked {
		return 0, false
	}
	wait := min(firstWait<<(try-1), longestWait)
	// Half of it is random, so that many scans do not come back together.
	wait = wait/2 + time.Duration(c.jitter()*float64(wait/2))
	return max(wait, asked), true
}
