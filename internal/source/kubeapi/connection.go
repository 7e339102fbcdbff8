package kubeapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// connectionError is a request that got no whole answer.
type connectionError struct {
	text    string // says what to do; no credentials
	timeout bool
	// final is true where another try ends in the same way.
	final bool
}

func (e *connectionError) Error() string { return e.text }

// connectionError explains why there is no answer. It never repeats the
// address of the request, which may hold a password.
func (c *Client) connectionError(ctx context.Context, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	host := c.target.base.Host
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		header    tls.RecordHeaderError
		alert     tls.AlertError
		dns       *net.DNSError
		network   net.Error
	)
	final := func(format string, args ...any) error {
		return &connectionError{text: fmt.Sprintf(format, args...), final: true}
	}
	switch text := err.Error(); {
	case errors.As(err, &authority):
		return final("the certificate of %s is not signed by the authority in the kubeconfig: check certificate-authority-data of the cluster, or whether something between you and the cluster opens TLS", host)
	case errors.As(err, &name):
		return final("the certificate of %s is for another name: check the server address in the kubeconfig, or set tls-server-name there", host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return final("the certificate of %s is not valid at this time (%s to %s): renew it, or set the clock of this machine", host,
			invalid.Cert.NotBefore.UTC().Format(time.DateOnly), invalid.Cert.NotAfter.UTC().Format(time.DateOnly))
	case errors.As(err, &verify):
		return final("the certificate of %s cannot be verified: %s", host, c.secrets.clean(verify.Err.Error()))
	case errors.As(err, &alert):
		return final("%s refuses the TLS connection (%s): renew the client certificate in the kubeconfig", host, alert.Error())
	case errors.As(err, &header), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return final("%s does not speak TLS: check the server address in the kubeconfig", host)
	case strings.HasPrefix(text, "getting credentials: "):
		return final("%s", pluginFailure(text))
	case errors.As(err, &dns) && dns.IsNotFound:
		return final("the name %s is not known here: check the server address in the kubeconfig, and the VPN if the cluster needs one", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return &connectionError{text: fmt.Sprintf("nothing listens at %s: is the cluster running, and its address right?", host)}
	case errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil, errors.As(err, &network) && network.Timeout():
		return &connectionError{text: fmt.Sprintf("no whole answer from %s within %s", host, c.options.Timeout), timeout: true}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET),
		strings.HasPrefix(text, "stream error:"): // the same by HTTP/2, whose error types the library hides
		return &connectionError{text: fmt.Sprintf("%s closed the connection in the middle of an answer", host)}
	default:
		return &connectionError{text: fmt.Sprintf("no answer from %s: %s", host, c.secrets.clean(text))}
	}
}

// pluginFailure keeps of a credential plugin's failure what cannot hold a
// credential: decoding errors quote the plugin's output.
func pluginFailure(text string) string {
	const what = "the credential plugin of the kubeconfig "
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "getting credentials: "), "\n")
	command, ran := strings.CutPrefix(text, "exec: executable ")
	switch {
	case ran && strings.HasSuffix(command, " not found"):
		return what + "is not installed: " + command
	case ran:
		return what + "did not work: " + command
	case strings.HasPrefix(text, "exec plugin cannot support interactive mode"):
		return what + "wants to ask something: run \"kubectl get namespaces\" once to log in"
	default:
		return what + "answered with something that is not a credential; run \"kubectl get namespaces\" to see whether it works there"
	}
}

// unauthorized says why the server does not accept the credentials.
func (t target) unauthorized(now time.Time) string {
	text := fmt.Sprintf("%s does not accept the credentials of the kubeconfig: log in again, and check that \"kubectl get namespaces\" works", t.base.Host)
	block, _ := pem.Decode(t.clientCert)
	if block == nil {
		return text
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err == nil && now.After(cert.NotAfter) {
		return fmt.Sprintf("the client certificate of the kubeconfig expired on %s: renew it", cert.NotAfter.UTC().Format(time.DateOnly))
	}
	return text
}
