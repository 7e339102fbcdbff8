package secrets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// external-store/stores and external-store/synced
//
// Statement: every store is reached, and every secret that is asked for arrives.
// Looks at: what the operators report of their own objects: SecretStores,
// ClusterSecretStores and ExternalSecrets; the VaultConnections, VaultAuths,
// HCPAuths and secrets of the Vault Secrets Operator; the items of 1Password,
// Doppler and Infisical.
// Passes when: a condition of health is True, or status.valid is true, and none
// is False.
// Fails when: one is False. Secrets that fail with their store are counted at
// the store, and are no findings of their own.
// Cannot tell when: nothing is reported: manifests have no status, and some
// versions of the operators report none. One finding stands for all objects of
// the kind.
//
// https://external-secrets.io/latest/api/spec/
// https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference
var (
	externalStores = storedCheck("stores", "store", "Every external secret store is reached", true,
		"A store that refuses the operator, or is not reached, hands out nothing: Secrets grow stale, revoked ones stay in use, and new workloads do not start.",
		"See the object's conditions and events: mostly the credential or role for the store has expired, or its address has changed.")
	externalSynced = storedCheck("synced", "secret", "Every secret that is asked of an external store arrives", false,
		"A secret that is not fetched is missing, or is the one of last time: its rotation has stopped, and nothing in the pod shows it.",
		"See the object's conditions and events: mostly the path in the store is wrong, or reading it is not allowed.")
)

func storedCheck(name, noun, title string, store bool, why, remediation string) *check.Check {
	return &check.Check{
		ID:          "secrets/external-store/" + name,
		Item:        checklist.ExternalStore,
		Title:       title,
		Noun:        noun,
		Severity:    report.Medium,
		Why:         why,
		Remediation: remediation,
		Refs:        externalReferences,
		Needs:       append(storedNeeds(func(s stored) bool { return s.store == store }), inventory.Optional(storedNeeds(func(s stored) bool { return s.store != store }))...),
		Run: func(e *check.Eval) {
			broken := brokenStores(e)
			for _, m := range mechanisms {
				for _, s := range m.objects {
					if s.store == store {
						judgeStored(e, s, broken)
					}
				}
			}
		},
	}
}

// storeID names a store as objects refer to it.
type storeID struct{ kind, namespace, name string }

// brokenStores counts what fails with each store that does not work.
func brokenStores(e *check.Eval) map[storeID]int {
	broken := map[storeID]int{}
	each := func(do func(stored, inventory.Object[inventory.StoredSecret])) {
		for _, m := range mechanisms {
			for _, s := range m.objects {
				for o := range inventory.All(e, s.kind) {
					if h, _ := health(s, o); h == report.Fail {
						do(s, o)
					}
				}
			}
		}
	}
	each(func(s stored, o inventory.Object[inventory.StoredSecret]) {
		if s.store {
			broken[storeID{o.Kind, o.Namespace, o.Name}] = 0
		}
	})
	each(func(_ stored, o inventory.Object[inventory.StoredSecret]) {
		if id := storeOf(o); id.name != "" {
			if _, ok := broken[id]; ok {
				broken[id]++
			}
		}
	})
	return broken
}

func judgeStored(e *check.Eval, s stored, broken map[storeID]int) {
	var silent *report.Finding // stands for all that report nothing
	for o := range inventory.All(e, s.kind) {
		if _, ok := broken[storeOf(o)]; ok {
			continue // its store is the cause
		}
		verdict, at := health(s, o)
		switch verdict {
		case report.Pass:
			e.Pass(o.Subject)
		case report.Fail:
			msg := fmt.Sprintf("reports that it is not healthy: %s", at.Got)
			if n := broken[storeID{o.Kind, o.Namespace, o.Name}]; n > 0 {
				msg += fmt.Sprintf("; what fails with it: %d", n)
			}
			e.Fail(o.Subject, msg, at)
		default:
			if silent == nil {
				silent = e.Unknown(o.Subject, fmt.Sprintf("whether this %s works is not known: no condition of its status says so", o.Kind), at)
				silent.Remedy = "scan the cluster, where a controller writes the status; there, look at the object's events"
			} else {
				silent.Count = max(silent.Count, 1) + 1
			}
		}
	}
}

// health reads what the controller wrote about the object.
func health(s stored, o inventory.Object[inventory.StoredSecret]) (report.Verdict, report.Evidence) {
	verdict, at := report.Unknown, o.Evidence("status", "(not set)", "")
	if v := o.Value.Status.Valid; v != nil {
		verdict, at = report.Pass, o.Evidence("status.valid", fmt.Sprint(*v), "true")
		if !*v {
			return report.Fail, at
		}
	}
	for i, c := range o.Value.Status.Conditions {
		if !slices.Contains(s.healthy, c.Type) {
			continue
		}
		got := o.Evidence(fmt.Sprintf("status.conditions[%d]", i), strings.TrimSuffix(c.Type+" "+c.Status+", "+c.Reason, ", "), "True")
		switch c.Status {
		case "True":
			verdict, at = report.Pass, got
		case "False":
			return report.Fail, got
		}
	}
	return verdict, at
}

// storeOf is what the object says it gets its secrets, or its access, from.
func storeOf(o inventory.Object[inventory.StoredSecret]) storeID {
	spec := &o.Value.Spec
	switch {
	case spec.SecretStoreRef.Name != "":
		id := storeID{cmp.Or(spec.SecretStoreRef.Kind, "SecretStore"), o.Namespace, spec.SecretStoreRef.Name}
		if id.kind == "ClusterSecretStore" {
			id.namespace = ""
		}
		return id
	case spec.VaultAuthRef != "":
		return vaultRef("VaultAuth", o.Namespace, spec.VaultAuthRef)
	case spec.HCPAuthRef != "":
		return vaultRef("HCPAuth", o.Namespace, spec.HCPAuthRef)
	case spec.VaultConnectionRef != "":
		return vaultRef("VaultConnection", o.Namespace, spec.VaultConnectionRef)
	}
	return storeID{}
}

// vaultRef reads a reference, which may name a namespace: "vault/shop".
func vaultRef(kind, namespace, ref string) storeID {
	if ns, name, ok := strings.Cut(ref, "/"); ok {
		return storeID{kind, ns, name}
	}
	return storeID{kind, namespace, ref}
}
