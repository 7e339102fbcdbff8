// Command bootstrap writes the RBAC policy that the API servers of the known
// Kubernetes minors create at their start, from the test data with which
// upstream pins it. It needs the module proxy, or the modules in the cache:
//
//	go run ./test/bootstrap -o internal/fact/access/bootstrap/policy.json
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/fact/access/bootstrap"
)

// versions are one patch release of each minor. What minors before the
// supported ones granted stays in clusters that were upgraded since: the API
// server adds to its roles and never takes away.
var versions = []string{
	"v1.20.15", "v1.21.14", "v1.22.17", "v1.23.17", "v1.24.17", "v1.25.16", "v1.26.15", "v1.27.16", "v1.28.15",
	"v1.29.14", "v1.30.14", "v1.31.14", "v1.32.13", "v1.33.9", "v1.34.5", "v1.35.2", "v1.36.1", "v1.37.2",
}

const (
	testdata = "plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata"
	source   = "https://github.com/kubernetes/kubernetes/tree/VERSION/" + testdata
)

func main() {
	log.SetFlags(0)
	out := flag.String("o", filepath.FromSlash("internal/fact/access/bootstrap/policy.json"), "write the policy to this `file`")
	flag.Parse()
	if err := run(*out); err != nil {
		log.Fatalf("writing the bootstrap policy: %v", err)
	}
}

func run(out string) error {
	p := policy{objects: map[string]*bootstrap.Entry{}}
	for _, version := range versions {
		minor, err := strconv.Atoi(strings.Split(version, ".")[1])
		if err != nil {
			return fmt.Errorf("reading version %q: %w", version, err)
		}
		dir, err := download("k8s.io/kubernetes@" + version)
		if err != nil {
			return err
		}
		if err := p.read(filepath.Join(dir, filepath.FromSlash(testdata)), minor); err != nil {
			return err
		}
	}
	return os.WriteFile(out, p.encode(), 0o644)
}

// download returns the directory of a module.
func download(module string) (string, error) {
	scratch, err := os.MkdirTemp("", "bootstrap-policy-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	if err := os.WriteFile(filepath.Join(scratch, "go.mod"), []byte("module scratch\n"), 0o600); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir, cmd.Stderr = scratch, os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("downloading %s: %w", module, err)
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(answer, &m); err != nil {
		return "", fmt.Errorf("downloading %s: %w", module, err)
	}
	return m.Dir, nil
}

type policy struct{ objects map[string]*bootstrap.Entry }

// object is what the four kinds have together.
type object struct {
	Kind            string                  `json:"kind"`
	Metadata        metav1.ObjectMeta       `json:"metadata"`
	Rules           []rbacv1.PolicyRule     `json:"rules"`
	AggregationRule *rbacv1.AggregationRule `json:"aggregationRule"`
	RoleRef         *rbacv1.RoleRef         `json:"roleRef"`
	Subjects        []rbacv1.Subject        `json:"subjects"`
}

func (p *policy) read(dir string, minor int) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(names) == 0 {
		return fmt.Errorf("%s holds no test data: %w", dir, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var list struct {
			Items []object `json:"items"`
		}
		if err := yaml.Unmarshal(data, &list); err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		for _, o := range list.Items {
			p.add(o, minor, strings.HasSuffix(name, "featuregates.yaml"))
		}
	}
	return nil
}

// add takes an object as one minor has it. Gated is what it has only with
// features that are off unless they are asked for.
func (p *policy) add(o object, minor int, gated bool) {
	key := o.Kind + " " + o.Metadata.Namespace + " " + o.Metadata.Name
	e := p.objects[key]
	if e == nil {
		e = &bootstrap.Entry{Kind: o.Kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
		p.objects[key] = e
	}
	mark := func(s *bootstrap.Span) {
		if gated {
			s.Gated.Add(minor)
		} else {
			s.Default.Add(minor)
		}
	}
	mark(&e.Span)
	for k := range o.Metadata.Labels {
		if to, ok := strings.CutPrefix(k, bootstrap.AggregateLabel); ok && !slices.Contains(e.AggregateTo, to) {
			e.AggregateTo = append(e.AggregateTo, to)
		}
	}
	e.Aggregation, e.RoleRef = cmp.Or(e.Aggregation, o.AggregationRule), cmp.Or(e.RoleRef, o.RoleRef)
	for _, r := range o.Rules {
		i := slices.IndexFunc(e.Rules, func(x bootstrap.Rule) bool { return x.PolicyRule.String() == r.String() })
		if i < 0 {
			i, e.Rules = len(e.Rules), append(e.Rules, bootstrap.Rule{PolicyRule: r})
		}
		mark(&e.Rules[i].Span)
	}
	for _, s := range o.Subjects {
		i := slices.IndexFunc(e.Subjects, func(x bootstrap.Subject) bool { return x.Subject == s })
		if i < 0 {
			i, e.Subjects = len(e.Subjects), append(e.Subjects, bootstrap.Subject{Subject: s})
		}
		mark(&e.Subjects[i].Span)
	}
}

// encode writes a line for each object and each of its rules and subjects, so
// that a new minor is a difference that can be reviewed.
func (p *policy) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"source\": %s, \"license\": \"Apache-2.0\",\n\"versions\": %s,\n\"objects\": [", line(source), line(versions))
	for i, key := range slices.Sorted(maps.Keys(p.objects)) {
		e := *p.objects[key]
		rules, subjects := e.Rules, e.Subjects
		e.Rules, e.Subjects = nil, nil
		slices.Sort(e.AggregateTo)
		head := bytes.TrimSuffix(line(e), []byte("}"))
		fmt.Fprintf(&b, "%s\n%s", strings.Repeat(",", min(i, 1)), head)
		writeList(&b, "rules", rules)
		writeList(&b, "subjects", subjects)
		b.WriteString("}")
	}
	b.WriteString("\n]}\n")
	return b.Bytes()
}

func writeList[T any](b *bytes.Buffer, name string, list []T) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, ", %q: [", name)
	for i, x := range list {
		fmt.Fprintf(b, "%s\n  %s", strings.Repeat(",", min(i, 1)), line(x))
	}
	b.WriteString("]")
}

func line(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // values of our own
	}
	return text
}
