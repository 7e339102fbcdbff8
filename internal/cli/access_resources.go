package cli

import (
	"slices"
	"strings"
	"sync"
)

// resourceName is a resource of Kubernetes.
type resourceName struct {
	name, group string
	// cluster is true where its objects lie in no namespace. A Namespace lies
	// in itself to the authorizer.
	cluster bool
}

// builtIn has the resources of the API server by group: each with the short
// names that kubectl takes, those of the whole cluster marked by an asterisk.
// Beside what the server serves stand the words that only rules of RBAC use.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/api/discovery/aggregated_v2.json
// https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
const builtIn = `
: bindings componentstatuses*,cs configmaps,cm endpoints,ep events,ev groups* limitranges,limits namespaces,ns nodes*,no persistentvolumeclaims,pvc persistentvolumes*,pv pods,po podtemplates replicationcontrollers,rc resourcequotas,quota secrets serviceaccounts,sa services,svc users*
admissionregistration.k8s.io: mutatingadmissionpolicies* mutatingadmissionpolicybindings* mutatingwebhookconfigurations* validatingadmissionpolicies* validatingadmissionpolicybindings* validatingwebhookconfigurations*
apiextensions.k8s.io: customresourcedefinitions*,crd,crds
apiregistration.k8s.io: apiservices*
apps: controllerrevisions daemonsets,ds deployments,deploy replicasets,rs statefulsets,sts
authentication.k8s.io: selfsubjectreviews* tokenreviews* uids* userextras*
authorization.k8s.io: localsubjectaccessreviews selfsubjectaccessreviews* selfsubjectrulesreviews* subjectaccessreviews*
autoscaling: horizontalpodautoscalers,hpa
batch: cronjobs,cj jobs
certificates.k8s.io: certificatesigningrequests*,csr clustertrustbundles* podcertificaterequests signers*
coordination.k8s.io: leasecandidates leases
discovery.k8s.io: endpointslices
flowcontrol.apiserver.k8s.io: flowschemas* prioritylevelconfigurations*
internal.apiserver.k8s.io: storageversions*
networking.k8s.io: ingressclasses* ingresses,ing ipaddresses*,ip networkpolicies,netpol servicecidrs*
node.k8s.io: runtimeclasses*
policy: poddisruptionbudgets,pdb
rbac.authorization.k8s.io: clusterrolebindings* clusterroles* rolebindings roles
resource.k8s.io: deviceclasses* devicetaintrules* resourceclaims resourceclaimtemplates resourceslices*
scheduling.k8s.io: priorityclasses*,pc
storage.k8s.io: csidrivers* csinodes* csistoragecapacities storageclasses*,sc volumeattachments* volumeattributesclasses*,vac
storagemigration.k8s.io: storageversionmigrations*
`

var resources = sync.OnceValue(func() map[string]resourceName {
	byName := map[string]resourceName{}
	for line := range strings.Lines(strings.TrimSpace(builtIn)) {
		group, words, _ := strings.Cut(strings.TrimSpace(line), ":")
		for _, word := range strings.Fields(words) {
			names := strings.Split(word, ",")
			name, cluster := strings.CutSuffix(names[0], "*")
			r := resourceName{name, group, cluster}
			for _, n := range append(names[1:], name, singular(name)) {
				if _, taken := byName[n]; !taken {
					byName[n] = r
				}
			}
		}
	}
	return byName
})

func singular(plural string) string {
	switch {
	case strings.HasSuffix(plural, "ies"):
		return strings.TrimSuffix(plural, "ies") + "y"
	case strings.HasSuffix(plural, "sses"):
		return strings.TrimSuffix(plural, "es")
	}
	return strings.TrimSuffix(plural, "s")
}

// resourceNamed finds a resource of Kubernetes by its name, short or singular
// name.
func resourceNamed(name string) (resourceName, bool) {
	r, ok := resources()[name]
	return r, ok
}

// resourceNames lists the full names.
func resourceNames() []string {
	var names []string
	for _, r := range resources() {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
