package files

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

type inputKind uint8

const (
	plainFile inputKind = iota
	stdin
	chart
	kustomization
)

// input is one thing to read.
type input struct {
	kind inputKind
	path string
	name string // as the user would call it
	// explicit says that the user named it, so that its name does not matter.
	explicit bool
}

// findInputs lists what there is to read at the paths.
func findInputs(o Options) ([]input, *tally, error) {
	w := walker{tally: newTally(), visited: map[string]bool{}, patches: map[string]bool{}, exclude: o.Exclude}
	for _, path := range o.Paths {
		before := len(w.inputs) + len(w.problems)
		w.again = false
		if err := w.path(path); err != nil {
			return nil, nil, err
		}
		if len(w.inputs)+len(w.problems) == before && len(w.ignored) == 0 && !w.again {
			return nil, nil, fmt.Errorf("nothing to read in %s: no .yaml, .yml or .json file, chart or kustomization", path)
		}
	}
	w.inputs = slices.DeleteFunc(w.inputs, func(in input) bool {
		patch := !in.explicit && w.patches[filepath.Clean(in.path)]
		if patch {
			w.ignore("kustomize patch", place{file: in.name})
		}
		return patch
	})
	return w.inputs, w.tally, nil
}

// walker finds inputs. Its tally takes what cannot be walked.
type walker struct {
	*tally
	inputs  []input
	exclude []string
	// visited holds the real paths that were taken, so that links cannot make
	// anything come twice or a walk endless.
	visited map[string]bool
	again   bool            // something was met that another path had brought
	patches map[string]bool // files that kustomizations name as patches
	root    string          // the real path of the directory that is walked
	links   []link          // left for after the walk
}

type link struct {
	path  string
	rules []ignoreRules
}

// path adds what the user named.
func (w *walker) path(path string) error {
	if path == "-" {
		w.inputs = append(w.inputs, input{kind: stdin, name: "stdin", explicit: true})
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reading %s: %s", path, reason(err))
	}
	in := input{path: path, name: path, explicit: true}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return w.directory(in)
	case isKustomization(filepath.Base(path)):
		in.kind, in.path = kustomization, filepath.Dir(path)
	case strings.HasSuffix(path, ".tgz"), strings.HasSuffix(path, ".tar.gz"):
		in.kind = chart
	case !mode.IsRegular() && mode.Type() != fs.ModeNamedPipe:
		return fmt.Errorf("reading %s: it is %s", path, special(mode))
	}
	w.inputs = append(w.inputs, in)
	return nil
}

func (w *walker) directory(in input) error {
	real, err := filepath.EvalSymlinks(in.path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %s", in.path, reason(err))
	}
	entries, err := os.ReadDir(in.path)
	if err != nil {
		return fmt.Errorf("reading %s: %s", in.path, reason(err))
	}
	switch {
	case slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "Chart.yaml" }):
		in.kind = chart
		w.inputs = append(w.inputs, in)
		return nil
	case slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return isKustomization(e.Name()) }):
		in.kind = kustomization
		w.inputs = append(w.inputs, in)
		return nil
	}
	w.root = real
	w.walk(in.path, real, []ignoreRules{parseIgnore(filepath.ToSlash(filepath.Clean(in.path)), w.exclude)})
	for len(w.links) > 0 {
		l := w.links[0]
		w.links = w.links[1:]
		w.follow(l)
	}
	return nil
}

