package files

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// file is one input while it is read.
type file struct {
	*tally
	*worker
	// name is the file as the user would call it.
	name string
	// directory is the chart or kustomization that was rendered, and from what
	// its objects come from: there are no lines in that.
	directory, from string
	// kustomized says that it was a kustomization.
	kustomized bool
	// optional says that the file was met under a name that says little, such
	// as .conf: then it is skipped unless it is what was hoped for.
	optional bool
	// actions says that the document has "{{" in it.
	actions bool
	// sibling reads a file that this one refers to.
	sibling func(path string) ([]byte, error)
}

func (f *file) at(line int) place { return place{f.name, line} }

func (f *file) origin(v value) inventory.Origin {
	if f.from != "" {
		return inventory.Origin{Source: sourceType, Place: f.from, Rendered: f.directory}
	}
	return inventory.Origin{Source: sourceType, Place: f.name, Line: int32(v.line())}
}

// maxLists is how deep lists may stand in lists.
const maxLists = 10

// document reads one parsed document. parent is the header that items of a
// typed list may leave out, depth counts the lists around it.
func (f *file) document(v value, parent header, depth int) {
	defer f.contain(f.at(v.line()))
	h := headerOf(v)
	if h == (header{}) {
		h = parent
	}
	at := f.at(v.line())
	switch {
	case !v.isMapping() || h.kind == "" && h.apiVersion == "":
		f.ignore("not Kubernetes", at)
	case h.apiVersion == "" || h.kind == "":
		f.headless(v, h, at)
	case isList(h, v):
		f.list(v, h, depth)
	case group(h.apiVersion) == "admission.k8s.io" && h.kind == "AdmissionReview":
		if o := v.field("request", "object"); o != nil && o.isMapping() && depth < maxLists {
			f.document(o, header{}, depth+1)
			return
		}
		f.ignore(h.kind, at)
	default:
		f.saved = f.saved || fromServer(v)
		f.object(v, h, at)
	}
}

// contain turns a panic of a parser into a gap: one bad document must not end
// the scan. What the panic says is not repeated, because it may quote.
func (f *file) contain(at place) {
	if recover() != nil {
		f.problem(at, "the reader failed on this document, which is a defect of it: please report it", report.Failed, inventory.AnyKind)
	}
}

// headless is a document with one of apiVersion and kind, which the API
// server refuses.
func (f *file) headless(v value, h header, at place) {
	k, known := misnamed(h)
	switch {
	case known:
		f.problem(at, h.kind+" without apiVersion", report.Unreadable, k)
	case h.kind == "" && builtIn(group(h.apiVersion)) && v.field("metadata") != nil:
		f.problem(at, "apiVersion without kind", report.Unreadable, inventory.AnyKind)
	default:
		f.ignore("not Kubernetes", at)
	}
}

// isList tells lists from objects whose kind ends in List.
func isList(h header, v value) bool {
	return strings.HasSuffix(h.kind, "List") && (v.field("items") != nil || builtIn(group(h.apiVersion)))
}

// list reads the items of a List or of a typed list such as PodList.
func (f *file) list(v value, h header, depth int) {
	if depth >= maxLists {
		f.problem(f.at(v.line()), "lists nested too deeply", report.Unreadable, inventory.AnyKind)
		return
	}
	item := f.listHeader(h, v.text("metadata", "resourceVersion"))
	if v.text("metadata", "continue") != "" {
		f.cutList(item, f.at(v.line()))
	}
	if items := v.field("items"); items != nil {
		items.each(func(v value) {
			if v == nil {
				f.problem(f.at(items.line()), "an alias as an item of a list is not followed", report.Unsupported, inventory.AnyKind)
				return
			}
			f.document(v, item, depth+1)
		})
	}
}

// cutList records that a list is the first page of a longer one.
func (f *file) cutList(item header, at place) {
	missing := inventory.AnyKind
	if r, ok := readers[item]; ok && r.table != "" {
		missing = r.table
	} else if c, ok := inventory.CustomFor(group(item.apiVersion), item.kind); ok {
		missing = c.ID
	} else if item.kind != "" {
		return // of a kind that is no evidence
	}
	f.problem(at, "the list is cut: the server had more (metadata.continue)", report.Truncated, missing)
}

