package kubeapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"unique"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// object is what all types of k8s.io/api can do.
type object interface {
	Unmarshal([]byte) error
	Marshal() ([]byte, error)
	GetObjectMeta() metav1.Object
}

// shape says how objects of a kind are decoded.
type shape struct {
	empty func() object
	// template is where the encoding has the pod spec; nil where it has none.
	template []protowire.Number
	// spec is the same place in the decoded object.
	spec func(object) *corev1.PodSpec
	// status is true where the object has a status that nothing reads.
	status bool
	// applied is true where kubectl's copy of the object is searched for
	// credentials.
	applied bool
}

// shapes has every kind of inventory.Resources but Secrets, which are not
// decoded.
var shapes = map[report.KindID]shape{
	inventory.Namespaces.ID: {empty: func() object { return &corev1.Namespace{} }, status: true},
	inventory.Nodes.ID:      {empty: func() object { return &corev1.Node{} }},
	inventory.Pods.ID:       {empty: func() object { return &corev1.Pod{} }, template: []protowire.Number{podSpec}},
	inventory.ReplicationControllers.ID: {
		empty: func() object { return &corev1.ReplicationController{} }, applied: true, status: true,
		template: []protowire.Number{2, 3, 2}, spec: func(o object) *corev1.PodSpec {
			return &template(&o.(*corev1.ReplicationController).Spec.Template).Spec
		},
	},
	inventory.PodTemplates.ID: {
		empty: func() object { return &corev1.PodTemplate{} }, applied: true,
		template: []protowire.Number{2, 2}, spec: func(o object) *corev1.PodSpec { return &o.(*corev1.PodTemplate).Template.Spec },
	},
	inventory.Deployments.ID: {
		empty: func() object { return &appsv1.Deployment{} }, applied: true,
		template: []protowire.Number{2, 3, 2}, spec: func(o object) *corev1.PodSpec { return &o.(*appsv1.Deployment).Spec.Template.Spec },
	},
	inventory.ReplicaSets.ID: {
		empty: func() object { return &appsv1.ReplicaSet{} }, status: true,
		template: []protowire.Number{2, 3, 2}, spec: func(o object) *corev1.PodSpec { return &o.(*appsv1.ReplicaSet).Spec.Template.Spec },
	},
	inventory.StatefulSets.ID: {
		empty: func() object { return &appsv1.StatefulSet{} }, applied: true,
		template: []protowire.Number{2, 3, 2}, spec: func(o object) *corev1.PodSpec { return &o.(*appsv1.StatefulSet).Spec.Template.Spec },
	},
	inventory.DaemonSets.ID: {
		empty: func() object { return &appsv1.DaemonSet{} }, applied: true,
		template: []protowire.Number{2, 2, 2}, spec: func(o object) *corev1.PodSpec { return &o.(*appsv1.DaemonSet).Spec.Template.Spec },
	},
	inventory.Jobs.ID: {
		empty: func() object { return &batchv1.Job{} }, applied: true, status: true,
		template: []protowire.Number{2, 6, 2}, spec: func(o object) *corev1.PodSpec { return &o.(*batchv1.Job).Spec.Template.Spec },
	},
	inventory.CronJobs.ID: {
		empty: func() object { return &batchv1.CronJob{} }, applied: true, status: true,
		template: []protowire.Number{2, 5, 2, 6, 2}, spec: func(o object) *corev1.PodSpec {
			return &o.(*batchv1.CronJob).Spec.JobTemplate.Spec.Template.Spec
		},
	},
	inventory.ServiceAccounts.ID:                   {empty: func() object { return &corev1.ServiceAccount{} }},
	inventory.LimitRanges.ID:                       {empty: func() object { return &corev1.LimitRange{} }},
	inventory.ResourceQuotas.ID:                    {empty: func() object { return &corev1.ResourceQuota{} }},
	inventory.CertificateRequests.ID:               {empty: func() object { return &certificatesv1.CertificateSigningRequest{} }},
	inventory.NetworkPolicies.ID:                   {empty: func() object { return &networkingv1.NetworkPolicy{} }},
	inventory.Roles.ID:                             {empty: func() object { return &rbacv1.Role{} }},
	inventory.ClusterRoles.ID:                      {empty: func() object { return &rbacv1.ClusterRole{} }},
	inventory.RoleBindings.ID:                      {empty: func() object { return &rbacv1.RoleBinding{} }},
	inventory.ClusterRoleBindings.ID:               {empty: func() object { return &rbacv1.ClusterRoleBinding{} }},
	inventory.ValidatingAdmissionPolicies.ID:       {empty: func() object { return &admissionv1.ValidatingAdmissionPolicy{} }, status: true},
	inventory.ValidatingAdmissionPolicyBindings.ID: {empty: func() object { return &admissionv1.ValidatingAdmissionPolicyBinding{} }},
	inventory.MutatingAdmissionPolicies.ID:         {empty: func() object { return &admissionv1.MutatingAdmissionPolicy{} }},
	inventory.MutatingAdmissionPolicyBindings.ID:   {empty: func() object { return &admissionv1.MutatingAdmissionPolicyBinding{} }},
	inventory.ValidatingWebhookConfigurations.ID:   {empty: func() object { return &admissionv1.ValidatingWebhookConfiguration{} }},
	inventory.MutatingWebhookConfigurations.ID:     {empty: func() object { return &admissionv1.MutatingWebhookConfiguration{} }},
	inventory.ConfigMaps.ID:                        {empty: func() object { return &corev1.ConfigMap{} }, applied: true},
	inventory.Services.ID:                          {empty: func() object { return &corev1.Service{} }},
	inventory.EndpointSlices.ID:                    {empty: func() object { return &discoveryv1.EndpointSlice{} }},
	inventory.RuntimeClasses.ID:                    {empty: func() object { return &nodev1.RuntimeClass{} }},
	inventory.CSIDrivers.ID:                        {empty: func() object { return &storagev1.CSIDriver{} }},
	inventory.CSINodes.ID:                          {empty: func() object { return &storagev1.CSINode{} }},
}

