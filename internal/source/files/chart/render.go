package chart

import (
	"bytes"
	"cmp"
	"context"

	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	valueutil "helm.sh/helm/v4/pkg/chart/common/util"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/yaml"
)

// defaultKubeVersion is the minor version of the Kubernetes libraries in
// go.mod. Helm derives the same from the build, but "v1.20.0" in tests.
const defaultKubeVersion = "v1.37.0"

// render does in the child what "helm template --include-crds --skip-tests"
// does, in the order of Helm's action.Install and renderResources.
func render(name string, o Options) ([]byte, error) {
	release := cmp.Or(o.Release, "release-name")
	if err := chartutil.ValidateReleaseName(release); err != nil {
		return nil, fmt.Errorf("release %q: %w", release, err)
	}
	kube, err := common.ParseKubeVersion(cmp.Or(o.KubeVersion, defaultKubeVersion))
	if err != nil {
		return nil, fmt.Errorf("reading the Kubernetes version %q: %w", o.KubeVersion, err)
	}
	caps := common.DefaultCapabilities.Copy()
	caps.KubeVersion = *kube
	caps.APIVersions = append(slices.Clip(caps.APIVersions), o.APIVersions...)

	chart, err := load(name)
	if err != nil {
		return nil, err
	}
	if want := chart.Metadata.KubeVersion; want != "" && !chartutil.IsCompatibleRange(want, kube.String()) {
		return nil, fmt.Errorf("the chart is for Kubernetes %s, not %s: give the version that you use", want, kube)
	}
	set, err := given(o)
	if err != nil {
		return nil, err
	}
	sources := templates(chart)
	if err := chartutil.ProcessDependencies(chart, set); err != nil {
		return nil, fmt.Errorf("processing the dependencies: %w", explain(err, sources))
	}
	if missing := missingDependencies(chart); len(missing) > 0 {
		return nil, fmt.Errorf("dependencies are not in charts/: %s: run \"helm dependency build\" on the chart and scan again", strings.Join(missing, ", "))
	}
	values, err := valueutil.ToRenderValuesWithSchemaValidation(chart, set, common.ReleaseOptions{
		Name: release, Namespace: cmp.Or(o.Namespace, "default"), Revision: 1, IsInstall: true,
	}, caps, true)
	if err != nil {
		return nil, fmt.Errorf("merging the values: %w", explain(err, sources))
	}
	if err := validate(chart, values["Values"].(common.Values)); err != nil {
		return nil, err
	}
	// The zero engine has no client, so lookup finds nothing, and resolves no
	// names, so getHostByName is empty.
	files, err := engine.Engine{}.RenderWithContext(context.Background(), chart, values)
	if err != nil {
		return nil, explain(err, sources)
	}
	return join(chart, files), nil
}

// missingDependencies lists what Chart.yaml asks for, is enabled and is not
// there. Helm looks at the chart itself only, and wants disabled ones too.
func missingDependencies(chart *v2.Chart) []string {
	var missing []string
	for _, want := range chart.Metadata.Dependencies {
		if !slices.ContainsFunc(chart.Dependencies(), func(c *v2.Chart) bool { return c.Name() == want.Name }) {
			missing = append(missing, path.Join(chart.ChartFullPath(), "charts", want.Name))
		}
	}
	for _, sub := range chart.Dependencies() {
		missing = append(missing, missingDependencies(sub)...)
	}
	slices.Sort(missing)
	return missing
}

// join writes CRDs and rendered templates as one stream, in the order of their
// paths: the order of installation is nothing that is judged. A document that
// is not YAML is passed on as it is, so that one broken template does not hide
// the others: the reader of the stream names it.
func join(chart *v2.Chart, files map[string]string) []byte {
	var b bytes.Buffer
	crds := chart.CRDObjects()
	slices.SortStableFunc(crds, func(a, b v2.CRD) int { return cmp.Compare(a.Filename, b.Filename) })
	for _, crd := range crds {
		write(&b, crd.Filename, string(crd.File.Data), nil)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, "NOTES.txt") {
			write(&b, name, files[name], installed)
		}
	}
	return b.Bytes()
}

// write adds the documents of a file that keep (if any) wants.
func write(b *bytes.Buffer, name, text string, keep func(doc string) bool) {
	docs := releaseutil.SplitManifests(text)
	keys := slices.Collect(maps.Keys(docs))
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	for _, k := range keys {
		if keep == nil || keep(docs[k]) {
			fmt.Fprintf(b, "---\n# Source: %s\n%s\n", name, strings.TrimRight(docs[k], " \t\r\n"))
		}
	}
}

// hookEvents are the events of a release at which Helm creates a hook's
// object. Test hooks are not among them: they exist only while somebody runs
// "helm test", are no part of an installation, and often hold a bare image and
// nothing else. Neither are names that Helm does not know: it skips the
// object (crd-install is one, from Helm 2).
var hookEvents = []string{
	"pre-install", "post-install", "pre-delete", "post-delete",
	"pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback",
}

var testEvents = []string{"test", "test-success"}

// installed is true for what an installation, upgrade, … of the chart creates.
func installed(doc string) bool {
	var head struct {
		Metadata struct {
			Annotations map[string]any `json:"annotations"`
		} `json:"metadata"`
	}
	if !strings.Contains(doc, "helm.sh/hook") || yaml.Unmarshal([]byte(doc), &head) != nil {
		return true
	}
	hook, ok := head.Metadata.Annotations["helm.sh/hook"].(string)
	if !ok {
		return true
	}
	created := false
	for event := range strings.SplitSeq(hook, ",") {
		event = strings.ToLower(strings.TrimSpace(event))
		switch {
		case slices.Contains(hookEvents, event):
			created = true
		case !slices.Contains(testEvents, event):
			return false
		}
	}
	return created
}

// templates returns the text of every template of the chart and its
// subcharts, by the path that the engine gives it.
func templates(chart *v2.Chart) map[string]string {
	texts := map[string]string{}
	for _, t := range chart.Templates {
		texts[path.Join(chart.ChartFullPath(), t.Name)] = string(t.Data)
	}
	for _, sub := range chart.Dependencies() {
		maps.Copy(texts, templates(sub))
	}
	return texts
}
