package secrets

import (
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// configmaps/data
//
// Statement: no ConfigMap holds a credential.
// Looks at: data and binaryData of every ConfigMap, those of system namespaces
// included: tokens that show who issued them, private keys, passwords in
// addresses, and what is assigned to a name like "password", "client_secret" or
// "apiKey" in properties, INI, YAML, JSON, XML, SQL and code. Base64 is decoded.
// Passes when: nothing of the kind is in them. Certificates, public keys, hashes,
// paths, masks and references that are filled in elsewhere (${X}, {{ }}, vault:…)
// are no credentials.
// Fails when: an item holds one; once for the item, with everything in it. A weak
// or well-known password counts: it is the one in use. The value is in no report:
// only its length, and the first four characters of a long one that was drawn by
// chance.
// Cannot tell when: ConfigMaps could not be read.
//
// https://kubernetes.io/docs/concepts/configuration/configmap/
var configMapData = &check.Check{
	ID:       "secrets/configmaps/data",
	Item:     checklist.ConfigMaps,
	Title:    "No ConfigMap holds a credential",
	Noun:     "item",
	Severity: report.High, // whoever may read ConfigMaps, as with the role view, has it
	Why: "ConfigMaps are for what everybody may see: the built-in role `view` reads them and not Secrets, encryption at rest usually leaves them out, " +
		"and tools print, cache and commit them without a thought. A credential in one belongs to everyone who can look.",
	Remediation: "Move the value to a Secret or an external store, and have the pod read it from there: a variable, a mounted file, a reference in the configuration. " +
		"Then rotate the credential: it was readable, and stays so in backups and in version control.",
	Refs:  configMapReferences,
	Needs: []inventory.Need{inventory.ConfigMaps.Need()},
	Run: func(e *check.Eval) {
		for c := range inventory.All(e, inventory.ConfigMaps) {
			list := spots(c.Value.Leaks, itemOf)
			passed(e, c.Subject, c.Value.Items, len(list))
			for _, s := range list {
				failSpot(e, c, s)
			}
		}
	},
}

// itemOf is the item of a ConfigMap that holds the leak, "" for an annotation.
func itemOf(l inventory.Leak) string {
	table, key, _ := strings.Cut(l.Field, "[")
	if table != "data" && table != "binaryData" {
		return ""
	}
	return strings.TrimSuffix(key, "]")
}
