package credential

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// A labelled case: what is to be found in the value of an item.
type labelled struct {
	file, name string
	rule       string // "-" where there is nothing
	count      int
	key, value string
}

var header = regexp.MustCompile(`^(\d+) (\S+?)(?:\*(\d+))? (\S+)$`)

// cases reads testdata. A middle dot splits what looks like a provider's token,
// so that no scanner of repositories takes a made-up one for real.
func cases(t testing.TB) []labelled {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cs []labelled
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range ar.Files {
			m := header.FindStringSubmatch(x.Name)
			if m == nil {
				t.Fatalf("%s: header %q", file, x.Name)
			}
			c := labelled{file: filepath.Base(file), name: x.Name, rule: m[2], count: 1, key: m[4]}
			c.value = strings.TrimSuffix(strings.ReplaceAll(string(x.Data), "·", ""), "\n")
			if m[3] != "" {
				c.count, _ = strconv.Atoi(m[3])
			}
			cs = append(cs, c)
		}
	}
	return cs
}

func (c labelled) find() []Leak {
	if c.key == "args" {
		return FindArgs(strings.Split(c.value, "\n"))
	}
	return Find(c.key, c.value)
}

// score is how the labelled cases were decided, a case being one decision.
type score struct{ tp, fp, fn int }

func (s score) precision() float64 { return float64(s.tp) / float64(s.tp+s.fp) }
func (s score) recall() float64    { return float64(s.tp) / float64(s.tp+s.fn) }

func (s *score) count(c labelled, got []Leak) {
	switch {
	case c.rule == "-" && len(got) > 0:
		s.fp++
	case c.rule != "-" && len(got) == 0:
		s.fn++
	case c.rule != "-":
		s.tp++
	}
}

// TestLabelled fails when either falls under 0.95. The files called heldout
// were written after the rules, by the same hand; at its first run heldout gave
// 0.89 and 0.95, heldout2 1.00 and 1.00. All were tuned on since: the numbers
// guard against a step back, they do not say how the next text will fare.
func TestLabelled(t *testing.T) {
	var s score
	for _, c := range cases(t) {
		got := c.find()
		s.count(c, got)
		switch {
		case c.rule == "-" && len(got) > 0:
			t.Logf("%s: %s: surplus %+v", c.file, c.name, got)
		case c.rule != "-" && len(got) == 0:
			t.Logf("%s: %s: missed", c.file, c.name)
		case c.rule != "-" && (len(got) != c.count || got[0].Rule != c.rule):
			t.Errorf("%s: %s: want %d of %q, got %+v", c.file, c.name, c.count, c.rule, got)
		}
	}
	t.Logf("%d secrets, precision %.3f, recall %.3f", s.tp+s.fn, s.precision(), s.recall())
	if s.precision() < 0.95 || s.recall() < 0.95 {
		t.Errorf("precision %.3f, recall %.3f: want at least 0.95", s.precision(), s.recall())
	}
}

