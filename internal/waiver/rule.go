package waiver

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
)

// ParseRule reads a rule: the number of an item ("3.3", "A.1"), the ID of an item or
// check, or a glob over IDs. It returns an ID or glob as [Covers] takes it. That
// something has the ID is for the caller to find out.
func ParseRule(s string) (string, error) {
	if s == "" {
		return "", errors.New("is empty: name an item, a check or a glob over their ids")
	}
	for _, it := range checklist.AllItems() {
		if it.Number == s {
			return it.ID, nil
		}
	}
	for _, section := range checklist.AllSections() {
		if section.ID == s {
			return "", fmt.Errorf("%q is a section: to name all of its checks, write %q", s, s+"/*")
		}
	}
	return s, ValidGlob(s)
}

// Covers says whether a rule covers an ID. A rule speaks of whole path
// segments from the left: "pods/seccomp" covers "pods/seccomp" and
// "pods/seccomp/profile", "pods/*" covers "pods/security-standards/baseline",
// and neither covers "pods". In a glob, * stays within its segment.
func Covers(rule, id string) bool {
	segments, n := strings.Split(id, "/"), strings.Count(rule, "/")+1
	if n > len(segments) {
		return false
	}
	ok, err := path.Match(rule, strings.Join(segments[:n], "/"))
	return err == nil && ok
}

// ValidGlob says what is wrong with a glob: * is any run of characters, ? any
// one, [a-z] one of a class, and a backslash takes the next one literally. A
// slash is a character like others.
func ValidGlob(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%q is not a glob: close each [, and put a character after each backslash", pattern)
	}
	return nil
}

// glob matches a whole value. Names of users and paths have slashes, at which
// path.Match would stop: both sides put a character there that is in no name.
func glob(pattern, value string) bool {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return pattern == value
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(value, "/", "\x00"))
	return err == nil && ok
}
