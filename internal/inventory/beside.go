package inventory

import (
	"slices"
	"strings"
)

// Beside reports whether an object is of the namespace of another one, as far
// as that can be told. Objects that name none are applied to the namespace at
// hand, which is the same for what stands in one directory, or comes from one
// chart or kustomization. For what is further apart nothing says so: it may be.
//
// Where the other stands in several places in the same words, the object has
// to be beside each of them.
func Beside[T, U any](object Object[T], other Object[U]) bool {
	if object.Namespace != "" || other.Namespace != "" {
		return object.Namespace == other.Namespace
	}
	has := func(application string) bool {
		return object.application() == application || slices.Contains(object.copied, application)
	}
	return has(other.application()) && !slices.ContainsFunc(other.copied, func(a string) bool { return !has(a) })
}

// application is where an object is kept with what belongs to it.
func (o Origin) application() string {
	if o.Rendered != "" {
		return o.Rendered
	}
	return o.Place[:strings.LastIndexAny(o.Place, `/\`)+1]
}

// copy notes another place that says the same.
func (r *row) copy(of row) {
	r.origin.Copies++
	if a := of.origin.application(); r.subject.Namespace == "" && !slices.Contains(r.origin.copied, a) {
		r.origin.copied = append(slices.Clip(r.origin.copied), a)
	}
}
