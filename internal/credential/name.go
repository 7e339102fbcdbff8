package credential

import (
	"slices"
	"strings"
)

// class is what a name promises of its value.
type class int

const (
	none class = iota
	// password: whatever is there is in use.
	password
	// strong names a secret by its use: "client secret", "api key".
	strong
	// weak is a word that also names other things ("secret: db-credentials" is
	// the name of a Secret): only a value that looks random is believed.
	weak
)

// promise is a name that was understood.
type promise struct {
	class class
	rule  string // "password", "secret", "token", "key", "access-key"
}

var titles = map[string]string{"password": "a password", "secret": "a secret", "token": "a token", "key": "a key", "access-key": "an access key"}

// trailing words say nothing of what they follow.
var trailing = words("value values content contents data plain plaintext text string base64 b64 prod production dev staging test default old new current previous primary secondary override env")

// elsewhere are words that say that the value is not the secret itself but
// something about it, wherever they stand in a name.
var elsewhere = words("hash hashed hashes bcrypt digest checksum public pub publishable encrypted placeholder existing anon anonymous prompt hint label regex pattern csrf xsrf format masked fingerprint")

var passwords = words("password passwords passwd passwort passphrase passcode pwd pass psw masterauth requirepass bindpw rootpw rootpass userpass dbpass smtppass sshpass kennwort motdepasse")

// usesOfSecret stand before "secret" where the value is the secret, usesOfKey
// before "key". Before "secret" many other words stand in names of Secrets.
var (
	usesOfSecret = words("jwt client session cookie app application api oauth oauth2 oidc signing sign shared consumer webhook hmac auth nextauth token encryption encrypt access hook flask rails hash erlang deploy push bot slack github gitlab google azure idp sso saml")
	usesOfKey    = words("api access secret private encryption encrypt crypt crypto signing sign auth account storage license master shared session app application cookie service admin deploy integration write subscription functions batch aes hmac jwt token webhook routing user rest server ingest fernet aead datadog dd sendgrid stripe openai pagerduty opsgenie mailgun twilio algolia client ssh rsa tls host")
	notOfKey     = words("partition sort cache row primary foreign object idempotency public annotation label topology config registry group map index lookup name tag field password passwd username file column join hash shard entry s3 bucket site tracking measurement")
)

// understand reads a name such as "spring.datasource.password", "DB_PASS",
// "clientSecret" or "--api-key": the last words decide.
func understand(name string) promise {
	if strings.HasPrefix(name, "checksum/") {
		return promise{} // Helm's annotation
	}
	if i := strings.LastIndexAny(name, "./:"); i >= 0 && i < len(name)-1 {
		name = name[i+1:]
	}
	var buf [12]string
	ws := split(name, buf[:0])
	for _, w := range ws {
		if elsewhere[w] {
			return promise{}
		}
	}
	for len(ws) > 1 && trailing[ws[len(ws)-1]] {
		ws = ws[:len(ws)-1]
	}
	if len(ws) == 0 {
		return promise{}
	}
	last, before := ws[len(ws)-1], ""
	if len(ws) > 1 {
		before = ws[len(ws)-2]
	}
	p := classify(last, before, ws[0], len(ws))
	if p.rule == "key" && before == "access" && !slices.Contains(ws, "secret") {
		p.rule = "access-key" // it may be a credential by itself, and may name the account (S3)
	}
	return p
}

func classify(last, before, first string, n int) promise {
	switch {
	case last == "htpasswd", strings.HasPrefix(last, "nopass"):
		return promise{}
	case last == "base" && before == "key": // Rails: SECRET_KEY_BASE
		return promise{strong, "key"}
	case passwords[last], strings.HasSuffix(last, "password"), strings.HasSuffix(last, "passwd"), strings.HasSuffix(last, "passphrase"):
		if before == "proxy" || before == "fastcgi" || before == "uwsgi" || before == "grpc" || before == "by" || before == "show" || before == "no" {
			return promise{}
		}
		return promise{password, "password"}
	case last == "pw" && before != "":
		return promise{password, "password"}
	case last == "secret" || last == "secrets":
		if usesOfSecret[before] {
			return promise{strong, "secret"}
		}
		return promise{weak, "secret"}
	case strings.HasSuffix(last, "clientsecret"), strings.HasSuffix(last, "jwtsecret"), strings.HasSuffix(last, "appsecret"), strings.HasSuffix(last, "apisecret"):
		return promise{strong, "secret"}
	case last == "token" && before == "cluster" && first == "initial":
		return promise{} // etcd: it tells clusters apart
	case last == "token" || strings.HasSuffix(last, "token") || last == "pat" && n > 1:
		return promise{strong, "token"}
	case last == "auth" || last == "credential" || last == "credentials":
		return promise{weak, "secret"}
	case strings.HasSuffix(last, "apikey"), strings.HasSuffix(last, "accesskey"), strings.HasSuffix(last, "secretkey"), last == "authkey", last == "accountkey", last == "privatekey":
		return promise{strong, "key"}
	case last == "key" || last == "keys":
		if before == "" || notOfKey[before] {
			return promise{}
		}
		if usesOfKey[before] {
			return promise{strong, "key"}
		}
		return promise{weak, "key"}
	}
	return promise{}
}

// split cuts a name into words, in lower case: at every sign, and where a small
// letter or digit stands before a capital. Numbers at the end fall away.
func split(name string, ws []string) []string {
	start := -1
	flush := func(end int) {
		if start < 0 {
			return
		}
		w := strings.TrimRight(name[start:end], "0123456789")
		if w != "" {
			ws = append(ws, strings.ToLower(w))
		}
		start = -1
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case !alnum(c):
			flush(i)
			continue
		case start >= 0 && upper(c) && (!upper(name[i-1]) || i+1 < len(name) && small(name[i+1])):
			flush(i)
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(name))
	return ws
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
func small(c byte) bool { return 'a' <= c && c <= 'z' }
func digit(c byte) bool { return '0' <= c && c <= '9' }
func alnum(c byte) bool { return upper(c) || small(c) || digit(c) }

func words(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		m[w] = true
	}
	return m
}
