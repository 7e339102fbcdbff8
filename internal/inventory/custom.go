package inventory

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// Custom is a kind of another project: how it is found, and how its JSON
// becomes a value of ours with the few fields that checks read. The ID of its
// table is the API group and the kind, as all versions share it.
type Custom struct {
	ID report.KindID
	// Kind is AnyKind where every kind of the group goes to one table: the
	// kinds of Gatekeeper's constraints are made by its templates.
	Group, Kind string
	// Versions have the fields that are read, the preferred one first. An
	// object of another version is a gap.
	Versions []string
	// Resource is how the API server calls the kind; AnyKind as above.
	Resource   string
	Namespaced bool

	put func(b *Builder, apiVersion, kind string, data []byte, o Origin) error
}

// Customs lists the kinds, family by family.
var Customs = slices.Concat(
	externalSecretKinds,
	gatekeeperKinds,
	kubewardenKinds,
	kyvernoImageKinds,
	kyvernoKinds,
	portierisKinds,
	ratifyKinds,
	rolloutKinds,
	sigstoreKinds,
	spoKinds,
)

// CustomFor finds a kind by its group and name. Where versions of the group
// other than those that are read exist, the kind is found all the same.
func CustomFor(group, kind string) (Custom, bool) {
	i := slices.IndexFunc(Customs, func(c Custom) bool {
		return c.Group == group && (c.Kind == kind || c.Kind == string(AnyKind))
	})
	if i < 0 {
		return Custom{}, false
	}
	return Customs[i], true
}

// At is how the kind is read from an API server that serves the version.
func (c Custom) At(version string) Resource {
	return Resource{Kind: c.ID, Group: c.Group, Version: version, Resource: c.Resource, Namespaced: c.Namespaced}
}

// Reads says whether objects of a version can be read.
func (c Custom) Reads(version string) bool { return slices.Contains(c.Versions, version) }

// Put decodes an object and adds it. data is its JSON; fields that are not
// read may hold anything.
func (c Custom) Put(b *Builder, apiVersion, kind string, data []byte, o Origin) error {
	return c.put(b, apiVersion, kind, data, o)
}

// Gap is the gap to record where objects of the kind may exist in versions
// that are not read; detail says what was seen.
func (c Custom) Gap(detail string) report.Gap {
	return report.Gap{
		Kind: c.ID, Cause: report.Unsupported, Detail: detail,
		How: "this version of plimsoll reads " + c.Kind + " of " + c.Group + " in " + strings.Join(c.Versions, ", ") + " only",
	}
}

// customOptions take what the API server has stored: it does not mind
// repeated names.
var customOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// customKind describes a kind whose ID is "group/Kind". T embeds Meta; the
// rest of it is decoded by the names in its tags.
func customKind[T any, P interface {
	*T
	setMeta(Meta)
}](k Kind[T], resource string, namespaced bool, versions ...string) Custom {
	group, kind, _ := strings.Cut(string(k.ID), "/")
	return Custom{
		ID: k.ID, Group: group, Kind: kind, Versions: versions, Resource: resource, Namespaced: namespaced,
		put: func(b *Builder, apiVersion, kind string, data []byte, o Origin) error {
			var head struct {
				Metadata metav1.ObjectMeta `json:"metadata"`
			}
			var v T
			if errors.Join(json.Unmarshal(data, &head, customOptions), json.Unmarshal(data, &v, customOptions)) != nil {
				// The decoder's own words may quote a value.
				return errors.New("a field of " + kind + " has another type than the API says")
			}
			P(&v).setMeta(meta(&head.Metadata))
			Put(b, k, subject(apiVersion, kind, &head.Metadata), o, v)
			return nil
		},
	}
}

func (m *Meta) setMeta(x Meta) { *m = x }

// CustomOf finds the description of a table.
func CustomOf(k report.KindID) (Custom, bool) {
	i := slices.IndexFunc(Customs, func(c Custom) bool { return c.ID == k })
	if i < 0 {
		return Custom{}, false
	}
	return Customs[i], true
}
