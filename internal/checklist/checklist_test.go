package checklist

import (
	"fmt"
	"strings"
	"testing"
)

func TestItems(t *testing.T) {
	if all := Items(); len(all) != 35 {
		t.Errorf("%d items, the document has 35 boxes", len(all))
	}
	seen := map[string]bool{}
	for s, section := range AllSections() {
		number, page := fmt.Sprint(s+1), URL
		if companion := s == len(Sections); companion {
			number, page = "A", CompanionURL
		}
		if section.Number() != number {
			t.Errorf("%s has number %s, want %s", section.ID, section.Number(), number)
		}
		for i, it := range section.Items {
			if want := fmt.Sprintf("%s.%d", number, i+1); it.Number != want {
				t.Errorf("%s has number %s, stands at %s", it.ID, it.Number, want)
			}
			if it.Section != section.ID || !strings.HasPrefix(it.ID, section.ID+"/") {
				t.Errorf("%s stands in section %s", it.ID, section.ID)
			}
			if it.Companion() != (number == "A") || it.Anchor() != page+"#"+section.Anchor {
				t.Errorf("%s: companion %v, anchor %s", it.ID, it.Companion(), it.Anchor())
			}
			if seen[it.ID] {
				t.Errorf("%s is there twice", it.ID)
			}
			seen[it.ID] = true
			if it.Title == "" || it.Short == "" || len(it.Short) > 33 {
				t.Errorf("%s: title %q, short %q", it.ID, it.Title, it.Short)
			}
		}
	}
}
