package credential

import (
	"path"
	"regexp"
	"strings"
)

// kind is what sort of text an item holds, from its name and its beginning.
type kind struct {
	code  bool // a program: words without quotes are variables
	prose bool // text for people
	conf  bool // directives: "name value"
}

var (
	codeExt  = words(".py .js .mjs .cjs .ts .tsx .jsx .go .rb .lua .php .java .kt .cs .groovy .rego .star .cue .proto .graphql .rs .c .h .cpp .hcl .tf .jsonnet .libsonnet .pl .ps1 .vue .scala .swift .graphqls")
	proseExt = words(".md .markdown .rst .adoc .txt .html .htm .tmpl .tpl .gotmpl .ctmpl .j2 .svg .css .po")
	confExt  = words(".conf .cfg .cnf .config .acl .td-agent")
)

// languageRe is a file of translations: "en.json", "pt-BR.yaml".
var languageRe = regexp.MustCompile(`^[a-z]{2}(?:[-_][a-z]{2})?\.(?:json|ya?ml|properties|ini)$`)

func kindOf(key, value string) kind {
	base := strings.ToLower(key[strings.LastIndexByte(key, '/')+1:])
	ext := path.Ext(base)
	k := kind{code: codeExt[ext], prose: proseExt[ext], conf: confExt[ext]}
	k.prose = k.prose || languageRe.MatchString(base)
	for _, w := range []string{"i18n", "locale", "messages", "translation", "readme", "notes.txt", "license"} {
		k.prose = k.prose || strings.Contains(base, w)
	}
	if first, _, _ := strings.Cut(value[:min(len(value), 120)], "\n"); strings.HasPrefix(first, "#!") {
		// what a shell assigns without quotes is text
		k.code = !strings.HasSuffix(strings.TrimSpace(first), "sh") && !strings.Contains(first, "sh -")
	}
	return k
}
