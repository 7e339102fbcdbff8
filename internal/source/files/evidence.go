package files

import (
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// conclude records what the input as a whole is evidence of, as the package
// comment says.
func (t *tally) conclude(b *inventory.Builder) {
	b.Gap(t.gaps...)
	if t.objects == 0 && len(t.kinds)+len(t.foreign) == 0 && !t.crds && len(t.problems) == 0 { // nothing is evidence of nothing
		b.Gap(report.Gap{
			Kind: inventory.AnyKind, Cause: report.NotGiven,
			Detail: "no object in the input that a check reads", How: "give manifests, charts or saved kubectl output as PATH",
		})
	}
	for _, r := range inventory.Resources {
		switch {
		case t.kinds[r.Kind]:
			b.Collected(r.Kind)
		case t.saved:
			b.Gap(report.Gap{Kind: r.Kind, Cause: report.NotGiven, Detail: "not part of the saved output: no " + r.Resource + " in it", How: "add the output of " + kubectlGet(r)})
		case r.Observed:
			b.Gap(report.Gap{Kind: r.Kind, Cause: report.NotGiven, Detail: "no " + kindName(r.Kind) + " object in the input", How: "scan the cluster, or add the " + r.Resource + " to the input"})
		default:
			b.Collected(r.Kind)
		}
	}
	t.concludeForeigns(b)
	t.concludeCustoms(b)
	t.concludePodSecurity(b)
	t.concludeKubelets(b)
	t.concludeAuthorization(b)
	b.Collected(inventory.ComponentFiles.ID, inventory.AccessReviews.ID, inventory.ABACPolicies.ID)
}

// concludeBeside records what the input adds to the evidence of another source.
func (t *tally) concludeBeside(b *inventory.Builder) {
	b.Gap(t.gaps...)
	for k := range t.kinds {
		// Manifests say what should be, the API what is.
		b.Gap(report.Gap{Kind: k, Cause: report.Conflict, Detail: "both the cluster and files bring it", How: "scan them apart and compare the two reports"})
	}
	b.Collected(inventory.ComponentFiles.ID, inventory.AccessReviews.ID, inventory.ABACPolicies.ID)
	if t.authorization {
		b.Collected(inventory.Authorizations.ID)
	}
	if t.podSecurity {
		b.Collected(inventory.PodSecurityDefaults.ID)
	}
	if t.kubelets {
		b.Collected(inventory.KubeletSeccompDefaults.ID)
	}
}

// concludeForeigns takes the input as complete, unless it was saved from a
// cluster without its CustomResourceDefinitions: then nothing in it says which
// other policies the cluster has.
func (t *tally) concludeForeigns(b *inventory.Builder) {
	for _, f := range inventory.Foreigns {
		switch {
		case t.foreign[f.ID()]:
		case t.saved && !t.crds:
			b.Gap(noDefinitions(f.ID()))
		default:
			b.Collected(f.ID())
		}
	}
}

// noDefinitions is the gap of saved output that does not show whether the
// cluster has a kind. It is the same for all of them: one command closes it.
func noDefinitions(kind report.KindID) report.Gap {
	return report.Gap{
		Kind: kind, Cause: report.NotGiven,
		Detail: "not part of the saved output: no CustomResourceDefinitions in it",
		How:    "add the output of kubectl get customresourcedefinitions -o json",
	}
}

// concludeCustoms does the same for the kinds that are read: one that the
// saved output defines or may define, and has no object of, was not saved.
func (t *tally) concludeCustoms(b *inventory.Builder) {
	for _, c := range inventory.Customs {
		if c.BearsPods() && !t.defined[c.ID] { // where there are any, their pods are among the pods
			b.Collected(c.ID)
			continue
		}
		if t.saved && !t.kinds[c.ID] && (!t.crds || t.defined[c.ID]) {
			gap := noDefinitions(c.ID)
			if t.crds {
				gap.Detail = "not part of the saved output: no " + c.Resource + "." + c.Group + " in it"
				gap.How = "add the output of " + kubectlGet(c.At(c.Versions[0]))
			}
			b.Gap(gap)
			continue
		}
		b.Collected(c.ID)
	}
}

func (t *tally) concludePodSecurity(b *inventory.Builder) {
	gap := report.Gap{
		Kind: inventory.PodSecurityDefaults.ID, Cause: report.NotGiven,
		How: inventory.HowPodSecurityDefaults,
	}
	switch {
	case t.podSecurity:
		b.Collected(gap.Kind)
	case t.apiServers.with > 0:
		gap.Detail = fmt.Sprintf("kube-apiserver in %s has --admission-control-config-file, and that file is not in the input", t.apiServers.at)
		b.Gap(gap)
	case t.saved && t.apiServers.without == 0:
		gap.Detail = "the API server's admission configuration is not part of the saved output"
		b.Gap(gap)
	default:
		b.Collected(gap.Kind)
	}
}

func (t *tally) concludeKubelets(b *inventory.Builder) {
	if t.kubelets || !t.saved {
		b.Collected(inventory.KubeletSeccompDefaults.ID)
		return
	}
	b.Gap(report.Gap{
		Kind: inventory.KubeletSeccompDefaults.ID, Cause: report.NotGiven,
		Detail: "the kubelets' configuration is not part of the saved output", How: inventory.HowKubeletSeccompDefaults,
	})
}

// concludeAuthorization takes manifests as what is added to a cluster: they have
// no API server to be judged, unless it is among them. Saved output of a cluster
// lacks it.
func (t *tally) concludeAuthorization(b *inventory.Builder) {
	if t.authorization || !t.saved {
		b.Collected(inventory.Authorizations.ID)
		return
	}
	b.Gap(report.Gap{
		Kind: inventory.Authorizations.ID, Cause: report.NotGiven,
		Detail: "neither an API server nor its AuthorizationConfiguration is part of the saved output", How: inventory.HowAuthorizations,
	})
}

// kubectlGet is the command that saves all objects of a resource, without
// the values of Secrets.
func kubectlGet(r inventory.Resource) string {
	if r.Metadata {
		return "kubectl get " + r.Resource + " --all-namespaces -o json | jq 'del(.items[].data, .items[].metadata.annotations)', or scan the cluster"
	}
	name := r.Resource
	if r.Group != "" {
		name += "." + r.Group
	}
	if r.Namespaced {
		return "kubectl get " + name + " --all-namespaces -o json"
	}
	return "kubectl get " + name + " -o json"
}
