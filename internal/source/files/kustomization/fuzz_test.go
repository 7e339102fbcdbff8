package kustomization

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// What the walk accepts must make kustomize request nothing and look for no
// program; here without the fence that stands around the child.
func FuzzWalkLetsNothingThrough(f *testing.F) {
	for _, seed := range []string{
		"resources: [a.yaml]", "resources: [http://x.invalid/a.yaml]", "resources: [github.com/a/b, a.yaml]", "bases: ['git@x.invalid:a/b']",
		"resources: ['http:x', 'https:/x']", "Resources: ['HTTPS://x.invalid/y']", "components: ['git::https://x.invalid/a/b']",
		"crds: [a.yaml]\nconfigurations: ['http://x.invalid']", "openapi: {path: 'http://x.invalid'}", "patches: [{path: 'http://x.invalid'}]",
		"patchesStrategicMerge: ['http://x.invalid']", "patchesJson6902: [{path: 'http://x.invalid', target: {kind: ConfigMap, name: a}}]\nresources: [a.yaml]",
		"replacements: [{path: 'http://x.invalid'}]", "configMapGenerator: [{name: x, files: ['k=http://x.invalid']}]",
		"secretGenerator: [{name: x, env: 'http://x.invalid', literals: [a=b]}]", "generators: [a.yaml]", "transformers: ['http://x.invalid']",
		"transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: http://x.invalid\n",
		"transformers:\n- |-\n  apiVersion: builtin\n  kind: ReplacementTransformer\n  metadata: {name: x}\n  replacements: [{path: http://x.invalid}]\n",
		"generators:\n- |-\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata: {name: x}\n  files: [http://x.invalid]\n",
		"transformers:\n- |-\n  apiVersion: builtin\n  kind: PatchStrategicMergeTransformer\n  metadata: {name: x}\n  paths: [http://x.invalid]\n",
		"helmCharts: [{name: x, repo: 'http://x.invalid'}]",
	} {
		f.Add(seed, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
		f.Add(seed, "{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: a}, envs: ['http://x.invalid']}")
	}
	f.Fuzz(func(t *testing.T, kustomization, other string) {
		root, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(filepath.Join(root, "kustomization.yaml"), []byte(kustomization), 0o666)
		os.WriteFile(filepath.Join(root, "a.yaml"), []byte(other), 0o666)
		w := walker{root, map[visit]bool{}}
		if w.enter(visit{root, false}, nil) != nil {
			return
		}
		bin := t.TempDir()
		ran := filepath.Join(bin, "ran")
		for _, program := range []string{"git", "helm", "docker"} {
			os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\n: > "+ran+"\n"), 0o777)
		}
		t.Setenv("PATH", bin)
		before := http.DefaultTransport
		http.DefaultTransport = transport(func(r *http.Request) (*http.Response, error) {
			t.Errorf("a request was made to %s", r.URL)
			return nil, errors.New("no")
		})
		defer func() { http.DefaultTransport = before }()
		krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), root)
		if _, err := os.Stat(ran); err == nil {
			t.Error("a program was run")
		}
	})
}
