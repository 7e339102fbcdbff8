package secrets

import (
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Labels that the API server and the token cleaner put on token Secrets.
//
// https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-legacy-token-last-used
const (
	lastUsedLabel     = "kubernetes.io/legacy-token-last-used"
	invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since"
)

// bound-tokens/legacy-secrets
//
// Statement: no Secret holds a service account token that never expires.
// Looks at: the type of every Secret; the pods that mount or read such a Secret
// and the ServiceAccounts that list it are shown with it, not apart.
// Passes when: no Secret is of type kubernetes.io/service-account-token.
// Fails when: one is, used or not. Marked as invalid, it is still there: the
// cleaner deletes it a year later, and only those that an account lists.
// Cannot tell when: Secrets could not be read; or a manifest of a pod or an
// account points to a Secret that is named like those of the token controller
// and is not in the input. In a cluster such a Secret is gone: what points to
// it does no harm.
//
// Bootstrap tokens (bootstrap.kubernetes.io/token) expire, and are not tokens of
// an account. That an account lists a Secret says nothing of the Secret's type:
// with kubernetes.io/enforce-mountable-secrets, the list is what its pods may use.
//
// https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
var boundTokens = &check.Check{
	ID:       "secrets/bound-tokens/legacy-secrets",
	Item:     checklist.BoundTokens,
	Title:    "No Secret holds a service account token that never expires",
	Noun:     "secret",
	Severity: report.Medium,
	Why: "A token in a Secret has no expiry and is bound to no pod: whoever reads the Secret once, in a backup or a log, " +
		"is the account until the Secret is deleted. Tokens that the kubelet requests expire, and die with their pod.",
	Remediation: "Let pods use the token that is projected into them, or `kubectl create token` for what runs outside of the cluster. " +
		"See who still uses the Secret (label `kubernetes.io/legacy-token-last-used`), then delete it.",
	Refs: []report.Reference{
		{Name: "KEP-2799: reduction of Secret-based service account tokens", URL: "https://github.com/kubernetes/enhancements/tree/master/keps/sig-auth/2799-reduction-of-secret-based-service-account-token"},
		{Name: "Managing Service Accounts", URL: "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/"},
	},
	// Who uses a Secret is shown; that there is none is seen from Secrets alone.
	Needs: append(inventory.Optional(workload.Needs()), inventory.Secrets.Need(), inventory.ServiceAccounts.Optional()),
	Run: func(e *check.Eval) {
		uses, order := secretUses(e)
		for s := range inventory.All(e, inventory.Secrets) {
			if s.Value.Type == corev1.SecretTypeServiceAccountToken {
				failToken(e, s, uses[secretID{s.Namespace, s.Name}])
			} else {
				e.Pass(s.Subject)
			}
		}
		for _, id := range order {
			if _, ok := inventory.Get(e, inventory.Secrets, id.namespace, id.name); ok || !tokenName.MatchString(id.name) {
				continue
			}
			for _, u := range uses[id] {
				if u.observed {
					continue
				}
				e.Unknown(u.subject, fmt.Sprintf("refers to Secret %q, which is named like a service account token and is not in the input", id.name), u.evidence)
			}
		}
	},
}

// tokenName is how the token controller named its Secrets: the account, and
// five characters of the API server's name generator.
//
// https://github.com/kubernetes/apimachinery/blob/v0.37.2/pkg/util/rand/rand.go
var tokenName = regexp.MustCompile(`-token-[bcdfghjklmnpqrstvwxz2456789]{5}$`)

func failToken(e *check.Eval, s inventory.Object[inventory.Secret], uses []use) {
	msg := "holds a token that never expires"
	if name := s.Value.Annotations[corev1.ServiceAccountNameKey]; name != "" {
		msg = fmt.Sprintf("holds a token of ServiceAccount %q that never expires", name)
	}
	evidence := []report.Evidence{s.Evidence("type", string(s.Value.Type), "no Secret of this type")}
	for _, label := range []struct{ name, says string }{{lastUsedLabel, "last used on"}, {invalidSinceLabel, "marked invalid since"}} {
		if v := s.Value.Labels[label.name]; v != "" {
			msg += fmt.Sprintf(", %s %q", label.says, v)
			evidence = append(evidence, s.Evidence("metadata.labels["+label.name+"]", v, ""))
		}
	}
	var users []string
	for _, u := range uses {
		evidence = append(evidence, u.evidence)
		users = append(users, u.subject.Kind+" "+u.subject.Name)
	}
	if len(users) > 0 {
		msg += ", used by " + report.Some(users)
	}
	e.Fail(s.Subject, msg, evidence...)
}

type secretID struct{ namespace, name string }

// use is a workload or ServiceAccount that refers to a Secret.
type use struct {
	subject  report.Subject
	evidence report.Evidence
	observed bool // in a cluster
}

// secretUses finds who refers to which Secret, each once, in the order of the
// accounts and workloads.
func secretUses(e *check.Eval) (uses map[secretID][]use, order []secretID) {
	uses = map[secretID][]use{}
	add := func(id secretID, u use) {
		known := uses[id]
		if len(known) == 0 {
			order = append(order, id)
		} else if known[len(known)-1].subject == u.subject {
			return
		}
		uses[id] = append(known, u)
	}
	for a := range inventory.All(e, inventory.ServiceAccounts) {
		for i, name := range a.Value.Secrets {
			add(secretID{a.Namespace, name}, use{a.Subject, a.Evidence(fmt.Sprintf("secrets[%d].name", i), name, ""), a.Value.UID != ""})
		}
	}
	for _, w := range workload.All.Of(e) {
		for field, name := range secretRefs(w) {
			add(secretID{w.Namespace, name}, use{w.Subject, w.PodEvidence(field, name, ""), w.Value.UID != ""})
		}
	}
	return uses, order
}
