package access

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access/cause"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// rbac/workload-create
//
// Statement: nobody but Kubernetes itself creates pods in any namespace.
// Looks at: every right to create pods, or objects that make them, in the whole
// cluster or in kube-system, by what gives it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names.
// Fails when: anybody else has it.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation
var workloadCreateCheck = workloadCreate.check(check.Check{
	Title:    "Nobody but Kubernetes itself creates pods in any namespace",
	Severity: report.High,
	Why: "A pod runs as any ServiceAccount of its namespace, and mounts any Secret there. Who creates pods everywhere, or in kube-system, " +
		"has the rights of the cluster's own components, and where no Pod Security Standard is enforced, the nodes.",
	Remediation: "Bind the role with RoleBindings in the namespaces that need it. Run what has to create pods anywhere on nodes of its own, and list its account in `allowedSubjects`.",
})

var workloadCreate = &right{
	id: "workload-create", does: "create workloads",
	requests: ask(cause.System, everyName, "create", "pods", "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps",
		"replicationcontrollers", "jobs.batch", "cronjobs.batch"),
}

// rbac/persistentvolume-create
//
// Statement: nobody but Kubernetes itself creates PersistentVolumes.
// Looks at: every right to create PersistentVolumes, by what gives it. They lie
// in no namespace: only a ClusterRoleBinding grants it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names.
// Fails when: anybody else has it.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#persistent-volume-creation
var persistentVolumeCreateCheck = persistentVolumeCreate.check(check.Check{
	Title:    "Nobody but Kubernetes itself creates PersistentVolumes",
	Severity: report.High,
	Why: "A PersistentVolume may be a directory of a node. A pod that claims it mounts that directory, and Pod Security Standards do not see it: " +
		"they forbid hostPath volumes in pods only.",
	Remediation: "Let a provisioner make volumes for PersistentVolumeClaims, and list its account in `allowedSubjects`; grant nobody else `create` on `persistentvolumes`.",
})

var persistentVolumeCreate = &right{
	id: "persistentvolume-create", does: "create PersistentVolumes",
	requests: ask("", everyName, "create", "persistentvolumes"),
}

// rbac/nodes-proxy
//
// Statement: nobody but Kubernetes itself reaches kubelets through the API server.
// Looks at: every right to get or create nodes/proxy, by what gives it. get is
// enough: kubelets run commands over a websocket, which begins with it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names. nodes/metrics, nodes/stats and the like are others.
// Fails when: anybody else has it, even for a single node.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes
var nodesProxyCheck = nodesProxy.check(check.Check{
	Title:    "Nobody but Kubernetes itself reaches kubelets through the API server",
	Severity: report.High,
	Why: "The kubelet runs commands in every pod of its node. Requests that are proxied to it, or made to it directly with this right, " +
		"pass neither admission nor the audit log. `get` is enough: commands run over a websocket.",
	Remediation: "Grant `get` on `nodes/metrics`, `nodes/stats`, `nodes/healthz`, `nodes/pods` or `nodes/configz` for what monitoring reads; kubelets decide by these from v1.33.",
})

var nodesProxy = &right{
	id: "nodes-proxy", does: "run commands in every pod by nodes/proxy",
	requests: ask("", anyName, "get|create", "nodes/proxy"),
}

// rbac/namespace-patch
//
// Statement: nobody but Kubernetes itself changes the labels of namespaces.
// Looks at: every right to update or patch namespaces, in the whole cluster or in
// one, by what gives it.
// Passes when: nobody has it but Kubernetes' own subjects and those that
// allowedSubjects names.
// Fails when: anybody else has it.
// Cannot tell when: roles or bindings could not be read.
//
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#namespace-modification
var namespacePatchCheck = namespacePatch.check(check.Check{
	Title:       "Nobody but Kubernetes itself changes the labels of namespaces",
	Severity:    report.Medium,
	Why:         "The labels of a namespace say which Pod Security Standard holds in it, and network policies and admission webhooks select namespaces by them. Who changes them leaves those behind.",
	Remediation: "Take `update` and `patch` on `namespaces` out of the role, or have a ValidatingAdmissionPolicy keep the labels as they are.",
})

var namespacePatch = &right{
	id: "namespace-patch", mild: true, does: "change the labels of namespaces",
	requests: ask(access.Any, anyName, "update|patch", "namespaces"),
}
