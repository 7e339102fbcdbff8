package credential

import (
	"path"
	"strings"
)

// An option of a command that takes a credential and whose name does not say so.
type option struct {
	flag     string
	pair     bool // the value is "name:password"
	attached bool // the value follows without a blank
}

// options of commands that are common in probes, hooks and jobs.
var options = map[string][]option{
	"curl":       {{"-u", true, false}, {"--user", true, false}, {"-U", true, false}, {"--proxy-user", true, false}},
	"sshpass":    {{"-p", false, false}, {"-p", false, true}},
	"redis-cli":  {{"-a", false, false}, {"--pass", false, false}},
	"mysql":      {{"-p", false, true}},
	"mysqldump":  {{"-p", false, true}},
	"mysqladmin": {{"-p", false, true}},
	"mariadb":    {{"-p", false, true}},
	"ldapsearch": {{"-w", false, false}},
	"mongo":      {{"-p", false, false}},
	"mongosh":    {{"-p", false, false}},
	"docker":     {{"-p", false, false}},
}

// command looks at the options of a command that stands in a script.
func (f *finder) command(text string, start int) {
	if start > 0 && (alnum(text[start-1]) || strings.IndexByte("-_.", text[start-1]) >= 0) {
		return
	}
	line := text[start:min(len(text), start+2048)]
	for from := 0; ; { // a line goes on after a backslash
		i := strings.IndexByte(line[from:], '\n')
		if i < 0 {
			break
		}
		if from += i; from == 0 || line[from-1] != '\\' {
			line = line[:from]
			break
		}
		from++
	}
	if i := strings.IndexAny(line, "|;&\\`"); i >= 0 && line[i] != '\\' {
		line = line[:i]
	}
	f.done[aCommand] = start + len(line)
	var ws []string
	for w := range strings.FieldsSeq(line) {
		ws = append(ws, strings.Trim(w, `"'\,[]`))
	}
	f.options(ws, func(int) (string, int) { return text, start })
}

// options judges the words of a command.
func (f *finder) options(ws []string, at func(i int) (string, int)) {
	if len(ws) == 0 || len(ws) > 1 && path.Base(ws[0]) == "docker" && ws[1] != "login" {
		return
	}
	for _, o := range options[path.Base(ws[0])] {
		for i, w := range ws[1:] {
			v, ok := strings.CutPrefix(w, o.flag)
			if !ok {
				continue
			}
			n := i + 1
			if v == "" && !o.attached && n+1 < len(ws) {
				n++
				v = ws[n]
			} else if v == "" || !o.attached && v[0] != '=' {
				continue
			}
			text, pos := at(n)
			f.option(o, strings.Trim(v, `="'`), text, pos)
		}
	}
}

func (f *finder) option(o option, v, text string, pos int) {
	if o.pair {
		user, pass, ok := strings.Cut(v, ":")
		if ok && user != "" && literal(pass, where{quoted: true}) && !f.prose(text, pos) {
			f.add("basic-auth", "the name and password of HTTP basic authentication", o.flag, v, text, pos)
		}
		return
	}
	if confidential(promise{password, "password"}, v, where{quoted: true, prose: f.prose(text, pos)}) && !strings.HasPrefix(v, "-") {
		f.add("password", titles["password"], o.flag, v, text, pos)
	}
}

// args judges the arguments of a container by their names.
func (f *finder) args(args []string) {
	for i, a := range args {
		f.arg = i
		name, v, ok := strings.Cut(a, "=")
		if !ok && strings.HasPrefix(a, "-") && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			v = args[i+1]
			f.arg++
		}
		name = strings.TrimPrefix(name, "-D")
		if strings.ContainsAny(name, " \t\n") || !ok && !strings.HasPrefix(a, "-") {
			continue
		}
		f.assigned(understand(strings.TrimLeft(name, "-")), v, where{whole: true}, v, 0, func() string {
			if showable(name) {
				return name
			}
			return "" // an address, say, that ends in "?password="
		})
	}
	f.options(args, func(i int) (string, int) {
		f.arg = i
		return args[i], 0
	})
}

// identified reads SQL: CREATE USER x IDENTIFIED BY 'password'.
func (f *finder) identified(text string, start int) {
	rest := text[start:min(len(text), start+128)]
	by := strings.Index(strings.ToLower(rest), " by ")
	if by < 0 || strings.Contains(rest[:by], "\n") {
		return
	}
	v, at, w := quoted(text, skip(text, start+by+len(" by ")))
	w.prose = f.prose(text, start)
	f.assigned(promise{password, "password"}, v, w, text, at, func() string { return "" })
}

// pgpass reads the lines of PostgreSQL's password file,
// host:port:database:user:password.
func (f *finder) pgpass(text string) {
	pos := 0
	for l := range strings.Lines(text) {
		if p := strings.SplitN(strings.TrimRight(l, "\r\n"), ":", 5); len(p) == 5 {
			f.assigned(promise{password, "password"}, p[4], where{quoted: true, prose: f.prose(text, pos+1)}, text, pos, func() string { return "" })
		}
		pos += len(l)
	}
}
