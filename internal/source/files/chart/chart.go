// Package chart renders Helm charts as "helm template" does, without a network
// and without trust in the chart: in a child process with limits, reading no
// file outside of the chart, and with errors that quote no values.
//
// It is built from the small packages of Helm (loader, engine, values) rather
// than pkg/action, which links registry clients and database drivers.
package chart

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/plimsoll-sec/plimsoll/internal/source/files/child"
)

// Options says what a chart is rendered with, as on the command line of Helm.
type Options struct {
	// Values are paths of values files; later ones win. URLs are refused.
	Values []string
	// Set are expressions as for --set ("image.tag=v1,replicas=2"); they win
	// over Values.
	Set []string
	// Release is the name of the release; default "release-name", as in Helm.
	Release string
	// Namespace is the release's; default "default".
	Namespace string
	// KubeVersion is .Capabilities.KubeVersion, such as "v1.37.2"; default is
	// the minor version of the Kubernetes libraries in this program.
	KubeVersion string
	// APIVersions are added to .Capabilities.APIVersions, which holds the
	// built-in ones: "monitoring.coreos.com/v1".
	APIVersions []string
	// Limits bounds the rendering process.
	Limits child.Limits
}

var task = child.Define("__render-chart", serve)

type request struct {
	Path    string
	Options Options
}

// Render renders the chart in a directory or .tgz file and returns its objects
// as a stream of YAML documents. Each starts with "---" and a comment that
// names the template: "# Source: web/templates/deployment.yaml".
func (o Options) Render(ctx context.Context, path string) ([]byte, error) {
	out, err := task.Run(ctx, request{path, o}, o.Limits)
	if err != nil {
		return nil, fmt.Errorf("rendering chart %s: %w", path, err)
	}
	return out, nil
}

func serve(raw []byte) ([]byte, error) {
	var r request
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	return render(r.Path, r.Options)
}
