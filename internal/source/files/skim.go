package files

import (
	"bytes"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// crdTable stands for CustomResourceDefinitions, which have no table but may
// define the kinds of a foreign family.
const crdTable report.KindID = crdKind

// skim looks for the apiVersion and kind of a YAML document that cannot be
// parsed, among the lines that are not indented. It reports the table that
// the object belongs to, "" if to none, and whether that could be told.
func skim(text []byte) (k report.KindID, known bool) {
	var h header
	for line := range bytes.Lines(text) {
		if v, ok := plainValue(line, "apiVersion"); ok {
			if h.apiVersion != "" {
				return "", false // two objects in one document
			}
			h.apiVersion = v
		}
		if v, ok := plainValue(line, "kind"); ok {
			if h.kind != "" {
				return "", false
			}
			h.kind = v
		}
	}
	if h.apiVersion == "" || h.kind == "" {
		return "", false
	}
	if item, ok := strings.CutSuffix(h.kind, "List"); ok {
		if item == "" {
			return "", false
		}
		h.kind = item
	}
	if r, ok := readers[h]; ok {
		return r.table, true
	}
	if f, ok := inventory.ForeignFor(group(h.apiVersion), h.kind); ok {
		return f.ID(), true
	}
	if c, ok := inventory.CustomFor(group(h.apiVersion), h.kind); ok {
		return c.ID, true
	}
	if h.kind == crdKind {
		return crdTable, true
	}
	if k, ok := misnamed(h); ok {
		return k, true
	}
	switch group(h.apiVersion) {
	case podSecurityGroup, apiServerGroup:
		if h.kind == authorizationKind {
			return inventory.Authorizations.ID, true
		}
		return inventory.PodSecurityDefaults.ID, true
	case group(inventory.AccessReviewVersion):
		return inventory.AccessReviews.ID, true
	case "admission.k8s.io":
		return "", false // a review holds an object of any kind
	}
	return "", true
}

// plainValue is the value of an unindented "key: value" line.
func plainValue(line []byte, key string) (string, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(key+":"))
	if !ok {
		return "", false
	}
	value := strings.TrimSpace(string(rest))
	if i := strings.Index(value, " #"); i >= 0 {
		value = strings.TrimSpace(value[:i])
	}
	value = strings.Trim(value, `"'`)
	for _, c := range value {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '/', c == '-':
		default:
			return "", false
		}
	}
	return value, value != ""
}

// foreignGroups are the families whose group an unparsable definition names.
func foreignGroups(text []byte) []report.KindID {
	var ids []report.KindID
	for _, f := range inventory.Foreigns {
		if bytes.Contains(text, []byte(f.Group)) {
			ids = append(ids, f.ID())
		}
	}
	return ids
}
