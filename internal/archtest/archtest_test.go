package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/plimsoll-sec/plimsoll/"

// allow lists what each package of ours may import of ours. A trailing slash
// is a prefix; "self/" allows a package's own subfolders.
var allow = map[string]string{
	"internal/report":          "",
	"internal/checklist":       "",
	"internal/credential":      "",
	"internal/inventory":       "internal/report internal/credential",
	"internal/fact/":           "internal/report internal/inventory self/",
	"internal/check":           "internal/report internal/checklist internal/inventory",
	"internal/check/checktest": "internal/report internal/check internal/inventory internal/source/files",
	"internal/checks":          "internal/check internal/checks/ internal/inventory internal/report",
	"internal/checks/":         "internal/check internal/checklist internal/report internal/inventory internal/fact/",
	"internal/engine":          "internal/report internal/check internal/checklist internal/inventory",
	"internal/source/":         "internal/report internal/inventory self/",
	"internal/waiver":          "internal/report internal/checklist",
	"internal/config":          "internal/report internal/checklist internal/inventory internal/waiver",
	"internal/render/":         "internal/report internal/checklist internal/render/group",
	"internal/review":          "internal/report internal/inventory internal/fact/ internal/render/group internal/render/markdown",
	"internal/docgen":          "internal/",
	"internal/cli":             "internal/",
	"internal/archtest":        "",
	"cmd/":                     "internal/cli internal/source/files/child",
	"test/bootstrap":           "internal/fact/access/bootstrap",
	"test/corpora":             "internal/",
	"test/e2e":                 "internal/ test/e2e/kube",
	"test/e2e/kube":            "",
	"test/e2e/demo":            "internal/inventory test/e2e/kube",
}

// sections may import facts, and never each other; facts never each other.
var siblings = []string{"internal/checks/", "internal/fact/", "internal/source/", "internal/render/"}

// deny lists what code under a prefix may never reach, directly or through
// packages of ours, and why. Only imports of non-test files count.
var deny = []struct{ from, to, why string }{
	{"internal/report", "k8s.io", "the wire schema stays dependency-free"},
	{"internal/checks/", "net", "checks do no I/O: ask a source for the evidence"},
	{"internal/checks/", "os", "checks do no I/O: ask a source for the evidence"},
	{"internal/checks/", "syscall", "checks do no I/O: ask a source for the evidence"},
	{"internal/checks/", "io/ioutil", "checks do no I/O: ask a source for the evidence"},
	{"internal/checks/", "crypto/rand", "checks are deterministic"},
	{"internal/checks/", "log", "checks report, they do not log"},
	{"internal/checks/", "math/rand", "checks are deterministic"},
	{"internal/checks/", "k8s.io/client-go", "checks read the inventory, never the cluster"},
	{"internal/fact/", "os", "facts are derived from the inventory alone"},
	{"internal/fact/", "net", "facts are derived from the inventory alone"},
	{"internal/fact/", "k8s.io/client-go", "facts are derived from the inventory alone"},
	{"internal/review", "os", "a review is given its text, its clock and where to write"},
	{"internal/review", "k8s.io/client-go", "a review never touches a cluster"},
	{"internal/engine", "k8s.io/client-go", "the engine evaluates, sources read"},
	{"internal/render/", module + "internal/inventory", "renderers see results, never raw evidence"},
	{"internal/waiver", module + "internal/inventory", "a waiver changes a report, never evidence"},
}

// except lists imports of the standard library that deny would catch and that
// do no I/O.
var except = map[string]bool{"net/netip": true, "net/url": true}

func TestImports(t *testing.T) {
	imports := load(t)
	for pkg, imps := range imports {
		rule, ok := rule(pkg)
		if !ok {
			t.Errorf("%s has no import rule: add one to allow", pkg)
			continue
		}
		for _, imp := range imps {
			in, ours := strings.CutPrefix(imp, module)
			if !ours {
				continue
			}
			if !permitted(pkg, in, rule) {
				t.Errorf("%s must not import %s (allowed: %q)", pkg, in, rule)
			}
			if strings.HasPrefix(in, "cmd/") {
				t.Errorf("%s imports %s: nothing imports a command", pkg, in)
			}
			for _, s := range siblings {
				if a, b := member(pkg, s), member(in, s); a != "" && b != "" && a != b && b != "group" {
					t.Errorf("%s must not import its sibling %s", pkg, in)
				}
			}
		}
		for _, d := range deny {
			if !strings.HasPrefix(pkg+"/", d.from) && pkg != d.from {
				continue
			}
			if via := reaches(imports, pkg, d.to, map[string]bool{}); via != "" {
				t.Errorf("%s reaches %s: %s", pkg, via, d.why)
			}
		}
	}
}

