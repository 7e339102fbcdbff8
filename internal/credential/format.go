package credential

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// pem looks at a block that begins at pos. One with a passphrase counts: what
// opens it is often beside it, and can be guessed at leisure. The line ends may
// be escaped, as in JSON.
func (f *finder) pem(text string, pos int) {
	block := text[pos:min(len(text), pos+16<<10)]
	label, body, ok := strings.Cut(block[len("-----BEGIN"):], "-----")
	if !ok || len(label) > 40 || !strings.Contains(label, "PRIVATE KEY") {
		return
	}
	body, _, _ = strings.Cut(body, "-----")
	title := "a private key"
	if strings.Contains(label, "ENCRYPTED") || strings.Contains(body, "ENCRYPTED") {
		title = "an encrypted private key"
	} else if strings.Contains(text[max(0, pos-4096):pos], `"service_account"`) {
		title = "the private key of a Google Cloud service account"
	}
	body = strings.ReplaceAll(strings.ReplaceAll(body, `\r`, ""), `\n`, "\n")
	// the longest run of base64 on a line; a pattern or an ellipsis has none
	longest := ""
	for l := range strings.FieldsSeq(body) {
		if run := prefix(l, isBase64); len(run) > len(longest) {
			longest = run
		}
	}
	if len(longest) >= 16 && distinct(longest) >= 8 {
		f.add("private-key", title, f.here(text, pos), longest, text, pos)
	}
}

// jwt looks at a signed JSON web token (RFC 7519) that begins at pos. One without
// a payload is the signature of something else, such as those of the kubeconfig
// in kubeadm's ConfigMap cluster-info (RFC 7515, appendix F).
func (f *finder) jwt(text string, pos int) {
	if pos > 0 && (isBase64URL(text[pos-1]) || text[pos-1] == '.') {
		return
	}
	run := prefix(text[pos:min(len(text), pos+8<<10)], func(c byte) bool { return isBase64URL(c) || c == '.' })
	f.done[aJWT] = pos + len(run)
	parts := strings.SplitN(run, ".", 4)
	if len(parts) != 3 || parts[1] == "" || len(parts[2]) < 16 {
		return
	}
	var head struct {
		Alg string `json:"alg"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &head) != nil || head.Alg == "" || strings.EqualFold(head.Alg, "none") {
		return
	}
	name := f.here(text, pos)
	for _, w := range split(name, nil) {
		if elsewhere[w] {
			return // Supabase and others publish a token for anonymous users
		}
	}
	f.add("jwt", "a signed JSON web token", name, strings.Join(parts, "."), text, pos)
}

// url looks at an address whose "://" ends at pos.
func (f *finder) url(text string, pos int) {
	authority := text[pos:min(len(text), pos+1024)]
	if i := strings.IndexAny(authority, "/ \t\r\n\"'<>?#`\\|,"); i >= 0 {
		authority = authority[:i]
	}
	at := strings.LastIndexByte(authority, '@')
	if at < 0 || pos < 4 || !alnum(text[pos-4]) {
		return
	}
	user, pass, ok := strings.Cut(authority[:at], ":")
	f.userinfo(user, pass, ok, text, pos)
}

// examples are the users of addresses in documentation.
var examples = words("user username usr login foo me myuser someuser")

// userinfo judges "user:password" before a host. A user that is called user
// has the password of an example.
func (f *finder) userinfo(user, pass string, ok bool, text string, pos int) {
	low := strings.ToLower(pass)
	example := stands[strings.ToLower(user)] || examples[strings.ToLower(user)]
	if !ok || strings.ContainsAny(user, "${<%*") || example && (passwords[low] || len(pass) < 8 || strings.HasPrefix(low, "my")) || low == "password" && f.kind.code {
		return
	}
	if literal(pass, where{quoted: true}) && (!f.prose(text, pos) || random(pass)) {
		f.add("url-password", "a password in an address", f.here(text, pos), pass, text, pos)
	}
}

// dsn looks at a data source name of Go's MySQL driver: user:password@tcp(host).
func (f *finder) dsn(text string, at int) {
	start := max(0, at-256)
	if i := strings.LastIndexAny(text[start:at], " \t\r\n\"'=`"); i >= 0 {
		start += i + 1
	}
	user, pass, ok := strings.Cut(text[start:at], ":")
	f.userinfo(user, pass, ok && identLike(strings.ReplaceAll(user, "-", "_")), text, start)
}

