// Package images reads what is known of container images. So far that is their
// references.
package images

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Reference is an image reference as the kubelet reads it.
type Reference struct {
	// Registry is the host, with its port: "docker.io" where none is written.
	Registry string
	// Repository is the path in the registry: "library/nginx".
	Repository string
	// Tag is empty where none is written.
	Tag string
	// Digest is "sha256:…", "sha384:…" or "sha512:…"; empty where none is
	// written. Beside a digest the tag says nothing.
	Digest string
}

// Errors of [Parse] about a digest that is written and does not hold.
var (
	ErrDigest    = errors.New("malformed digest")
	ErrAlgorithm = errors.New("unknown digest algorithm")
)

// HowRendered is how to let the image be seen that a manifest leaves to others.
const HowRendered = "scan what is deployed: the kustomization, chart or output that fills in the image"

// Sizes of the digests that the kubelet accepts, in hexadecimal digits.
var digits = map[string]int{"sha256": 64, "sha384": 96, "sha512": 128}

// The grammar of references, written after that of github.com/distribution/reference v0.6.0,
// which the kubelet and the container runtimes use.
const (
	hostPart  = `(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])`
	registry  = `(?:` + hostPart + `(?:\.` + hostPart + `)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`
	component = `[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`
	tag       = `\w[\w.-]{0,127}`
)

var (
	named    = regexp.MustCompile(`^(` + registry + `)/(` + component + `(?:/` + component + `)*)(?::(` + tag + `))?$`)
	imageID  = regexp.MustCompile(`^[a-f0-9]{64}$`)
	ociGuise = regexp.MustCompile(`^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$`)
)

// maxRepository is the length that a repository may have.
const maxRepository = 255

// Parse reads a reference. Where only the digest is wrong, the error is an
// [ErrDigest] or an [ErrAlgorithm].
func Parse(s string) (Reference, error) {
	if s == "" {
		return Reference{}, errors.New("parsing an image reference: it is empty")
	}
	name, digest, hasDigest := strings.Cut(s, "@")
	host, rest := splitRegistry(name)
	m := named.FindStringSubmatch(host + "/" + rest)
	if m == nil || imageID.MatchString(s) || len(m[2]) > maxRepository {
		return Reference{}, fmt.Errorf("parsing the image reference %q: not of the form registry/repository:tag@digest", s)
	}
	r := Reference{Registry: m[1], Repository: m[2], Tag: m[3], Digest: digest}
	if !hasDigest {
		return r, nil
	}
	algorithm, encoded, _ := strings.Cut(digest, ":")
	switch n, known := digits[algorithm]; {
	case known && len(encoded) == n && strings.Trim(encoded, "0123456789abcdef") == "":
		return r, nil
	case !known && ociGuise.MatchString(digest):
		return Reference{}, fmt.Errorf("parsing the image reference %q: %w %q", s, ErrAlgorithm, algorithm)
	}
	return Reference{}, fmt.Errorf("parsing the image reference %q: %w %q", s, ErrDigest, digest)
}

// splitRegistry tells the registry from the first part of a path, and fills in
// what references to Docker Hub leave out.
func splitRegistry(name string) (host, rest string) {
	host, rest, found := strings.Cut(name, "/")
	switch {
	case !found:
		return "docker.io", "library/" + name
	case host == "index.docker.io":
		host = "docker.io"
	case host != "localhost" && !strings.ContainsAny(host, ".:") && strings.ToLower(host) == host:
		host, rest = "docker.io", name
	}
	if host == "docker.io" && !strings.Contains(rest, "/") {
		rest = "library/" + rest
	}
	return host, rest
}
