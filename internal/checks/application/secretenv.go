package application

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// design/secret-env
//
// Statement: Secrets reach containers as files, not as environment variables.
// Looks at: env and envFrom of every container, init and ephemeral ones included.
// Passes when: none of them names a Secret.
// Fails when: one does; once for the container, with all the Secrets.
// Cannot tell when: workloads could not be read.
//
// https://kubernetes.io/docs/concepts/configuration/secret/
var secretEnv = &check.Check{
	ID:       "application/design/secret-env",
	Item:     checklist.ApplicationDesign,
	Title:    "No container takes a Secret from its environment",
	Noun:     "container",
	Severity: report.Low,
	Why: "Environment variables are inherited by every process that a container starts, and end up in crash dumps, debug pages and logs. " +
		"They also keep the old value until the pod is replaced. A mounted file can be given narrow permissions, and follows the Secret when it is rotated.",
	Remediation: "Mount the Secret as a volume and have the application read the file. Many images take the path in a variable, such as `POSTGRES_PASSWORD_FILE`.",
	Refs: []report.Reference{
		{Name: "CIS Kubernetes Benchmark 5.4.1", URL: "https://www.cisecurity.org/benchmark/kubernetes"},
		{Name: "Distribute Credentials Securely Using Secrets", URL: "https://kubernetes.io/docs/tasks/inject-data-application/distribute-credentials-secure/"},
	},
	Needs: workload.Needs(),
	Run: func(e *check.Eval) {
		for w := range applications(e) {
			for c := range w.Containers() {
				judgeEnvironment(e, w, c)
			}
		}
	},
}

func judgeEnvironment(e *check.Eval, w *workload.Workload, c workload.Container) {
	var names []string
	var at []report.Evidence
	add := func(field, name string) {
		at = append(at, w.PodEvidence(c.Field+field, name, "a volume"))
		if quoted := fmt.Sprintf("%q", name); !slices.Contains(names, quoted) {
			names = append(names, quoted)
		}
	}
	for i, env := range c.Env {
		if env.ValueFrom != nil && env.ValueFrom.SecretKeyRef != nil {
			add(fmt.Sprintf(".env[%d].valueFrom.secretKeyRef.name", i), env.ValueFrom.SecretKeyRef.Name)
		}
	}
	for i, env := range c.EnvFrom {
		if env.SecretRef != nil {
			add(fmt.Sprintf(".envFrom[%d].secretRef.name", i), env.SecretRef.Name)
		}
	}
	switch len(names) {
	case 0:
		e.Pass(w.Part(c.Name))
	case 1:
		w.Counted(e.Fail(w.Part(c.Name), "takes Secret "+names[0]+" from its environment", at...))
	default:
		w.Counted(e.Fail(w.Part(c.Name), "takes Secrets "+strings.Join(names, ", ")+" from its environment", at...))
	}
}
