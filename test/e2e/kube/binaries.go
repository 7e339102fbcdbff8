package kube

import (
	"fmt"
	"os"
	"path/filepath"
)

// Version is the Kubernetes version of the servers, the one in
// test/cluster/go.mod.
const Version = "v1.37.2"

// serverDir returns the directory that holds the servers, by the rule of
// test/cluster/build, which put them there.
func serverDir() (string, error) {
	dir := os.Getenv("PLIMSOLL_CLUSTER_CACHE")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("looking for the servers: %w; set PLIMSOLL_CLUSTER_CACHE", err)
		}
		dir = filepath.Join(cache, "plimsoll", "cluster", Version)
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return "", fmt.Errorf("the servers are not built (%w): run \"make cluster\" once, it takes about ten minutes", err)
		}
	}
	return dir, nil
}
