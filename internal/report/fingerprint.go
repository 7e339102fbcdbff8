package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Fingerprint identifies a finding across runs: the check, the subject by
// group, kind, namespace, name and part, and the control. Versions of an API,
// lines and messages do not enter it. extra tells apart findings that would
// otherwise be equal, such as two files that define one object.
func Fingerprint(check string, s Subject, control, extra string) string {
	group, _, ok := strings.Cut(s.APIVersion, "/")
	if !ok {
		group = ""
	}
	h := sha256.New()
	for _, part := range []string{check, group, s.Kind, s.Namespace, cmp.Or(s.Stable, s.Name), s.Part, control, extra} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// CompareSubjects orders subjects by kind, namespace, name, copy and part.
func CompareSubjects(a, b Subject) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.APIVersion, b.APIVersion),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Copy, b.Copy),
		cmp.Compare(a.Part, b.Part),
	)
}
