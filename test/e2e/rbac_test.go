package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/source/files"
	"github.com/plimsoll-sec/plimsoll/test/e2e/kube"
)

const rbacAPI = "/apis/rbac.authorization.k8s.io/v1"

// TestRBACAgreesWithTheAPIServer asks the API server's RBAC authorizer and the
// engine the same random questions, over random RBAC objects and those of real
// projects. A second engine gets the objects as manifests, and so aggregates
// rules as the controller manager does.
func TestRBACAgreesWithTheAPIServer(t *testing.T) {
	c := kube.Start(t, kube.Options{ControllerManager: true, APIServerFlags: []string{"--authorization-mode=RBAC"}})
	t.Run("fresh cluster", func(t *testing.T) { bootstrapIsRecognised(t, c) })
	t.Run("changed cluster", func(t *testing.T) { changesAreSeen(t, c) })

	random := rand.New(rand.NewPCG(1, 37))
	objects := append(corpusRBAC(t), randomRBAC(random)...)
	loaded := loadRBAC(t, c, objects)
	live := settledRBAC(t, c)
	engine := engineOf(live)
	written := engineOf(asManifests(live))
	t.Logf("%d of %d objects loaded; %d subjects", loaded, len(objects), len(engine.Subjects()))

	const questions = 30_000
	var asked, allowed, named, paths atomic.Int64
	ask := newAsker(engine, random)
	each(ask.questions(questions), func(q question) {
		want := reviewAccess(t, c, q)
		asked.Add(1)
		if want {
			allowed.Add(1)
		}
		if q.Name != "" {
			named.Add(1)
		}
		if q.Path != "" {
			paths.Add(1)
		}
		for from, e := range map[string]*access.Engine{"cluster": engine, "manifests": written} {
			if got := e.Can(q.Identity, q.Request); (len(got) > 0) != want {
				t.Errorf("%s: %+v: the API server says %v, the engine %v", from, q, want, got)
			}
		}
	})
	t.Logf("%d questions, %d allowed, %d of a named object, %d of a path", asked.Load(), allowed.Load(), named.Load(), paths.Load())
	if allowed.Load() < questions/10 || asked.Load()-allowed.Load() < questions/10 {
		t.Error("the comparison says little")
	}
}

// bootstrapIsRecognised expects all that a fresh cluster holds to be known as
// made by Kubernetes.
func bootstrapIsRecognised(t *testing.T, c *kube.Cluster) {
	all := settledRBAC(t, c)
	if len(all) < 100 {
		t.Fatalf("%d objects in a fresh cluster", len(all))
	}
	for _, minor := range []int{bootstrap.Newest, 0} {
		v := inventoryOf(all).View(access.Needs)
		for o := range rolesOf(v) {
			if verdict := bootstrap.OfRole(o, minor); !verdict.Original() {
				t.Errorf("minor %d: %s %s: %+v", minor, o.Kind, o.Name, verdict)
			}
		}
		for o := range bindingsOf(v) {
			if verdict := bootstrap.OfBinding(o, minor); !verdict.Original() {
				t.Errorf("minor %d: %s %s: %+v", minor, o.Kind, o.Name, verdict)
			}
		}
	}
	t.Logf("%d objects are Kubernetes' own", len(all))
}

