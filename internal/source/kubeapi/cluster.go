package kubeapi

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// nodeFacts is what nodes and groups say about the cluster. The first node in
// order of names that says something decides.
type nodeFacts struct {
	node         string // that was looked at
	distribution string
	provider     string
	group        string // distribution by an API group
}

// distributions by a mark in the version of the server.
var versionMarks = []struct{ mark, distribution string }{
	{"-eks-", "eks"}, {"-gke.", "gke"}, {"+k3s", "k3s"}, {"+rke2", "rke2"}, {"+k0s", "k0s"},
	{"+IKS", "iks"}, {"-aliyun.", "ack"}, {"+vmware", "tkg"}, {"-tke.", "tke"}, {"-mirantis-", "mke"},
}

// distributions by the prefix of a key that they put on nodes, as label or
// annotation. The more specific come first: kind and minikube use kubeadm.
var nodeMarks = []struct{ prefix, distribution string }{
	{"node.openshift.io/", "openshift"},
	{"eks.amazonaws.com/", "eks"},
	{"cloud.google.com/gke-", "gke"},
	{"kubernetes.azure.com/", "aks"},
	{"doks.digitalocean.com/", "doks"},
	{"minikube.k8s.io/", "minikube"},
	{"microk8s.io/", "microk8s"},
	{"k3s.io/", "k3s"},
	{"rke2.io/", "rke2"},
	{"node.k0sproject.io/", "k0s"},
	{"talos.dev/", "talos"},
	{"kops.k8s.io/", "kops"},
	{"kubeadm.alpha.kubernetes.io/", "kubeadm"},
}

// providers by the scheme of a node's providerID.
var providers = map[string]string{
	"aws": "aws", "gce": "gcp", "azure": "azure", "digitalocean": "digitalocean", "openstack": "openstack",
	"vsphere": "vsphere", "hcloud": "hetzner", "linode": "linode", "oci": "oracle", "ibm": "ibm", "equinixmetal": "equinix",
	"alicloud": "alibaba", "scaleway": "scaleway", "exoscale": "exoscale", "ovh": "ovh",
}

func (r *reading) sawNode(m *metav1.ObjectMeta, n *corev1.Node) {
	var f nodeFacts
	f.node = m.Name
	scheme, _, _ := strings.Cut(n.Spec.ProviderID, "://")
	f.provider = providers[scheme]
	if scheme == "kind" {
		f.distribution = "kind"
	}
	for _, mark := range nodeMarks {
		if f.distribution == "" && (hasPrefixedKey(m.Labels, mark.prefix) || hasPrefixedKey(m.Annotations, mark.prefix)) {
			f.distribution = mark.distribution
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.nodes.distribution != "" || r.nodes.provider != ""
	says := f.distribution != "" || f.provider != ""
	if says && (!known || f.node < r.nodes.node) {
		f.group = r.nodes.group
		r.nodes = f
	}
}

func hasPrefixedKey(m map[string]string, prefix string) bool {
	for k := range m {
		if strings.HasPrefix(k, prefix) {
			return true
		}
	}
	return false
}

// distributionOf names the distribution that serves an API group.
func distributionOf(group string) string {
	if group == "config.openshift.io" {
		return "openshift"
	}
	return ""
}

func (r *reading) sawGroups(d *discovery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for g := range d.groups {
		if x := distributionOf(g); x != "" {
			r.nodes.group = x
		}
	}
}

// cluster says what is known of the cluster as a whole.
func (r *reading) cluster(version string) report.Cluster {
	c := report.Cluster{
		Name: r.c.target.cluster, Version: version, Distribution: r.nodes.group, Provider: r.nodes.provider,
		Nodes: -1, Workloads: -1, Pods: -1,
	}
	for _, m := range versionMarks {
		if c.Distribution == "" && strings.Contains(version, m.mark) {
			c.Distribution = m.distribution
		}
	}
	if c.Distribution == "" {
		c.Distribution = r.nodes.distribution
	}
	if r.allNodes {
		c.Nodes = r.b.Count(inventory.Nodes.ID)
	}
	return c
}
