package escalation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// grants writes a role and its binding in short: "who @ where: verbs resources
// [names]; …", resources with their group ("pods/exec", "deployments.apps"); @ *
// is the whole cluster.
func grants(b *inventory.Builder, text string) {
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		who, rest, _ := strings.Cut(line, " @ ")
		where, rights, _ := strings.Cut(rest, ": ")
		kind, name, _ := strings.Cut(strings.TrimSpace(who), " ")
		subject := rbacv1.Subject{Kind: kind, Name: name}
		if kind == "ServiceAccount" {
			subject.Namespace, subject.Name, _ = strings.Cut(name, "/")
		}
		var rules []rbacv1.PolicyRule
		roleName := fmt.Sprintf("role-%d", i)
		for right := range strings.SplitSeq(rights, "; ") {
			f := strings.Fields(right)
			if f[0] == "role" { // one that is there already
				roleName = f[1]
				continue
			}
			resource, sub, _ := strings.Cut(f[1], "/")
			resource, group, _ := strings.Cut(resource, ".")
			if sub != "" {
				resource += "/" + sub
			}
			rules = append(rules, rbacv1.PolicyRule{Verbs: strings.Split(f[0], ","), APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: f[2:]})
		}
		o := inventory.Origin{Source: "test", Place: line}
		meta := metav1.ObjectMeta{Name: roleName}
		if len(rules) > 0 && where == "*" {
			inventory.PutObject(b, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, o)
		} else if len(rules) > 0 {
			meta.Namespace = where
			inventory.PutObject(b, &rbacv1.Role{ObjectMeta: meta, Rules: rules}, o)
		}
		ref := rbacv1.RoleRef{Kind: "ClusterRole", Name: roleName}
		if where == "*" {
			inventory.PutObject(b, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("binding-%d", i)}, RoleRef: ref, Subjects: []rbacv1.Subject{subject}}, o)
			continue
		}
		if len(rules) > 0 {
			ref.Kind = "Role"
		}
		inventory.PutObject(b, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: where, Name: fmt.Sprintf("binding-%d", i)}, RoleRef: ref, Subjects: []rbacv1.Subject{subject}}, o)
	}
}

func objects(t *testing.T, b *inventory.Builder, docs string) {
	t.Helper()
	for doc := range strings.SplitSeq(docs, "---\n") {
		var m metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(doc), &m); err != nil {
			t.Fatal(err)
		}
		var obj runtime.Object
		switch m.Kind {
		case "Pod":
			obj = &corev1.Pod{}
		case "Deployment":
			obj = &appsv1.Deployment{}
		case "Node":
			obj = &corev1.Node{}
		case "ServiceAccount":
			obj = &corev1.ServiceAccount{}
		case "Secret":
			s := &corev1.Secret{}
			if err := yaml.UnmarshalStrict([]byte(doc), s); err != nil {
				t.Fatal(err)
			}
			inventory.PutSecret(b, &s.ObjectMeta, s.Type, 3, inventory.Origin{Source: "test"})
			continue
		case "":
			continue
		default:
			t.Fatalf("unexpected %q", m.Kind)
		}
		if err := yaml.UnmarshalStrict([]byte(doc), obj); err != nil {
			t.Fatal(err)
		}
		inventory.PutObject(b, obj, inventory.Origin{Source: "test"})
	}
}

func describe(s escalation.State) string {
	return strings.TrimSpace(strings.Join(strings.Fields(s.Kind+" "+s.Namespace+" "+s.Name), " "))
}

