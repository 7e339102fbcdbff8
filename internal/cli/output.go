package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/render/json"
	"github.com/plimsoll-sec/plimsoll/internal/render/markdown"
	"github.com/plimsoll-sec/plimsoll/internal/render/terminal"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// formats are the output formats, each a renderer of a report.
var formats = []struct {
	name   string
	render func(w io.Writer, r *report.Report, s IO, f *renderFlags, toFile bool) error
}{
	{"terminal", func(w io.Writer, r *report.Report, s IO, f *renderFlags, toFile bool) error {
		o := terminal.Options{Width: s.width(), Color: s.color() && !toFile, ASCII: f.ascii, Verbose: f.verbose}
		if f.all {
			o.MaxFindings = -1
		} else if !toFile {
			o.Height = s.Height
		}
		return terminal.Write(w, r, o)
	}},
	{"json", func(w io.Writer, r *report.Report, _ IO, _ *renderFlags, _ bool) error {
		return json.Write(w, r)
	}},
	{"markdown", func(w io.Writer, r *report.Report, _ IO, _ *renderFlags, _ bool) error {
		return markdown.Write(w, r, markdown.Options{})
	}},
}

// output is one report to write: a format, and a file or "" for stdout.
type output struct {
	format int // index in formats
	file   string
}

func parseOutputs(specs []string) ([]output, error) {
	if len(specs) == 0 {
		specs = []string{"terminal"}
	}
	var out []output
	stdout := 0
	for _, spec := range specs {
		name, file, toFile := strings.Cut(spec, "=")
		format := -1
		var known []string
		for i, f := range formats {
			known = append(known, f.name)
			if f.name == name {
				format = i
			}
		}
		if format < 0 {
			return nil, usagef("-o %s: no format is called %q%s; there are %s", spec, name, suggest(name, known), strings.Join(known, ", "))
		}
		if toFile && file == "" {
			return nil, usagef("-o %s: the file is missing after =", spec)
		}
		if !toFile {
			stdout++
		} else if slices.ContainsFunc(out, func(o output) bool { return filepath.Clean(o.file) == filepath.Clean(file) }) {
			return nil, usagef("-o %s: another report goes to that file", spec)
		}
		out = append(out, output{format, file})
	}
	if stdout > 1 {
		return nil, usagef("only one format can go to stdout: give the others a file, -o json=report.json")
	}
	return out, nil
}

// write renders the report to every output. Files appear whole or not at all.
func write(s IO, f *renderFlags, outputs []output, r *report.Report) error {
	for _, o := range outputs {
		format := formats[o.format]
		if o.file == "" {
			w := bufio.NewWriter(s.Stdout)
			err := format.render(w, r, s, f, false)
			if err == nil {
				err = w.Flush()
			}
			if err != nil {
				return incompletef("writing the %s report to stdout: %w", format.name, err)
			}
			continue
		}
		err := writeFile(o.file, func(w io.Writer) error { return format.render(w, r, s, f, true) })
		if err != nil {
			return incompletef("writing the %s report: %w", format.name, err)
		}
	}
	return nil
}

func writeFile(name string, render func(io.Writer) error) (err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		// A pipe or device, such as /dev/stdout or a process substitution.
		return writeInPlace(name, render)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // does nothing once it is renamed
	w := bufio.NewWriter(tmp)
	if err = render(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.Rename(tmp.Name(), name)
}

func writeInPlace(name string, render func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	if err = render(w); err == nil {
		err = w.Flush()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}
