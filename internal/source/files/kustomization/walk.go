package kustomization

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
)

// walker reads a kustomization and all that it refers to, and refuses what
// kustomize would fetch, run or read from elsewhere.
type walker struct {
	top  string
	seen map[visit]bool
}

// visit is a directory with a kustomization, by its real path. plugins is true
// if its objects configure generators or transformers of another one.
type visit struct {
	dir     string
	plugins bool
}

// enter checks one kustomization. above holds the directories that led to it.
func (w *walker) enter(v visit, above []string) error {
	for _, a := range above {
		if a == v.dir || strings.HasPrefix(a, v.dir+string(filepath.Separator)) {
			return fmt.Errorf("%s: goes round in a circle: it is reached from %s, which is the same or below it", w.rel(v.dir), w.rel(a))
		}
	}
	if w.seen[v] {
		return nil
	}
	w.seen[v] = true
	file, raw, err := find(v.dir)
	if err != nil {
		return fmt.Errorf("%s: %w", w.rel(v.dir), err)
	}
	var k types.Kustomization
	if err := k.Unmarshal(raw); err != nil {
		return fmt.Errorf("%s: %w", w.rel(file), explain(err, w.top))
	}
	k.FixKustomization() // moves deprecated fields to where they are now
	if k.CheckEmpty() != nil {
		return fmt.Errorf("%s: is empty", w.rel(file))
	}
	at := place{w, v, w.rel(file), append(slices.Clip(above), v.dir)}
	return at.kustomization(&k)
}

// find reads the kustomization file of a directory.
func find(dir string) (name string, content []byte, err error) {
	for _, base := range konfig.RecognizedKustomizationFileNames() {
		path, err := within(dir, base)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("%s %w", base, err)
		}
		if name != "" {
			return "", nil, fmt.Errorf("holds both %s and %s", filepath.Base(name), base)
		}
		if content, err = os.ReadFile(path); err != nil {
			return "", nil, cause(err)
		}
		name = filepath.Join(dir, base)
	}
	if name == "" {
		return "", nil, errors.New("holds no kustomization.yaml")
	}
	return name, content, nil
}

// rel names a path as the kustomization's author would.
func (w *walker) rel(name string) string {
	if r, err := filepath.Rel(w.top, name); err == nil {
		return r
	}
	return name
}

// within resolves a path like kustomize's RootOnly: it must be a regular file
// in or below root, when all symbolic links are followed.
func within(root, name string) (string, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(root, name)
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", cause(err)
	}
	if !strings.HasPrefix(real, root+string(filepath.Separator)) {
		return "", errors.New("lies outside of the directory of its kustomization, which kustomize does not read: move it there, or make it a base of its own")
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", cause(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("is not a regular file")
	}
	return real, nil
}

// cause is the error without the path, which the message names already.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