// changesAreSeen changes objects in every way that the API server lets pass.
func changesAreSeen(t *testing.T, c *kube.Cluster) {
	changes := []struct {
		path, patch string
		what        bootstrap.Difference
	}{
		{"/clusterroles/system:kube-dns", `[{"op":"add","path":"/rules/-","value":{"verbs":["get"],"apiGroups":[""],"resources":["secrets"]}}]`, bootstrap.Added},
		{"/clusterroles/system:kube-scheduler", `[{"op":"add","path":"/rules/0/verbs/-","value":"*"}]`, bootstrap.Added},
		{"/clusterroles/system:node-proxier", `[{"op":"replace","path":"/rules","value":[]}]`, bootstrap.Removed},
		{"/clusterroles/system:heapster", `[{"op":"add","path":"/metadata/labels/rbac.authorization.k8s.io~1aggregate-to-view","value":"true"}]`, bootstrap.Aggregated},
		{"/clusterroles/view", `[{"op":"add","path":"/aggregationRule/clusterRoleSelectors/-","value":{"matchLabels":{"a":"b"}}}]`, bootstrap.Aggregation},
		{"/clusterroles/system:monitoring", `[{"op":"add","path":"/aggregationRule","value":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}}]`, bootstrap.Aggregation},
		{"/clusterroles/system:basic-user", `[{"op":"replace","path":"/metadata/annotations/rbac.authorization.kubernetes.io~1autoupdate","value":"false"}]`, bootstrap.Frozen},
		{"/clusterrolebindings/cluster-admin", `[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"ann"}}]`, bootstrap.Added},
		{"/clusterrolebindings/system:node", `[{"op":"add","path":"/subjects","value":[{"kind":"Group","name":"system:nodes"}]}]`, bootstrap.Added},
		{"/clusterrolebindings/system:public-info-viewer", `[{"op":"remove","path":"/subjects/1"}]`, bootstrap.Removed},
		{"/namespaces/kube-system/roles/extension-apiserver-authentication-reader", `[{"op":"remove","path":"/rules/0/resourceNames"}]`, bootstrap.Added},
		{"/namespaces/kube-system/rolebindings/system:controller:token-cleaner", `[{"op":"add","path":"/subjects/-","value":{"kind":"ServiceAccount","name":"default"}}]`, bootstrap.Added},
	}
	want := map[string]bootstrap.Difference{}
	for _, change := range changes {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, c.URL+rbacAPI+change.path, strings.NewReader(change.patch))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json-patch+json")
		resp, err := c.HTTPClient().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("changing %s: %s", change.path, resp.Status)
		}
		parts := strings.Split(change.path, "/")
		want[strings.Join(parts[len(parts)-2:], "/")] = change.what
	}
	got := map[string]bootstrap.Difference{}
	note := func(kind, name string, v bootstrap.Verdict) {
		for _, change := range v.Changes {
			got[strings.ToLower(kind)+"s/"+name] = change.What
		}
	}
	v := inventoryOf(settledRBAC(t, c)).View(access.Needs)
	for o := range rolesOf(v) {
		note(o.Kind, o.Name, bootstrap.OfRole(o, bootstrap.Newest))
	}
	for o := range bindingsOf(v) {
		note(o.Kind, o.Name, bootstrap.OfBinding(o, bootstrap.Newest))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-changed +seen):\n%s", d)
	}
}

func rolesOf(v inventory.View) func(func(inventory.Object[inventory.Role]) bool) {
	return func(yield func(inventory.Object[inventory.Role]) bool) {
		for o := range inventory.All(v, inventory.ClusterRoles) {
			if !yield(o) {
				return
			}
		}
		for o := range inventory.All(v, inventory.Roles) {
			if !yield(o) {
				return
			}
		}
	}
}

func bindingsOf(v inventory.View) func(func(inventory.Object[inventory.RoleBinding]) bool) {
	return func(yield func(inventory.Object[inventory.RoleBinding]) bool) {
		for o := range inventory.All(v, inventory.ClusterRoleBindings) {
			if !yield(o) {
				return
			}
		}
		for o := range inventory.All(v, inventory.RoleBindings) {
			if !yield(o) {
				return
			}
		}
	}
}

func inventoryOf(objects []metav1.Object) *inventory.Inventory {
	b := &inventory.Builder{}
	for i, o := range objects {
		inventory.PutObject(b, o, inventory.Origin{Source: "test", Place: fmt.Sprint(i)})
	}
	for _, n := range access.Needs {
		b.Collected(n.Kind)
	}
	return b.Seal(time.Unix(0, 0))
}

func engineOf(objects []metav1.Object) *access.Engine {
	return access.Grants.Of(inventoryOf(objects).View(access.Needs))
}

// asManifests returns the objects as somebody would write them.
func asManifests(objects []metav1.Object) []metav1.Object {
	var out []metav1.Object
	for _, o := range objects {
		switch x := o.(type) {
		case *rbacv1.ClusterRole:
			x = x.DeepCopy()
			x.UID = ""
			o = x
		case *rbacv1.Role:
			x = x.DeepCopy()
			x.UID = ""
			o = x
		case *rbacv1.ClusterRoleBinding:
			x = x.DeepCopy()
			x.UID = ""
			o = x
		case *rbacv1.RoleBinding:
			x = x.DeepCopy()
			x.UID = ""
			o = x
		}
		out = append(out, o)
	}
	return out
}

