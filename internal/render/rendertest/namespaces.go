package rendertest

import (
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Namespaces is the report of a cluster of n namespaces of several teams, all
// of which fail a dozen checks: some as a whole, some in each of their up to
// seven workloads.
func Namespaces(n int) *report.Report {
	r := Empty()
	r.Scan.Sources = []report.Source{{Type: "kubeapi", Detail: "context platform (https://10.0.0.10:6443)", Objects: 40 * n}}
	r.Scan.Cluster = report.Cluster{Name: "platform", Version: "v1.37.2", Nodes: n / 4, Workloads: 4 * n, Pods: 12 * n}
	each := func(says func(i int) string, remedy string) (findings []report.Finding) {
		for i := range n {
			name := namespaceOf(i)
			findings = append(findings, report.Finding{Verdict: report.Fail, Message: says(i), Subject: object("Namespace", "", name, ""),
				Evidence: seen("live:/api/v1/namespaces/"+name+"@1", "metadata.name", name, ""), Remedy: remedy})
		}
		return findings
	}
	perWorkload := func(message, part, field string) (findings []report.Finding) {
		for i := range n {
			for w := range workloadsOf(i) {
				name := fmt.Sprintf("service-%d", w)
				findings = append(findings, report.Finding{Verdict: report.Fail, Message: message, Subject: object("Deployment", namespaceOf(i), name, part), Count: 3,
					Evidence: seen(fmt.Sprintf("live:/apis/apps/v1/namespaces/%s/deployments/%s@7", namespaceOf(i), name), "spec.template."+field, "(not set)", "set")})
			}
		}
		return findings
	}
	always := func(s string) func(int) string { return func(int) string { return s } }
	set(r, checklist.PolicyCoverage,
		failed("network/policy-coverage/ingress", "An ingress policy covers every workload", report.Medium, "workload", 0, perWorkload("no NetworkPolicy selects it for ingress", "", "metadata.labels")...),
		failed("network/policy-coverage/egress", "An egress policy covers every workload", report.Medium, "workload", 0, perWorkload("no NetworkPolicy selects it for egress", "", "metadata.labels")...))
	set(r, checklist.DefaultDeny,
		failed("network/default-deny/ingress", "Every namespace denies ingress by default", report.Medium, "namespace", 0, each(always("no NetworkPolicy denies ingress by default"), "")...),
		failed("network/default-deny/egress", "Every namespace denies egress by default", report.Medium, "namespace", 0, each(always("no NetworkPolicy denies egress by default"), "")...))
	set(r, checklist.SecurityStandards, failed("pods/security-standards/enforcement", "Every namespace enforces a standard", report.High, "namespace", 0, each(func(i int) string {
		return fmt.Sprintf("no level is enforced; what runs in it meets %q today (%d workloads)", []string{"baseline", "restricted"}[i%2], workloadsOf(i))
	}, "")...))
	set(r, checklist.MemoryLimits, failed("pods/memory-limits/limit", "Every container has a memory limit", report.Medium, "container", 40, perWorkload("no memory limit", "app", "spec.containers[0].resources")...))
	set(r, checklist.Seccomp, failed("pods/seccomp/profile", "A seccomp profile confines every container", report.Medium, "container", 0, perWorkload("no seccomp profile", "app", "spec.securityContext")...))
	set(r, checklist.TokenMounts, failed("secrets/token-mounts/unneeded", "No token is mounted without need", report.Medium, "workload", 11, perWorkload("mounts a token that has no rights", "", "spec.automountServiceAccountToken")...))
	set(r, checklist.UnprivilegedUser, failed("images/unprivileged/user", "No container runs as root", report.Medium, "container", 90, perWorkload("runs as user 0", "app", "spec.securityContext.runAsUser")...))
	set(r, checklist.ImageProvenance, failed("images/provenance/digest", "Every image is referenced by digest", report.Medium, "image", 7, perWorkload(`image "registry.example/app:1.4" is referenced by tag`, "app", "spec.containers[0].image")...))
	set(r, checklist.ApplicationResources, failed("application/resources/requests", "Every container requests CPU and memory", report.Low, "container", 0, perWorkload("no cpu request", "app", "spec.containers[0].resources")...))
	set(r, checklist.ContainerContext, failed("application/container-context/read-only-root", "Every container's root filesystem is read-only", report.Low, "container", 0, perWorkload("its root filesystem is writable", "app", "spec.containers[0].securityContext")...))
	r.Conclude()
	return r
}

func namespaceOf(i int) string {
	return fmt.Sprintf("%s-%s-%d", []string{"payments", "checkout", "catalog", "search", "ledger"}[i%5], []string{"dev", "test", "prod"}[i/5%3], i/15)
}

func workloadsOf(i int) int { return 1 + i*i%7 }
