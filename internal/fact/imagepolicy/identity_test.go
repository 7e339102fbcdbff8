package imagepolicy

import "testing"

func TestAnybody(t *testing.T) {
	const actions, google = "https://token.actions.githubusercontent.com", "https://accounts.google.com"
	for name, test := range map[string]struct {
		identity
		want bool
	}{
		"nothing":                   {identity{}, true},
		"all wild":                  {identity{issuer: "*", subjectRegExp: "^.*$"}, true},
		"whoever has an account":    {identity{issuer: google, subject: "*"}, true},
		"every workflow":            {identity{issuer: actions, subjectRegExp: ".+"}, true},
		"every repository":          {identity{issuer: actions, subjectRegExp: `^https://github\.com/.*$`}, true},
		"every repository, by name": {identity{issuerRegExp: `^https://token\.actions\.githubusercontent\.com$`, subject: "https://github.com/*"}, true},
		"every project":             {identity{issuer: "https://gitlab.com", subject: "https://gitlab.com/*"}, true},
		"one repository":            {identity{issuer: actions, subjectRegExp: "^https://github.com/acme/.*"}, false},
		"one person":                {identity{issuer: google, subject: "ann@acme.example"}, false},
		"one person, any issuer":    {identity{issuer: "*", subject: "ann@acme.example"}, false},
		"the company's own issuer":  {identity{issuer: "https://login.acme.example", subject: "*"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.anybody(); got != test.want {
				t.Errorf("%t", got)
			}
		})
	}
}
