package credential

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// cue is a word that is looked for in one pass over a text. What it may be the
// beginning of is looked at only there.
type cue struct {
	word  string
	exact bool // in this letter case only
	does  int  // one of the constants below, or from aProvider an index into providers
}

const (
	aName = iota // asks what is assigned to a name
	anAddress
	aDSN
	aBearer
	aBasic
	anIdentified
	aCommand
	aPEM
	aJWT
	aPEMLayer
	aProvider
)

var own = []struct {
	does  int
	exact bool
	words []string
}{
	{aName, false, []string{"pass", "pwd", "secret", "token", "key", "credential", "auth", "bindpw", "rootpw", "_pat", "-pat", "_pw"}},
	{anAddress, false, []string{"://"}},
	{aDSN, false, []string{"@tcp(", "@unix("}},
	{aBearer, false, []string{"bearer "}},
	{aBasic, false, []string{"basic "}},
	{anIdentified, false, []string{"identified by", "identified with"}},
	{aCommand, false, []string{"curl ", "wget ", "sshpass ", "redis-cli ", "mysql ", "mysqldump ", "mysqladmin ", "mariadb ", "ldapsearch ", "docker login ", "mongosh ", "mongo "}},
	{aPEM, true, []string{"-----BEGIN"}},
	{aJWT, true, []string{"eyJ"}},
	{aPEMLayer, true, []string{"LS0tLS1CRUdJTi"}}, // base64 of "-----BEGIN"
}

// scanner is built when the first text is searched.
var scanner = sync.OnceValues(func() ([]cue, *matcher) {
	var cs []cue
	for _, o := range own {
		for _, w := range o.words {
			cs = append(cs, cue{w, o.exact, o.does})
		}
	}
	for i, p := range providers {
		for _, w := range p.cues {
			cs = append(cs, cue{w, true, aProvider + i})
		}
	}
	var ws []string
	for _, c := range cs {
		ws = append(ws, c.word)
	}
	return cs, newMatcher(ws)
})

// look runs the rule of a cue.
func (f *finder) look(c *cue, text string, end int) {
	start := end - len(c.word)
	if start < f.done[c.does] || len(f.found) >= maxLeaks {
		return
	}
	switch c.does {
	case aName:
		f.name(text, start, end)
	case anAddress:
		f.url(text, end)
	case aDSN:
		f.dsn(text, start)
	case aBearer:
		f.header(text, end, "bearer")
	case aBasic:
		f.header(text, end, "basic")
	case anIdentified:
		f.identified(text, start)
	case aCommand:
		f.command(text, start)
	case aPEM:
		f.pem(text, start)
	case aJWT:
		f.jwt(text, start)
	case aPEMLayer:
		f.pemLayer(text, start)
	}
}

// window is a stretch of text in which a provider's detector has yet to run.
// Cues that are near each other share one, so that no byte is read twice.
type window struct{ lo, hi int }

// hit is a place where a cue that is no provider's was met.
type hit struct{ cue, end int }

// text searches a text of any form.
func (f *finder) text(text string) {
	f.done = [aProvider]int{}
	var open map[int]window
	var hits []hit
	cues, matcher := scanner()
	matcher.each(text, func(i, end int) {
		c := &cues[i]
		start := end - len(c.word)
		switch {
		case c.exact && text[start:end] != c.word:
		case c.does < aProvider:
			hits = append(hits, hit{i, end})
		case inside[c.word] || begun(text, end):
			i := c.does - aProvider
			reach := providers[i].width()
			w, ok := open[i]
			if !ok || start-reach > w.hi {
				if ok {
					f.detect(i, text, w)
				}
				w.lo = max(0, start-reach)
			}
			w.hi = min(len(text), end+reach)
			if open == nil {
				open = map[int]window{}
			}
			open[i] = w
		}
	})
	for _, i := range slices.Sorted(maps.Keys(open)) {
		f.detect(i, text, open[i])
	}
	names := hits[:0]
	for _, h := range hits {
		if cues[h.cue].does == aName {
			names = append(names, h)
		} else {
			f.look(&cues[h.cue], text, h.end)
		}
	}
	// Names come last: they are only asked about what the shapes left.
	if len(names) > 0 && f.json(text) {
		return
	}
	for _, h := range names {
		f.look(&cues[h.cue], text, h.end)
	}
}

func (p provider) width() int {
	if p.reach > 0 {
		return p.reach
	}
	return int(p.detector.MaxSecretLen())
}

func (f *finder) detect(i int, text string, w window) {
	p := providers[i]
	secrets, at := p.detector.Detect([]byte(text[w.lo:w.hi]))
	for n, s := range secrets {
		v, pos := secretOf(s), min(w.lo+at[n], len(text))
		if distinct(v) >= 8 && !strings.Contains(strings.ToLower(v), "xxxx") && !(strings.HasSuffix(v, "EXAMPLE") && f.prose(text, pos)) {
			f.add(p.rule, p.title, f.here(text, pos), v, text, pos)
		}
	}
}
