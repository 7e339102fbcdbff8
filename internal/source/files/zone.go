package files

import (
	corev1 "k8s.io/api/core/v1"
)

// zone is the part of an object that is being written. It decides what is
// left out: the inventory does not keep it, and some of it is large or secret.
type zone uint8

const (
	inside zone = iota // everything is kept
	atRoot
	inMetadata
	inAnnotations
	inStatus
)

// customObject stands for the kind of an object of another project, of whose
// status checks may read anything.
const customObject = "*"

// what to do with a field.
type treatment uint8

const (
	keep  treatment = iota
	drop            // neither converted nor indexed
	count           // a Secret's values: only their keys are counted
)

// enter says what is done with a field of an object of a kind, and in which
// zone its value lies.
func (z zone) enter(kind, key string) (zone, treatment) {
	switch z {
	case atRoot:
		switch key {
		case "metadata":
			return inMetadata, keep
		case "status":
			switch kind {
			case customObject, "CertificateSigningRequest":
				return inside, keep
			case "Pod", "Node", "Deployment", "StatefulSet", "DaemonSet":
				return inStatus, keep
			}
			return inside, drop
		case "data", "stringData":
			if kind == "Secret" {
				return inside, count
			}
		}
	case inMetadata:
		switch key {
		case "managedFields":
			return inside, drop
		case "annotations":
			return inAnnotations, keep
		}
	case inAnnotations:
		if key == corev1.LastAppliedConfigAnnotation {
			switch kind {
			// It is searched for credentials. Those of a Pod and a ReplicaSet hold
			// what the fields hold, which cannot be changed; of a Secret it holds all.
			case "ConfigMap", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController", "PodTemplate":
				return inside, keep
			}
			return inside, drop
		}
	case inStatus:
		switch key {
		case "phase", "nodeInfo", "observedGeneration", "readyReplicas", "desiredNumberScheduled", "numberReady":
		default:
			return inside, drop
		}
	}
	return inside, keep
}