// settledRBAC lists all RBAC objects once the controller manager has finished
// with them.
func settledRBAC(t *testing.T, c *kube.Cluster) []metav1.Object {
	t.Helper()
	last, since := "", time.Now()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		objects := listRBAC(t, c)
		var versions strings.Builder
		aggregated := false
		for _, o := range objects {
			fmt.Fprintln(&versions, o.GetResourceVersion())
			if r, ok := o.(*rbacv1.ClusterRole); ok && r.Name == "view" {
				aggregated = len(r.Rules) > 0
			}
		}
		if now := versions.String(); now != last {
			last, since = now, time.Now()
		} else if aggregated && time.Since(since) > 2*time.Second {
			return objects
		}
	}
	t.Fatal("the RBAC objects do not settle")
	return nil
}

func listRBAC(t *testing.T, c *kube.Cluster) []metav1.Object {
	t.Helper()
	var (
		clusterRoles rbacv1.ClusterRoleList
		roles        rbacv1.RoleList
		everywhere   rbacv1.ClusterRoleBindingList
		bindings     rbacv1.RoleBindingList
		objects      []metav1.Object
	)
	for resource, list := range map[string]any{"clusterroles": &clusterRoles, "roles": &roles, "clusterrolebindings": &everywhere, "rolebindings": &bindings} {
		status, body := request(t, c, http.MethodGet, rbacAPI+"/"+resource, nil)
		if err := json.Unmarshal(body, list); err != nil || status != http.StatusOK {
			t.Fatalf("listing %s: %d %v", resource, status, err)
		}
	}
	for i := range clusterRoles.Items {
		objects = append(objects, &clusterRoles.Items[i])
	}
	for i := range roles.Items {
		objects = append(objects, &roles.Items[i])
	}
	for i := range everywhere.Items {
		objects = append(objects, &everywhere.Items[i])
	}
	for i := range bindings.Items {
		objects = append(objects, &bindings.Items[i])
	}
	return objects
}

