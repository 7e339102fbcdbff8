package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"
)

// load reads a chart from a directory or an archive.
func load(name string) (*v2.Chart, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, errors.Unwrap(err) // the path is in the caller's message
	}
	var files []*archive.BufferedFile
	if info.IsDir() {
		files, err = readDir(name)
	} else {
		files, err = readArchive(name)
	}
	if err != nil {
		return nil, err
	}
	chart, err := loader.LoadFiles(files)
	if err != nil {
		return nil, errors.New(withoutQuotes(err.Error()))
	}
	switch {
	case chart.Metadata.APIVersion != v2.APIVersionV1 && chart.Metadata.APIVersion != v2.APIVersionV2:
		return nil, fmt.Errorf("apiVersion %q in Chart.yaml is not known; v1 and v2 are", chart.Metadata.APIVersion)
	case chart.Metadata.Type == "library":
		return nil, errors.New("this is a library chart, which has no objects of its own: scan the charts that use it")
	}
	return chart, nil
}

func readArchive(name string) ([]*archive.BufferedFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	files, err := archive.LoadArchiveFiles(f)
	if err != nil {
		return nil, fmt.Errorf("reading the archive: %w", err)
	}
	return files, nil
}

// tree reads the files of a chart's directory. Helm's own loader follows
// symbolic links anywhere: a chart could have any file of this machine
// rendered. Everything here goes through an os.Root, which cannot be left.
type tree struct {
	root  *os.Root
	rules *ignore.Rules
	files []*archive.BufferedFile
	room  int64
}

func readDir(name string) ([]*archive.BufferedFile, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer root.Close()
	t := &tree{root: root, rules: ignore.Empty(), room: archive.MaxDecompressedChartSize}
	if raw, err := root.ReadFile(ignore.HelmIgnore); err == nil {
		if t.rules, err = ignore.Parse(bytes.NewReader(raw)); err != nil {
			return nil, fmt.Errorf("%s: %w", ignore.HelmIgnore, err)
		}
	}
	t.rules.AddDefaults()
	if err := t.walk(".", nil); err != nil {
		return nil, err
	}
	return t.files, nil
}

// walk reads a directory. above holds the directories that it is in, through
// links or not, so that a link to one of them is not followed for ever.
func (t *tree) walk(dir string, above []fs.FileInfo) error {
	self, err := t.root.Stat(dir)
	if err != nil {
		return t.explain(dir, err)
	}
	for _, a := range above {
		if os.SameFile(a, self) {
			return fmt.Errorf("%s: a symbolic link leads back to a directory that it is in", dir)
		}
	}
	entries, err := fs.ReadDir(t.root.FS(), dir)
	if err != nil {
		return t.explain(dir, err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		info, err := t.root.Stat(name)
		if err != nil {
			if own, ownErr := e.Info(); ownErr == nil && t.rules.Ignore(name, own) {
				continue // an ignored link may lead anywhere
			}
			return t.explain(name, err)
		}
		switch {
		case t.rules.Ignore(name, info):
		case info.IsDir():
			err = t.walk(name, append(slices.Clip(above), self))
		default:
			err = t.read(name, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) read(name string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: is not a regular file", name)
	}
	f, err := t.root.Open(name)
	if err != nil {
		return t.explain(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, t.room+1))
	if err != nil {
		return t.explain(name, err)
	}
	if t.room -= int64(len(data)); t.room < 0 {
		return fmt.Errorf("the files of the chart are larger than %d MiB together; name what is not part of it in %s",
			archive.MaxDecompressedChartSize>>20, ignore.HelmIgnore)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	t.files = append(t.files, &archive.BufferedFile{Name: name, ModTime: info.ModTime(), Data: data})
	return nil
}

// explain names the link that leads out of the chart; os has no error value
// for that, only the text "path escapes from parent".
func (t *tree) explain(name string, err error) error {
	if strings.Contains(err.Error(), "escapes from parent") {
		return fmt.Errorf("%s: a symbolic link leads out of the chart, which is not followed: package the chart (helm package) and scan the .tgz file", name)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}
