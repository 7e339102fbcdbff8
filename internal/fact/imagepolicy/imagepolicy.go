// Package imagepolicy says which policies have the signature of an image
// verified before a pod may run it: those of Kyverno, sigstore's
// policy-controller, Connaisseur and Portieris. A policy counts if it is about
// the image, verifies something, refuses what fails, and if its webhook is
// called. What may verify and is not read (Ratify, other external data of
// Gatekeeper, Kubewarden, the API server's ImagePolicyWebhook) leaves it open.
package imagepolicy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// All is every policy. All of its needs are optional: an image with a digest
// needs no policy.
var All = &inventory.Fact[*Policies]{Needs: Needs(), Build: build}

// Decisive are the kinds that policies come from: where one of them was not
// read, that no policy verifies an image is not certain.
func Decisive() []report.KindID {
	return []report.KindID{
		inventory.KyvernoClusterPolicies.ID, inventory.KyvernoPolicies.ID, inventory.KyvernoImagePolicies.ID, inventory.KyvernoNamespacedImagePolicies.ID,
		inventory.SigstorePolicies.ID, inventory.PortierisClusterPolicies.ID, inventory.PortierisPolicies.ID,
		inventory.GatekeeperConstraints.ID, inventory.KubewardenClusterPolicies.ID, inventory.KubewardenPolicies.ID,
		inventory.MutatingWebhookConfigurations.ID, // Connaisseur has no policies of a kind of its own
	}
}

// Needs are all kinds that the fact reads.
func Needs() []inventory.Need {
	needs := []inventory.Need{
		inventory.KyvernoExceptions.Optional(), inventory.KyvernoCELExceptions.Optional(), inventory.GatekeeperTemplates.Optional(),
		inventory.RatifyVerifiers.Optional(), inventory.RatifyNamespacedVerifiers.Optional(), inventory.RatifyExecutors.Optional(),
		inventory.ValidatingWebhookConfigurations.Optional(), inventory.ConfigMaps.Optional(), inventory.EndpointSlices.Optional(),
		inventory.Namespaces.Optional(), inventory.Pods.Optional(),
	}
	for _, k := range Decisive() {
		needs = append(needs, inventory.Need{Kind: k, Optional: true})
	}
	return needs
}

// Image is an image of a workload, as written and in its parts.
type Image struct {
	Reference                 string
	Registry, Repository, Tag string
	// Init and Ephemeral are true for images of containers of these kinds.
	Init, Ephemeral bool
	// Workload is the object that names the image, with its metadata, and Pod
	// the metadata of its pods.
	Workload            report.Subject
	Labels, Annotations map[string]string
	Pod                 PodMeta

	full string // the reference in full, its tag written down
}

// PodMeta are the labels and annotations of a workload's pods.
type PodMeta struct{ Labels, Annotations map[string]string }

// Judgement is what the policies mean for one image. Each text begins with the
// name of the policy.
type Judgement struct {
	// By is the policy that verifies the image; empty if none surely does.
	By string
	// Doubts are policies that may verify it, Weak those that are about it and
	// do not protect it, each with the reason.
	Doubts, Weak Remarks
	// Missed are policies that are about other images or workloads.
	Missed Remarks
}

// Remarks are texts, of which there may be thousands for each image: the first
// three are kept.
type Remarks struct {
	first []string
	count int
}

func (r *Remarks) add(policy, why string) {
	if r.count++; r.count <= 3 {
		r.first = append(r.first, strings.TrimSuffix(policy+" "+why, " "))
	}
}

// Any reports whether there are some.
func (r Remarks) Any() bool { return r.count > 0 }