// loadRBAC creates the objects and the namespaces that they are in, and returns
// how many the API server took.
func loadRBAC(t *testing.T, c *kube.Cluster, objects []metav1.Object) int64 {
	t.Helper()
	namespaces := map[string]bool{}
	for _, o := range objects {
		namespaces[o.GetNamespace()] = true
	}
	delete(namespaces, "")
	each(slices.Collect(maps.Keys(namespaces)), func(name string) {
		request(t, c, http.MethodPost, "/api/v1/namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	})
	var loaded atomic.Int64
	each(objects, func(o metav1.Object) {
		path := ""
		switch o.(type) {
		case *rbacv1.ClusterRole:
			path = "/clusterroles"
		case *rbacv1.ClusterRoleBinding:
			path = "/clusterrolebindings"
		case *rbacv1.Role:
			path = "/namespaces/" + o.GetNamespace() + "/roles"
		case *rbacv1.RoleBinding:
			path = "/namespaces/" + o.GetNamespace() + "/rolebindings"
		}
		// Some are refused: not valid, or one of that name is there.
		if status, _ := request(t, c, http.MethodPost, rbacAPI+path, o); status == http.StatusCreated {
			loaded.Add(1)
		}
	})
	return loaded.Load()
}

// corpusRBAC are the RBAC objects of real projects; those without a namespace
// get one of the project.
func corpusRBAC(t *testing.T) []metav1.Object {
	t.Helper()
	root := os.Getenv("PLIMSOLL_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	projects, err := os.ReadDir(filepath.Join(root, "real-world"))
	if err != nil {
		t.Logf("no objects of real projects: %v (PLIMSOLL_CORPORA says where they are)", err)
		return nil
	}
	var objects []metav1.Object
	for i, project := range projects {
		var in []files.File
		err := filepath.WalkDir(filepath.Join(root, "real-world", project.Name()), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte(rbacv1.GroupName)) && len(data) < 1<<20 {
				in = append(in, files.File{Name: path, Data: data})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		b := &inventory.Builder{}
		files.ReadFiles(b, in)
		v := b.Seal(time.Unix(0, 0)).View(access.Needs)
		meta := func(name, namespace, kind string, labels map[string]string) metav1.ObjectMeta {
			m := metav1.ObjectMeta{Name: name, Labels: labels}
			if !strings.HasPrefix(kind, "Cluster") {
				if m.Namespace = namespace; m.Namespace == "" {
					m.Namespace = fmt.Sprintf("project-%d", i)
				}
			}
			return m
		}
		for o := range rolesOf(v) {
			m := meta(o.Name, o.Namespace, o.Kind, o.Value.Labels)
			if o.Kind == "Role" {
				objects = append(objects, &rbacv1.Role{ObjectMeta: m, Rules: o.Value.Rules})
			} else {
				objects = append(objects, &rbacv1.ClusterRole{ObjectMeta: m, Rules: o.Value.Rules, AggregationRule: o.Value.Aggregation})
			}
		}
		for o := range bindingsOf(v) {
			m := meta(o.Name, o.Namespace, o.Kind, o.Value.Labels)
			if o.Kind == "RoleBinding" {
				objects = append(objects, &rbacv1.RoleBinding{ObjectMeta: m, RoleRef: o.Value.RoleRef, Subjects: o.Value.Subjects})
			} else {
				objects = append(objects, &rbacv1.ClusterRoleBinding{ObjectMeta: m, RoleRef: o.Value.RoleRef, Subjects: o.Value.Subjects})
			}
		}
	}
	return objects
}

var (
	someVerbs      = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "*"}
	someGroups     = []string{"", "apps", "batch", "rbac.authorization.k8s.io", "example.com", "*"}
	someResources  = []string{"pods", "pods/exec", "pods/*", "deployments", "deployments/scale", "*/scale", "*/exec", "secrets", "jobs/status", "*/*", "*"}
	someNames      = []string{"a", "b", "ab", "*"}
	someNamespaces = []string{"shop", "pay", "kube-system", "default"}
	somePaths      = []string{"/metrics", "/metrics/*", "/healthz", "/healthz/*", "/api", "/api/*", "/a*", "*", "/logs/", "/logs/**"}
	someUsers      = []string{"ann", "bob", "system:anonymous", "system:serviceaccount:shop:web", "system:serviceaccount:pay:web", "system:serviceaccount:kube-system:default"}
	someMembers    = []string{"dev", "ops", "system:authenticated", "system:unauthenticated", "system:serviceaccounts", "system:serviceaccounts:shop", "system:serviceaccounts:pay"}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// few picks none to two of a list, rarely none.
func few(r *rand.Rand, list []string) []string {
	out := []string{pick(r, list)}
	if r.IntN(3) == 0 {
		out = append(out, pick(r, list))
	}
	return out
}

func randomRBAC(r *rand.Rand) []metav1.Object {
	var objects []metav1.Object
	rules := func(cluster bool) []rbacv1.PolicyRule {
		var out []rbacv1.PolicyRule
		for range r.IntN(3) {
			if cluster && r.IntN(4) == 0 {
				out = append(out, rbacv1.PolicyRule{Verbs: few(r, someVerbs), NonResourceURLs: few(r, somePaths)})
				continue
			}
			rule := rbacv1.PolicyRule{Verbs: few(r, someVerbs), APIGroups: few(r, someGroups), Resources: few(r, someResources)}
			if r.IntN(3) == 0 {
				rule.ResourceNames = few(r, someNames)
			}
			out = append(out, rule)
		}
		return out
	}
	subjects := func() []rbacv1.Subject {
		var out []rbacv1.Subject
		for range r.IntN(4) {
			switch r.IntN(3) {
			case 0:
				out = append(out, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: pick(r, someUsers)})
			case 1:
				out = append(out, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: pick(r, someMembers)})
			default:
				out = append(out, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: pick(r, someNamespaces), Name: pick(r, []string{"web", "default"})})
			}
		}
		return out
	}
	for i := range 120 {
		name := fmt.Sprintf("random-%d", i)
		cluster := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}, Rules: rules(true)}
		switch r.IntN(6) { // parts of others, and those that are made of parts
		case 0:
			cluster.Labels["rbac.authorization.k8s.io/aggregate-to-"+pick(r, []string{"view", "edit", "admin"})] = "true"
		case 1:
			cluster.Labels["part"] = pick(r, []string{"x", "y", "z"})
		case 2: // no cycles: the controller would never come to an end
			i := r.IntN(2)
			from, to := []string{"x", "y"}[i], []string{"y", "z"}[i]
			cluster.Labels["part"] = to
			cluster.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
				{MatchLabels: map[string]string{"part": from}},
				{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "part", Operator: metav1.LabelSelectorOpIn, Values: []string{from, "none"}}}},
			}}
			if r.IntN(2) == 0 {
				cluster.Rules = nil // the controller overwrites them
			}
		}
		objects = append(objects, cluster, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: pick(r, someNamespaces), Name: name}, Rules: rules(false)})
	}
	for i := range 240 {
		name := fmt.Sprintf("random-%d", i)
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: fmt.Sprintf("random-%d", r.IntN(125))}
		if r.IntN(12) == 0 {
			ref.Name = pick(r, []string{"view", "edit", "admin"})
		}
		if i%3 == 0 {
			objects = append(objects, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: ref, Subjects: subjects()})
			continue
		}
		if r.IntN(2) == 0 {
			ref.Kind = "Role"
		}
		bound := subjects()
		for j := range bound {
			if r.IntN(2) == 0 { // the API server fills in nothing, and reads it as its own
				bound[j].Namespace = ""
			}
		}
		objects = append(objects, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: pick(r, someNamespaces), Name: name}, RoleRef: ref, Subjects: bound})
	}
	return objects
}

