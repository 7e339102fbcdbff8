package bootstrap

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// lookUp finds what a maker makes under a name.
func lookUp(kind, namespace, name string) (*Entry, Maker) {
	k := key{kind, namespace, name}
	if e := policy()[k]; e != nil {
		return e, Upstream
	}
	if e := kubeadm[k]; e != nil {
		return e, Kubeadm
	}
	return nil, Somebody
}

// always is the span of what does not depend on the version.
var always = Span{Default: 1<<(Newest+1) - 1<<firstKnown}

// kubeadm holds what kubeadm init makes.
//
// https://github.com/kubernetes/kubernetes/tree/v1.37.2/cmd/kubeadm/app/phases
// (bootstraptoken, kubelet, uploadconfig, addons, kubeconfig)
var kubeadm = func() map[key]*Entry {
	const (
		system = "kube-system"
		public = "kube-public"
	)
	entries := map[key]*Entry{}
	role := func(kind, namespace, name string, rules ...rbacv1.PolicyRule) {
		e := &Entry{Kind: kind, Namespace: namespace, Name: name, Span: always}
		for _, r := range rules {
			e.Rules = append(e.Rules, Rule{r, always})
		}
		entries[key{kind, namespace, name}] = e
	}
	binding := func(kind, namespace, name, roleKind, roleName string, subjects ...rbacv1.Subject) {
		e := &Entry{Kind: kind, Namespace: namespace, Name: name, Span: always}
		e.RoleRef = &rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: roleKind, Name: roleName}
		for _, s := range subjects {
			e.Subjects = append(e.Subjects, Subject{s, always})
		}
		entries[key{kind, namespace, name}] = e
	}
	group := func(name string) rbacv1.Subject { return rbacv1.Subject{Kind: rbacv1.GroupKind, Name: name} }
	user := func(name string) rbacv1.Subject { return rbacv1.Subject{Kind: rbacv1.UserKind, Name: name} }
	account := func(name string) rbacv1.Subject {
		return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: name}
	}
	getConfigMap := func(name string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{name}}
	}
	joining, nodes := group("system:bootstrappers:kubeadm:default-node-token"), group("system:nodes")

	binding("ClusterRoleBinding", "", "kubeadm:cluster-admins", "ClusterRole", "cluster-admin", group("kubeadm:cluster-admins"))
	binding("ClusterRoleBinding", "", "kubeadm:kubelet-bootstrap", "ClusterRole", "system:node-bootstrapper", joining)
	role("ClusterRole", "", "kubeadm:get-nodes", rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"nodes"}})
	binding("ClusterRoleBinding", "", "kubeadm:get-nodes", "ClusterRole", "kubeadm:get-nodes", joining)
	binding("ClusterRoleBinding", "", "kubeadm:node-autoapprove-bootstrap", "ClusterRole", "system:certificates.k8s.io:certificatesigningrequests:nodeclient", joining)
	binding("ClusterRoleBinding", "", "kubeadm:node-autoapprove-certificate-rotation", "ClusterRole", "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", nodes)
	binding("ClusterRoleBinding", "", "kubeadm:apiserver-kubelet-client", "ClusterRole", "system:kubelet-api-admin", user("kube-apiserver-kubelet-client"))
	binding("ClusterRoleBinding", "", "kubeadm:node-proxier", "ClusterRole", "system:node-proxier", account("kube-proxy"))
	role("Role", system, "kube-proxy", getConfigMap("kube-proxy"))
	binding("RoleBinding", system, "kube-proxy", "Role", "kube-proxy", joining)
	role("Role", system, "kubeadm:kubelet-config", getConfigMap("kubelet-config"))
	binding("RoleBinding", system, "kubeadm:kubelet-config", "Role", "kubeadm:kubelet-config", nodes, joining)
	role("Role", system, "kubeadm:nodes-kubeadm-config", getConfigMap("kubeadm-config"))
	binding("RoleBinding", system, "kubeadm:nodes-kubeadm-config", "Role", "kubeadm:nodes-kubeadm-config", joining, nodes)
	role("Role", public, "kubeadm:bootstrap-signer-clusterinfo", getConfigMap("cluster-info"))
	binding("RoleBinding", public, "kubeadm:bootstrap-signer-clusterinfo", "Role", "kubeadm:bootstrap-signer-clusterinfo", user("system:anonymous"))
	watch := []string{"list", "watch"}
	role("ClusterRole", "", "system:coredns",
		rbacv1.PolicyRule{Verbs: watch, APIGroups: []string{""}, Resources: []string{"endpoints", "services", "pods", "namespaces"}},
		rbacv1.PolicyRule{Verbs: watch, APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}},
	)
	binding("ClusterRoleBinding", "", "system:coredns", "ClusterRole", "system:coredns", account("coredns"))
	return entries
}()

// distributions lists the names under which distributions keep roles and
// bindings of their own. One that ends in an asterisk is a prefix. What the
// objects hold depends on the distribution's version and is not known here.
var distributions = []struct {
	maker Maker
	names []string
}{
	// https://docs.aws.amazon.com/eks/latest/userguide/default-roles-users.html
	{"EKS", []string{"eks:*", "eks-*", "aws-node", "vpc-resource-controller-role", "vpc-resource-controller-rolebinding"}},
	// https://github.com/k3s-io/k3s/blob/master/manifests/rolebindings.yaml and ccm.yaml
	{"k3s", []string{"system:k3s-controller", "kube-apiserver-kubelet-admin", "k3s-cloud-controller-manager*", "clustercidrs-node", "local-path-provisioner-*"}},
	// Seen on clusters of AKS, whose add-on manager keeps them (label
	// addonmanager.kubernetes.io/mode: Reconcile).
	{"AKS", []string{"aks-cluster-admin-binding", "aks-cluster-admin-binding-aad", "aks-service", "aks-service-rolebinding", "system:azure-cloud-provider*"}},
	// https://github.com/kubernetes/kubernetes/tree/v1.37.2/cluster/gce/addons
	{"GKE", []string{"gce:*", "system:konnectivity-server"}},
}

// byName judges an object that is in no policy.
func byName(name string) Verdict {
	for _, d := range distributions {
		for _, n := range d.names {
			if prefix, ok := strings.CutSuffix(n, "*"); n == name || ok && strings.HasPrefix(name, prefix) {
				return Verdict{Maker: d.maker, ByName: true}
			}
		}
	}
	return Verdict{}
}