// template makes the template of a ReplicationController, which alone may have
// none.
func template(t **corev1.PodTemplateSpec) *corev1.PodTemplateSpec {
	if *t == nil {
		*t = &corev1.PodTemplateSpec{}
	}
	return *t
}

// origins says where an object was read, and whether it is wanted.
type origins func(*metav1.ObjectMeta) (inventory.Origin, bool)

// decoder turns the objects of one list into evidence.
type decoder struct {
	shape shape
	pods  bool
	specs *specReader
	// maps has the labels and annotations that were seen, by their encoding.
	// They belong to this list alone: inventory.PutObject may take a key out.
	maps map[digest]map[string]string
	// saw, if set, is told of every object.
	saw func(m *metav1.ObjectMeta, decoded any)

	buffers [5][]byte
}

func newDecoder(k report.KindID, s *specs) *decoder {
	return &decoder{shape: shapes[k], pods: k == inventory.Pods.ID, specs: &specReader{specs: s}, maps: map[digest]map[string]string{}}
}

// protobuf puts the object that is encoded in msg, which it overwrites. One
// that origin does not want is left out.
func (d *decoder) protobuf(b *inventory.Builder, msg []byte, origin origins) error {
	meta, rest, spec := []byte(nil), d.buffers[0][:0], d.buffers[1][:0]
	var phase corev1.PodPhase
	err := fields(msg, func(x field) (err error) {
		switch {
		case x.num == objectMetadata && x.value != nil:
			meta = x.value
		case d.pods && x.num == objectStatus:
			return fields(x.value, func(y field) error {
				if y.num == podStatusPhase {
					phase = corev1.PodPhase(intern(string(y.value)))
				}
				return nil
			})
		case x.num == objectStatus && d.shape.status:
		case d.shape.template != nil && x.num == d.shape.template[0]:
			rest, spec, err = cut(x.raw, d.shape.template, rest, spec)
		default:
			rest = append(rest, x.raw...)
		}
		return err
	})
	d.buffers[0], d.buffers[1] = rest, spec
	if err != nil {
		return err
	}
	var m metav1.ObjectMeta
	if err := d.meta(meta, &m); err != nil {
		return err
	}
	o, ok := origin(&m)
	if !ok {
		return nil
	}
	if d.pods {
		podSpec, node, err := d.specs.decodePod(spec)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", m.Namespace, m.Name, err)
		}
		d.tell(&m, podSpec)
		inventory.PutPod(b, &m, podSpec, node, phase, o)
		return nil
	}
	obj := d.shape.empty()
	if err := obj.Unmarshal(rest); err != nil {
		return fmt.Errorf("%s/%s: %w", m.Namespace, m.Name, err)
	}
	*obj.GetObjectMeta().(*metav1.ObjectMeta) = m
	if len(spec) > 0 {
		shared, err := d.specs.decode(spec)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", m.Namespace, m.Name, err)
		}
		*d.shape.spec(obj) = *shared
	}
	d.tell(&m, obj)
	inventory.PutObject(b, obj, o)
	return nil
}

