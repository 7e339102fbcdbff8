// Package kubeapi reads a live cluster into an inventory, through the API
// server and nothing else: lists, discovery and the version, never a write.
//
// What cannot be read (forbidden, not served, timed out, cut short) is recorded
// as a gap for the kind and namespace that it concerns; it never counts as
// absent. Secrets are asked for as a Table of their metadata, so that their
// values never enter this program.
package kubeapi

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// DefaultTimeout is the time that one request may take, its answer included.
const DefaultTimeout = 30 * time.Second

// Options say which cluster is read, as whom, and what of it.
type Options struct {
	// Kubeconfig is a file and Context one of its contexts. Empty means what
	// kubectl means by it: KUBECONFIG, ~/.kube/config, the current context, and
	// in a pod the account of the pod.
	Kubeconfig, Context string
	// Namespaces limits what is read of namespaced kinds; empty means all.
	Namespaces []string
	// Kinds are the kinds of evidence that are wanted. Those that no API server
	// serves are left to other sources.
	Kinds []report.KindID
	// Timeout is the time that one request may take; 0 means DefaultTimeout.
	Timeout time.Duration
	// Progress is told how many of the kinds have been read, and what is being
	// read. Calls do not overlap. It may be nil.
	Progress func(done, total int, what string)
	// UserAgent names this program to the server, and in its audit log.
	UserAgent string
}

// Client reads one cluster. It is safe for concurrent use.
type Client struct {
	options Options
	target  target
	http    *http.Client
	secrets *redactor

	// The clock and the dice of retries.
	sleep  func(ctx context.Context, d time.Duration) error
	jitter func() float64
}

// target is the cluster that a client talks to.
type target struct {
	base *url.URL
	// context and cluster are names from the kubeconfig; empty in a pod.
	context, cluster string
	// namespace is the one that the identity of the scan is at home in.
	namespace string
	// clientCert is the certificate that the client shows, in PEM.
	clientCert []byte
}

// String names the cluster without anything that is secret.
func (t target) String() string {
	server := t.base.Scheme + "://" + t.base.Host
	if t.context == "" {
		return server
	}
	return fmt.Sprintf("context %s, %s", t.context, server)
}

// Open finds the cluster and the credentials. It does not contact the cluster:
// an error is one of the configuration.
func Open(o Options) (*Client, error) {
	silenceClientGo()
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.UserAgent == "" {
		o.UserAgent = "plimsoll"
	}
	t, config, secrets, err := load(o.Kubeconfig, o.Context)
	if err != nil {
		return nil, err
	}
	config.UserAgent = o.UserAgent
	client, err := httpClient(config, secrets)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to %s: %s", t, secrets.clean(err.Error()))
	}
	return &Client{options: o, target: t, http: client, secrets: secrets, sleep: sleep, jitter: rand.Float64}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
