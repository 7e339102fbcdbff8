package review

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/render/group"
)

// Commands writes the kubectl commands that take away what is to be revoked, and
// what is to be changed as comments. They fail where a binding is not any more
// as it was reviewed.
func Commands(w io.Writer, decided []Decided) error {
	var out strings.Builder
	out.WriteString("#!/bin/sh\n# Takes away what the access review revoked. Read it before you run it.\nset -eu\n")
	revoked := map[*access.Grant][]access.Subject{}
	for _, d := range decided {
		if d.Decision == inventory.Revoke {
			revoked[d.Holding.Grant] = append(revoked[d.Holding.Grant], d.Holding.Subject)
		}
	}
	for _, d := range decided {
		h := d.Holding
		switch {
		case d.Decision == inventory.Change:
			fmt.Fprintf(&out, "\n# To change by hand: %s, %s by %s: %s\n", group.Plain(h.Subject.String()), group.Plain(h.RoleName()), group.Plain(h.BindingName()), group.Plain(d.Note))
		case d.Decision == inventory.Revoke && revoked[h.Grant] != nil:
			command, err := takeAway(h.Grant, revoked[h.Grant])
			if err != nil {
				return err
			}
			out.WriteString("\n" + command)
			delete(revoked, h.Grant)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// operation is a step of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// takeAway removes subjects from a binding, and then one that has no other.
func takeAway(g *access.Grant, subjects []access.Subject) (string, error) {
	b := g.Binding
	var said strings.Builder
	for _, s := range subjects {
		fmt.Fprintf(&said, "# %s: %s\n", group.Plain(g.String()), group.Plain(s.String()))
	}
	ref := b.Value.RoleRef
	ref.APIGroup = rbacv1.GroupName // a manifest may leave it out, the server does not
	patch, all := []operation{{"test", "/roleRef", ref}}, []rbacv1.Subject{}
	for i, s := range slices.Backward(b.Value.Subjects) { // so that the places of the others stay
		if s.Kind != rbacv1.ServiceAccountKind {
			s.APIGroup = rbacv1.GroupName
		}
		all = append(all, s)
		one := *g
		one.Binding.Value.Subjects = []rbacv1.Subject{s}
		if slices.ContainsFunc(slices.Collect(one.Subjects()), func(s access.Subject) bool { return slices.Contains(subjects, s) }) {
			path := fmt.Sprintf("/subjects/%d", i)
			patch = append(patch, operation{"test", path, s}, operation{Op: "remove", Path: path})
		}
	}
	none := !slices.ContainsFunc(slices.Collect(g.Subjects()), func(s access.Subject) bool { return !slices.Contains(subjects, s) })
	if none {
		slices.Reverse(all)
		patch = slices.Insert(patch, 1, operation{"test", "/subjects", all}) // nobody else came in
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return "", fmt.Errorf("writing a patch: %w", err)
	}
	object := strings.ToLower(b.Kind) + " -- " + quote(b.Name) + "\n" // a name may begin with a dash
	if !g.ClusterWide() && b.Namespace != "" {
		object = "--namespace=" + quote(b.Namespace) + " " + object
	}
	said.WriteString("kubectl patch --type=json --patch=" + quote(string(text)) + " " + object)
	if none {
		said.WriteString("kubectl delete " + object)
	}
	return said.String(), nil
}

// quote makes one word of the shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