// header looks at the credentials of an Authorization header (RFC 9110): pos is
// behind "Bearer " or "Basic ".
func (f *finder) header(text string, pos int, scheme string) {
	start := pos - len(scheme) - 1
	value := prefix(text[pos:min(len(text), pos+4096)], func(c byte) bool { return alnum(c) || strings.IndexByte("._~+/=-", c) >= 0 })
	if start > 0 && alnum(text[start-1]) || len(value) < 6 {
		return
	}
	if scheme == "bearer" {
		known := start == 0 || strings.Contains(strings.ToLower(text[max(0, start-32):start]), "authorization")
		if literal(value, where{}) && (random(value) || known && strings.ContainsAny(value, "0123456789") && !f.prose(text, pos)) {
			f.add("bearer-token", "a bearer token", f.here(text, start), value, text, start)
		}
		return
	}
	if user, pass, ok := userPass(value); ok && user != "" && literal(pass, where{whole: true}) {
		f.add("basic-auth", "the name and password of HTTP basic authentication", f.here(text, start), value, text, start)
	}
}

// userPass decodes base64 of "name:password".
func userPass(s string) (user, pass string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || !printable(raw) {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}

// base64 searches the layer below a value that is base64 as a whole.
func (f *finder) base64(s string) bool {
	if len(s) < 16 || len(s) > maxBlob {
		return false
	}
	raw, ok := decode(s)
	if !ok || !printable(raw) && !der(string(raw)) {
		return false
	}
	before := len(f.found)
	f.below(string(raw))
	return len(f.found) > before
}

// pemLayer decodes a block of PEM that is base64 once more, as in a kubeconfig.
func (f *finder) pemLayer(text string, pos int) {
	run := prefix(text[pos:min(len(text), pos+64<<10)], func(c byte) bool { return isBase64(c) || c == '=' })
	f.done[aPEMLayer] = pos + len(run)
	if raw, ok := decode(run); ok && bytes.Contains(raw, []byte("PRIVATE KEY")) {
		inner := &finder{}
		inner.text(string(raw))
		for _, x := range inner.found {
			f.add(x.Rule, x.Title, f.here(text, pos), run, text, pos)
		}
	}
}

// below searches what was decoded; lines there mean nothing to a reader.
func (f *finder) below(text string) {
	inner := &finder{key: f.key, stack: f.stack, arg: f.arg, layer: f.layer + 1, kind: f.kind}
	inner.item(text)
	for _, x := range inner.found {
		x.Line = 0
		f.found = append(f.found, x)
	}
}

// decode reads base64 of any alphabet, on one line or several.
func decode(s string) ([]byte, bool) {
	for i := range len(s) {
		if c := s[i]; !isBase64(c) && strings.IndexByte("-_=\r\n", c) < 0 {
			return nil, false
		}
	}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding} {
		if raw, err := e.DecodeString(s); err == nil { // it skips line ends
			return raw, true
		}
	}
	return nil, false
}

// keyBags are the object identifiers of PKCS #12 (RFC 7292, appendix D) for a
// private key, plain and encrypted.
var keyBags = [][]byte{
	{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01},
	{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02},
}

// binary looks for keys in key stores and DER, and says whether value is such.
func (f *finder) binary(value string) bool {
	if !der(value) {
		return false
	}
	raw := []byte(value)
	// A Java key store (JKS, JCEKS): version and number of entries, and the tag
	// of the first entry, 1 for a private key, 2 for a trusted certificate.
	if raw[0] != 0x30 {
		if len(raw) > 16 && raw[15] == 1 {
			f.add("private-key", "a Java key store with a private key", "", value, value, 0)
		}
		return true
	}
	for _, bag := range keyBags {
		if bytes.Contains(raw, bag) {
			f.add("private-key", "a PKCS #12 key store with a private key", "", value, value, 0)
			return true
		}
	}
	if len(raw) < 16<<10 && privateDER(raw) {
		f.add("private-key", "a private key", "", value, value, 0)
	}
	return true
}

func privateDER(raw []byte) bool {
	if _, err := x509.ParsePKCS8PrivateKey(raw); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PrivateKey(raw); err == nil {
		return true
	}
	_, err := x509.ParseECPrivateKey(raw)
	return err == nil
}

// der says that b begins as an ASN.1 sequence or a Java key store does.
func der(b string) bool {
	return len(b) > 4 && (b[0] == 0x30 && (b[1] >= 0x81 && b[1] <= 0x84 || b[1] < 0x80 && int(b[1]) == len(b)-2) ||
		strings.HasPrefix(b, "\xfe\xed\xfe\xed") || strings.HasPrefix(b, "\xce\xce\xce\xce"))
}

func printable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

func isBase64(c byte) bool    { return alnum(c) || c == '+' || c == '/' }
func isBase64URL(c byte) bool { return alnum(c) || c == '-' || c == '_' }

// prefix is the longest beginning of s of such characters.
func prefix(s string, is func(byte) bool) string {
	for i := range len(s) {
		if !is(s[i]) {
			return s[:i]
		}
	}
	return s
}

func distinct(s string) int {
	seen := map[byte]bool{}
	for i := range len(s) {
		seen[s[i]] = true
	}
	return len(seen)
}