type question struct {
	access.Identity
	access.Request
}

// asker draws questions from what the rules speak of, and from what is near.
type asker struct {
	random   *rand.Rand
	subjects []access.Subject
	grants   []*access.Grant
}

func newAsker(e *access.Engine, r *rand.Rand) asker {
	return asker{r, e.Subjects(), slices.Collect(e.All())}
}

func (a asker) questions(n int) []question {
	var out []question
	for len(out) < n {
		if q := a.draw(); !slices.Contains(q.Groups, access.Masters) && (q.User != "" || len(q.Groups) > 0) {
			out = append(out, q)
		}
	}
	return out
}

func (a asker) draw() question {
	r := a.random
	g := pick(r, a.grants)
	var q question
	q.Identity = pick(r, a.subjects).Identity()
	if subjects := slices.Collect(g.Subjects()); len(subjects) > 0 && r.IntN(3) > 0 {
		q.Identity = pick(r, subjects).Identity()
	}
	if r.IntN(4) == 0 {
		q.Groups = few(r, someMembers)
	}
	q.Request = access.Request{Verb: pick(r, someVerbs), Group: pick(r, someGroups), Resource: "pods", Namespace: pick(r, someNamespaces)}
	if r.IntN(2) == 0 {
		q.Namespace = g.Binding.Namespace
	}
	if r.IntN(10) == 0 {
		q.Namespace = ""
	}
	if g.Role == nil || len(g.Role.Rules) == 0 {
		return q
	}
	rule := pick(r, g.Role.Rules)
	if r.IntN(5) > 0 && len(rule.Verbs) > 0 {
		q.Verb = pick(r, rule.Verbs)
	}
	if len(rule.NonResourceURLs) > 0 {
		path := pick(r, append(rule.NonResourceURLs, somePaths...))
		if r.IntN(2) == 0 {
			path = strings.TrimRight(path, "*") + pick(r, []string{"", "x", "/", "/x", "*"})
		}
		if path != "" {
			q.Request = access.Request{Verb: q.Verb, Path: path}
		}
		return q
	}
	if r.IntN(5) > 0 && len(rule.APIGroups) > 0 {
		q.Group = pick(r, rule.APIGroups)
	}
	resource := pick(r, append(slices.Clone(rule.Resources), someResources...))
	if len(rule.Resources) > 0 && r.IntN(4) > 0 {
		resource = pick(r, rule.Resources)
	}
	q.Resource, q.Subresource, _ = strings.Cut(resource, "/")
	if q.Resource == "*" && r.IntN(2) == 0 {
		q.Resource = pick(r, []string{"pods", "deployments", "widgets"})
	}
	if r.IntN(4) == 0 {
		q.Subresource = pick(r, []string{"", "scale", "exec", "status", "x/scale", "*"})
	}
	if r.IntN(3) == 0 {
		q.Name = pick(r, append(slices.Clone(rule.ResourceNames), someNames...))
	}
	return q
}

func reviewAccess(t *testing.T, c *kube.Cluster, q question) bool {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: q.User, Groups: q.Groups}}
	if q.Path != "" {
		review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: q.Path, Verb: q.Verb}
	} else {
		review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Verb: q.Verb, Group: q.Group, Resource: q.Resource, Subresource: q.Subresource, Namespace: q.Namespace, Name: q.Request.Name,
		}
	}
	status, body := request(t, c, http.MethodPost, "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
	if err := json.Unmarshal(body, review); err != nil || status != http.StatusCreated {
		t.Errorf("reviewing %+v: %d: %s", q, status, body)
	}
	return review.Status.Allowed
}
