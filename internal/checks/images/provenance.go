package images

import (
	"errors"
	"fmt"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/imagepolicy"
	"github.com/plimsoll-sec/plimsoll/internal/fact/images"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// provenance/digest
//
// Statement: images are referenced by digest, or signatures are verified at
// admission.
// Looks at: the image of every container, init and ephemeral ones included, and
// the image volumes, of every workload but pods that have finished; policies
// that verify signatures: Kyverno's verifyImages and ImageValidatingPolicies,
// ClusterImagePolicies of sigstore's policy-controller, Connaisseur, Portieris,
// with the webhooks that have them called and the exceptions to them.
// Passes when: the reference has a digest; a tag beside it says nothing. Or a
// policy matches the image in its namespace, asks for the signature of
// somebody in particular, refuses images without, and has the verified digest
// put in the place of the tag. In manifests a policy counts as it is written;
// in a cluster its controller's webhook has to be there, with a ready pod
// behind it, and closed (failurePolicy Fail).
// Fails when: there is neither digest nor such a policy, or the digest is
// malformed; or a pod of a cluster still has the tag, and so came in past the
// policy or before it. Policies that are about the image and only audit or warn, take
// anybody's signature or leave the tag are named.
// Cannot tell when: whether a policy matches depends on what is not known
// (labels of the Namespace, conditions, expressions, nested attestors), or an
// exception may be about the workload; a verifier whose code or configuration
// is not read may decide (Ratify and others that Gatekeeper asks, Kubewarden's,
// the API server's ImagePolicyWebhook); policies were not read; no image is
// named, or what stands there is not a reference (a placeholder, such as
// Istio's "auto"); the digest is of an algorithm that the kubelet does not know.
//
// https://kubernetes.io/docs/concepts/containers/images/#image-names
var digests = &check.Check{
	ID:       "images/provenance/digest",
	Item:     checklist.ImageProvenance,
	Title:    "Every image is referenced by digest, or its signature is verified at admission",
	Noun:     "image",
	Severity: report.Medium,
	Why: "A tag is a name that its owner, or whoever takes over the registry account, can point to another image at any time. " +
		"A digest is the image: what was tested is what runs, on every node and after every restart. A signature says who made it.",
	Remediation: "Write the digest behind the tag, `nginx:1.27@sha256:…`, and let a bot (Renovate, Dependabot) keep both up to date. " +
		"Or have an admission controller verify signatures of these images, refuse what has none, and put the digest in the place of the tag.",
	Refs: []report.Reference{
		{Name: "Images: image names, tags and digests", URL: "https://kubernetes.io/docs/concepts/containers/images/#image-names"},
		{Name: "SLSA: verifying artifacts", URL: "https://slsa.dev/spec/v1.1/verifying-artifacts"},
	},
	Needs: workload.With(slices.DeleteFunc(imagepolicy.Needs(), func(n inventory.Need) bool { return n.Kind == inventory.Pods.ID })...),
	Run: func(e *check.Eval) {
		policies := imagepolicy.All.Of(e)
		for _, w := range workload.All.Of(e) {
			if w.Finished() {
				continue
			}
			for c := range w.Containers() {
				im := imagepolicy.Image{Reference: c.Image, Init: c.Role == workload.Init || c.Role == workload.Sidecar, Ephemeral: c.Role == workload.Ephemeral}
				judgeReference(e, w, c.Name, c.Field+".image", im, policies)
			}
			for i, v := range w.Spec().Volumes {
				if v.Image != nil { // the policies look at containers only
					im := imagepolicy.Image{Reference: v.Image.Reference}
					judgeReference(e, w, "volume "+v.Name, fmt.Sprintf("spec.volumes[%d].image.reference", i), im, nil)
				}
			}
		}
	},
}

func judgeReference(e *check.Eval, w *workload.Workload, part, field string, im imagepolicy.Image, policies *imagepolicy.Policies) {
	image := im.Reference
	r, err := images.Parse(image)
	s, at := w.Part(part), w.PodEvidence(field, image, "a reference with a digest")
	var f *report.Finding
	switch {
	case err == nil && r.Digest != "":
		e.Pass(s)
		return
	case image == "":
		f = e.Unknown(s, "names no image", at)
		f.Remedy = images.HowRendered
	case image == "auto":
		// https://istio.io/latest/docs/setup/additional-setup/gateway/#deploying-a-gateway
		f = e.Unknown(s, "image \"auto\" is a placeholder, which Istio's injector replaces", at)
	case errors.Is(err, images.ErrDigest):
		f = e.FailAbsent(s, imagepolicy.Decisive(), w.Namespace, fmt.Sprintf("image %q has a malformed digest", image), at)
	case errors.Is(err, images.ErrAlgorithm):
		f = e.Unknown(s, fmt.Sprintf("image %q has a digest of an algorithm that the kubelet does not know", image), at)
	case err != nil:
		f = e.Unknown(s, fmt.Sprintf("%q is not an image reference", image), at)
		f.Remedy = images.HowRendered
	default:
		im.Registry, im.Repository, im.Tag = r.Registry, r.Repository, r.Tag
		if f = judgeTag(e, w, s, im, policies, at); f == nil {
			return
		}
	}
	w.Counted(f)
}

// judgeTag judges an image without a digest; nil where a policy verifies it.
func judgeTag(e *check.Eval, w *workload.Workload, s report.Subject, im imagepolicy.Image, policies *imagepolicy.Policies, at report.Evidence) *report.Finding {
	var j imagepolicy.Judgement
	if policies != nil {
		im.Workload, im.Labels, im.Annotations = w.Subject, w.Value.Labels, w.Value.Annotations
		im.Pod = imagepolicy.PodMeta{Labels: w.PodLabels(), Annotations: w.PodAnnotations()}
		j = policies.Judge(im)
	}
	msg := fmt.Sprintf("image %q is referenced by tag, not by digest", im.Reference)
	switch im.Tag {
	case "":
		msg = fmt.Sprintf("image %q has neither digest nor tag, which means the tag \"latest\"", im.Reference)
	case "latest":
		msg = fmt.Sprintf("image %q is referenced by the tag \"latest\", not by digest", im.Reference)
	}
	switch {
	case j.By != "" && w.Value.UID != "" && w.Pods > 0:
		return e.Fail(s, fmt.Sprintf("%s; %s verifies it, and would have put the digest in its place: the pod was admitted without", msg, j.By), at)
	case j.By != "":
		e.Pass(s)
		return nil
	case j.Doubts.Any():
		f := e.Unknown(s, msg+"; "+j.Doubts.String(), at)
		f.Remedy = "give what the policy depends on, or name the image by digest"
		return f
	case j.Weak.Any():
		msg += "; " + j.Weak.String()
	case j.Missed.Any():
		msg += "; policies that are not about it: " + j.Missed.String()
	}
	return e.FailAbsent(s, imagepolicy.Decisive(), w.Namespace, msg, at)
}