// listHeader notes that a list was there and returns the header of its items.
func (f *file) listHeader(h header, resourceVersion string) header {
	kind := strings.TrimSuffix(h.kind, "List")
	if kind == "" {
		return header{}
	}
	if resourceVersion != "" {
		f.saved = true
	}
	item := header{h.apiVersion, kind}
	if r, ok := readers[item]; ok && r.table != "" {
		f.kinds[r.table] = true
	} else if c, ok := inventory.CustomFor(group(h.apiVersion), kind); ok {
		f.kinds[c.ID] = true
	}
	f.crds = f.crds || kind == crdKind
	return item
}

const crdKind = "CustomResourceDefinition"

// object reads one object that is not a list.
func (f *file) object(v value, h header, at place) {
	r, known := readers[h]
	switch {
	case known && r.table != "":
		f.evidence(v, h, r, at)
	case known:
		f.note(fmt.Sprintf("%s %s, removed in %s, does nothing", h.apiVersion, h.kind, r.removed), at)
		f.ignore(h.kind, at)
	case h.kind == crdKind:
		f.definition(v.text("spec", "group"), v.text("spec", "names", "kind"), at)
	case f.custom(v, h, at):
	case f.foreignKind(group(h.apiVersion), h.kind, at, "an object"):
		f.ignore(h.kind, at)
	case f.configuration(v, h, at):
	default:
		if k, ok := misnamed(h); ok {
			f.problem(at, fmt.Sprintf("Kubernetes has no %s in %s", h.kind, h.apiVersion), report.Unreadable, k)
			return
		}
		if (makers[header{group(h.apiVersion), h.kind}] || v.field("spec", "template", "spec", "containers") != nil) && !fromServer(v) {
			f.unseenPods(h, at)
		}
		f.ignore(h.kind, at)
	}
}

// unseenPods records that pods of an object of another project are to be seen
// in a cluster only.
func (f *file) unseenPods(h header, at place) {
	f.gaps = append(f.gaps, report.Gap{
		Kind: inventory.Pods.ID, Cause: report.Unsupported,
		Detail: fmt.Sprintf("the %s at %s makes pods, and this version does not read the kind", h.kind, at),
		How:    "scan the cluster, where the pods are seen",
	})
}

// definition reads a CustomResourceDefinition of a kind.
func (f *file) definition(group, kind string, at place) {
	f.crds = true
	f.foreignKind(group, kind, at, "its CustomResourceDefinition")
	if c, ok := inventory.CustomFor(group, kind); ok {
		f.defined[c.ID] = true
	}
	f.ignore(crdKind, at)
}

// foreignKind records policies of other projects, which cannot be read yet.
func (f *file) foreignKind(group, kind string, at place, what string) bool {
	family, ok := inventory.ForeignFor(group, kind)
	if ok {
		f.foreign[family.ID()] = true
		f.gaps = append(f.gaps, family.Gap(fmt.Sprintf("%s of %s is in %s", what, kind, at)))
	}
	return ok
}

// custom reads an object of another project whose kind has a table.
func (f *file) custom(v value, h header, at place) bool {
	group, version, _ := strings.Cut(h.apiVersion, "/")
	c, ok := inventory.CustomFor(group, h.kind)
	if !ok {
		return false
	}
	f.kinds[c.ID] = true
	if !c.Reads(version) {
		f.gaps = append(f.gaps, c.Gap(fmt.Sprintf("%s %s is in %s", h.apiVersion, h.kind, at)))
		f.ignore(h.kind, at)
		return true
	}
	namespace := v.text("metadata", "namespace")
	lines, err := encode(v, &f.e, customObject)
	if err != nil {
		f.unreadable(err, namespace, at, c.ID)
		return true
	}
	o := f.origin(v)
	if f.from == "" {
		o.Fields = lines
	}
	if err := c.Put(f.b, h.apiVersion, h.kind, f.e.buf, o); err != nil {
		f.unreadable(err, namespace, at, c.ID)
		return true
	}
	f.objects++
	return true
}