// String joins the first ones, and says how many more there are.
func (r Remarks) String() string {
	text := strings.Join(r.first, "; ")
	if more := r.count - len(r.first); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// opinion is what one policy means for an image.
type opinion struct {
	answer answer
	policy string
	// why is what stands in the way; empty where the policy verifies the image,
	// or is not about it.
	why string
}

// Policies are the policies of a cluster.
type Policies struct {
	engines    []verdicts
	namespaces map[string]labels.Set
	hooks      map[*engine][]hook
	endpoints  map[string]int // ready endpoints of a Service "namespace/name"; nil where not known
	unread     bool           // a kind of webhook configuration was not read in full
	reviewed   []Reviewed
	selectors  sync.Map // *metav1.LabelSelector: parsed
}

// verdicts says what the policies of one project mean for an image.
type verdicts func(im *Image, ns namespace, say func(opinion))

// namespace is where an image runs. Its labels are nil where no Namespace
// object was read.
type namespace struct {
	name   string
	labels labels.Set
	// parsed are selectors in the form that matches: to parse one takes far
	// longer than to match it.
	parsed *sync.Map
}

// Judge holds the policies against an image.
func (p *Policies) Judge(im Image) Judgement {
	var j Judgement
	im.full = im.Registry + "/" + im.Repository + ":" + im.tag()
	ns := namespace{im.Workload.Namespace, p.namespaces[im.Workload.Namespace], &p.selectors}
	for _, judge := range p.engines {
		judge(&im, ns, func(o opinion) {
			switch {
			case o.answer == yes:
				j.By = cmp.Or(j.By, o.policy)
			case o.why == "":
				j.Missed.add(o.policy, "")
			case o.answer == maybe:
				j.Doubts.add(o.policy, o.why)
			default:
				j.Weak.add(o.policy, o.why)
			}
		})
	}
	return j
}

// Reviewed are the policies that could be wrong as they are written.
func (p *Policies) Reviewed() []Reviewed { return p.reviewed }

func build(v inventory.View) *Policies {
	p := &Policies{namespaces: map[string]labels.Set{}, hooks: map[*engine][]hook{}}
	for ns := range inventory.All(v, inventory.Namespaces) {
		set := labels.Set{corev1.LabelMetadataName: ns.Name}
		maps.Copy(set, ns.Value.Labels)
		p.namespaces[ns.Name] = set
	}
	p.readHooks(v)
	p.engines = slices.Concat(p.sigstore(v), p.kyverno(v), p.kyvernoCEL(v), p.portieris(v), p.connaisseur(v), opaque(v))
	return p
}

// object is what admission sees: the workload, or a pod of it.
type object struct {
	group, kind, name   string
	labels, annotations map[string]string
}

// resource is what the API server calls the kind.
func (o object) resource() string { return strings.ToLower(o.kind) + "s" }

// objects are the workload and, where it is none itself, a pod of it, whose
// name is not known. A policy that holds one of them holds the image: no pod
// comes into being otherwise, or none with another image.
func (im *Image) objects() []object {
	group, _, grouped := strings.Cut(im.Workload.APIVersion, "/")
	if !grouped {
		group = ""
	}
	self := object{group, im.Workload.Kind, im.Workload.Name, im.Labels, im.Annotations}
	if self.kind == "Pod" {
		return []object{self}
	}
	return []object{{kind: "Pod", labels: im.Pod.Labels, annotations: im.Pod.Annotations}, self}
}

// tag is the tag that is pulled.
func (im *Image) tag() string { return cmp.Or(im.Tag, "latest") }

// named quotes a policy with its engine.
func named(engine string, s report.Subject) string {
	name := s.Name
	if s.Namespace != "" {
		name = s.Namespace + "/" + name
	}
	return fmt.Sprintf("%s %s %q", engine, s.Kind, name)
}

// best is the opinion that counts among those of the parts of one policy.
func best(policy string, parts []opinion) opinion {
	out := opinion{policy: policy}
	for _, o := range parts {
		if o.answer > out.answer || o.answer == out.answer && out.why == "" {
			out.answer, out.why = o.answer, o.why
		}
	}
	return out
}

// through narrows an opinion to what the webhook of the engine lets it be.
func (o opinion) through(a answer, why string) opinion {
	if o.answer > no && a < o.answer {
		o.answer, o.why = a, why
	}
	return o
}
