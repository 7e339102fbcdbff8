package kubeapi

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"unique"

	corev1 "k8s.io/api/core/v1"

	"google.golang.org/protobuf/encoding/protowire"
)

// specs decodes pod specs, each distinct one once. Pods of one controller are
// equal but for what the API server, the controller and the scheduler write
// into each:
//
//   - the node: it is kept apart from the spec;
//   - the random name of the volume that holds the account's token: all get the
//     same one, which no server generates less than any other;
//   - a hostname (StatefulSet) and an affinity to one node (DaemonSet): they are
//     kept as they are, in a spec that shares everything beneath.
type specs struct {
	mu     sync.Mutex
	base   map[digest]*corev1.PodSpec
	varied map[[2]digest]*corev1.PodSpec
}

// digest stands for the encoding of something that is decoded once.
type digest = [sha256.Size]byte

func newSpecs() *specs {
	return &specs{base: map[digest]*corev1.PodSpec{}, varied: map[[2]digest]*corev1.PodSpec{}}
}

// specReader decodes the specs of one list.
type specReader struct {
	*specs
	// What it writes into, used again and again.
	rest, shared, own []byte
}

// decode returns the spec that is encoded in msg. It may be shared: nothing may
// change it.
func (s *specReader) decode(msg []byte) (*corev1.PodSpec, error) {
	shared, own := s.shared[:0], s.own[:0]
	err := fields(msg, func(x field) error {
		if x.num == specHostname || x.num == specAffinity {
			own = append(own, x.raw...)
		} else {
			shared = append(shared, x.raw...)
		}
		return nil
	})
	s.shared, s.own = shared, own
	if err != nil {
		return nil, err
	}
	key := digest(sha256.Sum256(shared))
	s.mu.Lock()
	defer s.mu.Unlock()
	base := s.base[key]
	if base == nil {
		base = &corev1.PodSpec{}
		if err := base.Unmarshal(shared); err != nil {
			return nil, err
		}
		internStrings(base)
		s.base[key] = base
	}
	if len(own) == 0 {
		return base, nil
	}
	ownKey := [2]digest{key, sha256.Sum256(own)}
	spec := s.varied[ownKey]
	if spec == nil {
		spec = new(corev1.PodSpec)
		*spec = *base
		if err := spec.Unmarshal(own); err != nil {
			return nil, err
		}
		s.varied[ownKey] = spec
	}
	return spec, nil
}

// decodePod is decode for the spec of a Pod: it returns the node apart. It
// overwrites msg.
func (s *specReader) decodePod(msg []byte) (spec *corev1.PodSpec, node string, err error) {
	if err := sameTokenVolume(msg); err != nil {
		return nil, "", err
	}
	rest := s.rest[:0]
	err = fields(msg, func(x field) error {
		if x.num == specNodeName && x.value != nil {
			node = intern(string(x.value))
		} else {
			rest = append(rest, x.raw...)
		}
		return nil
	})
	s.rest = rest
	if err != nil {
		return nil, "", err
	}
	spec, err = s.decode(rest)
	return spec, node, err
}

// The ServiceAccount admission plugin names the volume that it adds with this
// prefix and five characters
// (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount).
var (
	tokenVolumePrefix = []byte("kube-api-access-")
	tokenVolumeSame   = []byte("kube-api-access-xxxxx")
)

// sameTokenVolume renames the token volume of a pod spec and its mounts, in
// place: the names are of the same length. A spec with two such volumes is left
// alone, as they would become one.
func sameTokenVolume(spec []byte) error {
	var name []byte
	volumes := 0
	err := fields(spec, func(x field) error {
		if x.num != specVolumes {
			return nil
		}
		return fields(x.value, func(y field) error {
			if y.num == volumeName && len(y.value) == len(tokenVolumeSame) && bytes.HasPrefix(y.value, tokenVolumePrefix) {
				name, volumes = bytes.Clone(y.value), volumes+1
			}
			return nil
		})
	})
	if err != nil || volumes != 1 {
		return err
	}
	rename := func(msg []byte, num protowire.Number) error {
		return fields(msg, func(x field) error {
			if x.num == num && bytes.Equal(x.value, name) {
				copy(x.value, tokenVolumeSame)
			}
			return nil
		})
	}
	mounts := func(container []byte) error {
		return fields(container, func(x field) error {
			if x.num == containerVolumeMounts {
				return rename(x.value, volumeMountName)
			}
			return nil
		})
	}
	return fields(spec, func(x field) error {
		switch x.num {
		case specVolumes:
			return rename(x.value, volumeName)
		case specContainers, specInitContainers:
			return mounts(x.value)
		case specEphemeralContainers:
			return fields(x.value, func(y field) error {
				if y.num == ephemeralContainerCommon {
					return mounts(y.value)
				}
				return nil
			})
		}
		return nil
	})
}

// intern returns one string for all that are equal.
func intern(s string) string { return unique.Make(s).Value() }

func internMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[intern(k)] = intern(v)
	}
	return out
}

// internStrings interns what repeats between specs that differ.
func internStrings(s *corev1.PodSpec) {
	for _, p := range []*string{&s.ServiceAccountName, &s.DeprecatedServiceAccount, &s.SchedulerName, &s.PriorityClassName} {
		*p = intern(*p)
	}
	container := func(name, image, path *string) { *name, *image, *path = intern(*name), intern(*image), intern(*path) }
	for i := range s.InitContainers {
		c := &s.InitContainers[i]
		container(&c.Name, &c.Image, &c.TerminationMessagePath)
	}
	for i := range s.Containers {
		c := &s.Containers[i]
		container(&c.Name, &c.Image, &c.TerminationMessagePath)
	}
}
