// Command build compiles the servers that the end-to-end tests start
// (kube-apiserver, kube-controller-manager and etcd) in the versions that
// go.mod names, and keeps them in a cache outside the tree:
// $PLIMSOLL_CLUSTER_CACHE, or else plimsoll/cluster/<Kubernetes version> in the
// user's cache directory. Package kube in test/e2e looks for them by the same
// rule. What the cache already has in the right version is not built again: to
// build with other flags, remove it.
//
// Run it in the folder of its module: go -C test/cluster run ./build
//
// Another Kubernetes version is three edits: the requirement and the
// replacements in go.mod, then go mod tidy, and Version in package kube.
package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// module is what the go command says about a module in go.mod.
type module struct {
	Path    string
	Version string
	Time    time.Time
}

const (
	kubernetesPath = "k8s.io/kubernetes"
	etcdPath       = "go.etcd.io/etcd/server/v3"
)

// servers maps the name of each binary to its main package and to the module
// whose version is the version of the binary.
var servers = map[string]struct{ main, module string }{
	"kube-apiserver":          {"k8s.io/kubernetes/cmd/kube-apiserver", kubernetesPath},
	"kube-controller-manager": {"k8s.io/kubernetes/cmd/kube-controller-manager", kubernetesPath},
	"etcd":                    {"./cmd/etcd", etcdPath},
}

func main() {
	// An interrupted build must still remove its temporary directory.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	modules, err := listModules(ctx, kubernetesPath, etcdPath)
	if err != nil {
		return err
	}
	dir, err := cacheDir(modules[kubernetesPath].Version)
	if err != nil {
		return err
	}
	var missing []string
	for name, server := range servers {
		if builtVersion(filepath.Join(dir, name), server.module) != modules[server.module].Version {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		fmt.Fprintf(os.Stderr, "building %s: about ten minutes when nothing is compiled yet\n", strings.Join(missing, ", "))
		if err := build(ctx, dir, missing, ldflags(modules[kubernetesPath])); err != nil {
			return err
		}
	}
	fmt.Println(dir)
	return nil
}

// listModules asks the go command rather than go.mod for the versions, because
// it also knows the date of each.
func listModules(ctx context.Context, paths ...string) (map[string]module, error) {
	cmd := goCommand(ctx, append([]string{"list", "-m", "-json"}, paths...)...)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the modules of the servers: %w", err)
	}
	modules := make(map[string]module)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var m module
		if err := dec.Decode(&m); err == io.EOF {
			return modules, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading the list of modules: %w", err)
		}
		modules[m.Path] = m
	}
}

func cacheDir(version string) (string, error) {
	if dir := os.Getenv("PLIMSOLL_CLUSTER_CACHE"); dir != "" {
		// The tests that look there run in another directory.
		if !filepath.IsAbs(dir) {
			return "", fmt.Errorf("PLIMSOLL_CLUSTER_CACHE is %q: it must be an absolute path", dir)
		}
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for the servers: %w; set PLIMSOLL_CLUSTER_CACHE", err)
	}
	return filepath.Join(dir, "plimsoll", "cluster", version), nil
}

// builtVersion returns the version of a module in a binary, or "" if there is
// no such binary or no such module in it.
func builtVersion(binary, path string) string {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return ""
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}

// build compiles the named servers in a temporary directory and moves them into
// dir when all of them are complete, so that nobody ever starts half a binary.
func build(ctx context.Context, dir string, names []string, ldflags string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the cache: %w", err)
	}
	temp, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return fmt.Errorf("making a directory to build in: %w", err)
	}
	defer os.RemoveAll(temp)

	// Upstream's release builds use -trimpath and the tag as well; the tag lets
	// the linker drop dead code.
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags=grpcnotrace", "-ldflags=" + ldflags, "-o", temp + string(filepath.Separator)}
	for _, name := range names {
		args = append(args, servers[name].main)
	}
	cmd := goCommand(ctx, args...)
	cmd.Stdout = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compiling %s: %w", strings.Join(names, ", "), err)
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(temp, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("moving a finished server into the cache: %w", err)
		}
	}
	return nil
}

// ldflags sets what upstream's release scripts set: without it /version answers
// v0.0.0-master, and so do user agents in the audit log. The commit stays empty,
// since a module does not say which commit it was made from.
func ldflags(kubernetes module) string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(kubernetes.Version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X="+pkg+".gitVersion="+kubernetes.Version,
			"-X="+pkg+".gitMajor="+major,
			"-X="+pkg+".gitMinor="+minor,
			"-X="+pkg+".gitCommit=",
			"-X="+pkg+".gitTreeState=clean",
			"-X="+pkg+".buildDate="+kubernetes.Time.UTC().Format(time.RFC3339),
		)
	}
	return strings.Join(flags, " ")
}

// goCommand prepares a go command whose answer does not depend on a C compiler
// or on a workspace around the checkout.
func goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	cmd.Stderr = os.Stderr
	// The compilers under a go command end with it when it is interrupted, not
	// when it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}