func (d *decoder) tell(m *metav1.ObjectMeta, decoded any) {
	if d.saw != nil {
		d.saw(m, decoded)
	}
}

// lastApplied is the key under which kubectl keeps a copy of the whole object.
var lastApplied = []byte(corev1.LastAppliedConfigAnnotation)

// meta decodes metadata without managedFields and kubectl's copy of the object.
func (d *decoder) meta(msg []byte, m *metav1.ObjectMeta) error {
	rest, labels, annotations := d.buffers[2][:0], d.buffers[3][:0], d.buffers[4][:0]
	err := fields(msg, func(x field) error {
		switch x.num {
		case metaManagedFields:
		case metaLabels:
			labels = append(labels, x.raw...)
		case metaAnnotations:
			copied := false
			err := fields(x.value, func(y field) error {
				copied = copied || y.num == mapKey && bytes.Equal(y.value, lastApplied)
				return nil
			})
			if err != nil || copied && !d.shape.applied {
				return err
			}
			annotations = append(annotations, x.raw...)
		default:
			rest = append(rest, x.raw...)
		}
		return nil
	})
	d.buffers[2], d.buffers[3], d.buffers[4] = rest, labels, annotations
	if err != nil {
		return err
	}
	if err := m.Unmarshal(rest); err != nil {
		return err
	}
	m.Namespace = intern(m.Namespace)
	for i := range m.OwnerReferences {
		o := &m.OwnerReferences[i]
		o.APIVersion, o.Kind, o.Name, o.UID = intern(o.APIVersion), intern(o.Kind), intern(o.Name), unique.Make(o.UID).Value()
	}
	if m.Labels, err = d.stringMap(labels); err != nil {
		return err
	}
	m.Annotations, err = d.stringMap(annotations)
	return err
}

// stringMap decodes labels or annotations, equal ones into one map.
func (d *decoder) stringMap(msg []byte) (map[string]string, error) {
	if len(msg) == 0 {
		return nil, nil
	}
	key := digest(sha256.Sum256(msg))
	if m, ok := d.maps[key]; ok {
		return m, nil
	}
	var holder metav1.ObjectMeta
	if err := holder.Unmarshal(msg); err != nil {
		return nil, err
	}
	// One of the two is empty: the field numbers differ.
	m := internMap(holder.Labels)
	if m == nil {
		m = internMap(holder.Annotations)
	}
	d.maps[key] = m
	return m, nil
}

// json puts an object that came as JSON, by way of the other encoding: a proxy
// that speaks nothing else is rare, and there is one way in.
func (d *decoder) json(b *inventory.Builder, text []byte, origin origins) error {
	obj := d.shape.empty()
	if err := json.Unmarshal(text, obj); err != nil {
		// The error of the decoder may quote a value.
		return errors.New("an object does not have the fields of its kind")
	}
	msg, err := obj.Marshal()
	if err != nil {
		return err
	}
	return d.protobuf(b, msg, origin)
}
