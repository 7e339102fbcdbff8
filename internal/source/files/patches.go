package files

import (
	"io"
	"os"

	"go.yaml.in/yaml/v4"
)

// maxKustomization is more than any kustomization file has.
const maxKustomization = 1 << 20

// patchesOf lists the files that a kustomization names as patches. They look
// like objects and are only parts of them, so that a walk leaves them out. It
// also says whether the kustomization changes what pods are: by patches, by
// components, by other images. A kustomization that cannot be read names no
// patches, which are then read as the objects they look like, and may change
// anything.
func patchesOf(path string) (files []string, changes bool) {
	r, err := os.Open(path)
	if err != nil {
		return nil, true
	}
	defer r.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(r, maxKustomization))
	if err != nil {
		return nil, true
	}
	var n yaml.Node
	if yaml.Load(text, &n) != nil || len(n.Content) == 0 {
		return nil, true
	}
	v := yamlValue{node: n.Content[0]}
	for _, key := range []string{"patches", "patchesStrategicMerge", "patchesJson6902", "components", "replacements", "transformers", "images"} {
		changes = changes || v.field(key) != nil
	}
	for _, key := range []string{"patches", "patchesStrategicMerge", "patchesJson6902"} {
		list := v.field(key)
		if list == nil {
			continue
		}
		list.each(func(patch value) {
			if patch == nil {
				return
			}
			for _, file := range []string{patch.text(), patch.text("path")} {
				if file != "" {
					files = append(files, file)
				}
			}
		})
	}
	return files, changes
}
