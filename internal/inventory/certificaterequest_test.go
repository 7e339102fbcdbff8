package inventory

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestCertificateRequests(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	der, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "ann", Organization: []string{"system:masters"}}}, key)
	if err != nil {
		t.Fatal(err)
	}
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	for _, tt := range []struct {
		name    string
		request []byte
		status  certificatesv1.CertificateSigningRequestStatus
		want    CertificateRequest
	}{
		{"pending", good, certificatesv1.CertificateSigningRequestStatus{}, CertificateRequest{User: "ann", Groups: []string{"system:masters"}}},
		{"issued", good, certificatesv1.CertificateSigningRequestStatus{Certificate: []byte("x")}, CertificateRequest{User: "ann", Groups: []string{"system:masters"}, Issued: true}},
		{"denied", good, certificatesv1.CertificateSigningRequestStatus{Conditions: []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateDenied}}},
			CertificateRequest{User: "ann", Groups: []string{"system:masters"}, Refused: true}},
		{"not PEM", []byte("x"), certificatesv1.CertificateSigningRequestStatus{}, CertificateRequest{Unreadable: "it is not a certificate request in PEM"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &Builder{}
			PutObject(b, &certificatesv1.CertificateSigningRequest{
				ObjectMeta: metav1.ObjectMeta{Name: "csr"}, Spec: certificatesv1.CertificateSigningRequestSpec{Request: tt.request}, Status: tt.status,
			}, Origin{})
			v := b.Seal(time.Time{}).View([]Need{CertificateRequests.Need()})
			for o := range All(v, CertificateRequests) {
				if d := cmp.Diff(tt.want, o.Value); d != "" {
					t.Error(d)
				}
			}
			if Len(v, CertificateRequests) != 1 {
				t.Error("it is not there")
			}
		})
	}
}

// Whatever a request holds, it is parsed or said to be unreadable.
func FuzzCertificateRequest(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"))
	f.Fuzz(func(t *testing.T, request []byte) {
		r := certificateRequest(&certificatesv1.CertificateSigningRequest{Spec: certificatesv1.CertificateSigningRequestSpec{Request: request}})
		if r.Unreadable != "" && (r.User != "" || r.Groups != nil) {
			t.Errorf("%+v", r)
		}
	})
}
