package files

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"path"
	"strings"

	"github.com/go-json-experiment/json"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

const (
	apiServerGroup    = "apiserver.config.k8s.io"
	authorizationKind = "AuthorizationConfiguration"
)

// authorizationConfiguration reads what the API server's --authorization-config
// says.
func (f *file) authorizationConfiguration(v value, h header, at place) {
	f.authorization = true
	switch strings.TrimPrefix(h.apiVersion, apiServerGroup+"/") {
	case "v1", "v1beta1", "v1alpha1":
	default:
		f.problem(at, "Kubernetes has no "+authorizationKind+" in this version of "+apiServerGroup, report.Unsupported, inventory.Authorizations.ID)
		return
	}
	lines, err := encode(v, &f.e, "")
	var config inventory.Authorization
	if err == nil {
		if err = json.Unmarshal(f.e.buf, &config, decodeOptions); err != nil {
			err = decodeFault(err, lines)
		}
	}
	if err != nil {
		f.unreadable(err, "", at, inventory.Authorizations.ID)
		return
	}
	s := report.Subject{Kind: h.kind, APIVersion: h.apiVersion, Name: f.name}
	o := inventory.Origin{Source: sourceType, Place: f.name, Line: int32(at.line), Fields: lines}
	inventory.Put(f.b, inventory.Authorizations, s, o, config)
}

// ownAPIServer says whether a command line in a namespace is that of the API
// server of this cluster. In other namespaces run those of hosted ones.
func ownAPIServer(namespace, line string) bool {
	program, flags, _ := strings.Cut(line, " ")
	return (namespace == "" || namespace == metav1.NamespaceSystem) &&
		(path.Base(program) == "kube-apiserver" || strings.Contains(flags, "kube-apiserver") && strings.Contains(flags, "--etcd-servers"))
}

// holdsPolicies recognises an ABAC policy file by its beginning: lines of JSON
// and comments, one of which says that it is a policy.
func holdsPolicies(head []byte) bool {
	if !bytes.Contains(head, []byte(inventory.ABACGroup)) {
		return false
	}
	for line := range bytes.Lines(head) {
		if noPolicy(line) {
			continue
		}
		var h struct {
			APIVersion string `json:"apiVersion"`
		}
		if json.Unmarshal(line, &h, decodeOptions) != nil {
			return false // of a document that goes over several lines
		}
		if group(h.APIVersion) == inventory.ABACGroup {
			return true
		}
	}
	return false
}

// noPolicy reports whether a line is blank or a comment.
func noPolicy(line []byte) bool {
	text := bytes.TrimSpace(line)
	return len(text) == 0 || text[0] == '#'
}

// policies reads an ABAC policy file as the API server does, which refuses the
// whole file for one bad line.
func (f *file) policies(br *bufio.Reader) {
	scanner := bufio.NewScanner(br) // refuses lines of more than 64 KiB, as that of the API server
	n := 0
	for scanner.Scan() {
		n++
		if noPolicy(scanner.Bytes()) {
			continue
		}
		p, err := inventory.ReadABACPolicy(scanner.Bytes())
		if err != nil {
			f.problem(f.at(n), "the API server refuses the line: "+err.Error(), report.Unreadable, inventory.ABACPolicies.ID)
			continue
		}
		s := report.Subject{Kind: "Policy", APIVersion: inventory.ABACGroup + "/v1beta1", Name: f.name, Part: cmp.Or(p.User, p.Group)}
		inventory.Put(f.b, inventory.ABACPolicies, s, inventory.Origin{Source: sourceType, Place: f.name, Line: int32(n)}, p)
		f.objects++
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		f.problem(f.at(n+1), "the API server refuses the line: it is longer than 64 KiB", report.Truncated, inventory.ABACPolicies.ID)
	case err != nil:
		f.broken(err)
	}
}
