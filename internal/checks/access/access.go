// Package access holds the checks of the section "Authentication and
// authorization".
package access

import (
	"fmt"
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Suite lists the checks of the section in the order of its items.
var Suite = []*check.Check{
	// 1.1
	mastersBindings,
	mastersImpersonation,
	mastersCredentials,
	// 1.5
	accessReview,
	// 1.6
	takeover,
	escalationPath,
	clusterAdminBinding,
	wildcardResources,
	wildcardVerbs,
	secretsReadCheck,
	workloadCreateCheck,
	persistentVolumeCreateCheck,
	nodesProxyCheck,
	escalateCheck,
	bindCheck,
	impersonateCheck,
	csrApproveCheck,
	tokenCreateCheck,
	webhookConfigWriteCheck,
	namespacePatchCheck,
	roleWriteCheck,
	unauthenticatedBinding,
	authenticatedBinding,
	defaultAccountBinding,
	bootstrapModified,
	bootstrapReduced,
	distribution,
	aggregationSurprise,
	powerfulPod,
	unboundRole,
	narrowWildcards,
	danglingRole,
	danglingSubject,
	couldBeNamespaced,
	quotaMissing,
	authorizationMode,
	nodeAndRBAC,
	abacMode,
	abacEverybody,
}

var (
	goodPractices = report.Reference{Name: "Role Based Access Control Good Practices", URL: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"}
	rbacDocs      = report.Reference{Name: "Using RBAC Authorization", URL: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/"}
	sources       = []report.Reference{goodPractices, rbacDocs}
)

// needs merges lists of needs: what any of them requires is required.
func needs(lists ...[]inventory.Need) []inventory.Need {
	var all []inventory.Need
	for _, n := range slices.Concat(lists...) {
		i := slices.IndexFunc(all, func(x inventory.Need) bool { return x.Kind == n.Kind })
		if i < 0 {
			all = append(all, n)
		} else if !n.Optional {
			all[i].Optional = false
		}
	}
	return all
}

// grantNeeds are the grants, who may have what, and what runs as whom.
var grantNeeds = needs(access.Needs, []inventory.Need{inventory.Settings.Optional()}, inventory.Optional(workload.Needs()))

// runners lists the workloads of each ServiceAccount.
var runners = &inventory.Fact[map[access.Subject][]*workload.Workload]{
	Needs: workload.Needs(),
	Build: func(v inventory.View) map[access.Subject][]*workload.Workload {
		by := map[access.Subject][]*workload.Workload{}
		for w := range workload.Running(v) {
			s := access.Account(w.Namespace, w.ServiceAccount())
			by[s] = append(by[s], w)
		}
		return by
	},
}

// review is one look at all grants for one check.
type review struct {
	*check.Eval
	*cause.Index
	allowed func(access.Subject) bool
	failed  map[*access.Grant]bool
}

func look(e *check.Eval, id string) *review {
	return &review{e, cause.Made.Of(e), cause.Allowed(e, id), map[*access.Grant]bool{}}
}

// fail reports a cause: what it lets its holders do.
func (v *review) fail(c *cause.Cause, does string) *report.Finding {
	f := v.Fail(c.Subject, "lets "+v.holders(c.Holders)+" "+does, c.Evidence()...)
	if len(c.Grants) > 1 {
		f.Count = len(c.Grants)
	}
	for _, g := range c.Grants {
		v.failed[g] = true
	}
	return f
}

// pass counts the grants of which nothing was said.
func (v *review) pass() {
	for _, g := range v.Grants() {
		if !v.failed[g] {
			v.Pass(g.Binding.Subject)
		}
	}
}

// holders names subjects, with what runs as them: `"ServiceAccount shop/web"
// (run by Deployment web)`.
func (v *review) holders(subjects []access.Subject) string {
	var names []string
	for _, s := range subjects {
		name := s.String()
		if by := runners.Of(v)[s]; len(by) > 0 {
			name += fmt.Sprintf(" (run by %s %s", by[0].Kind, by[0].Name)
			if more := len(by) - 1; more > 0 {
				name += fmt.Sprintf(" and %d more", more)
			}
			name += ")"
		}
		names = append(names, name)
	}
	return report.Some(cause.Quote(names))
}
