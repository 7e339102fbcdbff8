package rendertest

import (
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Ordinary is the report of a plausible cluster: every verdict, every basis,
// findings in groups and alone, gaps, waivers, boxes without a check.
func Ordinary() *report.Report {
	r := Empty()
	r.Scan.DurationMS = 1893
	r.Scan.Sources = []report.Source{
		{Type: "kubeapi", Detail: "context shop-prod (https://10.0.0.10:6443)", Objects: 2417,
			Notes: []report.Count{{What: "objects in API versions that Kubernetes no longer serves", Count: 2, Example: "live:/apis/batch/v1beta1/namespaces/shop/cronjobs/report@8812"}}},
		{Type: "config", Detail: "plimsoll.yaml", Objects: 1},
	}
	r.Scan.Cluster = report.Cluster{Name: "shop-prod", Version: "v1.37.2", Distribution: "kubeadm", Nodes: 12, Workloads: 148, Pods: 612}
	r.Statements = []report.Statement{
		{Type: "waiver", At: "plimsoll.yaml:9", Detail: "pods/seccomp/effective in legacy/*", State: "used", Matched: 2},
		{Type: "waiver", At: "plimsoll.yaml:21", Detail: "images/provenance/digest in shop/*", State: "expired", Message: "it ended on 2026-06-30"},
		{Type: "waiver", At: "plimsoll.yaml:30", Detail: "network/default-deny in staging", State: "unused", Message: "it matches no finding"},
		{Type: "attestation", At: "plimsoll.yaml:41", Detail: "network/encryption", State: "used", Matched: 1},
	}
	access(r)
	network(r)
	pods(r)
	rest(r)
	application(r)
	for i := range r.Items {
		switch r.Items[i].ID {
		case checklist.ConfigMaps.ID: // one of its checks
			r.Items[i].Skipped = []string{"secrets/configmaps/keys"}
		case checklist.PlacementIsolation.ID: // all of them
			r.Items[i].Skipped = []string{"placement/isolation/runtime-class"}
		}
	}
	remediations := map[string]string{
		"network/policy-coverage/egress":      "Add a NetworkPolicy with `policyTypes: [Egress]` to the namespace. Allow the DNS server first.",
		"pods/memory-limits/limit":            "Set `resources.limits.memory`, with a unit such as `Mi`. A LimitRange gives a default to the namespace.",
		"images/provenance/digest":            "Write the digest behind the tag, `nginx:1.27@sha256:…`, and let a bot keep both up to date.",
		"admission/pod-policy/any":            "Enforce the Pod Security Standards, or install a policy engine.",
		"access/rbac/unauthenticated-binding": "Delete the binding.",
	}
	for i := range r.Items {
		for j := range r.Items[i].Checks {
			c := &r.Items[i].Checks[j]
			c.Remediation = remediations[c.ID]
		}
	}
	r.Scan.Skipped = []string{"secrets/configmaps/keys", "placement/isolation/runtime-class"}
	r.Conclude()
	return r
}

func access(r *report.Report) {
	masters := failed("access/system-masters/credentials", "No credential outside the break-glass file is in system:masters", report.High, "credential", 6,
		report.Finding{Verdict: report.Fail, Message: `"admin.conf" holds a client certificate in "system:masters"`,
			Subject:  report.Subject{Kind: "File", Name: "/etc/kubernetes/admin.conf", Part: "cp-1"},
			Evidence: seen("node:cp-1:/etc/kubernetes/admin.conf", "users[0].user.client-certificate-data", "O=system:masters", "O=kubeadm:cluster-admins"),
			Remedy:   "kubeadm kubeconfig user --org kubeadm:cluster-admins --client-name admin"})
	set(r, checklist.SystemMasters, masters)

	controllers := passed("access/controller-credentials/flag", "kube-controller-manager uses service account credentials", report.Medium, "controller-manager", 3)
	controllers.Basis = report.Proved
	set(r, checklist.ControllerCredentials, controllers)

	key := passed("access/root-ca/key", "No CA private key is readable by others", report.High, "node", 0)
	key.Gaps = []report.Gap{{Kind: "node/facts", Cause: report.NotCollected, Detail: "no node was asked", How: "kubectl apply -f deploy/agent.yaml, then --node-facts"}}
	set(r, checklist.RootCA, key)
	set(r, checklist.CertificateLifetime, report.CheckResult{
		ID: "access/certificate-lifetime/leaf", Title: "Leaf certificates end within 3 years", Severity: report.Medium, Noun: "certificate", Examined: 4, Passed: 4,
		Gaps: []report.Gap{{Kind: "node/certificates", Cause: report.NotCollected, Detail: "no node was asked", How: "kubectl apply -f deploy/agent.yaml, then --node-facts"}},
	})
	set(r, checklist.AccessReview, report.CheckResult{
		ID: "access/access-review/record", Title: "The newest access review is at most 24 months old", Severity: report.Medium, Noun: "cluster", Examined: 1,
		Findings: []report.Finding{{Verdict: report.Manual, Message: "no access review is on record", Subject: object("Cluster", "", "", ""),
			Remedy: "plimsoll access review, then state it in plimsoll.yaml", Fingerprint: report.Fingerprint("access/access-review/record", report.Subject{}, "", "")}},
	})
	set(r, checklist.RBAC,
		failed("access/rbac/wildcard-verbs", "No role grants all verbs", report.High, "role", 61,
			report.Finding{Verdict: report.Fail, Message: `all verbs on "secrets", "pods"`, Subject: object("ClusterRole", "", "ci-runner", ""),
				Evidence: seen("live:/apis/rbac.authorization.k8s.io/v1/clusterroles/ci-runner@51233", "rules[2].verbs", `["*"]`, "the verbs in use"),
				Remedy:   "plimsoll access suggest-role ServiceAccount ci/default"}),
		failed("access/rbac/unauthenticated-binding", "Nothing is granted to anonymous requests", report.Critical, "binding", 84,
			report.Finding{Verdict: report.Fail, Message: `"system:unauthenticated" is bound to "cluster-admin"`, Subject: object("ClusterRoleBinding", "", "debug-all", ""),
				Evidence: seen("live:/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/debug-all@1201", "subjects[0].name", "system:unauthenticated", ""),
				Remedy:   "kubectl delete clusterrolebinding debug-all"}))
}

func network(r *report.Report) {
	cni := passed("network/cni-policy-support/probe", "The CNI plugin enforces policies", report.High, "probe", 1)
	cni.Basis, cni.Any = report.Proved, true
	set(r, checklist.CNIPolicySupport, cni)

	var uncovered, open []report.Finding
	for i, name := range []string{"web", "cart", "pay", "search", "mail", "stock", "ledger", "prices", "images", "export", "import", "oauth"} {
		uncovered = append(uncovered, report.Finding{Verdict: report.Fail, Message: "no policy selects its pods for egress", Subject: object("Deployment", "shop", name, ""),
			Evidence: seen(fmt.Sprintf("live:/apis/apps/v1/namespaces/shop/deployments/%s@%d", name, 4000+i), "spec.template.metadata.labels", "app="+name, ""), Count: 3,
			Remedy: "plimsoll fix network/policy-coverage -o policies/"})
	}
	set(r, checklist.PolicyCoverage, failed("network/policy-coverage/egress", "An egress policy covers every workload", report.Medium, "workload", 136, uncovered...))
	for _, name := range []string{"shop", "cart", "pay", "search", "mail", "stock", "ledger", "prices", "images", "export", "import", "oauth", "billing", "reports", "web"} {
		open = append(open, report.Finding{Verdict: report.Fail, Message: "no NetworkPolicy selects all pods and denies ingress", Subject: object("Namespace", "", name, ""),
			Evidence: seen("live:/api/v1/namespaces/"+name+"@77", "", "", ""), Remedy: "plimsoll fix network/default-deny -o policies/"})
	}
	set(r, checklist.DefaultDeny,
		failed("network/default-deny/ingress", "Every namespace denies ingress by default", report.Medium, "namespace", 9, open...),
		passed("network/default-deny/egress", "Every namespace denies egress by default", report.Medium, "namespace", 24))

	mesh := passed("network/encryption/mesh", "Traffic between pods is encrypted", report.Medium, "mesh", 0)
	mesh.Examined = 1
	mesh.Findings = []report.Finding{{Verdict: report.Pass, Message: "whether nodes encrypt is not visible", Subject: object("Cluster", "", "shop-prod", ""),
		Attested:    &report.Attestation{Statement: "the nodes are joined by WireGuard", By: "net@shop.example", Until: "2026-12-31"},
		Fingerprint: report.Fingerprint("network/encryption/mesh", report.Subject{Kind: "Cluster", Name: "shop-prod"}, "", "")}}
	set(r, checklist.Encryption, mesh)
	set(r, checklist.MetadataAPI, report.CheckResult{ID: "network/metadata-api/egress", Title: "No workload reaches the metadata API", Severity: report.High, Noun: "cloud node"})
}

func pods(r *report.Report) {
	var memory []report.Finding
	for i, name := range []string{"web", "cart", "pay", "search", "mail"} {
		for _, part := range []string{"app", "istio-proxy"} {
			memory = append(memory, report.Finding{Verdict: report.Fail, Message: fmt.Sprintf("container %q has no memory limit", part), Subject: object("Deployment", "shop", name, part),
				Evidence: seen(fmt.Sprintf("live:/apis/apps/v1/namespaces/shop/deployments/%s@%d", name, 4000+i), "spec.template.spec.containers[0].resources.limits.memory", "(none)", "set"),
				Remedy:   fmt.Sprintf("set resources.limits.memory of container %q", part)})
		}
	}
	memory = append(memory, report.Finding{Verdict: report.Fail, Message: `limit "2Gi" is above the request "512Mi"`, Subject: object("StatefulSet", "shop", "db", "postgres"),
		Evidence: seen("live:/apis/apps/v1/namespaces/shop/statefulsets/db@90211", "spec.template.spec.containers[0].resources.limits.memory", "2Gi", "512Mi"), Remedy: `set resources.requests.memory to "2Gi"`})
	set(r, checklist.MemoryLimits, failed("pods/memory-limits/limit", "Every container has a memory limit that its request reserves", report.Medium, "container", 201, memory...))
	set(r, checklist.SecurityStandards, failed("pods/security-standards/enforced", "Every namespace enforces the strictest level that its workloads meet", report.High, "namespace", 23,
		report.Finding{Verdict: report.Fail, Message: `no level is enforced, its workloads meet "restricted"`, Subject: object("Namespace", "", "決済システム", ""),
			Evidence: seen("live:/api/v1/namespaces/決済システム@31", "metadata.labels[pod-security.kubernetes.io/enforce]", "(none)", "restricted"),
			Remedy:   "kubectl label namespace 決済システム pod-security.kubernetes.io/enforce=restricted"}))
	set(r, checklist.CPULimits, report.CheckResult{ID: "pods/cpu-limits/limit", Title: "Sensitive workloads have CPU limits", Severity: report.Low, Noun: "workload", Examined: 1,
		Findings: []report.Finding{{Verdict: report.Manual, Message: "no tiers of sensitivity are declared", Subject: object("Cluster", "", "", ""), Remedy: "declare tiers in plimsoll.yaml", Fingerprint: report.Fingerprint("pods/cpu-limits/limit", report.Subject{}, "", "")}}})
	set(r, checklist.PlacementTiers, report.CheckResult{ID: "placement/tiers/declared", Title: "Pods are placed by tier", Severity: report.Low, Noun: "workload", Examined: 1,
		Findings: []report.Finding{{Verdict: report.Manual, Message: "no tiers of sensitivity are declared", Subject: object("Cluster", "", "", ""), Remedy: "declare tiers in plimsoll.yaml", Fingerprint: report.Fingerprint("placement/tiers/declared", report.Subject{}, "", "")}}})

	seccomp := failed("pods/seccomp/effective", "A seccomp profile confines every container", report.Medium, "container", 210,
		report.Finding{Verdict: report.Fail, Message: `container "agent" is unconfined`, Subject: object("DaemonSet", "legacy", "agent", "agent"), Evidence: seen("live:/apis/apps/v1/namespaces/legacy/daemonsets/agent@12", "spec.template.spec.securityContext.seccompProfile", "(none)", "RuntimeDefault")},
		report.Finding{Verdict: report.Fail, Message: `container "sync" is unconfined`, Subject: object("DaemonSet", "legacy", "sync", "sync"), Evidence: seen("live:/apis/apps/v1/namespaces/legacy/daemonsets/sync@13", "spec.template.spec.securityContext.seccompProfile", "(none)", "RuntimeDefault")})
	for i := range seccomp.Findings {
		seccomp.Findings[i].Waived = &report.Waived{Reason: "the vendor ships a profile in version 4", By: "ops@shop.example", Until: "2026-12-31"}
	}
	set(r, checklist.Seccomp, seccomp)
}

func rest(r *report.Report) {
	logs := passed("logging/logs-endpoint/flag", "The /logs endpoint is off", report.Medium, "API server", 3)
	logs.Basis = report.Proved
	set(r, checklist.LogsEndpoint, logs)
	set(r, checklist.ConfigMaps, passed("secrets/configmaps/values", "No ConfigMap holds a credential", report.High, "ConfigMap", 311))
	tokens := passed("secrets/bound-tokens/secrets", "No Secret holds a token that never expires", report.High, "Secret", 104)
	tokens.Gaps = []report.Gap{
		{Kind: "v1/Secret", Scope: "pay", Cause: report.Forbidden, Detail: "secrets is forbidden: User \"auditor\" cannot list resource \"secrets\" in the namespace \"pay\"", How: "kubectl apply -f deploy/rbac.yaml"},
		{Kind: "v1/Secret", Scope: "ledger", Cause: report.Forbidden, Detail: "secrets is forbidden: User \"auditor\" cannot list resource \"secrets\" in the namespace \"ledger\"", How: "kubectl apply -f deploy/rbac.yaml"},
	}
	set(r, checklist.BoundTokens, tokens)
	mounts := passed("secrets/token-mounts/needed", "Tokens are mounted where they are needed", report.Low, "workload", 12)
	mounts.Gaps = append(tokens.Gaps[:1:1], report.Gap{Kind: "audit/events", Cause: report.NotGiven, Detail: "no audit log was given", How: "--audit-log '/var/log/kubernetes/audit*.log'"})
	set(r, checklist.TokenMounts, mounts)

	var tags []report.Finding
	for i := range 40 {
		tags = append(tags, report.Finding{Verdict: report.Fail, Message: fmt.Sprintf("image %q is named by tag", fmt.Sprintf("registry.example/shop/app-%d:1.4", i)), Subject: object("CronJob", "batch", fmt.Sprintf("job-%02d", i), "main"),
			Evidence: seen(fmt.Sprintf("live:/apis/batch/v1/namespaces/batch/cronjobs/job-%02d@%d", i, 600+i), "spec.jobTemplate.spec.template.spec.containers[0].image", fmt.Sprintf("registry.example/shop/app-%d:1.4", i), "…@sha256:…")})
	}
	set(r, checklist.ImageProvenance, failed("images/provenance/digest", "Every image is named by digest, or its signature is verified", report.Medium, "image", 71, tags...))
	set(r, checklist.UnprivilegedUser, failed("images/unprivileged/user", "No container runs as root", report.Medium, "container", 188,
		report.Finding{Verdict: report.Fail, Message: `container "nginx" runs as user 0`, Subject: object("Deployment", "shop", "gateway", "nginx"),
			Evidence: seen("live:/apis/apps/v1/namespaces/shop/deployments/gateway@4100", "spec.template.spec.containers[0].securityContext.runAsUser", "0", "above 0"), Remedy: "set runAsNonRoot: true and a user above 0"}))
	set(r, checklist.AdmissionPlugins, passed("admission/plugins/metrics", "The recommended plugins are on", report.High, "plugin", 11))
	set(r, checklist.AdmissionPolicy, report.CheckResult{ID: "admission/pod-policy/any", Title: "A policy for pods is enforced at admission", Severity: report.High, Noun: "policy engine", Any: true})
}

// application is the section outside of the boxes, some of it left out.
func application(r *report.Report) {
	var misplaced []report.Finding
	for _, name := range []string{"redis", "adminer"} {
		misplaced = append(misplaced, report.Finding{Verdict: report.Fail, Message: `is in the namespace "default"`, Subject: object("Deployment", "default", name, ""),
			Evidence: seen("live:/apis/apps/v1/namespaces/default/deployments/"+name+"@17", "metadata.namespace", "default", "a namespace of its own")})
	}
	set(r, checklist.ApplicationDesign, failed("application/design/default-namespace", "No workload is in the namespace \"default\"", report.Low, "workload", 146, misplaced...))
	requests := passed("application/resources/requests", "Every container requests CPU and memory", report.Low, "container", 212)
	requests.Gaps = []report.Gap{{Kind: "v1/LimitRange", Scope: "pay", Cause: report.Forbidden, Detail: "limitranges is forbidden: User \"auditor\" cannot list resource \"limitranges\" in the namespace \"pay\"", How: "kubectl apply -f deploy/rbac.yaml"}}
	set(r, checklist.ApplicationResources, requests)
	set(r, checklist.ApplicationServiceAccount, passed("application/service-account/default", "No workload uses the token of ServiceAccount \"default\"", report.Low, "workload", 148))
	set(r, checklist.RuntimeSocket, passed("application/runtime-socket/host-path", "No container reaches the socket of a container runtime", report.High, "workload", 148))
}
