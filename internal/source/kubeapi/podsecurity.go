package kubeapi

import (
	"context"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// apiServer is the command line of one API server that runs as a pod.
type apiServer struct {
	pod  string
	args []string
	// plain is true where the command is the API server itself and every
	// argument is a flag: no shell, no wrapper and no variable hides another.
	plain bool
}

// sawPod keeps the command lines of API servers.
func (r *reading) sawPod(m *metav1.ObjectMeta, spec *corev1.PodSpec) {
	if m.Namespace != metav1.NamespaceSystem || m.Labels["component"] != "kube-apiserver" && !strings.HasPrefix(m.Name, "kube-apiserver-") {
		return
	}
	s := apiServer{pod: m.Name}
	for _, c := range spec.Containers {
		line := append(append([]string(nil), c.Command...), c.Args...)
		if len(line) == 0 || path.Base(line[0]) != "kube-apiserver" {
			continue
		}
		s.args, s.plain = line[1:], true
		for _, a := range s.args {
			if !strings.HasPrefix(a, "--") || strings.Contains(a, "$(") {
				s.plain = false
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.servers = append(r.servers, s)
}

// flag returns the value of a flag in the form --name=value, the only one that
// a plain command line has.
func (s apiServer) flag(name string) (string, bool) {
	for _, a := range s.args {
		n, value, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		// The API server takes underscores for dashes.
		if strings.ReplaceAll(n, "_", "-") == name {
			return value, true
		}
	}
	return "", false
}

// podSecurityDefaults records whether the API servers run with the defaults of
// the PodSecurity plugin. The configuration itself is in a file that the API
// does not show.
func (r *reading) podSecurityDefaults(ctx context.Context) {
	k := inventory.PodSecurityDefaults.ID
	if !r.systemPods {
		pods, _ := inventory.ResourceFor(inventory.Pods.ID)
		// What is staged is dropped: the pods themselves were not asked for.
		if err := r.run(ctx, r.listing(pods, metav1.NamespaceSystem)); err != nil {
			_, detail, _ := explain(pods, metav1.NamespaceSystem, err)
			r.b.Gap(podSecurityGap("the API server's own pods could not be read: " + detail))
			return
		}
	}
	if len(r.servers) == 0 {
		r.b.Gap(podSecurityGap("the API server does not run as a pod of this cluster, so that its flags are not visible"))
		return
	}
	for _, s := range r.servers {
		if why := s.hidesDefaults(); why != "" {
			r.b.Gap(podSecurityGap("pod kube-system/" + s.pod + " " + why))
			return
		}
	}
	r.b.Collected(k)
}

// hidesDefaults says why the defaults cannot be told from a command line; ""
// means that they are those of the plugin.
func (s apiServer) hidesDefaults() string {
	if !s.plain {
		return "runs the API server in a way that does not show its flags"
	}
	if _, ok := s.flag("admission-control-config-file"); ok {
		return "has --admission-control-config-file, a file that the API does not show"
	}
	if off, _ := s.flag("disable-admission-plugins"); strings.Contains(","+off+",", ",PodSecurity,") {
		return "has --disable-admission-plugins=PodSecurity: the labels of namespaces enforce nothing"
	}
	return ""
}

// authorization records whether the pods of API servers show what these decide
// by. What their flags say, and which file they name, the pods themselves tell.
func (r *reading) authorization() {
	if len(r.servers) > 0 {
		r.b.Collected(inventory.Authorizations.ID)
		return
	}
	r.b.Gap(report.Gap{
		Kind: inventory.Authorizations.ID, Cause: report.NotCollected,
		Detail: "which authorizers the API server asks is not visible through the API: it does not run as a pod of this cluster",
		How:    inventory.HowAuthorizations,
	})
}

func podSecurityGap(detail string) report.Gap {
	return report.Gap{
		Kind: inventory.PodSecurityDefaults.ID, Cause: report.NotCollected,
		Detail: "the API server's cluster-wide Pod Security configuration is not visible through the API: " + detail,
		How:    "give the AdmissionConfiguration file (--admission-control-config-file of the API server) as PATH",
	}
}
