package escalation

import (
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
)

// rule says what some rights let one come to hold.
type rule struct {
	id, text string
	// terms must all be held in one namespace, or everywhere.
	terms []*term
	// to lists what is gained by holding the first term in a namespace ("" for
	// everywhere) for some names (nil for all).
	to func(g *builder, s State, namespace string, names []string) []State
	// until is the last minor that the rule holds for, 0 for no last one. Where
	// the minor is not known, only rules without a last one hold.
	until int
}

// term is a right that any of several requests stands for.
type term struct {
	requests []access.Request
	// whole leaves out rights that are limited to some names.
	whole bool
}

// holds reports whether the rule holds for a minor.
func (r *rule) holds(minor int) bool { return r.until == 0 || minor > 0 && minor <= r.until }

// in asks for verbs on resources, written "resource.group/subresource", in
// namespaces.
func in(verbs string, resources ...string) *term {
	t := &term{}
	for _, verb := range strings.Split(verbs, "|") {
		for _, text := range resources {
			text, sub, _ := strings.Cut(text, "/")
			resource, group, _ := strings.Cut(text, ".")
			t.requests = append(t.requests, access.Request{Verb: verb, Group: group, Resource: resource, Subresource: sub, Namespace: access.Any, Name: access.Any})
		}
	}
	return t
}

// everywhere asks for the same outside of namespaces.
func everywhere(verbs string, resources ...string) *term {
	t := in(verbs, resources...)
	for i := range t.requests {
		t.requests[i].Namespace = ""
	}
	return t
}

// named asks for a right on objects of certain names.
func (t *term) named(names ...string) *term {
	out := &term{}
	for _, r := range t.requests {
		for _, r.Name = range names {
			out.requests = append(out.requests, r)
		}
	}
	return out
}

// all asks for a right that is not limited to names.
func (t *term) all() *term {
	t.whole = true
	return t
}

// Steps that need no right.
var (
	includes = &rule{id: "includes", text: "includes"}
	member   = &rule{id: "member", text: "is in the group"}
	hostPod  = &rule{id: "host-pod", text: "may run pods that reach their node"}
	nodePods = &rule{id: "node-pods", text: "root on a node has the tokens of the pods there"}
	nodeRoot = &rule{id: "node-control-plane", text: "root on a node of the control plane has the keys of the cluster"}
	inPods   = &rule{id: "privileged-pod", text: "pods that run there reach their node"}
)

const (
	rbac         = ".rbac.authorization.k8s.io"
	certificates = ".certificates.k8s.io"
	admission    = ".admissionregistration.k8s.io"
	write        = "create|update|patch"
)

// makers are the resources of objects that run pods, or are one.
var (
	templates = []string{
		"deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "replicationcontrollers", "cronjobs.batch",
	}
	makers = append([]string{"pods", "jobs.batch"}, templates...)
)

var (
	createPod  = in("create", makers...)
	createCSR  = everywhere("create", "certificatesigningrequests"+certificates)
	approveCSR = everywhere("update|patch", "certificatesigningrequests"+certificates+"/approval")
	writeCRB   = everywhere(write, "clusterrolebindings"+rbac).all()
	writeRB    = in(write, "rolebindings"+rbac).all()
)

// signer is the right to approve requests to a signer. The API server also asks
// for all signers of its domain.
//
// https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#authorization
func signer(name string) *term {
	return everywhere("approve", "signers"+certificates).named("kubernetes.io/"+name, "kubernetes.io/*")
}