// TestPaths looks for the ways of one subject, User ann unless it says otherwise.
func TestPaths(t *testing.T) {
	const (
		admin = "ServiceAccount shop/robot @ *: *,x *.*; * *.*\n" // @ * with a rule for everything
		robot = "ServiceAccount shop/robot @ *: role cluster-admin\n"
	)
	const controlPlane = "kind: Node\nmetadata: {name: cp, labels: {node-role.kubernetes.io/control-plane: \"\"}}\n---\n"
	const web = "kind: Deployment\nmetadata: {namespace: shop, name: web}\nspec: {template: {spec: {serviceAccountName: robot, containers: [{name: c}]}}}\n---\n"
	tests := []struct {
		name    string
		grants  string
		objects string
		options escalation.Options
		from    access.Subject
		to      escalation.State
		want    string // rules and states; empty where there is no way
	}{
		{name: "everything", grants: admin + "User ann @ *: * *.*", want: "all-rights cluster-admin"},
		{name: "cluster-admin, of which manifests know", grants: "User ann @ *: role cluster-admin", want: "all-rights cluster-admin"},
		{name: "everything in a namespace", grants: robot + "User ann @ shop: role cluster-admin", want: "workload-create ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "everything in another namespace", grants: robot + "User ann @ pay: role cluster-admin"},
		{name: "reads only", grants: robot + "User ann @ *: get,list,watch pods; get,list nodes"},
		{name: "create pods", grants: robot + "User ann @ shop: create pods", want: "workload-create ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "create pods elsewhere", grants: robot + "User ann @ pay: create pods"},
		{name: "create pods of certain names says nothing", grants: robot + "User ann @ shop: create pods web"},
		{name: "create jobs", grants: robot + "User ann @ shop: create jobs.batch", want: "workload-create ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "patch one deployment", grants: robot + "User ann @ shop: patch deployments.apps web", want: "workload-update ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "scale is not patch", grants: robot + "User ann @ shop: patch deployments.apps/scale"},
		{name: "edit in kube-system", grants: "User ann @ kube-system: role edit",
			want: "workload-create ServiceAccount kube-system clusterrole-aggregation-controller, escalate cluster-admin"},
		{name: "through a group", grants: robot + "Group dev @ shop: create pods", from: access.Group("dev"),
			want: "workload-create ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "everybody", grants: "Group system:authenticated @ *: role cluster-admin", from: access.Account("x", "unknown"),
			want: "member Group system:authenticated, all-rights cluster-admin"},
		{name: "those who are not known", grants: "Group system:unauthenticated @ *: role cluster-admin", from: access.NewUser("system:anonymous"),
			want: "member Group system:unauthenticated, all-rights cluster-admin"},
		{name: "those who are not known, and everybody's rights", grants: "Group system:authenticated @ *: role cluster-admin", from: access.NewUser("system:anonymous")},
		{name: "all accounts of a namespace", grants: "Group system:serviceaccounts:shop @ *: role cluster-admin\nUser ann @ shop: create serviceaccounts/token",
			want: "token-create Group system:serviceaccounts:shop, all-rights cluster-admin"},
		{name: "token of one account", grants: robot + "User ann @ shop: create serviceaccounts/token robot", want: "token-create ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "token of another account", grants: robot + "User ann @ shop: create serviceaccounts/token other"},
		{name: "exec", grants: robot + "User ann @ shop: create pods/exec", objects: web, want: "pod-exec ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "exec where nothing of the account runs", grants: robot + "User ann @ shop: create pods/exec"},
		{name: "exec where no token is mounted", grants: robot + "User ann @ shop: create pods/exec",
			objects: strings.Replace(web, "serviceAccountName", "automountServiceAccountToken: false, serviceAccountName", 1)},
		{name: "exec by get", grants: robot + "User ann @ shop: get pods/exec", objects: web, options: escalation.Options{Minor: 34},
			want: "pod-exec ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "exec by get, where create is asked for too", grants: robot + "User ann @ shop: get pods/exec", objects: web, options: escalation.Options{Minor: 35}},
		{name: "exec by get, version not known", grants: robot + "User ann @ shop: get pods/exec", objects: web},
		{name: "exec into one pod", grants: robot + "User ann @ shop: create pods/exec web-0",
			objects: "kind: Pod\nmetadata: {namespace: shop, name: web-0}\nspec: {serviceAccountName: robot, containers: [{name: c}]}",
			want:    "pod-exec ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "exec into another pod", grants: robot + "User ann @ shop: create pods/exec web-1",
			objects: "kind: Pod\nmetadata: {namespace: shop, name: web-0}\nspec: {serviceAccountName: robot, containers: [{name: c}]}"},
		{name: "ephemeral containers", grants: robot + "User ann @ shop: patch pods/ephemeralcontainers", objects: web, want: "ephemeral-containers ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "secrets without tokens", grants: robot + "User ann @ *: get,list,watch secrets"},
		{name: "a Secret with a token", grants: robot + "User ann @ shop: get secrets",
			objects: "kind: Secret\nmetadata: {namespace: shop, name: t, annotations: {kubernetes.io/service-account.name: robot}}\ntype: kubernetes.io/service-account-token",
			want:    "secrets-read ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "another Secret than that with the token", grants: robot + "User ann @ shop: get secrets other",
			objects: "kind: Secret\nmetadata: {namespace: shop, name: t, annotations: {kubernetes.io/service-account.name: robot}}\ntype: kubernetes.io/service-account-token"},
		{name: "make a token Secret", grants: robot + "User ann @ shop: create,get secrets", want: "secrets-token ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "make Secrets and not read them", grants: robot + "User ann @ shop: create secrets"},
		{name: "make Secrets here and read them there", grants: robot + "User ann @ shop: create secrets\nUser ann @ pay: get secrets"},
		{name: "rights of several grants", grants: robot + "User ann @ shop: create secrets\nUser ann @ *: get secrets", want: "secrets-token ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "impersonate an account", grants: robot + "User ann @ shop: impersonate serviceaccounts robot", want: "impersonate ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "impersonate any user", grants: "User root @ *: role cluster-admin\nUser ann @ *: impersonate users", want: "impersonate User root, all-rights cluster-admin"},
		{name: "impersonate one user", grants: "User root @ *: role cluster-admin\nUser ann @ *: impersonate users bob"},
		{name: "impersonate users in a namespace", grants: "User root @ *: role cluster-admin\nUser ann @ shop: impersonate users"},
		{name: "impersonate groups alone", grants: "User ann @ *: impersonate groups"},
		{name: "impersonate system:masters", grants: "User ann @ *: impersonate groups system:masters; impersonate users bob", want: "impersonate cluster-admin"},
		{name: "impersonate another group", grants: "User ann @ *: impersonate groups dev; impersonate users bob"},
		{name: "bind", grants: "User ann @ *: bind clusterroles.rbac.authorization.k8s.io; create clusterrolebindings.rbac.authorization.k8s.io",
			want: "bind role cluster-admin, all-rights cluster-admin"},
		{name: "bind harmless roles", grants: "User ann @ *: bind clusterroles.rbac.authorization.k8s.io view; create clusterrolebindings.rbac.authorization.k8s.io"},
		{name: "bind edit", grants: "User ann @ *: bind clusterroles.rbac.authorization.k8s.io edit; create clusterrolebindings.rbac.authorization.k8s.io",
			want: "bind role edit, workload-create ServiceAccount kube-system clusterrole-aggregation-controller, escalate cluster-admin"},
		{name: "write bindings, which may give only what one has", grants: "User ann @ *: * clusterrolebindings.rbac.authorization.k8s.io; * rolebindings.rbac.authorization.k8s.io"},
		{name: "bind in a namespace", grants: robot + "User ann @ shop: bind clusterroles.rbac.authorization.k8s.io; create rolebindings.rbac.authorization.k8s.io",
			want: "bind role shop cluster-admin, workload-create ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "admin of a namespace without bind", grants: robot + "User ann @ pay: role admin"},
		{name: "escalate", grants: "User ann @ *: escalate,patch clusterroles.rbac.authorization.k8s.io", want: "escalate cluster-admin"},
		{name: "escalate without write", grants: "User ann @ *: escalate,get clusterroles.rbac.authorization.k8s.io"},
		{name: "write without escalate", grants: "User ann @ *: create,update,patch clusterroles.rbac.authorization.k8s.io"},
		{name: "escalate a role of others", grants: "User ann @ *: escalate,update clusterroles.rbac.authorization.k8s.io other"},
		{name: "escalate one's own role", grants: "User ann @ *: escalate,update clusterroles.rbac.authorization.k8s.io role-0", want: "escalate cluster-admin"},
		{name: "escalate a role of everybody", grants: "User ann @ *: escalate,update clusterroles.rbac.authorization.k8s.io system:basic-user", want: "escalate cluster-admin"},
		{name: "escalate in a namespace", grants: robot + "User ann @ shop: escalate,update roles.rbac.authorization.k8s.io", want: "escalate ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "client certificates", grants: "User root @ *: role cluster-admin\nUser ann @ *: create certificatesigningrequests.certificates.k8s.io; update certificatesigningrequests.certificates.k8s.io/approval; approve signers.certificates.k8s.io kubernetes.io/*",
			want: "csr-approve User root, all-rights cluster-admin"},
		{name: "client certificates without the signer", grants: "User root @ *: role cluster-admin\nUser ann @ *: create certificatesigningrequests.certificates.k8s.io; update certificatesigningrequests.certificates.k8s.io/approval; approve signers.certificates.k8s.io example.com/*"},
		{name: "certificates of system:masters are refused", grants: "User ann @ *: create certificatesigningrequests.certificates.k8s.io/nodeclient; create certificatesigningrequests.certificates.k8s.io", to: escalation.Node,
			want: "csr-node node"},
		{name: "nodes/proxy", grants: "User ann @ *: get nodes/proxy", objects: controlPlane, want: "nodes-proxy node, node-control-plane cluster-admin"},
		{name: "nodes/proxy, no control plane in sight", grants: "User ann @ *: get nodes/proxy", to: escalation.Node, want: "nodes-proxy node"},
		{name: "nodes/proxy in a namespace is nothing", grants: "User ann @ shop: get nodes/proxy", to: escalation.Node},
		{name: "nodes/metrics is not nodes/proxy", grants: "User ann @ *: get nodes/metrics; get nodes/pods", to: escalation.Node},
		{name: "a node has the tokens of its pods", grants: robot + "User ann @ *: get nodes/proxy", objects: web, want: "nodes-proxy node, node-pods ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "pods that reach their node", grants: "User ann @ pay: create pods", objects: controlPlane, want: "workload-create pods pay, host-pod node, node-control-plane cluster-admin"},
		{name: "pods that Pod Security keeps from their node", grants: "User ann @ pay: create pods", objects: controlPlane,
			options: escalation.Options{HostAccess: func(string) bool { return false }}},
		{name: "Pod Security taken away", grants: "User ann @ pay: create pods\nUser ann @ *: patch namespaces", to: escalation.Node,
			options: escalation.Options{HostAccess: func(string) bool { return false }}, want: "namespace-patch node"},
		{name: "Pod Security of another namespace taken away", grants: "User ann @ pay: create pods\nUser ann @ *: patch namespaces shop", to: escalation.Node,
			options: escalation.Options{HostAccess: func(string) bool { return false }}},
		{name: "PersistentVolumes", grants: "User ann @ pay: create pods; create persistentvolumeclaims\nUser ann @ *: create persistentvolumes", to: escalation.Node,
			options: escalation.Options{HostAccess: func(string) bool { return false }}, want: "persistentvolume-create node"},
		{name: "PersistentVolumes without pods", grants: "User ann @ *: create persistentvolumes; create persistentvolumeclaims", to: escalation.Node},
		{name: "mutating webhooks", grants: robot + "User ann @ *: patch mutatingwebhookconfigurations.admissionregistration.k8s.io hook",
			want: "webhook-config-write ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "validating webhooks", grants: robot + "User ann @ *: update validatingwebhookconfigurations.admissionregistration.k8s.io",
			objects: "kind: Secret\nmetadata: {namespace: shop, name: t, annotations: {kubernetes.io/service-account.name: robot}}\ntype: kubernetes.io/service-account-token",
			want:    "webhook-config-write ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "API services", grants: robot + "User ann @ *: create apiservices.apiregistration.k8s.io", want: "apiservice-write ServiceAccount shop robot, all-rights cluster-admin"},
		{name: "a privileged pod", grants: "User ann @ pay: create pods/exec", to: escalation.Node,
			objects: "kind: Pod\nmetadata: {namespace: pay, name: p}\nspec: {containers: [{name: c, securityContext: {privileged: true}}]}", want: "pod-exec running pay, privileged-pod node"},
		{name: "nothing", grants: robot},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &inventory.Builder{}
			grants(b, tt.grants)
			objects(t, b, tt.objects)
			v := b.Seal(time.Time{}).View(escalation.Needs)
			g := escalation.Build(v, access.Grants.Of(v), tt.options)
			if tt.from == (access.Subject{}) {
				tt.from = access.NewUser("ann")
			}
			if tt.to == (escalation.State{}) {
				tt.to = escalation.Admin
			}
			var got []string
			at := escalation.Of(tt.from)
			for _, s := range g.Path(tt.from, tt.to) {
				if s.From != at {
					t.Errorf("the step from %v does not follow %v", s.From, at)
				}
				at = s.To
				got = append(got, s.Rule+" "+describe(s.To))
			}
			if d := cmp.Diff(tt.want, strings.Join(got, ", ")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestAbsentAccount: in a cluster, nobody becomes an account that is not there
// by creating pods; to impersonate it is possible.
func TestAbsentAccount(t *testing.T) {
	for verb, want := range map[string]bool{"create pods": false, "impersonate serviceaccounts": true} {
		b := &inventory.Builder{}
		grants(b, "ServiceAccount shop/gone @ *: role cluster-admin\nUser ann @ shop: "+verb)
		uid := types.UID("1")
		inventory.PutObject(b, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "cluster-admin", UID: uid}, Rules: []rbacv1.PolicyRule{
			{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}},
		}}, inventory.Origin{})
		inventory.PutObject(b, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "default", UID: uid}}, inventory.Origin{})
		v := b.Seal(time.Time{}).View(escalation.Needs)
		g := escalation.Build(v, access.Grants.Of(v), escalation.Options{})
		if got := g.Path(access.NewUser("ann"), escalation.Admin) != nil; got != want {
			t.Errorf("%s: %v", verb, got)
		}
	}
}

// TestFreshCluster: of what Kubernetes itself makes, only its own components
// lead to everything.
func TestFreshCluster(t *testing.T) {
	v := (&inventory.Builder{}).Seal(time.Time{}).View(escalation.Needs)
	g := escalation.Build(v, access.Grants.Of(v), escalation.Options{})
	for _, s := range []access.Subject{
		access.Group(access.Authenticated), access.Group(access.Unauthenticated), access.Group(access.AllAccounts),
		access.NewUser("system:anonymous"), access.Account("default", "default"), access.Group("system:monitoring"), access.Group("system:nodes"),
	} {
		for _, to := range []escalation.State{escalation.Admin, escalation.Node} {
			if p := g.Path(s, to); p != nil {
				t.Errorf("%s: %+v", s, p)
			}
		}
	}
	if p := g.Path(access.NewUser("system:kube-controller-manager"), escalation.Admin); p == nil {
		t.Error("the controller manager makes tokens of every account")
	}
}

func BenchmarkBuild(b *testing.B) {
	builder := &inventory.Builder{}
	for i := range 20_000 {
		ns, name := fmt.Sprintf("ns-%d", i/5), fmt.Sprintf("app-%d", i)
		meta := metav1.ObjectMeta{Namespace: ns, Name: name, UID: types.UID(name)}
		inventory.PutObject(builder, &corev1.ServiceAccount{ObjectMeta: meta}, inventory.Origin{})
		inventory.PutObject(builder, &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
			{Verbs: []string{"get", "list", "watch"}, APIGroups: []string{""}, Resources: []string{"configmaps", "pods"}},
			{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{name}},
		}}, inventory.Origin{})
		for j := range 4 {
			m := meta
			m.Name = fmt.Sprintf("%s-%d", name, j)
			ref := rbacv1.RoleRef{Kind: "Role", Name: name}
			if j == 3 {
				ref = rbacv1.RoleRef{Kind: "ClusterRole", Name: "edit"}
			}
			inventory.PutObject(builder, &rbacv1.RoleBinding{ObjectMeta: m, RoleRef: ref, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns, Name: name}}}, inventory.Origin{})
		}
	}
	inventory.PutObject(builder, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "edit", UID: "edit"}, Rules: []rbacv1.PolicyRule{
		{Verbs: []string{"*"}, APIGroups: []string{"", "apps"}, Resources: []string{"pods", "deployments", "secrets"}},
	}}, inventory.Origin{})
	v := builder.Seal(time.Time{}).View(escalation.Needs)
	e := access.Grants.Of(v)
	for b.Loop() {
		g := escalation.Build(v, e, escalation.Options{})
		if n := len(g.Paths(escalation.Node)); n != 20_000 {
			b.Fatal(n)
		}
	}
}
