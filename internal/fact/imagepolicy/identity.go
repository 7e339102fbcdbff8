package imagepolicy

import "strings"

// identity is who has to sign without a key, by the name of whoever vouches for
// the signer and the signer's own, each written down or as an expression.
type identity struct{ issuer, issuerRegExp, subject, subjectRegExp string }

// public are the issuers that vouch for whoever signs up with them, by what
// the subject begins with that says no more than that.
//
// https://github.com/sigstore/fulcio/blob/main/config/identity/config.yaml
// https://docs.sigstore.dev/certificate_authority/oidc-in-fulcio/
var public = map[string]string{
	"https://accounts.google.com":                 "",
	"https://agent.buildkite.com":                 "",
	"https://github.com/login/oauth":              "",
	"https://gitlab.com":                          "https://gitlab.com/",
	"https://oauth2.sigstore.dev/auth":            "",
	"https://token.actions.githubusercontent.com": "https://github.com/",
}

// anybody reports whether the identity is one that everybody can have: it does
// not say who signs, and who vouches for that is anyone or an issuer that
// everybody can sign up with.
func (id identity) anybody() bool {
	anyIssuer := wild(id.issuer) && anything(id.issuerRegExp)
	for issuer, home := range public {
		named := plain(id.issuerRegExp) == issuer || id.issuer == issuer
		if (anyIssuer || named) && wild(strings.TrimPrefix(id.subject, home)) && anything(strings.TrimPrefix(plain(id.subjectRegExp), home)) {
			return true
		}
	}
	return false
}

// plain is a regular expression without its anchors and escapes.
func plain(expr string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(expr, "^"), "$"), `\`, "")
}

// anything reports whether a regular expression, if there is one, matches all.
func anything(expr string) bool {
	switch plain(expr) {
	case "", ".*", ".+":
		return true
	}
	return false
}

// wild reports whether a name, if there is one, stands for all.
func wild(name string) bool { return strings.Trim(name, "*") == "" }
