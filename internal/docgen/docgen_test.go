package docgen

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated files")

const root = "../.."

// TestGenerated fails where a generated file is stale or is no longer made.
func TestGenerated(t *testing.T) {
	files, err := Files(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		path := filepath.Join(root, name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v: run make docs", err)
			continue
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s is stale: run make docs\n%s", name, d)
		}
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs/checks/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		name, err := filepath.Rel(root, p)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := files[filepath.ToSlash(name)]; !ok {
			t.Errorf("%s is not generated any more: remove it", name)
		}
	}
}
