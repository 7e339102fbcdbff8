package files

import (
	"encoding/pem"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/pod-security-admission/admission/api/load"
	"k8s.io/pod-security-admission/admission/api/validation"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const podSecurityGroup = "pod-security.admission.config.k8s.io"

// configuration recognises configuration files of cluster components, and
// reads those of the PodSecurity admission plugin.
func (f *file) configuration(v value, h header, at place) bool {
	switch g := group(h.apiVersion); {
	case g == group(inventory.AccessReviewVersion):
		f.accessReview(v, at)
		return true
	case g == podSecurityGroup && h.kind == "PodSecurityConfiguration":
		f.podSecurityConfiguration(v, at)
	case h.kind == "AdmissionConfiguration" && (g == apiServerGroup || g == "apiserver.k8s.io"):
		f.admissionConfiguration(v, at)
	case h.kind == authorizationKind && g == apiServerGroup:
		f.authorizationConfiguration(v, h, at)
	case g == "kubelet.config.k8s.io" && h.kind == "KubeletConfiguration":
		f.kubeletConfiguration(v, at)
	case h == header{"v1", "Config"} && v.field("clusters") != nil:
		h.kind = "kubeconfig"
	case h == header{"v1", "EncryptionConfig"}, g == "audit.k8s.io" && h.kind == "Policy":
	case g == "kustomize.config.k8s.io":
		return false
	case strings.HasSuffix(g, ".config.k8s.io"), g == "kubeadm.k8s.io", g == "credentialprovider.kubelet.k8s.io":
	default:
		return false
	}
	f.component(h.kind, h.apiVersion, at)
	return true
}

func (f *file) component(kind, apiVersion string, at place) {
	s := report.Subject{Kind: kind, APIVersion: apiVersion, Name: f.name}
	o := inventory.Origin{Source: sourceType, Place: f.name, Line: int32(at.line)}
	inventory.Put(f.b, inventory.ComponentFiles, s, o, inventory.ComponentFile{Type: kind})
	f.objects++
}

// admissionConfiguration reads what the API server's
// --admission-control-config-file says about PodSecurity.
func (f *file) admissionConfiguration(v value, at place) {
	if _, err := encode(v, &f.e, ""); err != nil {
		f.unreadable(err, "", at, inventory.PodSecurityDefaults.ID)
		return
	}
	var config struct {
		Plugins []struct {
			Name          string         `json:"name"`
			Path          string         `json:"path"`
			Configuration jsontext.Value `json:"configuration"`
		} `json:"plugins"`
	}
	if err := json.Unmarshal(f.e.buf, &config, decodeOptions); err != nil {
		f.unreadable(decodeFault(err, nil), "", at, inventory.PodSecurityDefaults.ID)
		return
	}
	f.podSecurity = true
	for _, p := range config.Plugins {
		switch {
		case p.Name != "PodSecurity":
		case len(p.Configuration) > 0 && p.Configuration.Kind() != 'n':
			f.podSecurityDefaults(p.Configuration, at)
		case p.Path != "":
			data, err := f.sibling(p.Path)
			if err != nil {
				f.problem(at, "the configuration of PodSecurity that it refers to cannot be read: "+reason(err), report.Unreadable, inventory.PodSecurityDefaults.ID)
				continue
			}
			f.podSecurityDefaults(data, at)
		}
	}
}

// accessReview reads the record of an access review.
func (f *file) accessReview(v value, at place) {
	_, err := encode(v, &f.e, "")
	if err == nil {
		o := inventory.Origin{Source: sourceType, Place: f.name, Line: int32(at.line)}
		err = inventory.PutAccessReview(f.b, "", f.name, f.e.buf, o)
	}
	if err != nil {
		f.unreadable(err, "", at, inventory.AccessReviews.ID)
		return
	}
	f.objects++
}

// kubeletConfiguration reads what a kubelet's --config says about seccomp.
func (f *file) kubeletConfiguration(v value, at place) {
	lines, err := encode(v, &f.e, "")
	var config struct {
		SeccompDefault bool `json:"seccompDefault"`
	}
	if err == nil {
		if err = json.Unmarshal(f.e.buf, &config, decodeOptions); err != nil {
			err = decodeFault(err, lines)
		}
	}
	if err != nil {
		f.unreadable(err, "", at, inventory.KubeletSeccompDefaults.ID)
		return
	}
	f.kubelets = true
	s := report.Subject{Kind: "KubeletConfiguration", APIVersion: "kubelet.config.k8s.io/v1beta1", Name: at.String()}
	o := inventory.Origin{Source: sourceType, Place: f.name, Line: int32(at.line)}
	inventory.Put(f.b, inventory.KubeletSeccompDefaults, s, o, inventory.KubeletSeccompDefault{On: config.SeccompDefault})
}

func (f *file) podSecurityConfiguration(v value, at place) {
	if _, err := encode(v, &f.e, ""); err != nil {
		f.unreadable(err, "", at, inventory.PodSecurityDefaults.ID)
		return
	}
	f.podSecurityDefaults(f.e.buf, at)
}

func (f *file) podSecurityDefaults(data []byte, at place) {
	f.podSecurity = true
	c, err := load.LoadFromData(data)
	if err != nil {
		f.problem(at, "it does not decode as a PodSecurityConfiguration", report.Unreadable, inventory.PodSecurityDefaults.ID)
		return
	}
	if errs := validation.ValidatePodSecurityConfiguration(c); len(errs) > 0 {
		f.problem(at, fmt.Sprintf("the API server refuses the PodSecurityConfiguration: %s: %s", errs[0].Field, errs[0].Type), report.Unreadable, inventory.PodSecurityDefaults.ID)
		return
	}
	s := report.Subject{Kind: "PodSecurityConfiguration", APIVersion: podSecurityGroup + "/v1"}
	o := inventory.Origin{Source: sourceType, Place: f.name, Line: int32(at.line)}
	inventory.Put(f.b, inventory.PodSecurityDefaults, s, o, inventory.PodSecurityDefault{
		Enforce: c.Defaults.Enforce, EnforceVersion: c.Defaults.EnforceVersion,
		Audit: c.Defaults.Audit, Warn: c.Defaults.Warn,
		ExemptUsernames: c.Exemptions.Usernames, ExemptNamespaces: c.Exemptions.Namespaces, ExemptRuntimeClasses: c.Exemptions.RuntimeClasses,
	})
	f.objects++
}

// maxPEM is more than any bundle of certificates needs.
const maxPEM = 8 << 20

// pem recognises certificates and keys by the labels of their blocks. What is
// in the blocks is not kept.
func (f *file) pem(r io.Reader) {
	data, err := io.ReadAll(io.LimitReader(r, maxPEM+1))
	if err == nil && len(data) > maxPEM {
		err = errLarge
	}
	if err != nil {
		f.problem(f.at(0), "reading failed: "+reason(err), report.Truncated, inventory.ComponentFiles.ID)
		return
	}
	found := map[string]bool{}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		clear(block.Bytes)
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			found["private key"] = true
		case block.Type == "CERTIFICATE" || block.Type == "TRUSTED CERTIFICATE":
			found["certificate"] = true
		case strings.HasSuffix(block.Type, "CERTIFICATE REQUEST"):
			found["certificate request"] = true
		case strings.HasSuffix(block.Type, "PUBLIC KEY"):
			found["public key"] = true
		}
	}
	clear(data)
	if len(found) == 0 {
		f.problem(f.at(1), "it begins like PEM and has no certificate or key that can be read", report.Unreadable, inventory.ComponentFiles.ID)
	}
	for _, kind := range []string{"certificate", "certificate request", "private key", "public key"} {
		if found[kind] {
			f.component(kind, "", f.at(1))
		}
	}
}
