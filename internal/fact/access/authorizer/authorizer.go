// Package authorizer says which authorizers each API server asks, in which
// order, and how that is known: from the flags of its pod, or from the
// AuthorizationConfiguration that these name.
//
// An authorizer allows, denies, or has no opinion, and then the next one is
// asked: one that allows everything lets everything through, wherever it stands,
// but for what a webhook before it denies. AlwaysDeny has no opinion.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubeapiserver/options/authorization.go
// https://kubernetes.io/docs/reference/access-authn-authz/authorization/
package authorizer

import (
	"fmt"
	"path"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// The types of authorizers.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/kubeapiserver/authorizer/modes/modes.go
const (
	Node        = "Node"
	RBAC        = "RBAC"
	ABAC        = "ABAC"
	Webhook     = "Webhook"
	AlwaysAllow = "AlwaysAllow"
	AlwaysDeny  = "AlwaysDeny"
)

var known = []string{Node, RBAC, ABAC, Webhook, AlwaysAllow, AlwaysDeny}

// Chain is what one or several API servers decide by.
type Chain struct {
	// Authorizers are asked in this order. They are those that were seen, where
	// Unclear says why that may not be all.
	Authorizers []inventory.Authorizer
	Unclear     string
	// How says how it could be told, where it is unclear.
	How string
	// Config is the configuration that holds them; nil where flags do.
	Config *inventory.Object[inventory.Authorization]
	// Pods are the API servers that have the chain: none where only the
	// configuration was given.
	Pods []inventory.Object[*inventory.PodBearer]
	// PolicyFile is that of ABAC.
	PolicyFile string
	// Default is true where no flag says anything: everything is allowed.
	Default bool

	field, got string
}

// Servers are the API servers of the input.
type Servers struct {
	// Chains are those of all of them, each once; and those of configurations
	// that no API server of the input has.
	Chains []*Chain
	// Count is the number of API servers.
	Count int
}

// All finds the API servers, where the pods of kube-system show them. One in a
// pod elsewhere is that of another cluster.
var All = &inventory.Fact[*Servers]{
	Needs: []inventory.Need{inventory.Pods.Optional(), inventory.Authorizations.Optional()},
	Build: build,
}

func build(v inventory.View) *Servers {
	s, found := &Servers{}, map[string]*Chain{}
	for _, namespace := range []string{"", metav1.NamespaceSystem} {
		for pod := range inventory.In(v, inventory.Pods, namespace) {
			c := chainOf(v, pod)
			if c == nil {
				continue
			}
			s.Count++
			if same := found[c.key()]; same != nil {
				same.Pods = append(same.Pods, pod)
				continue
			}
			found[c.key()] = c
			s.Chains = append(s.Chains, c)
		}
	}
	for o := range inventory.All(v, inventory.Authorizations) {
		used := func(c *Chain) bool { return c.Config != nil && c.Config.Subject == o.Subject }
		if !slices.ContainsFunc(s.Chains, used) {
			c := &Chain{}
			c.configured(o)
			s.Chains = append(s.Chains, c)
		}
	}
	return s
}

// chainOf is the chain of a pod; nil where it is no API server.
func chainOf(v inventory.View, pod inventory.Object[*inventory.PodBearer]) *Chain {
	c := &Chain{Pods: []inventory.Object[*inventory.PodBearer]{pod}}
	spec := pod.Value.Template.Spec
	for i := range spec.Containers {
		if line, ok := commandOf(&spec.Containers[i], fmt.Sprintf("spec.containers[%d]", i)); ok {
			c.read(v, line)
			return c
		}
	}
	if pod.Value.Labels["component"] == "kube-apiserver" { // as kubeadm labels it
		c.field = "spec.containers"
		c.unclear("is an API server whose command line does not show its flags", inventory.HowAuthorizations)
		return c
	}
	return nil
}

// read reads the flags of an API server. One whose flags contradict each other
// does not start.
func (c *Chain) read(v inventory.View, line command) {
	mode, config := line.flag("authorization-mode"), line.flag("authorization-config")
	if files := line.flag("authorization-policy-file"); len(files) > 0 {
		c.PolicyFile = files[len(files)-1].text
	}
	list, err := modes(mode)
	for _, m := range list {
		c.Authorizers = append(c.Authorizers, inventory.Authorizer{Type: m})
	}
	c.field, c.got = line.field, "(none)"
	hidden := line.hides()
	if len(mode) > 0 {
		c.field, c.got = mode[0].field, "--authorization-mode="+strings.Join(list, ",")
	}
	switch {
	case hidden != "":
		c.unclear(hidden, look)
	case err != nil:
		c.unclear("has an --authorization-mode that is no list", look)
	case len(config) > 0 && len(mode) > 0:
		c.unclear("has both --authorization-config and --authorization-mode, with which it does not start", look)
	case len(config) > 0:
		name := config[len(config)-1].text
		c.field, c.got = config[0].field, "--authorization-config="+name
		c.find(v, name)
	case len(list) == 0:
		c.Default = true
		c.Authorizers = []inventory.Authorizer{{Type: AlwaysAllow}}
	default:
		c.validate()
	}
}

// look is how it is told what an API server runs with where its pod does not say.
const look = "look at the flags that the API server runs with on its node"

// find takes the configuration that was given: of several, the one of the name.
func (c *Chain) find(v inventory.View, name string) {
	has := "has --authorization-config=" + name
	for _, g := range v.Missing(inventory.Authorizations.ID, "") {
		if g.Cause != report.NotGiven && g.Cause != report.NotCollected { // one was given, and may be this
			c.unclear(has+", but "+g.String(), g.How)
			return
		}
	}
	given := slices.Collect(inventory.All(v, inventory.Authorizations))
	if len(given) > 1 {
		given = slices.DeleteFunc(given, func(o inventory.Object[inventory.Authorization]) bool { return path.Base(o.Name) != path.Base(name) })
	}
	switch len(given) {
	case 0:
		c.unclear(has+", and that file is not in the input", "give the API server's AuthorizationConfiguration as PATH")
	case 1:
		c.configured(given[0])
	default:
		c.unclear(has+", and several files of that name are in the input", "scan the API servers apart, each with its own file")
	}
}

func (c *Chain) configured(o inventory.Object[inventory.Authorization]) {
	c.Config, c.Authorizers = &o, o.Value.Authorizers
	c.validate()
}

// validate refuses what the API server does not start with. Only webhooks may be
// there several times, and only in a configuration.
func (c *Chain) validate() {
	seen := map[string]bool{}
	for _, a := range c.Authorizers {
		if !slices.Contains(known, a.Type) {
			c.unclear(fmt.Sprintf("names the authorizer %q, which Kubernetes does not have", a.Type), look)
			return
		}
		if seen[a.Type] && (a.Type != Webhook || c.Config == nil) {
			c.unclear(fmt.Sprintf("names the authorizer %q twice, with which the API server does not start", a.Type), look)
			return
		}
		seen[a.Type] = true
	}
	if len(c.Authorizers) == 0 {
		c.unclear("names no authorizer, with which the API server does not start", look)
	}
}

func (c *Chain) unclear(why, how string) {
	if c.Unclear == "" {
		c.Unclear, c.How = why, how
	}
}

// key is the same for API servers that are set up alike.
func (c *Chain) key() string {
	config := report.Subject{}
	if c.Config != nil {
		config = c.Config.Subject
	}
	return fmt.Sprint(c.String(), c.Unclear, config, c.PolicyFile, c.Default)
}

// Has reports whether an authorizer of a type is asked.
func (c *Chain) Has(kind string) bool {
	return slices.ContainsFunc(c.Authorizers, func(a inventory.Authorizer) bool { return a.Type == kind })
}

// String is the chain in one line: "Node, RBAC".
func (c *Chain) String() string {
	var types []string
	for _, a := range c.Authorizers {
		types = append(types, a.Type)
	}
	return strings.Join(types, ", ")
}

// Subject is what has to be changed: the configuration, or the first API server.
func (c *Chain) Subject() report.Subject {
	if c.Config != nil {
		return c.Config.Subject
	}
	return c.Pods[0].Subject
}

// Evidence quotes what names an authorizer of a type, or all of them, and for a
// configuration an API server that has it.
func (c *Chain) Evidence(kind string) []report.Evidence {
	var evidence []report.Evidence
	if c.Config != nil {
		field, got := "authorizers", c.String()
		if i := slices.IndexFunc(c.Authorizers, func(a inventory.Authorizer) bool { return a.Type == kind }); i >= 0 {
			field, got = fmt.Sprintf("authorizers[%d].type", i), kind
		}
		evidence = append(evidence, c.Config.Evidence(field, got, ""))
	}
	if len(c.Pods) > 0 {
		evidence = append(evidence, c.Pods[0].Evidence(c.field, c.got, ""))
	}
	return evidence
}
