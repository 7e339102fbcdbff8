package kubeapi

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// silenceClientGo keeps the log of client-go off stderr: what matters of it
// comes back as an error.
func silenceClientGo() { klog.SetLogger(klog.Logger{}) }

// load finds the cluster by kubectl's rules. The redactor knows every
// credential of the configuration.
func load(kubeconfig, context string) (target, *rest.Config, *redactor, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	rules.WarnIfAllMissing = false
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context})

	secrets := &redactor{}
	raw, err := loader.RawConfig()
	if err != nil {
		return target{}, nil, nil, unreadable(err, rules)
	}
	secrets.learn(raw)
	if context != "" && raw.Contexts[context] == nil {
		return target{}, nil, nil, fmt.Errorf("the kubeconfig has no context %q: %s", context, contextList(slices.Sorted(maps.Keys(raw.Contexts))))
	}
	config, err := loader.ClientConfig()
	switch {
	case clientcmd.IsEmptyConfig(err) && len(raw.Contexts) > 0:
		return target{}, nil, nil, fmt.Errorf("the kubeconfig has no current context: choose one with --context (%s)", contextList(slices.Sorted(maps.Keys(raw.Contexts))))
	case clientcmd.IsEmptyConfig(err), errors.Is(err, rest.ErrNotInCluster):
		return target{}, nil, nil, fmt.Errorf("no cluster is configured: no kubeconfig at %s, and this is not a pod; set KUBECONFIG or give --kubeconfig", strings.Join(rules.GetLoadingPrecedence(), ", "))
	case err != nil:
		return target{}, nil, nil, fmt.Errorf("reading the kubeconfig: %s", secrets.clean(err.Error()))
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		// The error quotes the address, which may hold a password.
		return target{}, nil, nil, errors.New("reading the kubeconfig: the server of the cluster is not a URL")
	}
	t := target{base: base}
	if len(raw.Contexts) > 0 {
		t.context = context
		if context == "" {
			t.context = raw.CurrentContext
		}
		if c := raw.Contexts[t.context]; c != nil {
			t.cluster = c.Cluster
		}
	}
	t.namespace, _, _ = loader.Namespace()
	if err := rest.LoadTLSFiles(config); err != nil {
		return target{}, nil, nil, fmt.Errorf("reading the kubeconfig: %s", secrets.clean(err.Error()))
	}
	t.clientCert = config.CertData
	return t, config, secrets, nil
}

// unreadable says which file cannot be loaded. It repeats the loader's error
// only where that is one of the file system: errors of a decoder quote what
// they could not decode, and that can be a token.
func unreadable(err error, rules *clientcmd.ClientConfigLoadingRules) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("reading the kubeconfig: %w", path)
	}
	files := rules.GetLoadingPrecedence()
	if rules.ExplicitPath != "" {
		files = []string{rules.ExplicitPath}
	}
	return fmt.Errorf("reading the kubeconfig: %s cannot be parsed; \"kubectl config view\" says where", strings.Join(files, ", "))
}

func contextList(names []string) string {
	const most = 10
	if len(names) == 0 {
		return "it has none"
	}
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return "it has " + strings.Join(names, ", ") + more
}

// httpClient makes a client that authenticates as client-go does, credential
// plugins included. Rate limits are a matter of client-go's REST client, which
// is not used: the server's priority and fairness decides.
func httpClient(config *rest.Config, secrets *redactor) (*http.Client, error) {
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper { return &witness{rt, secrets} })
	rt, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: rt,
		// A redirect leads away from the API server, and client-go's transport
		// would send the credentials there.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// witness is the innermost transport: it sees the credentials that a request
// finally carries, those of plugins too.
type witness struct {
	next    http.RoundTripper
	secrets *redactor
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	if a := r.Header.Get("Authorization"); a != "" {
		w.secrets.learnAuthorization(a)
	}
	return w.next.RoundTrip(r)
}

// WrappedRoundTripper lets client-go reach the transport beneath.
func (w *witness) WrappedRoundTripper() http.RoundTripper { return w.next }

// userinfo is what an address holds before the "@", also of one that does not
// parse.
func userinfo(address string) []string {
	if u, err := url.Parse(address); err == nil {
		password, _ := u.User.Password()
		return []string{u.User.String(), password}
	}
	_, rest, _ := strings.Cut(address, "//")
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return nil
	}
	return append(strings.Split(rest[:at], ":"), rest[:at])
}
