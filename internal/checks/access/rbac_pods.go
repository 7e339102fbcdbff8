package access

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/escalation"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/powerful-pod
//
// Statement: no pod holds a token that leads to more.
// Looks at: workloads that mount the token of their ServiceAccount, and the
// rights of that account that the other checks warn of, by grants that somebody
// made to it.
// Passes when: there is none, or no token for the API server is mounted.
// Fails when: there is one. Where such a pod runs on a node beside one that is
// not confined as the restricted Pod Security Standard asks for, that is said.
// Cannot tell when: workloads, roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#minimize-distribution-of-privileged-tokens
var powerfulPod = &check.Check{
	ID:          "access/rbac/powerful-pod",
	Item:        checklist.RBAC,
	Title:       "No pod holds a token that leads to more",
	Noun:        "workload",
	Severity:    report.Medium,
	Why:         "The token lies in a file of the pod. Whoever breaks into it has the account's rights, and whoever breaks out of another pod on the same node has them too.",
	Remediation: "Give the account less. Where it needs the rights, run few such pods, on nodes of their own: use taints, and keep out pods that are exposed or not confined.",
	Refs:        []report.Reference{goodPractices},
	Needs:       needs(access.Needs, workload.Needs(), []inventory.Need{inventory.Settings.Optional(), inventory.ServiceAccounts.Optional()}),
	Run: func(e *check.Eval) {
		v := look(e, "access/rbac/powerful-pod")
		powers, neighbours := v.powers(), v.neighbours()
		for w := range workload.Running(e) {
			s := access.Account(w.Namespace, w.ServiceAccount())
			may := powers[s]
			if may == nil || v.allowed(s) || !v.mounts(w) {
				e.Pass(w.Subject)
				continue
			}
			beside := ""
			for _, n := range w.Nodes {
				if i := slices.IndexFunc(neighbours[n], func(other *workload.Workload) bool { return other != w }); i >= 0 {
					other := neighbours[n][i]
					beside = fmt.Sprintf(", and shares node %q with %q, which is not restricted", n, other.Kind+" "+other.Namespace+"/"+other.Name)
					break
				}
			}
			w.Counted(e.Fail(w.Subject, fmt.Sprintf("holds a token of %q, which may %s%s", s, strings.Join(may, ", "), beside), w.PodEvidence("spec.serviceAccountName", w.ServiceAccount(), "")))
		}
	},
}

// powers lists what each ServiceAccount may do that the checks warn of.
func (v *review) powers() map[access.Subject][]string {
	powers := map[access.Subject][]string{}
	for a := range v.admins() {
		powers[a.Subject] = []string{"do everything"}
	}
	for _, r := range rights {
		for a := range r.ways(v.Index) {
			if may := powers[a.Subject]; !admin(a.Grant) && !slices.Contains(may, r.does) && !slices.Contains(may, "do everything") {
				powers[a.Subject] = append(may, r.does)
			}
		}
	}
	return powers
}

// mounts reports whether the pod has a token of its account.
func (v *review) mounts(w *workload.Workload) bool {
	account, _ := inventory.Get(v, inventory.ServiceAccounts, w.Namespace, w.ServiceAccount())
	return escalation.MountsToken(w.Spec(), account.Value.Automount)
}

// neighbours finds, for each node, two workloads that are not confined as the
// restricted standard asks for, those of the cluster itself aside: one of them
// is beside any other.
func (v *review) neighbours() map[string][]*workload.Workload {
	by := map[string][]*workload.Workload{}
	for w := range workload.Running(v) {
		nodes := slices.DeleteFunc(slices.Clone(w.Nodes), func(n string) bool { return len(by[n]) > 1 })
		if len(nodes) == 0 || inventory.SystemNamespace(w.Namespace) ||
			podsecurity.Strictest(api.LatestVersion(), w.PodAnnotations(), w.Spec()) == api.LevelRestricted {
			continue
		}
		for _, n := range nodes {
			by[n] = append(by[n], w)
		}
	}
	return by
}
