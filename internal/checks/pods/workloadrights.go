package pods

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var (
	rightsRefs = []report.Reference{
		{Name: "Pod security", URL: "https://kubernetes.io/docs/concepts/security/security-checklist/#pod-security"},
		{Name: "CIS Kubernetes Benchmark 5.1.4", URL: "https://www.cisecurity.org/benchmark/kubernetes"},
	}
	rightsNeeds = append(slices.Clone(access.Needs), inventory.Settings.Optional())
)

// workload-rights/broad-subjects
//
// Statement: nobody in particular may change workloads.
// Looks at: rights to create, update, patch or delete pods and what makes them
// (the kinds of Kubernetes, and those of other projects that are known to run
// pods), to run commands in pods, and to add ephemeral containers to them; of the
// groups system:unauthenticated, system:authenticated and
// system:serviceaccounts, of the groups of all accounts of a namespace, and of
// default ServiceAccounts, in any namespace.
// Passes when: none of them has such a right by a grant that somebody made.
// Fails when: one has.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/security-checklist/#pod-security
var broadWorkloadRights = &check.Check{
	ID:       "pods/workload-rights/broad-subjects",
	Item:     checklist.WorkloadRights,
	Title:    "Nobody in particular may change workloads",
	Noun:     "grant",
	Severity: report.High,
	Why: "Whoever may create or change a workload runs code as any ServiceAccount of the namespace, and reads its Secrets. " +
		"Everybody, and whatever runs as the default account, is more than can be trusted with that.",
	Remediation: "Bind the role to the people, or to an account of its own for the program, that change workloads there.",
	Refs:        rightsRefs,
	Needs:       rightsNeeds,
	Run: func(e *check.Eval) {
		judgeWorkloadRights(e, "pods/workload-rights/broad-subjects", access.Any, cause.Broad)
	},
}

// workload-rights/cluster-wide
//
// Statement: nobody but Kubernetes itself may change workloads in the whole
// cluster.
// Looks at: the same rights where they hold in the whole cluster or in
// kube-system, of users, groups and ServiceAccounts that are somebody in
// particular. Components of the cluster, whose names begin with system:, are
// Kubernetes itself.
// Passes when: none of them has such a right by a grant that somebody made, but
// those that allowedSubjects names.
// Fails when: one has, not limited to the names of objects.
// Cannot tell when: roles or bindings could not be read.
//
// The table lists who else may change workloads, namespace by namespace, for the
// review of access.
//
// https://kubernetes.io/docs/concepts/security/security-checklist/#pod-security
var clusterWideWorkloadRights = &check.Check{
	ID:       "pods/workload-rights/cluster-wide",
	Item:     checklist.WorkloadRights,
	Title:    "Nobody but Kubernetes itself may change workloads in the whole cluster",
	Noun:     "grant",
	Severity: report.Medium,
	Why: "A workload runs as any ServiceAccount of its namespace. Who may change workloads in every namespace, or in kube-system, " +
		"has the rights of all of them, and can stop all of them.",
	Remediation: "Bind the role with RoleBindings in the namespaces that it is used in. Name operators and pipelines that need it everywhere in `allowedSubjects`.",
	Refs:        rightsRefs,
	Needs:       rightsNeeds,
	Run: func(e *check.Eval) {
		judgeWorkloadRights(e, "pods/workload-rights/cluster-wide", cause.System, func(s access.Subject) bool { return !cause.Broad(s) && !cause.OfCluster(s) })
		e.Show(reviewTable(e))
	},
}

// judgeWorkloadRights judges what gives subjects of some sort rights in a
// namespace, or wherever they have them.
func judgeWorkloadRights(e *check.Eval, id, namespace string, of func(access.Subject) bool) {
	x, allowed := cause.Made.Of(e), cause.Allowed(e, id)
	failed := map[*access.Grant]bool{}
	ways := changing(x, namespace, func(a access.Access) bool { return of(a.Subject) && !allowed(a.Subject) })
	for _, c := range x.Causes(ways) {
		f := e.Fail(c.Subject, fmt.Sprintf("lets %s %s %s", report.Some(cause.Quote(c.Holders)), may(c), c.Scope()), c.Evidence()...)
		if len(c.Grants) > 1 {
			f.Count = len(c.Grants)
		}
		for _, g := range c.Grants {
			failed[g] = true
		}
	}
	for _, g := range x.Grants() {
		if !failed[g] {
			e.Pass(g.Binding.Subject)
		}
	}
}

// changing yields how subjects come to change workloads in a namespace.
func changing(x *cause.Index, namespace string, keep func(access.Access) bool) iter.Seq[access.Access] {
	return func(yield func(access.Access) bool) {
		for _, change := range workloadChanges {
			for _, request := range change.requests {
				request.Namespace = namespace
				if namespace == access.Any {
					request.Name = access.Any
				}
				for a := range x.Engine.Ways(request) {
					if keep(a) && !yield(a) {
						return
					}
				}
			}
		}
	}
}

// may says in which ways a cause lets one change workloads.
func may(c *cause.Cause) string {
	var ways []string
	for _, change := range workloadChanges {
		if slices.ContainsFunc(change.requests, func(r access.Request) bool {
			r.Name = access.Any
			return slices.ContainsFunc(c.Grants, func(g *access.Grant) bool { _, ok := g.Role.Allows(r); return ok })
		}) {
			ways = append(ways, change.does)
		}
	}
	return strings.Join(ways, ", ")
}
