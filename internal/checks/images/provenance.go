package images

import (
	"errors"
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/images"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// verifiers are the families of policies that can have signatures verified at
// admission, and that are not read yet.
var verifiers = []inventory.Foreign{
	inventory.KyvernoPolicies,
	inventory.KyvernoValidatingPolicies,
	inventory.SigstoreImagePolicies,
	inventory.RatifyPolicies,
	inventory.PortierisImagePolicies,
}

// provenance/digest
//
// Statement: images are referenced by digest, or signatures are verified at
// admission.
// Looks at: the image of every container, init and ephemeral ones included, and
// the image volumes, of every workload but pods that have finished.
// Passes when: the reference has a digest. A tag beside it says nothing.
// Fails when: it has none, or one that is malformed.
// Cannot tell when: policies are present that may verify signatures and are not
// read yet; when no image is named, or what stands there is not a reference (a
// placeholder); when the digest is of an algorithm that the kubelet does not know.
//
// https://kubernetes.io/docs/concepts/containers/images/#image-names
var digests = &check.Check{
	ID:       "images/provenance/digest",
	Item:     checklist.ImageProvenance,
	Title:    "Every image is referenced by digest",
	Noun:     "image",
	Severity: report.Medium,
	Why: "A tag is a name that its owner, or whoever takes over the registry account, can point to another image at any time. " +
		"A digest is the image: what was tested is what runs, on every node and after every restart.",
	Remediation: "Write the digest behind the tag, `nginx:1.27@sha256:…`, and let a bot (Renovate, Dependabot) keep both up to date.",
	Refs: []report.Reference{
		{Name: "Images: image names, tags and digests", URL: "https://kubernetes.io/docs/concepts/containers/images/#image-names"},
		{Name: "SLSA: verifying artifacts", URL: "https://slsa.dev/spec/v1.1/verifying-artifacts"},
	},
	Needs: func() []inventory.Need {
		needs := workload.Needs()
		for _, f := range verifiers {
			needs = append(needs, f.Optional())
		}
		return needs
	}(),
	Run: func(e *check.Eval) {
		for _, w := range workload.All.Of(e) {
			if w.Finished() {
				continue
			}
			for c := range w.Containers() {
				judgeReference(e, w, c.Name, c.Field+".image", c.Image)
			}
			for i, v := range w.Spec().Volumes {
				if v.Image != nil {
					judgeReference(e, w, "volume "+v.Name, fmt.Sprintf("spec.volumes[%d].image.reference", i), v.Image.Reference)
				}
			}
		}
	},
}

func judgeReference(e *check.Eval, w *workload.Workload, part, field, image string) {
	r, err := images.Parse(image)
	if err == nil && r.Digest != "" {
		e.Pass(w.Part(part))
		return
	}
	s, at := w.Part(part), w.PodEvidence(field, image, "a reference with a digest")
	fail := func(msg string) *report.Finding { return e.FailAbsent(s, verifierKinds(), "", msg, at) }
	var f *report.Finding
	switch {
	case image == "":
		f = e.Unknown(s, "names no image", at)
	case errors.Is(err, images.ErrDigest):
		f = fail(fmt.Sprintf("image %q has a malformed digest", image))
	case errors.Is(err, images.ErrAlgorithm):
		f = e.Unknown(s, fmt.Sprintf("image %q has a digest of an algorithm that the kubelet does not know", image), at)
	case err != nil:
		f = e.Unknown(s, fmt.Sprintf("%q is not an image reference", image), at)
	case r.Tag == "":
		f = fail(fmt.Sprintf("image %q has neither digest nor tag, which means the tag \"latest\"", image))
	case r.Tag == "latest":
		f = fail(fmt.Sprintf("image %q is referenced by the tag \"latest\", not by digest", image))
	default:
		f = fail(fmt.Sprintf("image %q is referenced by tag, not by digest", image))
	}
	if w.Pods > 1 {
		f.Count = w.Pods
	}
}

func verifierKinds() []report.KindID {
	var kinds []report.KindID
	for _, f := range verifiers {
		kinds = append(kinds, f.ID())
	}
	return kinds
}
