// Command etcd is the etcd server, as a package of this module so that the
// binary gets the name etcd: the upstream main package is the root of its
// module and would be called server.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
