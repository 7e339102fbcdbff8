// Package kustomization renders kustomizations as "kustomize build" does, in a
// child process with limits, without a network and without other programs.
//
// Kustomize fetches what a kustomization refers to: it requests URLs, runs git
// for repositories, helm for charts and whatever a plugin names, and no option
// turns all of that off. So the whole tree is read first, and one that refers
// to something outside of the file system is refused.
package kustomization

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/source/files/child"
)

// Options says how kustomizations are rendered. The zero value will do.
type Options struct {
	// Limits bounds the rendering process.
	Limits child.Limits
}

var task = child.Define("__render-kustomization", func(raw []byte) ([]byte, error) {
	var dir string
	if err := json.Unmarshal(raw, &dir); err != nil {
		return nil, err
	}
	return render(dir)
})

// Render builds the kustomization in a directory and returns its objects as a
// stream of YAML documents. Each starts with "---" and a comment that names
// the file, relative to the directory, that the object is from, or the
// kustomization that generates it: "# Source: ../base/deployment.yaml".
func (o Options) Render(ctx context.Context, dir string) ([]byte, error) {
	out, err := task.Run(ctx, dir, o.Limits)
	if err != nil {
		return nil, fmt.Errorf("rendering kustomization %s: %w", dir, err)
	}
	return out, nil
}