// walk takes the files of a directory and of those in it.
func (w *walker) walk(dir, real string, rules []ignoreRules) {
	if w.visited[real] {
		w.again = true
		return
	}
	w.visited[real] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.problem(place{file: dir}, "cannot be listed: "+reason(err), report.Unreadable, inventory.AnyKind)
		return
	}
	if text, err := os.ReadFile(filepath.Join(dir, IgnoreFile)); err == nil {
		rules = append(slices.Clip(rules), parseIgnore(filepath.ToSlash(filepath.Clean(dir)), strings.Split(string(text), "\n")))
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "Chart.yaml" && e.Type().IsRegular() }) {
		w.inputs = append(w.inputs, input{kind: chart, path: dir, name: dir})
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch mode := e.Type(); {
		case ignored(rules, filepath.ToSlash(path), mode.IsDir()):
			if mode.IsDir() || isManifestName(path) {
				w.ignore("excluded", place{file: path})
			}
		case mode&fs.ModeSymlink != 0:
			w.links = append(w.links, link{path, rules})
		case mode.IsDir():
			if !isHidden(e.Name()) {
				w.walk(path, filepath.Join(real, e.Name()), rules)
			}
		case !mode.IsRegular():
			w.special(path, mode)
		default:
			w.file(path, filepath.Join(real, e.Name()))
		}
	}
}

func (w *walker) file(path, real string) {
	if w.visited[real] {
		w.again = true
		return
	}
	switch {
	case isKustomization(filepath.Base(path)):
		w.ignore("kustomization", place{file: path})
		patches, changes := patchesOf(path)
		for _, patch := range patches {
			w.patches[filepath.Join(filepath.Dir(path), filepath.FromSlash(patch))] = true
		}
		w.unrendered(path, changes)
	case isManifestName(path), isConfigName(path):
		w.inputs = append(w.inputs, input{path: path, name: path})
	default:
		return
	}
	w.visited[real] = true
}

// unrendered records that a kustomization which was met in a walk changes
// objects that are read as they stand in its bases: what is seen of them is
// real, and what is not seen proves nothing.
func (w *walker) unrendered(path string, changes []report.KindID) {
	for _, k := range changes {
		w.gaps = append(w.gaps, report.Gap{
			Kind: k, Cause: report.NotCollected,
			Detail: "kustomizations that change objects are not rendered when they are met in a directory, such as " + filepath.Dir(path),
			How:    "give the directory of each kustomization that is deployed as PATH",
		})
	}
}

// follow takes what a link in a directory points to, if that is inside.
func (w *walker) follow(l link) {
	real, err := filepath.EvalSymlinks(l.path)
	if err != nil {
		w.linkProblem(l.path, "a symbolic link that leads nowhere: "+strings.TrimPrefix(reason(err), "EvalSymlinks: "), isManifestName(l.path))
		return
	}
	if real, err = filepath.Abs(real); err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(real); err == nil {
			w.target(l, real, info)
			return
		}
	}
	w.linkProblem(l.path, "a symbolic link that cannot be followed: "+reason(err), true)
}

func (w *walker) target(l link, real string, info fs.FileInfo) {
	inside := real == w.root || strings.HasPrefix(real, strings.TrimSuffix(w.root, string(filepath.Separator))+string(filepath.Separator))
	switch {
	case w.visited[real]:
	case !inside:
		if info.IsDir() || isManifestName(l.path) {
			w.linkProblem(l.path, "a symbolic link that leads out of the directory: give its target as PATH", true)
		}
	case info.IsDir():
		if !isHidden(filepath.Base(l.path)) {
			w.walk(l.path, real, l.rules)
		}
	case !info.Mode().IsRegular():
		w.special(l.path, info.Mode())
	default:
		w.file(l.path, real)
	}
}

func (w *walker) linkProblem(path, message string, gap bool) {
	var missing []report.KindID
	if gap {
		missing = append(missing, inventory.AnyKind)
	}
	w.problem(place{file: path}, message, report.Unreadable, missing...)
}

// special names what is never opened: a pipe would block, a device may do
// anything.
func (w *walker) special(path string, mode fs.FileMode) {
	w.linkProblem(path, special(mode)+", which is not read", isManifestName(path))
}

func special(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "not a file"
}

func isHidden(dir string) bool {
	return strings.HasPrefix(dir, ".") || dir == "node_modules"
}

func isManifestName(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// isConfigName says whether a file may be a certificate or kubeconfig.
func isConfigName(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".pem", ".crt", ".conf", ".kubeconfig":
		return true
	}
	return false
}

func isKustomization(name string) bool {
	return name == "kustomization.yaml" || name == "kustomization.yml" || name == "Kustomization"
}
