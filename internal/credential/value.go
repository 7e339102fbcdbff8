package credential

import (
	"regexp"
	"strings"
)

// references begin or hold what is filled in elsewhere.
var (
	refPrefixes = []string{
		"vault:", "ref+", "op://", "sm://", "awssm:", "awsssm:", "ssm:", "arn:", "projects/", "secretsmanager:", "gcpsm:", "akv:", "azurekeyvault:",
		"file:", "env:", "env.", "enc[", "enc(", "ansible_vault", "$ansible_vault", "@microsoft.keyvault", "!vault", "!secret", "!env", "!ref", "!getatt",
		"file(", "secret:", "secret://", "k8s://", "keystore:", "crypt:", "{cipher}", "__", "@@", "vault(", "azure:", "asm:", "data.", "var.", "local.", "random_", "module.",
		"os.", "process.", "self.", "this.", "config.", "cfg.", "args.", "options.", "opts.", "req.", "request.", "params.", "settings.", "ngx.", "env[", "context.", "ctx.", "$", ".values", "values.", "http://", "https://",
	}
	refParts = []string{"${", "$(", "{{", "}}", "<%", "%(", "#{", "[[", "@@", "%{", "\\$", "`", "<<"}
)

// stands are values that say what belongs there instead of being it.
var stands = words(`true false yes no on off null nil none undefined empty unset default optional required enabled disabled enable disable auto random generated generate
	string str text bool boolean int integer number object array varchar bytes byte keyword char float any list map set dict
	todo tbd fixme redacted masked hidden removed secret-here example sample dummy placeholder insert-here replaceme replace-me replace_me fill-me-in fillme change_me_please
	plain basic bearer oauth oauth2 oidc ldap saml jwt peer trust md5 scram-sha-256 scram-sha-512 sha256 sha512 bcrypt mysql_native_password caching_sha2_password kubernetes vault env file
	value key token username userid apikey api-key x-api-key authorization n/a na unknown prompt ask input foo bar baz foobar`)

