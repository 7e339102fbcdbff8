package kubeapi

import (
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"unicode"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// redactor takes credentials out of texts: servers and libraries quote in their
// errors what they were given.
type redactor struct {
	mu     sync.Mutex
	values []string
}

// shortest is the length from which on a value is taken out: anything shorter
// is part of ordinary words.
const shortest = 4

func (r *redactor) add(values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range values {
		if len(v) >= shortest && !slices.Contains(r.values, v) {
			r.values = append(r.values, v)
			// A value that contains another one goes first.
			slices.SortFunc(r.values, func(a, b string) int { return len(b) - len(a) })
		}
	}
}

// learn adds every credential of a kubeconfig.
func (r *redactor) learn(c clientcmdapi.Config) {
	for _, cluster := range c.Clusters {
		r.add(userinfo(cluster.Server)...)
		r.add(userinfo(cluster.ProxyURL)...)
	}
	for _, user := range c.AuthInfos {
		r.add(user.Token, user.Password, string(user.ClientKeyData))
		if user.AuthProvider != nil {
			for _, v := range user.AuthProvider.Config {
				r.add(v)
			}
		}
	}
}

// learnAuthorization adds the credentials of an Authorization header.
func (r *redactor) learnAuthorization(header string) {
	scheme, value, _ := strings.Cut(header, " ")
	r.add(value)
	if strings.EqualFold(scheme, "Basic") {
		if plain, err := base64.StdEncoding.DecodeString(value); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			r.add(string(plain), password)
		}
	}
}

// longest is the length at which the text of a server is cut.
const longest = 300

// clean makes a text of foreign origin fit for a report: one line, of bounded
// length, without credentials.
func (r *redactor) clean(text string) string {
	r.mu.Lock()
	for _, v := range r.values {
		text = strings.ReplaceAll(text, v, "[redacted]")
	}
	r.mu.Unlock()
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}
