package inventory

import (
	"crypto/x509"
	"encoding/pem"

	certificatesv1 "k8s.io/api/certificates/v1"
)

// certificateRequest reads the request in a CertificateSigningRequest, which is
// public. The API server takes the first PEM block.
//
// https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/certificates/v1/helpers.go (ParseCSR)
func certificateRequest(x *certificatesv1.CertificateSigningRequest) CertificateRequest {
	r := CertificateRequest{Meta: meta(&x.ObjectMeta), Signer: x.Spec.SignerName, Issued: len(x.Status.Certificate) > 0}
	for _, c := range x.Status.Conditions {
		r.Refused = r.Refused || c.Type == certificatesv1.CertificateDenied || c.Type == certificatesv1.CertificateFailed
	}
	block, _ := pem.Decode(x.Spec.Request)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		r.Unreadable = "it is not a certificate request in PEM"
		return r
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		r.Unreadable = err.Error()
		return r
	}
	r.User, r.Groups = request.Subject.CommonName, request.Subject.Organization
	return r
}
