// Package files reads manifests and other configuration from files,
// directories, charts, kustomizations and stdin into an inventory.
//
// # What the input is evidence of
//
// The input is taken as the universe: a table of which nothing is in the input
// is collected and empty, so that "no NetworkPolicy" means that there is none.
// The exceptions are gaps of cause not-given:
//
//   - Namespaces and Nodes, where there is no such object: manifests seldom
//     hold them, and every cluster has both.
//   - Input that was saved from a cluster, which its objects show by uid or
//     resourceVersion: kinds of which there is neither an object nor an empty
//     typed list ("kubectl cluster-info dump" never has NetworkPolicies or
//     RBAC). The families of foreign policies are then known only if the
//     CustomResourceDefinitions were saved too.
//   - The defaults of the PodSecurity plugin: manifests say by their silence
//     that the API server has its own, saved output does not, unless the flags
//     of a kube-apiserver Pod in it show that no admission configuration is
//     loaded. The kubelets' seccompDefault likewise, and the configuration of
//     the API servers' authorizers.
//
// What cannot be read is a problem at file:line and a gap: for its kind where
// the lines "apiVersion:" and "kind:" can be read, for every kind where the
// text may be a Kubernetes object and its kind cannot be told, for none where
// it cannot be one. What is read and is not evidence is counted.
//
// # What an object means
//
// Documents are read as kubectl reads them: YAML with the scalars of YAML 1.1,
// the last of equal keys, names by their case. API versions that Kubernetes
// removed are read as the current one and noted; versions that never were are
// gaps.
//
// Values of Secrets are not converted, and no error quotes a document.
package files

import (
	"bytes"
	"io/fs"
	"path"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// sourceType is the Type of the report's source and of each Origin.
const sourceType = "files"

// File is an input that is in memory.
type File struct {
	Name string
	Data []byte
}

// ReadFiles reads files that are in memory, as if they were the whole input.
func ReadFiles(b *inventory.Builder, files []File) report.Source {
	all := newTally()
	w := &worker{b: b}
	for _, in := range files {
		f := w.file(in.Name)
		f.sibling = func(name string) ([]byte, error) {
			for _, other := range files {
				if other.Name == path.Join(path.Dir(in.Name), name) {
					return other.Data, nil
				}
			}
			return nil, fs.ErrNotExist
		}
		f.read(bytes.NewReader(in.Data))
		all.add(f.tally)
	}
	all.conclude(b)
	return all.source("in memory")
}
