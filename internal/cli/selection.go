package cli

import (
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/waiver"
)

// selectChecks picks the checks that the names in only mean (all, if there are
// none) but those that the names in skip mean, and lists the ids left out.
func selectChecks(all []*check.Check, only, skip []string) (picked []*check.Check, left []string, err error) {
	for _, name := range slices.Concat(only, skip) {
		if !known(all, name) {
			return nil, nil, usagef("no check, item or section is called %q%s; plimsoll checks lists them", name, suggest(name, names(all)))
		}
	}
	for _, c := range all {
		in := len(only) == 0 || slices.ContainsFunc(only, func(n string) bool { return means(n, c) })
		if in && !slices.ContainsFunc(skip, func(n string) bool { return means(n, c) }) {
			picked = append(picked, c)
		} else {
			left = append(left, c.ID)
		}
	}
	if len(picked) == 0 {
		return nil, nil, usagef("--checks and --skip leave no check to run")
	}
	return picked, left, nil
}

// means reports whether a name means the check: its id, its item's id or
// number, its section, the number of its section, or a glob over ids as
// waivers have it ("pods/*").
func means(name string, c *check.Check) bool {
	number, _, _ := strings.Cut(c.Item.Number, ".")
	switch name {
	case c.ID, c.Item.ID, c.Item.Number, c.Item.Section, number:
		return true
	}
	return strings.ContainsRune(name, '*') && waiver.Covers(name, c.ID)
}

// known reports whether a name means anything, be it an item without checks.
func known(all []*check.Check, name string) bool {
	return slices.Contains(names(all), name) || slices.ContainsFunc(all, func(c *check.Check) bool { return means(name, c) })
}

// names lists everything that a selection may say.
func names(all []*check.Check) []string {
	var out []string
	for _, s := range checklist.AllSections() {
		out = append(out, s.ID, s.Number())
		for _, it := range s.Items {
			out = append(out, it.ID, it.Number)
		}
	}
	for _, c := range all {
		out = append(out, c.ID)
	}
	return out
}

// suggest is ", did you mean …?" with the name nearest to a wrong one, or
// nothing where none is near.
func suggest(wrong string, right []string) string {
	best, distance := "", len(wrong)/2+1
	for _, r := range right {
		if slices.Contains(strings.Split(r, "/"), wrong) { // a part of an id
			return ", did you mean \"" + r + "\"?"
		}
		if d := editDistance(wrong, r); d < distance {
			best, distance = r, d
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean \"" + best + "\"?"
}

// editDistance is the Levenshtein distance.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
