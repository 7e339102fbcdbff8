package webhook

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// Authorities reads a CA bundle as the API server does: every PEM block of the
// type CERTIFICATE without headers that parses, others passed over. A bundle
// with no certificate gives none, and no call succeeds.
//
// A certificate need not be marked as a CA: one that is in the bundle itself is
// trusted as it stands, which is how self-signed serving certificates are used.
//
// https://github.com/kubernetes/client-go/blob/v0.37.2/transport/transport.go (rootCertPool)
func Authorities(bundle []byte) []*x509.Certificate {
	var out []*x509.Certificate
	for len(bundle) > 0 {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			out = append(out, c)
		}
	}
	return out
}

// Valid keeps the certificates whose validity covers a moment.
func Valid(all []*x509.Certificate, at time.Time) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range all {
		if !at.Before(c.NotBefore) && !at.After(c.NotAfter) {
			out = append(out, c)
		}
	}
	return out
}

// minRSA is the shortest RSA key that is still accepted for signatures, in bits.
// https://nvlpubs.nist.gov/nistpubs/SpecialPublications/NIST.SP.800-57pt1r5.pdf, table 2
const minRSA = 2048

// WeakKey says what is weak about the key of a certificate; empty if nothing is
// known to be. The signatures of the certificates in a bundle do not count:
// they are trusted as they stand, and nobody looks who signed them.
func WeakKey(c *x509.Certificate) string {
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA {
		return fmt.Sprintf("an RSA key of %d bits", key.N.BitLen())
	}
	return ""
}
