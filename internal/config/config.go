// Package config reads plimsoll.yaml, in which the user states what the
// evidence cannot: what is accepted and until when, what a person attests,
// which workloads are sensitive. It is strict, since a typo would silently
// accept more or less than was meant: every mistake in the file is reported,
// with its line and the nearest right name.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/plimsoll-sec/plimsoll/internal/checklist"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/waiver"
)

// File is the configuration that is read where no other is named, from the
// working directory.
const File = "plimsoll.yaml"

// maxBytes is the size of the largest file that is read: some 5,000 waivers.
const maxBytes = 1 << 20

// Config is what the user stated.
type Config struct {
	Waivers      []waiver.Waiver
	Attestations []waiver.Attestation
	// Tiers are the declared tiers of sensitivity; nil means none are declared.
	Tiers []inventory.Tier
	// AllowedSubjects may have what a rule forbids.
	AllowedSubjects []inventory.AllowedSubject
	// AnnotationWaivers is true where objects may carry waivers.
	AnnotationWaivers bool
	// Exclude holds the patterns of files that are not read, in gitignore notation.
	Exclude []string

	place string
}

// Known is what rules may name.
type Known struct {
	Items []*checklist.Item
	// Checks are the ids of all checks.
	Checks []string
}

// Default is the configuration of one who states nothing.
func Default() *Config { return &Config{AnnotationWaivers: true, place: "(no configuration)"} }

// Place is the file that the configuration was read from.
func (c *Config) Place() string { return c.place }

// Setting is the part of the configuration that checks read as evidence.
func (c *Config) Setting() inventory.Setting {
	return inventory.Setting{Tiers: c.Tiers, AllowedSubjects: c.AllowedSubjects}
}

// Load reads the named file. Without a name it reads [File] where that exists,
// and otherwise returns [Default]. What is wrong in the file is returned as
// [Problems].
func Load(name string, known Known) (*Config, error) {
	if name == "" {
		info, err := os.Stat(File)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return Default(), nil
		case err != nil:
			return nil, fmt.Errorf("looking for the configuration: %w", err)
		case !info.Mode().IsRegular(): // reading a pipe would wait for ever
			return nil, fmt.Errorf("the configuration %s is not a file", File)
		}
		name = File
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(name, data, known)
}
