package checklist

import (
	"fmt"
	"strings"
	"testing"
)

func TestItems(t *testing.T) {
	all := Items()
	if len(all) != 35 {
		t.Errorf("%d items, the document has 35 boxes", len(all))
	}
	seen := map[string]bool{}
	for s, section := range Sections {
		for i, it := range section.Items {
			if want := fmt.Sprintf("%d.%d", s+1, i+1); it.Number != want {
				t.Errorf("%s has number %s, stands at %s", it.ID, it.Number, want)
			}
			if it.Section != section.ID || !strings.HasPrefix(it.ID, section.ID+"/") {
				t.Errorf("%s stands in section %s", it.ID, section.ID)
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
