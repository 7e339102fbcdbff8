package images_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-sec/plimsoll/internal/fact/images"
)

var (
	sha256 = "sha256:" + strings.Repeat("0a", 32)
	sha384 = "sha384:" + strings.Repeat("0a", 48)
	sha512 = "sha512:" + strings.Repeat("0a", 64)
)

func TestParse(t *testing.T) {
	tests := map[string]images.Reference{
		"nginx":                                {Registry: "docker.io", Repository: "library/nginx"},
		"nginx:1.27":                           {Registry: "docker.io", Repository: "library/nginx", Tag: "1.27"},
		"nginx@" + sha256:                      {Registry: "docker.io", Repository: "library/nginx", Digest: sha256},
		"nginx:1.27@" + sha256:                 {Registry: "docker.io", Repository: "library/nginx", Tag: "1.27", Digest: sha256},
		"nginx@" + sha384:                      {Registry: "docker.io", Repository: "library/nginx", Digest: sha384},
		"nginx@" + sha512:                      {Registry: "docker.io", Repository: "library/nginx", Digest: sha512},
		"bitnami/redis":                        {Registry: "docker.io", Repository: "bitnami/redis"},
		"index.docker.io/nginx":                {Registry: "docker.io", Repository: "library/nginx"},
		"localhost/web":                        {Registry: "localhost", Repository: "web"},
		"registry:5000/web":                    {Registry: "registry:5000", Repository: "web"},
		"registry:5000/web:v1":                 {Registry: "registry:5000", Repository: "web", Tag: "v1"},
		"registry:5000":                        {Registry: "docker.io", Repository: "library/registry", Tag: "5000"}, // one word before the colon is a name
		"registry.example.com/a/b/c:v1":        {Registry: "registry.example.com", Repository: "a/b/c", Tag: "v1"},
		"registry.example.com:443/a@" + sha256: {Registry: "registry.example.com:443", Repository: "a", Digest: sha256},
		"[fd00::1]:5000/web":                   {Registry: "[fd00::1]:5000", Repository: "web"},
		"Example/web":                          {Registry: "Example", Repository: "web"}, // upper case can only be a host
		"a__b/c--d.e_f":                        {Registry: "docker.io", Repository: "a__b/c--d.e_f"},
		"nginx:Latest-1_x.y":                   {Registry: "docker.io", Repository: "library/nginx", Tag: "Latest-1_x.y"},
	}
	for s, want := range tests {
		got, err := images.Parse(s)
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", s, d)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := map[string]error{ // nil: an error that is not about the digest
		"":                                  nil,
		" nginx":                            nil,
		"NGINX":                             nil,
		"nginx:":                            nil,
		"nginx:1.27:2":                      nil,
		"nginx/":                            nil,
		"/nginx":                            nil,
		"http://example.com/web":            nil,
		"${IMAGE}":                          nil,
		"{{ .Values.image }}":               nil,
		"a..b":                              nil,
		"a___b":                             nil,
		"nginx:-x":                          nil,
		"nginx:" + strings.Repeat("a", 129): nil,
		strings.Repeat("a", 256):            nil,
		strings.Repeat("0a", 32):            nil, // an image ID
		"@" + sha256:                        nil,
		"nginx@":                            images.ErrDigest,
		"nginx@sha256":                      images.ErrDigest,
		"nginx@sha256:":                     images.ErrDigest,
		"nginx@sha256:0a":                   images.ErrDigest,
		"nginx@" + sha256 + "0":             images.ErrDigest,
		"nginx@" + strings.ToUpper(sha256):  images.ErrDigest,
		"nginx@sha256:" + strings.Repeat("0A", 32): images.ErrDigest,
		"nginx@" + sha256 + "@" + sha256:           images.ErrDigest,
		"nginx@" + sha256 + ":1.27":                images.ErrDigest,
		"nginx@sha512:" + strings.Repeat("0a", 32): images.ErrDigest,
		"nginx@blake3:" + strings.Repeat("0a", 32): images.ErrAlgorithm,
	}
	for s, want := range tests {
		r, err := images.Parse(s)
		if err == nil {
			t.Errorf("%q is read as %+v", s, r)
			continue
		}
		for _, e := range []error{images.ErrDigest, images.ErrAlgorithm} {
			if errors.Is(err, e) != (want == e) {
				t.Errorf("%q: %v", s, err)
			}
		}
	}
}

// FuzzParse proves that what Parse accepts, written out in full, means the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"nginx", "nginx:1.27", "registry:5000/web:v1@" + sha256, "[::1]:5000/a/b", "Example/web", "nginx@" + sha512, "localhost/web", "a@b@c", "${IMAGE}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := images.Parse(s)
		if err != nil {
			return
		}
		full := r.Registry + "/" + r.Repository
		if r.Tag != "" {
			full += ":" + r.Tag
		}
		if r.Digest != "" {
			full += "@" + r.Digest
		}
		again, err := images.Parse(full)
		if err != nil {
			t.Fatalf("%q became %q: %v", s, full, err)
		}
		if d := cmp.Diff(r, again); d != "" {
			t.Errorf("%q became %q:\n%s", s, full, d)
		}
		if (r.Digest != "") != strings.Contains(s, "@") {
			t.Errorf("%q: digest %q", s, r.Digest)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	s := "registry.example.com:443/team/web:v1@" + sha256
	for b.Loop() {
		if _, err := images.Parse(s); err != nil {
			b.Fatal(err)
		}
	}
}
