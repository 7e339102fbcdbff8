package secrets

import (
	"cmp"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// configmaps/literals
//
// Statement: no container has a credential written into its pod template.
// Looks at: literal values of variables, command and arguments, commands and
// headers of probes and hooks, of every container, init and ephemeral ones
// included, in every namespace. What counts as a credential is as for ConfigMaps.
// Passes when: no container has any. Values from a Secret or ConfigMap (valueFrom,
// envFrom) are no literals.
// Fails when: one has; once for the container and the variable or option. A word
// like "changeme" or "minioadmin" counts: the process receives it verbatim. Pods
// that a webhook changed count with their template for what both hold.
// Cannot tell when: workloads could not be read.
//
// https://kubernetes.io/docs/tasks/inject-data-application/distribute-credentials-secure/
var configMapLiterals = &check.Check{
	ID:       "secrets/configmaps/literals",
	Item:     checklist.ConfigMaps,
	Title:    "No container has a credential written into its variables or command line",
	Noun:     "literal",
	Severity: report.High, // the role view reads pods and templates as it reads ConfigMaps
	Why: "A pod template is as readable as a ConfigMap: the built-in role `view` reads both and not Secrets. A literal is also shown by `kubectl describe`, " +
		"in dashboards and in every old ReplicaSet, and an argument in the process list of the node.",
	Remediation: "Put the value into a Secret and refer to it with `valueFrom.secretKeyRef`, or mount it as a file and give the program its path; " +
		"in arguments, `$(NAME)` takes the value of a variable. Then rotate the credential: it was readable, and stays so in version control.",
	Refs:  configMapReferences,
	Needs: workload.Needs(),
	Run: func(e *check.Eval) {
		judgeWorkloads(e, literalOf, literals)
	},
}

// literals counts the literal variables and the arguments of a workload.
func literals(w *workload.Workload) int {
	n := 0
	for c := range w.Containers() {
		n += len(c.Command) + len(c.Args)
		for _, env := range c.Env {
			if env.Value != "" {
				n++
			}
		}
	}
	return n
}

// literalOf names the container and the variable or option that hold the leak:
// "web/DB_PASSWORD", "web/--password", or the field where nothing has a name.
// It is "" for an annotation.
func literalOf(w *workload.Workload, l inventory.Leak) string {
	for c := range w.Containers() {
		if field, ok := strings.CutPrefix(l.Field, w.Field(c.Field)+"."); ok {
			name, _, _ := strings.Cut(l.Key, ": ")
			return c.Name + "/" + cmp.Or(name, field)
		}
	}
	return ""
}
