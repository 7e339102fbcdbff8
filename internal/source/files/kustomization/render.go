package kustomization

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// render does the work in the child.
func render(name string) ([]byte, error) {
	dir, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, cause(err) // the path is in the caller's message
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, cause(err)
	} else if !info.IsDir() {
		return nil, errors.New("is not a directory")
	}
	w := walker{top: dir, seen: map[visit]bool{}}
	if err := w.enter(visit{dir, false}, nil); err != nil {
		return nil, err
	}
	disk, wanted, err := withOrigins(dir)
	if err != nil {
		return nil, err
	}
	options := krusty.MakeDefaultOptions() // root only, plugins disabled; both said again:
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	options.PluginConfig = types.DisabledPluginConfig()
	objects, err := krusty.MakeKustomizer(options).Run(disk, dir)
	if err != nil {
		return nil, explain(err, dir)
	}

	sources := make([]string, objects.Size())
	for i, r := range objects.Resources() {
		sources[i] = "(unknown)"
		if o, err := r.GetOrigin(); err == nil && o != nil {
			sources[i] = cmp.Or(o.Path, o.ConfiguredIn, sources[i])
		}
	}
	if !wanted {
		if err := objects.RemoveOriginAnnotations(); err != nil {
			return nil, explain(err, dir)
		}
	}
	var b bytes.Buffer
	for i, r := range objects.Resources() {
		doc, err := r.AsYAML()
		if err != nil {
			return nil, explain(err, dir)
		}
		// A file's name may hold anything; the comment is one line.
		fmt.Fprintf(&b, "---\n# Source: %s\n%s", strings.Join(strings.Fields(sources[i]), " "), doc)
	}
	return b.Bytes(), nil
}

// origins is the file system with one file changed: the top kustomization asks
// for an annotation on each object that says which file it is from.
type origins struct {
	filesys.FileSystem
	file    string
	content []byte
}

func (o origins) ReadFile(name string) ([]byte, error) {
	if name == o.file {
		return o.content, nil
	}
	return o.FileSystem.ReadFile(name)
}

// withOrigins also says whether the kustomization itself wants the annotations.
func withOrigins(dir string) (filesys.FileSystem, bool, error) {
	file, raw, err := find(dir)
	if err != nil {
		return nil, false, err
	}
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return nil, false, err
	}
	asJSON, err := yaml.YAMLToJSON(raw)
	if err != nil {
		return nil, false, explain(err, dir)
	}
	// The keys are kept apart undecoded, so that nothing else changes.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(asJSON, &fields); err != nil {
		return nil, false, explain(err, dir)
	}
	var metadata []string
	for key, value := range fields {
		if strings.EqualFold(key, "buildMetadata") { // as kustomize matches it
			delete(fields, key)
			if err := json.Unmarshal(value, &metadata); err != nil {
				return nil, false, explain(err, dir)
			}
		}
	}
	wanted := slices.Contains(metadata, types.OriginAnnotations)
	if !wanted {
		metadata = append(metadata, types.OriginAnnotations)
	}
	if fields["buildMetadata"], err = json.Marshal(metadata); err != nil {
		return nil, false, err
	}
	content, err := json.Marshal(fields)
	return origins{filesys.MakeFsOnDisk(), file, content}, wanted, err
}
