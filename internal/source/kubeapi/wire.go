package kubeapi

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"google.golang.org/protobuf/encoding/protowire"
)

// Lists are taken apart by hand, field by field, because most of what a server
// sends is not wanted (managedFields and status are half of a pod), and much of
// the rest is the same from pod to pod: it is decoded once.

// protobufPrefix starts every answer in Kubernetes' protobuf envelope.
var protobufPrefix = []byte{'k', '8', 's', 0}

// Field numbers, from the generated.proto of k8s.io/apimachinery and k8s.io/api.
const (
	envelopeType protowire.Number = 1
	envelopeRaw  protowire.Number = 2

	listMetadata protowire.Number = 1
	listItems    protowire.Number = 2

	objectMetadata protowire.Number = 1
	objectStatus   protowire.Number = 3

	metaLabels        protowire.Number = 11
	metaAnnotations   protowire.Number = 12
	metaManagedFields protowire.Number = 17

	podSpec        protowire.Number = 2
	podStatusPhase protowire.Number = 1

	specVolumes             protowire.Number = 1
	specContainers          protowire.Number = 2
	specInitContainers      protowire.Number = 20
	specEphemeralContainers protowire.Number = 34
	specNodeName            protowire.Number = 10
	specHostname            protowire.Number = 16
	specAffinity            protowire.Number = 18

	containerVolumeMounts    protowire.Number = 9
	ephemeralContainerCommon protowire.Number = 1
	volumeName               protowire.Number = 1
	volumeMountName          protowire.Number = 1
	mapKey                   protowire.Number = 1
)

// field is one field of a message.
type field struct {
	num protowire.Number
	// value is the content of a length-delimited field; nil for other types.
	value []byte
	// raw is the field with its tag.
	raw []byte
}

// fields calls f with each field of a message. The slices lie in msg.
func fields(msg []byte, f func(field) error) error {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return protowire.ParseError(n)
		}
		m := protowire.ConsumeFieldValue(num, typ, msg[n:])
		if m < 0 {
			return protowire.ParseError(m)
		}
		x := field{num: num, raw: msg[:n+m]}
		if typ == protowire.BytesType {
			x.value, _ = protowire.ConsumeBytes(msg[n:])
		}
		if err := f(x); err != nil {
			return err
		}
		msg = msg[n+m:]
	}
	return nil
}

// cut takes the message at path out of msg: rest is msg without it. Both are
// appended to the slices that are given.
func cut(msg []byte, path []protowire.Number, rest, taken []byte) (_, _ []byte, err error) {
	err = fields(msg, func(x field) error {
		switch {
		case x.num != path[0] || x.value == nil:
			rest = append(rest, x.raw...)
		case len(path) == 1:
			// A message that comes in several pieces is the sum of them.
			taken = append(taken, x.value...)
		default:
			var inner []byte
			if inner, taken, err = cut(x.value, path[1:], nil, taken); err != nil {
				return err
			}
			rest = protowire.AppendTag(rest, x.num, protowire.BytesType)
			rest = protowire.AppendBytes(rest, inner)
		}
		return nil
	})
	return rest, taken, err
}

// openEnvelope returns what is in Kubernetes' protobuf envelope (runtime.Unknown),
// without copying it as Unknown.Unmarshal does.
func openEnvelope(body []byte) (apiVersion, kind string, raw []byte, err error) {
	msg, ok := bytes.CutPrefix(body, protobufPrefix)
	if !ok {
		return "", "", nil, unreadablef("the answer is not in the encoding that it says")
	}
	var typ runtime.TypeMeta
	err = fields(msg, func(x field) error {
		switch x.num {
		case envelopeType:
			return typ.Unmarshal(x.value)
		case envelopeRaw:
			raw = x.value
		}
		return nil
	})
	if err != nil {
		return "", "", nil, unreadablef("the answer is not a Kubernetes object: %v", err)
	}
	return typ.APIVersion, typ.Kind, raw, nil
}

// listPage takes a list apart: item is called with each of its objects, in the
// encoding of the list. It returns the continue token.
func listPage(body []byte, apiVersion, kind string, item func([]byte) error) (string, error) {
	gotVersion, gotKind, raw, err := openEnvelope(body)
	if err != nil {
		return "", err
	}
	if err := expectList(gotVersion, gotKind, apiVersion, kind); err != nil {
		return "", err
	}
	var meta metav1.ListMeta
	err = fields(raw, func(x field) error {
		switch {
		case x.num == listMetadata && x.value != nil:
			return meta.Unmarshal(x.value)
		case x.num == listItems && x.value != nil:
			return item(x.value)
		}
		return nil
	})
	if err != nil {
		return "", unreadablef("the answer cannot be decoded: %v", err)
	}
	return meta.Continue, nil
}

func expectList(apiVersion, kind, wantVersion, wantKind string) error {
	if apiVersion == wantVersion && (kind == wantKind+"List" || wantKind == "") { // the list of a custom kind may have any name
		return nil
	}
	return unreadablef("the answer is a %q of %q, not a %sList", fmt.Sprintf("%.40s", kind), fmt.Sprintf("%.40s", apiVersion), wantKind)
}