func TestLeak(t *testing.T) {
	properties := "server.port=8080\nspring.datasource.password=Sh0pPass!\n"
	yaml := "spring:\n  datasource:\n    # the shop\n    password: 0rders#2021\n"
	aws := "AKI" + "AQ3EGRZ2QMX4VL7TN"
	key := "-----BEGIN RSA PRIV" + "ATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpQIBAAKCAQEA7bq2fJ9xLr\n-----END RSA PRIV" + "ATE KEY-----\n"
	for _, tt := range []struct {
		name, key, value string
		want             []Leak
	}{
		{"item", "DB_PASSWORD", "hunter2", []Leak{{Rule: "password", Title: "a password", Key: "DB_PASSWORD", Hint: "(7 characters)"}}},
		{"properties", "app.properties", properties, []Leak{{Rule: "password", Title: "a password", Key: "app.properties: spring.datasource.password", Line: 2, Hint: "(9 characters)"}}},
		{"yaml", "app.yaml", yaml, []Leak{{Rule: "password", Title: "a password", Key: "app.yaml: spring.datasource.password", Line: 4, Hint: "(11 characters)"}}},
		{"shape", "id", aws, []Leak{{Rule: "aws-access-key", Title: "an AWS access key id", Key: "id", Hint: "AKIA… (20 characters)"}}},
		{"windows line ends", "app.ini", "[db]\r\nuser=a\r\npassword=hunter2\r\n", []Leak{{Rule: "password", Title: "a password", Key: "app.ini: db.password", Line: 3, Hint: "(7 characters)"}}},
		{"encrypted key", "k", key, []Leak{{Rule: "private-key", Title: "an encrypted private key", Key: "k", Line: 1}}},
		{"json in json", "a", `{"data":{"x.properties":"u=a\\npassword=hunter2\\n"}}`, []Leak{{Rule: "password", Title: "a password", Key: "a: data.x.properties.password", Hint: "(7 characters)"}}},
		{"same value under two names", "a.env", "A_PASSWORD=hunter2\nB_PASSWORD=hunter2\n", []Leak{
			{Rule: "password", Title: "a password", Key: "a.env: A_PASSWORD", Line: 1, Hint: "(7 characters)"},
			{Rule: "password", Title: "a password", Key: "a.env: B_PASSWORD", Line: 2, Hint: "(7 characters)"},
		}},
		{"invalid UTF-8", "PASSWORD", "p\xffss", []Leak{{Rule: "password", Title: "a password", Key: "PASSWORD", Hint: "(4 characters)"}}},
	} {
		if diff := cmp.Diff(tt.want, Find(tt.key, tt.value)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
	}
	args := []string{"--user=app", "--password", "hunter2"}
	if diff := cmp.Diff([]Leak{{Rule: "password", Title: "a password", Key: "--password", Arg: 2, Hint: "(7 characters)"}}, FindArgs(args)); diff != "" {
		t.Errorf("arguments: (-want +got)\n%s", diff)
	}
	want := []Leak{
		{Rule: "url-password", Title: "a password in an address", Hint: "(9 characters)"},
		{Rule: "password", Title: "a password", Hint: "(8 characters)"},
	}
	if diff := cmp.Diff(want, FindArgs([]string{"postgres://app:s3cr3tP0w@db/shop?password=changeme"})); diff != "" {
		t.Errorf("address as a name: (-want +got)\n%s", diff)
	}
}

// TestNothingShown proves that no result holds what was found.
func TestNothingShown(t *testing.T) {
	for _, c := range append(cases(t), labelled{key: "config.json", value: `{"auths":{"https://bot:p4ssW0rd9@r.example.com":{"password":"hunter2"}}}`}) {
		f := &finder{key: c.key}
		f.item(c.value)
		for _, x := range f.found {
			if shown := fmt.Sprintf("%+v", x.Leak); random(x.secret) && strings.Contains(shown, x.secret) || strings.Contains(shown, "p4ssW0rd9") {
				t.Errorf("%s: %s", c.name, shown)
			}
		}
	}
}

// TestBinary finds the key in key stores, and none in stores of certificates.
func TestBinary(t *testing.T) {
	jks := func(tag byte) string {
		return "\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00" + string(tag) + "\x00\x05alias"
	}
	p12 := func(bag byte) string {
		return "\x30\x82\x09\x01\x02\x01\x03" + string(keyBags[1][:10]) + string(bag) + "more"
	}
	_, private, err := ed25519.GenerateKey(zeros{})
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, value string
		want        int
	}{
		{"JKS with a key", jks(1), 1},
		{"JKS with certificates", jks(2), 0},
		{"PKCS #12 with a key", p12(2), 1},
		{"PKCS #12 with certificates", p12(3), 0},
		{"PKCS #8", string(pkcs8), 1},
		{"public key", string(public), 0},
		{"PKCS #8 in base64", base64.StdEncoding.EncodeToString(pkcs8), 1},
		{"JKS in base64", base64.StdEncoding.EncodeToString([]byte(jks(1))), 1},
		{"cut off", "\x30\x82", 0},
	} {
		if got := Find("store", tt.value); len(got) != tt.want {
			t.Errorf("%s: %+v, want %d", tt.name, got, tt.want)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestProviders keeps the search around a cue small, and cues rare.
func TestProviders(t *testing.T) {
	for _, p := range providers {
		if p.width() < 20 || p.width() > 4096 {
			t.Errorf("%s searches %d bytes around a cue", p.rule, p.width())
		}
		for _, c := range p.cues {
			if len(c) < 2 {
				t.Errorf("%s: cue %q is met everywhere", p.rule, c)
			}
		}
	}
}

// BenchmarkWorst reads what keeps each rule busiest. Where work grew with the
// square of the size, the throughput of the larger text would be an eighth.
func BenchmarkWorst(b *testing.B) {
	for name, unit := range map[string]string{
		"line":     "x",
		"cues":     "password",
		"assigned": "password=",
		"tokens":   "AKIA sk_live_ SK ",
		"urls":     "http://a:b",
		"pem":      "-----BEGIN PRIV" + "ATE KEY-----",
		"jwt":      "eyJ.",
		"brackets": "[",
		"objects":  `{"a":`,
		"names":    "name: password\n",
		"indented": "  a:\n",
		"base64":   "LS0tLS1C" + "RUdJTi",
		"commands": "curl -u ",
		"quotes":   `password="`,
		"invalid":  "\xff\xfe",
	} {
		for _, size := range []int{256 << 10, 2 << 20} {
			text := strings.Repeat(unit, size/len(unit))
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					Find("item", text)
				}
			})
		}
	}
}

