package checks

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

var wellFormed = regexp.MustCompile(`^[a-z]+(/[a-z0-9-]+){2,}$`)

func TestAll(t *testing.T) {
	items := checklist.AllItems()
	seen, last := map[string]bool{}, 0
	for _, c := range All {
		if seen[c.ID] {
			t.Errorf("%s is listed twice", c.ID)
		}
		seen[c.ID] = true
		if !wellFormed.MatchString(c.ID) || c.Item == nil || !strings.HasPrefix(c.ID, c.Item.ID+"/") {
			t.Errorf("%s is not an id below its item's", c.ID)
			continue
		}
		place := slices.Index(items, c.Item)
		if place < last {
			t.Errorf("%s stands after a later item", c.ID)
		}
		last = place
		if c.Title == "" || !unicode.IsUpper(rune(c.Title[0])) || strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: the title %q is not a sentence without a period", c.ID, c.Title)
		}
		if strings.TrimSpace(c.Why) == "" || strings.TrimSpace(c.Remediation) == "" || c.Noun == "" {
			t.Errorf("%s lacks Why, Remediation or Noun", c.ID)
		}
		if !slices.Contains(report.Severities, c.Severity) {
			t.Errorf("%s has the severity %q", c.ID, c.Severity)
		}
		if len(c.Needs) == 0 || c.Run == nil {
			t.Errorf("%s reads nothing or does nothing", c.ID)
		}
		kinds := map[report.KindID]bool{}
		for _, n := range c.Needs {
			if kinds[n.Kind] {
				t.Errorf("%s needs %s twice", c.ID, n.Kind)
			}
			kinds[n.Kind] = true
		}
		for _, r := range c.Refs {
			if r.Name == "" || !strings.HasPrefix(r.URL, "https://") {
				t.Errorf("%s: reference %+v", c.ID, r)
			}
		}
	}
}

// TestImplemented lists the items that have checks. It changes when an item
// gains its first check, never otherwise.
func TestImplemented(t *testing.T) {
	var got []string
	for _, it := range checklist.AllItems() {
		for _, c := range All {
			if c.Item == it {
				got = append(got, it.Number)
				break
			}
		}
	}
	want := []string{
		"1.1", "1.5", "1.6", "2.2", "2.3", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "5.1", "5.2", "6.1", "6.3", "6.4", "6.5", "7.2", "7.3", "8.2", "8.3",
		"A.1", "A.2", "A.3", "A.4", "A.5", "A.6", "A.7",
	}
	if !slices.Equal(got, want) {
		t.Errorf("items with checks: %v, want %v", got, want)
	}
}