// evidence decodes an object into its table.
func (f *file) evidence(v value, h header, r reader, at place) {
	f.kinds[r.table] = true
	namespace := v.text("metadata", "namespace")
	lines, err := encode(v, &f.e, h.kind)
	if err != nil {
		f.unreadable(err, namespace, at, r.table)
		return
	}
	for _, line := range f.e.repeated {
		f.problem(f.at(line), "this key was there before in the same mapping; the last one counts, as for kubectl", "")
	}
	options := decodeOptions
	if strict := r.removed == "" && h.kind != "Secret" && !f.saved; strict {
		options = strictOptions
	}
	obj, err := r.decode(f.e.buf, options)
	if isDirective(err) {
		f.ignore("kustomize patch", at)
		return
	}
	if errors.Is(err, json.ErrUnknownName) {
		f.unreadable(unknownField(err, lines), namespace, at, r.table)
		obj, err = r.decode(f.e.buf, decodeOptions)
	}
	if err != nil {
		bad := decodeFault(err, lines)
		if obj, err = r.decode(f.e.buf, stringOptions); err != nil {
			f.unreadable(decodeFault(err, lines), namespace, at, r.table)
			return
		}
		f.unreadable(&fault{line: bad.line, what: bad.what + "; read as a string"}, "", at)
	}
	o := f.origin(v)
	if f.from == "" {
		o.Fields = lines
	}
	adjust(obj, h.apiVersion)
	switch x := obj.(type) {
	case *secret:
		inventory.PutSecret(f.b, &x.ObjectMeta, x.Type, len(f.e.secretKeys), o)
	case *corev1.Pod:
		f.flags(x, at)
		inventory.PutObject(f.b, x, o)
	default:
		inventory.PutObject(f.b, x, o)
	}
	f.objects++
	if r.removed != "" {
		f.note(fmt.Sprintf("%s %s, removed in %s, read as %s", h.apiVersion, h.kind, r.removed, r.current), at)
	}
}

// adjust makes up for what an old API version said in other words. v1alpha1
// of RBAC named subjects by apiVersion, and everybody by the user "*".
func adjust(obj any, apiVersion string) {
	if apiVersion == admissionv1.GroupName+"/v1beta1" {
		adjustWebhooks(obj)
	}
	if apiVersion != rbacv1.GroupName+"/v1alpha1" {
		return
	}
	var subjects []rbacv1.Subject
	switch x := obj.(type) {
	case *rbacv1.RoleBinding:
		subjects = x.Subjects
	case *rbacv1.ClusterRoleBinding:
		subjects = x.Subjects
	}
	for i := range subjects {
		s := &subjects[i]
		if s.Kind == rbacv1.UserKind && s.Name == "*" {
			s.Kind, s.Name = rbacv1.GroupKind, "system:authenticated"
		}
		if s.Kind != rbacv1.ServiceAccountKind {
			s.APIGroup = rbacv1.GroupName
		}
	}
}

// adjustWebhooks writes down what v1beta1 took a webhook's silence for, where
// v1 takes it for something else.
func adjustWebhooks(obj any) {
	silence := func(policy **admissionv1.FailurePolicyType, match **admissionv1.MatchPolicyType, effects **admissionv1.SideEffectClass, timeout **int32) {
		if *policy == nil {
			*policy = new(admissionv1.Ignore)
		}
		if *match == nil {
			*match = new(admissionv1.Exact)
		}
		if *effects == nil {
			*effects = new(admissionv1.SideEffectClassUnknown)
		}
		if *timeout == nil {
			*timeout = new(int32(30))
		}
	}
	switch x := obj.(type) {
	case *admissionv1.ValidatingWebhookConfiguration:
		for i := range x.Webhooks {
			w := &x.Webhooks[i]
			silence(&w.FailurePolicy, &w.MatchPolicy, &w.SideEffects, &w.TimeoutSeconds)
		}
	case *admissionv1.MutatingWebhookConfiguration:
		for i := range x.Webhooks {
			w := &x.Webhooks[i]
			silence(&w.FailurePolicy, &w.MatchPolicy, &w.SideEffects, &w.TimeoutSeconds)
		}
	}
}

// flags looks whether a Pod is a kube-apiserver, and whether it has an
// admission configuration.
func (f *file) flags(p *corev1.Pod, at place) {
	for _, c := range p.Spec.Containers {
		line := strings.Join(append(c.Command, c.Args...), " ")
		f.authorization = f.authorization || ownAPIServer(p.Namespace, line)
		switch {
		case !strings.Contains(line, "kube-apiserver") || !strings.Contains(line, "--"):
		case strings.Contains(line, "--admission-control-config-file"):
			if f.apiServers.with == 0 {
				f.apiServers.at = at
			}
			f.apiServers.with++
		default:
			f.apiServers.without++
		}
	}
}

// unreadable records that something of a namespace cannot be read.
func (f *file) unreadable(err error, namespace string, at place, missing ...report.KindID) {
	var x *fault
	if errors.As(err, &x) && x.line > 0 {
		at.line = x.line
	}
	what := err.Error()
	if f.actions {
		what = "a template, not a manifest: render it first, or give the chart's directory as PATH (" + what + ")"
	}
	f.problemIn(namespace, at, what, report.Unreadable, missing...)
}

func kindName(k report.KindID) string { return string(k)[strings.LastIndexByte(string(k), '/')+1:] }
