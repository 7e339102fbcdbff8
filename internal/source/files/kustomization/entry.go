package kustomization

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// place is where in the tree an entry stands.
type place struct {
	*walker
	visit
	file  string // the kustomization file, as it is named in errors
	above []string
}

func (at place) errorf(field, entry string, err error) error {
	return fmt.Errorf("%s: %s %q: %w", at.file, field, entry, err)
}

// fetched matches what kustomize takes for a URL or a git repository (its
// internal/git, NewRepoSpecFromURL), and a little more.
var fetched = regexp.MustCompile(`(?i)^\s*(git::|https?:|[a-z][a-z0-9+.-]*://|[a-z][a-z0-9-]*@|github\.com[/:])`)

var errRemote = errors.New("is remote, and nothing is fetched: save it beside the kustomization and name the file or directory")

// remote refuses what kustomize would fetch. The URL is shown without what may
// be a credential.
func (at place) remote(field, entry string) error {
	if !fetched.MatchString(entry) {
		return nil
	}
	shown, _, _ := strings.Cut(entry, "?")
	return at.errorf(field, credentials.ReplaceAllString(shown, "//"), errRemote)
}

var credentials = regexp.MustCompile(`//[^/@]*@`)

// one checks an entry that must be a file.
func (at place) one(field, entry string) error {
	if err := at.remote(field, entry); err != nil {
		return err
	}
	if _, err := within(at.dir, entry); err != nil {
		return at.errorf(field, entry, err)
	}
	return nil
}

// base checks an entry that is a directory with a kustomization.
func (at place) base(field, entry string, plugins bool) error {
	if err := at.remote(field, entry); err != nil {
		return err
	}
	if filepath.IsAbs(entry) {
		return at.errorf(field, entry, errors.New("is an absolute path, which kustomize does not follow"))
	}
	real, err := filepath.EvalSymlinks(filepath.Join(at.dir, entry))
	if err != nil {
		return at.errorf(field, entry, cause(err))
	}
	if err := at.enter(visit{real, plugins}, at.above); err != nil {
		return fmt.Errorf("%w (from %s: %s)", err, at.file, field)
	}
	return nil
}

// either checks an entry that is a file or a directory with a kustomization.
func (at place) either(field, entry string, plugins bool) error {
	if err := at.remote(field, entry); err != nil {
		return err
	}
	name := entry
	if !filepath.IsAbs(name) {
		name = filepath.Join(at.dir, name)
	}
	if info, err := os.Stat(name); err != nil {
		return at.errorf(field, entry, cause(err))
	} else if info.IsDir() {
		return at.base(field, entry, plugins)
	}
	real, err := within(at.dir, entry)
	if err != nil {
		return at.errorf(field, entry, err)
	}
	if !plugins {
		return nil
	}
	raw, err := os.ReadFile(real)
	if err != nil {
		return at.errorf(field, entry, cause(err))
	}
	return at.plugin(field, raw)
}

// kustomization checks every field that names something to read.
func (at place) kustomization(k *types.Kustomization) error {
	if len(k.HelmCharts) > 0 || k.HelmGlobals != nil {
		name := ""
		if len(k.HelmCharts) > 0 {
			name = k.HelmCharts[0].Name
		}
		return at.errorf("helmCharts", name, errors.New("kustomize runs the helm program for this, and nothing is run: scan the chart itself"))
	}
	var checks []error
	one := func(field, entry string, check func(field, entry string) error) {
		if entry != "" {
			checks = append(checks, check(field, entry))
		}
	}
	each := func(field string, entries []string, check func(field, entry string) error) {
		for i, e := range entries {
			checks = append(checks, check(fmt.Sprintf("%s[%d]", field, i), e))
		}
	}
	each("resources", k.Resources, func(f, e string) error { return at.either(f, e, at.plugins) })
	each("components", k.Components, func(f, e string) error { return at.base(f, e, at.plugins) })
	each("crds", k.Crds, at.one)
	each("configurations", k.Configurations, at.one)
	each("generators", k.Generators, at.pluginEntry)
	each("transformers", k.Transformers, at.pluginEntry)
	each("validators", k.Validators, at.pluginEntry)
	one("openapi.path", k.OpenAPI["path"], at.one)
	//lint:ignore SA1019 kustomizations still use it
	for i, p := range k.PatchesStrategicMerge {
		one(fmt.Sprintf("patchesStrategicMerge[%d]", i), string(p), at.patch)
	}
	for i, p := range k.Patches {
		one(fmt.Sprintf("patches[%d].path", i), p.Path, at.one)
	}
	//lint:ignore SA1019 kustomizations still use it
	for i, p := range k.PatchesJson6902 {
		one(fmt.Sprintf("patchesJson6902[%d].path", i), p.Path, at.one)
	}
	for i, r := range k.Replacements {
		one(fmt.Sprintf("replacements[%d].path", i), r.Path, at.one)
	}
	for i, g := range k.ConfigMapGenerator {
		checks = append(checks, at.pairs(fmt.Sprintf("configMapGenerator[%d]", i), g.KvPairSources))
	}
	for i, g := range k.SecretGenerator {
		checks = append(checks, at.pairs(fmt.Sprintf("secretGenerator[%d]", i), g.KvPairSources))
	}
	return cmp.Or(checks...)
}

// patch checks an entry that is a file or the patch itself.
func (at place) patch(field, entry string) error {
	if inline(entry) {
		return nil
	}
	return at.one(field, entry)
}

// pairs checks what a generator reads. Literals are values, so kustomize's own
// error, which quotes them, must not come to be.
func (at place) pairs(field string, s types.KvPairSources) error {
	for i, l := range s.LiteralSources {
		if strings.IndexByte(l, '=') < 1 {
			return fmt.Errorf("%s: %s.literals[%d]: must have the form key=value", at.file, field, i)
		}
	}
	for i, e := range s.EnvSources {
		if err := at.one(fmt.Sprintf("%s.envs[%d]", field, i), e); err != nil {
			return err
		}
	}
	for i, f := range s.FileSources {
		if err := at.one(fmt.Sprintf("%s.files[%d]", field, i), fileOf(f)); err != nil {
			return err
		}
	}
	return nil
}

// fileOf is the path in "path" or "key=path".
func fileOf(source string) string {
	if _, path, ok := strings.Cut(source, "="); ok {
		return path
	}
	return source
}
