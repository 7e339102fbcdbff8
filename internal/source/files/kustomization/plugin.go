package kustomization

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/yaml"
)

// inline is true for an entry that is YAML itself and no path.
func inline(entry string) bool {
	var doc map[string]any
	return yaml.Unmarshal([]byte(entry), &doc) == nil && doc != nil || strings.Contains(entry, "\n")
}

// pluginEntry checks a generator, transformer or validator: inline, or a path.
func (at place) pluginEntry(field, entry string) error {
	if inline(entry) {
		return at.plugin(field, []byte(entry))
	}
	return at.either(field, entry, true)
}

// plugin checks the configuration of plugins: only built-in ones, and no
// remote paths in those.
func (at place) plugin(field string, raw []byte) error {
	docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(append(raw, '\n'))))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var config map[string]any
		if err != nil || yaml.Unmarshal(doc, &config) != nil {
			return fmt.Errorf("%s: %s: is not YAML", at.file, field)
		}
		if config == nil {
			continue
		}
		name := fmt.Sprint(config["kind"])
		switch {
		case name == "HelmChartInflationGenerator":
			return at.errorf(field, name, errors.New("kustomize runs the helm program for this, and nothing is run: scan the chart itself"))
		case config["apiVersion"] != konfig.BuiltinPluginApiVersion:
			return at.errorf(field, name, errors.New("kustomize runs a program or container for this plugin, and nothing is run: scan what \"kustomize build\" prints"))
		}
		if err := at.paths(field, config); err != nil {
			return err
		}
	}
}

// pathKeys are the keys under which built-in plugins take what they load.
var pathKeys = []string{"path", "paths", "files", "env", "envs", "targetfilepath"}

func (at place) paths(field string, node any) error {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			load := slices.Contains(pathKeys, strings.ToLower(key))
			entries, isList := value.([]any)
			if !isList {
				entries = []any{value}
			}
			for _, e := range entries {
				s, isString := e.(string)
				if isString && load {
					if err := at.remote(field+"."+key, fileOf(s)); err != nil {
						return err
					}
				}
			}
			if err := at.paths(field, value); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range node {
			if err := at.paths(field, value); err != nil {
				return err
			}
		}
	}
	return nil
}