// rules lists what rights let one become. The ids are those of the checks of
// item 1.6 where there is one.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
var rules = []*rule{
	{id: "all-rights", text: "may do everything", to: always(Admin),
		terms: []*term{everywhere("*", "*.*").all()}},
	{id: "workload-create", text: "may create workloads, which run as any ServiceAccount of their namespace", to: namespaced(Pods),
		terms: []*term{createPod}},
	{id: "workload-update", text: "may change the pod templates of workloads, which then run as any ServiceAccount of their namespace", to: namespaced(Pods),
		terms: []*term{in("update|patch", templates...)}},
	{id: "pod-exec", text: "may run commands in pods", to: pods,
		terms: []*term{in("create", "pods/exec")}},
	// Websocket clients ask with GET; since v1.35 create is asked for as well:
	// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/features/kube_features.go (AuthorizePodWebsocketUpgradeCreatePermission)
	{id: "pod-exec", text: "may run commands in pods over a websocket", to: pods, until: 34,
		terms: []*term{in("get", "pods/exec")}},
	{id: "ephemeral-containers", text: "may add containers to running pods", to: pods,
		terms: []*term{in("update|patch", "pods/ephemeralcontainers")}},
	{id: "pod-update", text: "may change the images of running pods", to: pods,
		terms: []*term{in("update|patch", "pods")}},
	{id: "token-create", text: "may make tokens of ServiceAccounts", to: accounts(Accounts),
		terms: []*term{in("create", "serviceaccounts/token")}},
	{id: "secrets-read", text: "may read the Secrets that hold tokens of ServiceAccounts", to: tokens,
		terms: []*term{in("get|list|watch", "secrets")}},
	// A controller fills a token into a Secret of type kubernetes.io/service-account-token:
	// https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
	{id: "secrets-token", text: "may make and read Secrets, which hold the token of any ServiceAccount of their namespace", to: namespaced(Accounts),
		terms: []*term{in("create", "secrets"), in("get|list|watch|patch", "secrets").all()}},
	{id: "impersonate", text: "may impersonate ServiceAccounts", to: accounts(Impersonated),
		terms: []*term{in("impersonate", "serviceaccounts")}},
	{id: "impersonate", text: "may impersonate users", to: users,
		terms: []*term{everywhere("impersonate", "users")}},
	// The API server refuses a group without a user.
	{id: "impersonate", text: "may impersonate groups", to: groups,
		terms: []*term{everywhere("impersonate", "groups"), in("impersonate", "users", "serviceaccounts")}},
	{id: "bind", text: "may bind ClusterRoles in the whole cluster", to: bound,
		terms: []*term{everywhere("bind", "clusterroles"+rbac), writeCRB}},
	{id: "bind", text: "may bind ClusterRoles in namespaces", to: bound,
		terms: []*term{in("bind", "clusterroles"+rbac), writeRB}},
	{id: "escalate", text: "may write any right into a ClusterRole that it has", to: rewritten("ClusterRole"),
		terms: []*term{everywhere("update|patch", "clusterroles"+rbac), everywhere("escalate", "clusterroles"+rbac)}},
	{id: "escalate", text: "may write any right into a Role that it has", to: rewritten("Role"),
		terms: []*term{in("update|patch", "roles"+rbac), in("escalate", "roles"+rbac)}},
	// Certificates for system:masters are refused: CertificateSubjectRestriction.
	{id: "csr-approve", text: "may issue itself client certificates for any user and group", to: always(State{Kind: Users}, State{Kind: Groups}),
		terms: []*term{createCSR, approveCSR, signer("kube-apiserver-client")}},
	{id: "csr-approve", text: "may issue itself the certificates of nodes", to: always(Node),
		terms: []*term{createCSR, approveCSR, signer("kube-apiserver-client-kubelet")}},
	{id: "csr-node", text: "gets the certificates of nodes that it asks for", to: always(Node),
		terms: []*term{createCSR, everywhere("create", "certificatesigningrequests"+certificates+"/nodeclient")}},
	{id: "webhook-config-write", text: "may change the pods that others create", to: always(State{Kind: Pods}),
		terms: []*term{everywhere(write, "mutatingwebhookconfigurations"+admission)}},
	{id: "webhook-config-write", text: "may see the Secrets that others write", to: always(State{Kind: Tokens}),
		terms: []*term{everywhere(write, "validatingwebhookconfigurations"+admission)}},
	{id: "admission-policy-write", text: "may change the pods that others create", to: always(State{Kind: Pods}),
		terms: []*term{everywhere(write, "mutatingadmissionpolicies"+admission).all(), everywhere(write, "mutatingadmissionpolicybindings"+admission).all()}},
	// Even get is enough to run commands: the kubelet takes websockets with it.
	{id: "nodes-proxy", text: "may run commands in every pod of nodes, those of the node's own components included", to: always(Node),
		terms: []*term{everywhere("get|create", "nodes/proxy")}},
	{id: "persistentvolume-create", text: "may mount the files of nodes as a PersistentVolume, whatever Pod Security says", to: always(Node),
		terms: []*term{createPod, in("create", "persistentvolumeclaims"), everywhere("create", "persistentvolumes")}},
	{id: "namespace-patch", text: "may take away the Pod Security labels of a namespace, and create pods that reach their node", to: relabelled,
		terms: []*term{in("update|patch", "namespaces"), createPod}},
	{id: "apiservice-write", text: "may answer for the API server, and so make controllers create pods", to: always(State{Kind: Pods}),
		terms: []*term{everywhere(write, "apiservices.apiregistration.k8s.io")}},
}

// order ranks the rules as they stand, after those that need no right.
var order = func() map[*rule]int {
	ranks := map[*rule]int{}
	for i, r := range rules {
		ranks[r] = i + 1
	}
	return ranks
}()

func always(states ...State) func(*builder, State, string, []string) []State {
	return func(*builder, State, string, []string) []State { return states }
}

func namespaced(kind string) func(*builder, State, string, []string) []State {
	return func(_ *builder, _ State, namespace string, _ []string) []State {
		return []State{{Kind: kind, Namespace: namespace}}
	}
}
