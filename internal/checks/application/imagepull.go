package application

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/images"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// image-pull/pull-policy
//
// Statement: a node does not go on running what a tag named when it was pulled.
// Looks at: image and imagePullPolicy of every container, init and ephemeral
// ones included, and of image volumes. A policy that is not written is Always
// for the tag latest or none, else IfNotPresent.
// Passes when: the policy is Always; or the image has a digest, which names the
// same image for ever; or it is pulled where absent, by a tag with a digit,
// which is taken to be a version. (That a version is a tag all the same is 7.3.)
// Fails when: a tag without a digit, such as latest, stable or none, is pulled
// only where absent; or the image is never pulled, by whatever tag.
// Cannot tell when: no image is named, or what stands there is not a reference.
//
// https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/v1/defaults.go (SetDefaults_Container)
var pullPolicy = &check.Check{
	ID:       "application/image-pull/pull-policy",
	Item:     checklist.ImagePull,
	Title:    "No node keeps an old image of a tag that moves",
	Noun:     "image",
	Severity: report.Low,
	Why: "A tag such as `latest` is there to move. A node that pulls it only once keeps the image of that day, with all its flaws, while other nodes run a newer one: " +
		"nobody can tell what runs. Whoever can put an image on a node under that name has it run, too.",
	Remediation: "Reference the image by digest, or by a version. Where the tag has to move, set `imagePullPolicy: Always`.",
	Refs:        []report.Reference{{Name: "Images: image pull policy", URL: "https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy"}},
	Needs:       workload.Needs(),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			for c := range w.Containers() {
				judgePull(e, w, c.Name, c.Image, c.ImagePullPolicy, c.Field+".image", c.Field+".imagePullPolicy")
			}
			for i, v := range w.Spec().Volumes {
				if v.Image != nil {
					field := fmt.Sprintf("spec.volumes[%d].image.", i)
					judgePull(e, w, "volume "+v.Name, v.Image.Reference, v.Image.PullPolicy, field+"reference", field+"pullPolicy")
				}
			}
		}
	},
}

func judgePull(e *check.Eval, w *workload.Workload, part, image string, policy corev1.PullPolicy, imageField, policyField string) {
	s := w.Part(part)
	r, err := images.Parse(image)
	if policy == corev1.PullAlways || err == nil && r.Digest != "" {
		e.Pass(s)
		return
	}
	at := []report.Evidence{
		w.PodEvidence(policyField, cmp.Or(string(policy), notSet), string(corev1.PullAlways)),
		w.PodEvidence(imageField, image, "a reference with a digest"),
	}
	tag := cmp.Or(r.Tag, "latest")
	moves := !strings.ContainsAny(tag, "0123456789")
	switch {
	case image == "":
		w.Counted(e.Unknown(s, "names no image", at...)).Remedy = images.HowRendered
	case err != nil:
		w.Counted(e.Unknown(s, fmt.Sprintf("%q is not an image reference", image), at...)).Remedy = images.HowRendered
	case policy == corev1.PullNever:
		w.Counted(e.Fail(s, fmt.Sprintf("image %q is never pulled: what runs is whatever the node has under that name", image), at...))
	case moves && !(policy == "" && tag == "latest"):
		w.Counted(e.Fail(s, fmt.Sprintf("image %q is pulled once a node, and its tag %q is not a version", image, tag), at...))
	default:
		e.Pass(s)
	}
}
