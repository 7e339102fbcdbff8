package cause

import (
	"fmt"
	"path"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Anonymous reports whether everybody on the network is the subject.
func Anonymous(s access.Subject) bool {
	return s == access.Group(access.Unauthenticated) || s == access.NewUser(access.Anonymous)
}

// Everybody reports whether all users, or all ServiceAccounts, are the subject.
func Everybody(s access.Subject) bool {
	return s == access.Group(access.Authenticated) || s == access.Group(access.AllAccounts)
}

// Default reports whether the subject is what pods of a namespace run as when
// nobody chooses: its account "default", or the group of all of its accounts.
func Default(s access.Subject) bool {
	if s.Kind == rbacv1.GroupKind {
		return strings.HasPrefix(s.Name, access.AllAccounts+":")
	}
	return s.Kind == rbacv1.ServiceAccountKind && s.Name == "default"
}

// Broad reports whether nobody in particular is the subject.
func Broad(s access.Subject) bool { return Anonymous(s) || Everybody(s) || Default(s) }

// OfCluster reports whether the subject is a component of the cluster: its
// users and groups have the prefix that Kubernetes keeps for itself.
//
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
func OfCluster(s access.Subject) bool {
	return s.Kind != rbacv1.ServiceAccountKind && strings.HasPrefix(s.Name, "system:") && !Broad(s)
}

// Quote quotes each of a list of names or subjects.
func Quote[T any](list []T) []string {
	var quoted []string
	for _, x := range list {
		quoted = append(quoted, fmt.Sprintf("%q", fmt.Sprint(x)))
	}
	return quoted
}

// Allowed says which subjects the user of the program allows what a check forbids.
func Allowed(r inventory.Reader, check string) func(access.Subject) bool {
	var allowed []inventory.AllowedSubject
	for s := range inventory.All(r, inventory.Settings) {
		for _, a := range s.Value.AllowedSubjects {
			if slices.Contains(a.Checks, check) {
				allowed = append(allowed, a)
			}
		}
	}
	return func(s access.Subject) bool {
		return slices.ContainsFunc(allowed, func(a inventory.AllowedSubject) bool {
			return a.Kind == s.Kind && glob(a.Name, s.Name) && (s.Kind != rbacv1.ServiceAccountKind || glob(a.Namespace, s.Namespace))
		})
	}
}

// glob matches a whole name. Those of users may have slashes, at which
// path.Match would stop.
func glob(pattern, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(name, "/", "\x00"))
	return err == nil && ok
}