var (
	// hashes are not secrets by the specification: crypt(3) and its kin, LDAP
	// schemes, digests with their name, MySQL's "*" with 40 digits.
	hashRe = regexp.MustCompile(`^(?:\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2[id]{0,2}|scrypt|pbkdf2[^$]*|sha1|md5)\$|\{(?:S?SHA(?:256|512)?|S?MD5|CRYPT|PBKDF2[^}]*|BCRYPT)\}|(?i:sha(?:1|224|256|384|512)|md5|pbkdf2[a-z0-9_:-]*|scram-sha-256|bcrypt|argon2i?d?)[:$-]|\*[0-9A-F]{40}$|md5[0-9a-f]{32}$|sha1\$|h1:)`)
	// maskRe is what stands for something taken out.
	maskRe = regexp.MustCompile(`^(?:[xX]{3,}|[*•#.]{3,}|\.\.\.|-+|_+|0{6,}|<.*>|\[[^\]]*\]|\(.*\)|%[A-Za-z0-9_]+%|&lt;.*|@[A-Za-z0-9_.-]+@)$`)
	// askRe tells the reader to put something there.
	askRe = regexp.MustCompile(`(?i)^(?:(?:please[-_ ])?(?:replace|insert|enter|put|provide|set|fill|add|paste|use|supply)[-_ ]?(?:me|it|this|here|in|with|your|the|a|own|default)\b.*|(?:your|my-own|the|some)[-_ ]?[a-z0-9_ -]*(?:password|passwd|pass|secret|token|key|here|value|credentials?)[a-z0-9_ -]*|.*[-_ ](?:goes[-_ ])?here|.*\bplaceholder\b.*|todo\b.*|.*_redacted_?|redacted.*)$`)
	// pathRe is a file; a token in base64 may begin with a slash as well, but
	// does not consist of words.
	pathRe = regexp.MustCompile(`^(?:~|\.{1,2}|[A-Za-z]:|file:/)?[/\\][A-Za-z0-9_.@+ -]*(?:[/\\][A-Za-z0-9_.@+ -]+)*[/\\]?$|^[a-z0-9_.-]+(?:/[a-z0-9_.-]+)+$`)
	// changeRe is what stands until somebody changes it: in use, where a process
	// receives it as it is.
	changeRe = regexp.MustCompile(`(?i)^(?:please)?[-_]?change[-_]?(?:me|this)[-_a-z]*[0-9!]*$`)
	uuidRe   = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	identRe  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(?:(?:\.|::|->)[A-Za-z_][A-Za-z0-9_]*)+$`)
)

// where a value stands decides what is believed of it.
type where struct {
	// whole is a value that a process receives as it is: a literal of an env
	// variable, an item, an argument.
	whole bool
	// quoted is a string literal; without quotes code has a variable there.
	quoted bool
	// code, prose: program text, and text for people (documents, comments,
	// translations), where only a random value is more than an example.
	code, prose bool
}

// literal says that v is a value by itself: neither a reference, nor a place
// holder, nor a path, a hash or a word of a configuration language.
func literal(v string, w where) bool {
	if len(v) < 3 {
		return false
	}
	if len(v) > 256 { // what people write is shorter
		return random(v[:256]) && !strings.Contains(v, " ")
	}
	low := strings.ToLower(v[:min(len(v), 64)])
	for _, p := range refPrefixes {
		if strings.HasPrefix(low, p) && !(p == "$" && w.whole && !identLike(v[1:])) {
			return false
		}
	}
	for _, p := range refParts {
		if strings.Contains(v, p) {
			return false
		}
	}
	_, second, _ := strings.Cut(v, ":") // a line of htpasswd
	if stands[low] || hashRe.MatchString(v) || hashRe.MatchString(second) || maskRe.MatchString(v) || askRe.MatchString(v) {
		return false
	}
	if !w.whole && changeRe.MatchString(v) {
		return false
	}
	if pathRe.MatchString(v) && !random(v) {
		return false
	}
	if !w.quoted && !w.whole && (identRe.MatchString(v) || strings.ContainsAny(v[:1], "{[&*!>|(@%") || strings.Contains(v, "(") && strings.HasSuffix(v, ")")) {
		return false
	}
	return true
}

func identLike(s string) bool {
	for i := range len(s) {
		if !alnum(s[i]) && s[i] != '_' {
			return false
		}
	}
	return s != ""
}

// confidential judges a value under a name.
func confidential(p promise, v string, w where) bool {
	if p.class == none || !literal(v, w) {
		return false
	}
	if w.prose || w.code && !w.quoted {
		return random(v) && !strings.ContainsAny(v, " ()")
	}
	switch {
	case p.class == password:
		return passwordLike(v, w)
	case w.whole && (changeRe.MatchString(v) || p.class == strong && p.rule != "access-key" && defaults[strings.ToLower(v)]):
		return true
	case p.class == strong:
		return !strings.ContainsAny(v, " \t") && (random(v) || uuidRe.MatchString(v) || keyLike(v, p, w))
	}
	return !strings.ContainsAny(v, " \t") && random(v) && !uuidRe.MatchString(v)
}

// defaults are words that programs come with, and that people begin with. As
// the whole value under a name like "secret key" they are in use; elsewhere they
// may as well name something.
var defaults = words(`password passwd passwort pass passw0rd p@ssword p@ssw0rd password1 secret supersecret mysecret topsecret verysecret secret123 admin administrator
	admin123 root toor guest minioadmin minio123 rustfsadmin letmein qwerty test123 1234 12345 123456 1234567 12345678 123456789`)

// passwordLike: people choose words as passwords, so nearly anything is one.
func passwordLike(v string, w where) bool {
	if n := strings.Count(v, " "); n > 0 && (!w.whole || n > 5 || strings.ContainsAny(v[len(v)-1:], "?.:")) {
		return false
	}
	digits := true
	for i := range len(v) {
		digits = digits && digit(v[i])
	}
	return !digits || len(v) >= 4
}

// keyLike believes a chosen secret under a name that says what it is for, where
// it cannot be the name of an object.
func keyLike(v string, p promise, w where) bool {
	if len(v) < 8 || strings.HasSuffix(p.rule, "key") && !w.whole {
		return false
	}
	if objectName(v) {
		return w.whole && p.rule == "secret" && !nounRe.MatchString(v) && strings.ContainsAny(v, "0123456789")
	}
	kinds := 0
	for _, k := range []func(byte) bool{upper, small, digit, func(c byte) bool { return !alnum(c) && c != '-' && c != '_' && c != '.' }} {
		if strings.ContainsFunc(v, func(r rune) bool { return r < 128 && k(byte(r)) }) {
			kinds++
		}
	}
	return kinds >= 3 || kinds == 2 && strings.ContainsAny(v, "0123456789")
}

// nounRe ends the names of Kubernetes Secrets.
var nounRe = regexp.MustCompile(`(?i)(?:secrets?|creds?|credentials?|tls|certs?|keys?|tokens?|auth|config)$`)

// objectName says that v could name a Kubernetes object: words in small
// letters with hyphens, and numbers at most as words of their own.
func objectName(v string) bool {
	for i := range len(v) {
		if !small(v[i]) && !digit(v[i]) && v[i] != '-' && v[i] != '.' && v[i] != '_' {
			return false
		}
	}
	return strings.ContainsAny(v, "-._") || strings.TrimRight(v, "0123456789") == v
}

// random says that v was drawn, not written: few of its characters belong to
// words, or small pieces of letters and digits take turns.
func random(v string) bool {
	if len(v) < 12 || strings.Contains(v, "://") || strings.Contains(v, "@") && strings.Contains(v, ".") {
		return false
	}
	wordy, digitRuns, letters, short, seen := 0, 0, 0, 0, [256]bool{}
	distinct := 0
	for i := 0; i < len(v); {
		if !seen[v[i]] {
			seen[v[i]], distinct = true, distinct+1
		}
		j := i + 1
		switch {
		case digit(v[i]):
			for j < len(v) && digit(v[j]) {
				j++
			}
			if i > 0 && alnum(v[i-1]) || j < len(v) && alnum(v[j]) {
				digitRuns++
			}
		case alnum(v[i]):
			for j < len(v) && (small(v[j]) || upper(v[j]) && upper(v[j-1])) {
				j++
			}
			letters += j - i
			if word(v[i:j]) {
				wordy += j - i
			} else if j-i < 4 && (i > 0 && alnum(v[i-1]) || j < len(v) && alnum(v[j])) {
				short++
			}
		default:
			wordy++ // signs divide words; in base64 there are few
		}
		for k := i + 1; k < j; k++ {
			if !seen[v[k]] {
				seen[v[k]], distinct = true, distinct+1
			}
		}
		i = j
	}
	if distinct < 8 || letters == 0 && digitRuns == 0 {
		return false
	}
	return digitRuns >= 3 && wordy*10 < len(v)*6 || short >= 5 && wordy*2 < len(v) || wordy*10 < len(v)*3 && letters > 0
}

// word says that letters can be spoken: vowels among them, and no cluster of
// consonants that no language has.
func word(s string) bool {
	if len(s) < 4 {
		return false
	}
	vowels, cluster := 0, 0
	for i := range len(s) {
		switch lower(s[i]) {
		case 'a', 'e', 'i', 'o', 'u', 'y':
			vowels++
			cluster = 0
		default:
			if cluster++; cluster > 4 {
				return false
			}
		}
	}
	return vowels*6 >= len(s)
}