// TestRulesAreUsed keeps the tables honest: a rule for a package that is gone
// would protect nothing.
func TestRulesAreUsed(t *testing.T) {
	imports := load(t)
	for key := range allow {
		used := false
		for pkg := range imports {
			used = used || pkg == key || strings.HasSuffix(key, "/") && strings.HasPrefix(pkg, key)
		}
		if !used {
			t.Errorf("allow[%q] matches no package", key)
		}
	}
}

// TestHouseRules proves rules of style that a reader relies on.
func TestHouseRules(t *testing.T) {
	docs := map[string]int{}
	files := 0
	walk(t, func(name string, fset *token.FileSet, f *ast.File) {
		files++
		pkg := path.Dir(name)
		docs[pkg] += 0
		if f.Doc != nil {
			docs[pkg]++
		}
		limit := 450
		if strings.HasPrefix(name, "internal/checks/") {
			limit = 220
		}
		if n := fset.File(f.Pos()).LineCount(); n > limit {
			t.Errorf("%s has %d lines, more than %d: does it hold one idea?", name, n, limit)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: lists are explicit", name)
			}
		}
		if strings.HasPrefix(name, "internal/checks/") || strings.HasPrefix(name, "internal/fact/") {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && (s.Sel.Name == "Now" || s.Sel.Name == "Since") {
						t.Errorf("%s reads the clock: time is evidence (View.Observed)", fset.Position(n.Pos()))
					}
				}
				return true
			})
		}
		if !strings.HasPrefix(name, "cmd/") && !commands(f) && mayExit[name] == "" {
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := call.X.(*ast.Ident); ok && x.Name == "os" && call.Sel.Name == "Exit" {
						t.Errorf("%s exits: only commands do", fset.Position(n.Pos()))
					}
				}
				return true
			})
		}
	})
	if files == 0 {
		t.Fatal("no files found")
	}
	for pkg, n := range docs {
		if n != 1 {
			t.Errorf("%s has %d package comments, want exactly one", pkg, n)
		}
	}
}

// mayExit names the files beside commands that end the process, and why.
var mayExit = map[string]string{
	"internal/source/files/child/handle.go": "a child whose parent is gone has nobody to return to",
}

// commands reports whether the file is part of a program.
func commands(f *ast.File) bool { return f.Name.Name == "main" }

func rule(pkg string) (string, bool) {
	best, found := "", false
	for key := range allow {
		if (pkg == key || strings.HasSuffix(key, "/") && strings.HasPrefix(pkg, key)) && len(key) >= len(best) {
			best, found = key, true
		}
	}
	return allow[best], found
}

func permitted(pkg, imp, rule string) bool {
	for _, r := range strings.Fields(rule) {
		if r == "self/" && strings.HasPrefix(imp, pkg+"/") || r == imp || strings.HasSuffix(r, "/") && strings.HasPrefix(imp, r) {
			return true
		}
	}
	// The subfolders of a source or fact know each other, and what they belong to.
	if strings.Contains(rule, "self/") {
		parts := strings.Split(pkg, "/")
		return len(parts) > 3 && strings.HasPrefix(imp+"/", strings.Join(parts[:3], "/")+"/")
	}
	return false
}

// member is the first path element of pkg below prefix.
func member(pkg, prefix string) string {
	rest, ok := strings.CutPrefix(pkg, prefix)
	if !ok {
		return ""
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}

func reaches(imports map[string][]string, pkg, to string, seen map[string]bool) string {
	for _, imp := range imports[pkg] {
		if (imp == to || strings.HasPrefix(imp, to+"/")) && !except[imp] {
			return imp
		}
		if in, ok := strings.CutPrefix(imp, module); ok && !seen[in] {
			seen[in] = true
			if via := reaches(imports, in, to, seen); via != "" {
				return in + " -> " + via
			}
		}
	}
	return ""
}

// load maps every package of the module to the imports of its non-test files.
//
// The sources are parsed here: the test cache notices files that a test opens,
// but not what a child process such as "go list" reads, and would keep passing
// after a violation.
func load(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	walk(t, func(name string, _ *token.FileSet, f *ast.File) {
		pkg := path.Dir(name)
		imports[pkg] = append(imports[pkg], []string{}...)
		for _, i := range f.Imports {
			s, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imports[pkg] = append(imports[pkg], s)
		}
	})
	if len(imports) == 0 {
		t.Fatal("no packages found")
	}
	return imports
}

func walk(t *testing.T, visit func(name string, fset *token.FileSet, f *ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != "." || name == "test/cluster") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		visit(name, fset, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