var hints = regexp.MustCompile(`^(?s:.{4}… )?\(\d+ characters\)$|^$`)

// FuzzFind proves for any text that nothing panics and that no result shows
// more than four characters of a secret.
func FuzzFind(f *testing.F) {
	for _, c := range cases(f) {
		f.Add(c.key, c.value)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		for _, l := range append(Find(key, value), FindArgs([]string{key, value})...) {
			if !hints.MatchString(l.Hint) {
				t.Errorf("hint %q", l.Hint)
			}
			if l.Rule == "" || l.Title == "" || l.Line < 0 || l.Line > strings.Count(value+key, "\n")+1 {
				t.Errorf("%+v", l)
			}
		}
	})
}

// BenchmarkLabelled reports precision and recall beside the time of one pass
// over the labelled cases.
func BenchmarkLabelled(b *testing.B) {
	cs := cases(b)
	var s score
	for b.Loop() {
		s = score{}
		for _, c := range cs {
			s.count(c, c.find())
		}
	}
	b.ReportMetric(s.precision(), "precision")
	b.ReportMetric(s.recall(), "recall")
}

// BenchmarkText reads text without a credential: what nearly all of a cluster
// is. The dashboard speaks of tokens and keys as dashboards do.
func BenchmarkText(b *testing.B) {
	for name, text := range map[string]string{
		"dashboard":  `{"panels":[` + strings.Repeat(`{"datasource":{"uid":"P1809F7CD0C75ACF3","type":"prometheus"},"title":"Token requests by key","targets":[{"expr":"sum(rate(apiserver_authentication_attempts{result=\"success\"}[5m])) by (username)","legendFormat":"{{username}}"}],"gridPos":{"h":8,"w":12,"x":0,"y":16}},`, 4000) + `{}]}`,
		"properties": strings.Repeat("server.port=8080\nserver.ssl.key-store=/etc/ssl/store.p12\nspring.datasource.url=jdbc:postgresql://db:5432/shop\nlogging.level.root=INFO\n", 8000),
		"prose":      strings.Repeat("It was the best of times, it was the worst of times, it was the age of wisdom. ", 12000),
		"base64":     strings.Repeat("Q2VydGlmaWNhdGVzIGFyZSBwdWJsaWMgYnkgZGVzaWdu/+8", 20000),
	} {
		b.Run(name, func(b *testing.B) {
			if got := Find("item", text); got != nil {
				b.Fatal(got)
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Find("item", text)
			}
		})
	}
}
