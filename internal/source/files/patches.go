package files

import (
	"bytes"
	"io"
	"os"

	"go.yaml.in/yaml/v4"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// maxKustomization is more than any kustomization file has.
const maxKustomization = 1 << 20

// patchesOf lists the files that a kustomization names as patches. They look
// like objects and are only parts of them, so that a walk leaves them out. It
// also says which kinds the kustomization changes or makes: pods by patches,
// components or other images, Secrets by generators, what its patches name. A
// kustomization that cannot be read names no patches, which are then read as
// the objects they look like, and may change anything.
func patchesOf(path string) (files []string, changes []report.KindID) {
	r, err := os.Open(path)
	if err != nil {
		return nil, []report.KindID{inventory.AnyKind}
	}
	defer r.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(r, maxKustomization))
	if err != nil {
		return nil, []report.KindID{inventory.AnyKind}
	}
	var n yaml.Node
	if yaml.Load(text, &n) != nil || len(n.Content) == 0 {
		return nil, []report.KindID{inventory.AnyKind}
	}
	v := yamlValue{node: n.Content[0]}
	for _, key := range []string{"patches", "patchesStrategicMerge", "patchesJson6902", "components", "replacements", "transformers", "images"} {
		if v.field(key) != nil && len(changes) == 0 {
			for _, k := range inventory.PodBearers {
				changes = append(changes, k.ID)
			}
		}
	}
	if v.field("secretGenerator") != nil {
		changes = append(changes, inventory.Secrets.ID)
	}
	// A patch of another kind names it, here or in its file.
	for _, k := range []report.KindID{inventory.NetworkPolicies.ID, inventory.Namespaces.ID, inventory.LimitRanges.ID} {
		if bytes.Contains(text, []byte("kind: "+kindName(k)+"\n")) {
			changes = append(changes, k)
		}
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
