package credential

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/veles"
	"github.com/google/osv-scalibr/veles/secrets/anthropicapikey"
	"github.com/google/osv-scalibr/veles/secrets/circleci"
	"github.com/google/osv-scalibr/veles/secrets/common/simpletoken"
	"github.com/google/osv-scalibr/veles/secrets/digitaloceanapikey"
	"github.com/google/osv-scalibr/veles/secrets/discordbottoken"
	"github.com/google/osv-scalibr/veles/secrets/elasticcloudapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpexpressmode"
	"github.com/google/osv-scalibr/veles/secrets/gcpoauth2access"
	"github.com/google/osv-scalibr/veles/secrets/github"
	"github.com/google/osv-scalibr/veles/secrets/gitlabpat"
	"github.com/google/osv-scalibr/veles/secrets/herokuplatformkey"
	"github.com/google/osv-scalibr/veles/secrets/huggingfaceapikey"
	"github.com/google/osv-scalibr/veles/secrets/npmjsaccesstoken"
	"github.com/google/osv-scalibr/veles/secrets/onepasswordkeys"
	"github.com/google/osv-scalibr/veles/secrets/openai"
	"github.com/google/osv-scalibr/veles/secrets/openrouter"
	"github.com/google/osv-scalibr/veles/secrets/packagist"
	"github.com/google/osv-scalibr/veles/secrets/perplexityapikey"
	"github.com/google/osv-scalibr/veles/secrets/postmanapikey"
	"github.com/google/osv-scalibr/veles/secrets/pypiapitoken"
	"github.com/google/osv-scalibr/veles/secrets/rubygemsapikey"
	"github.com/google/osv-scalibr/veles/secrets/salesforceoauth2access"
	"github.com/google/osv-scalibr/veles/secrets/sendgrid"
	"github.com/google/osv-scalibr/veles/secrets/slacktoken"
	"github.com/google/osv-scalibr/veles/secrets/squareapikey"
	"github.com/google/osv-scalibr/veles/secrets/stripeapikeys"
	"github.com/google/osv-scalibr/veles/secrets/supabase"
	"github.com/google/osv-scalibr/veles/secrets/telegrambotapitoken"
)

// provider is a credential that shows by its own shape who issued it.
type provider struct {
	rule, title string
	cues        []string // a detector only runs around one
	detector    veles.Detector
	reach       int // bytes around the cue; 0: the detector's own length
}

// inside lists cues that do not begin a token.
var inside = words("discord DISCORD Discord 8Q~ NRAL T3BlbkFJ PrivateKey")

// begun says that what follows a cue can be the rest of a token.
func begun(text string, end int) bool {
	const shortest = 14
	if end+shortest > len(text) {
		return false
	}
	for i := end; i < end+shortest; i++ {
		if c := text[i]; !alnum(c) && strings.IndexByte("_-./+=~:%@", c) < 0 {
			return false
		}
	}
	return true
}

// shape is a detector for a token that veles v0.5.3 does not know, or asks to
// stand beside a second one (an identifier) that a value need not hold.
func shape(re string) veles.Detector {
	return simpletoken.Detector{
		MaxLen: 256,
		Re:     regexp.MustCompile(re),
		FromMatch: func(b []byte) (veles.Secret, bool) {
			return token{string(b)}, true
		},
	}
}

type token struct{ Token string }

// providers lists what is recognised by its shape. Left out of veles are the
// detectors for cookies and CSRF tokens (they live for minutes), for pairs
// whose halves the name rules find one by one, and for shapes that ordinary
// names have: crates.io's "cio" with 32 letters or hyphens, Vault's old "s.".
var providers = []provider{
	{"1password-secret-key", "a 1Password secret key", []string{"A3-"}, onepasswordkeys.NewSecretKeyDetector(), 0},
	{"1password-service-token", "a 1Password service account token", []string{"ops_eyJ"}, onepasswordkeys.NewServiceTokenDetector(), 1500},
	{"anthropic-api-key", "an Anthropic API key", []string{"sk-ant-"}, anthropicapikey.NewDetector(), 0},
	{"atlassian-token", "an Atlassian API token", []string{"ATATT3", "ATBB", "ATCTT3"}, shape(`\b(?:AT[AC]TT3x[A-Za-z0-9_=-]{100,}|ATBB[A-Za-z0-9]{32})`), 0},
	{"aws-access-key", "an AWS access key id", []string{"AKIA", "ASIA"}, shape(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`), 0},
	{"azure-storage-key", "an Azure storage or Cosmos DB key", []string{"AccountKey=", "accountkey="}, shape(`(?i)\bAccountKey=[A-Za-z0-9+/]{86}==`), 0},
	{"azure-sas", "an Azure shared access signature", []string{"sig="}, shape(`(?i)[?&]sig=[A-Za-z0-9%/+]{40,}(?:=|%3D)?`), 0},
	{"azure-service-bus-key", "an Azure service bus key", []string{"SharedAccessKey=", "sharedaccesskey="}, shape(`(?i)\bSharedAccessKey=[A-Za-z0-9+/]{40,}=*`), 0},
	{"azure-client-secret", "an Azure client secret", []string{"8Q~"}, shape(`\b[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{34}\b`), 0},
	{"circleci-token", "a CircleCI token", []string{"CCIPAT_"}, circleci.NewPersonalAccessTokenDetector(), 0},
	{"circleci-token", "a CircleCI token", []string{"CCIPRJ_"}, circleci.NewProjectTokenDetector(), 0},
	{"databricks-token", "a Databricks token", []string{"dapi"}, shape(`\bdapi[0-9a-f]{32}(?:-\d)?\b`), 0},
	{"digitalocean-token", "a DigitalOcean token", []string{"dop_v1_"}, digitaloceanapikey.NewDetector(), 0},
	{"digitalocean-token", "a DigitalOcean token", []string{"doo_v1_", "dor_v1_"}, shape(`\bdo[or]_v1_[a-f0-9]{64}\b`), 0},
	{"discord-bot-token", "a Discord bot token", []string{"discord", "DISCORD", "Discord"}, discordbottoken.NewDetector(), 0},
	{"docker-hub-token", "a Docker Hub token", []string{"dckr_pat_"}, shape(`\bdckr_pat_[A-Za-z0-9_-]{27}`), 0},
	{"docker-hub-token", "a Docker Hub token", []string{"dckr_oat_"}, shape(`\bdckr_oat_[A-Za-z0-9_-]{27,}`), 0},
	{"doppler-token", "a Doppler token", []string{"dp.pt.", "dp.st.", "dp.ct."}, shape(`\bdp\.(?:pt|st|ct)\.(?:[a-z0-9_-]+\.)?[A-Za-z0-9]{40,44}\b`), 0},
	{"dynatrace-token", "a Dynatrace token", []string{"dt0c01.", "dt0s16."}, shape(`\bdt0[cs][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b`), 0},
	{"elastic-cloud-key", "an Elastic Cloud API key", []string{"essu_"}, elasticcloudapikey.NewDetector(), 0},
	{"gcp-api-key", "a Google API key", []string{"AIza"}, gcpapikey.NewDetector(), 0},
	{"gcp-api-key", "a Google API key", []string{"AQ.Ab8R"}, gcpexpressmode.NewDetector(), 0},
	{"gcp-oauth-secret", "a Google OAuth client secret", []string{"GOCSPX-"}, shape(`\bGOCSPX-[A-Za-z0-9_-]{28}`), 0},
	{"gcp-access-token", "a Google access token", []string{"ya29."}, gcpoauth2access.NewDetector(), 0},
	// veles asks for the checksum in the last six: one mistyped character there hides where a token was.
	{"github-token", "a GitHub token", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}, shape(`\bgh[pousr]_[A-Za-z0-9]{36,}`), 0},
	{"github-token", "a GitHub token", []string{"github_pat_"}, github.NewFineGrainedPATDetector(), 0},
	{"gitlab-token", "a GitLab token", []string{"glpat-"}, gitlabpat.NewDetector(), 0},
	{"gitlab-token", "a GitLab token", []string{"glrt-", "gldt-", "glptt-", "glcbt-", "glsoat-", "glagent-", "glft-"}, shape(`\bgl(?:rt|dt|ptt|cbt|soat|agent|ft)-[A-Za-z0-9_-]{20,}`), 0},
	{"grafana-token", "a Grafana token", []string{"glsa_", "glc_eyJ"}, shape(`\b(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_eyJ[A-Za-z0-9+/=]{32,})`), 0},
	{"heroku-key", "a Heroku API key", []string{"HRKU-"}, herokuplatformkey.NewSecretKeyDetector(), 0},
	{"huggingface-token", "a Hugging Face token", []string{"hf_"}, huggingfaceapikey.NewDetector(), 0},
	{"launchdarkly-key", "a LaunchDarkly key", []string{"sdk-", "api-"}, shape(`\b(?:sdk|api)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b`), 0},
	{"linear-key", "a Linear API key", []string{"lin_api_"}, shape(`\blin_api_[A-Za-z0-9]{40}`), 0},
	{"new-relic-key", "a New Relic key", []string{"NRAK-", "NRAA-", "NRII-", "NRAL"}, shape(`\bNR(?:AK|AA|II)-[A-Za-z0-9_-]{27,32}|\b[0-9a-f]{36}NRAL\b`), 0},
	{"npm-token", "an npm access token", []string{"npm_"}, npmjsaccesstoken.NewDetector(), 0},
	{"openai-key", "an OpenAI API key", []string{"T3BlbkFJ"}, openai.NewDetector(), 0},
	{"openrouter-key", "an OpenRouter API key", []string{"sk-or-v"}, openrouter.NewDetector(), 0},
	{"packagist-token", "a Packagist token", []string{"packagist_cut_"}, packagist.NewConductorUpdateTokenDetector(), 0},
	{"perplexity-key", "a Perplexity API key", []string{"pplx-"}, perplexityapikey.NewDetector(), 0},
	{"planetscale-token", "a PlanetScale token", []string{"pscale_"}, shape(`\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}`), 0},
	{"postman-key", "a Postman API key", []string{"PMAK-"}, postmanapikey.NewAPIKeyDetector(), 0},
	{"pulumi-token", "a Pulumi token", []string{"pul-"}, shape(`\bpul-[a-f0-9]{40}\b`), 0},
	{"pypi-token", "a PyPI token", []string{"pypi-AgEI"}, pypiapitoken.NewDetector(), 0},
	{"rubygems-key", "a RubyGems API key", []string{"rubygems_"}, rubygemsapikey.NewDetector(), 0},
	{"rancher-token", "a Rancher token", []string{"token-"}, shape(`\btoken-[a-z0-9]{5}:[a-z0-9]{54}\b`), 0},
	{"salesforce-token", "a Salesforce access token", []string{"00D"}, salesforceoauth2access.NewDetector(), 0},
	{"sendgrid-key", "a SendGrid API key", []string{"SG."}, sendgrid.NewDetector(), 0},
	{"sendinblue-key", "a Brevo API key", []string{"xkeysib-"}, shape(`\bxkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}\b`), 0},
	{"sentry-token", "a Sentry token", []string{"sntrys_", "sntryu_"}, shape(`\bsntry(?:s_eyJ[A-Za-z0-9+/=_]{60,}|u_[a-f0-9]{64})`), 0},
	{"shopify-token", "a Shopify token", []string{"shpat_", "shpss_", "shpca_", "shppa_"}, shape(`\bshp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}\b`), 0},
	{"slack-token", "a Slack token", []string{"xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"}, shape(`\bxox[abprs]-(?:\d+-)?[0-9]{6,14}-[A-Za-z0-9-]{12,}`), 0},
	{"slack-token", "a Slack token", []string{"xapp-"}, slacktoken.NewAppLevelTokenDetector(), 0},
	{"slack-token", "a Slack token", []string{"xoxe-"}, slacktoken.NewAppConfigRefreshTokenDetector(), 0},
	{"slack-webhook", "a Slack webhook address", []string{"hooks.slack.com/"}, shape(`hooks\.slack\.com/(?:services|workflows|triggers)/[TE][A-Z0-9]{6,12}/[A-Z0-9]{6,14}/[A-Za-z0-9]{16,}`), 0},
	{"teams-webhook", "a Microsoft Teams webhook address", []string{".webhook.office.com/"}, shape(`\.webhook\.office\.com/webhookb2/[0-9a-f@-]{36,}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}`), 0},
	{"discord-webhook", "a Discord webhook address", []string{"/api/webhooks/"}, shape(`discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,}`), 0},
	{"square-token", "a Square token", []string{"EAAA"}, shape(`\bEAAA[A-Za-z0-9_-]{60}\b`), 0},
	{"square-token", "a Square secret", []string{"sq0csp-"}, squareapikey.NewOAuthApplicationSecretDetector(), 64},
	{"stripe-key", "a Stripe secret key", []string{"sk_live_", "sk_test_"}, shape(`\bsk_(?:live|test)_[A-Za-z0-9]{16,}`), 0},
	{"stripe-key", "a Stripe restricted key", []string{"rk_live_"}, stripeapikeys.NewRestrictedKeyDetector(), 0},
	{"stripe-webhook-secret", "a webhook signing secret", []string{"whsec_"}, shape(`\bwhsec_[A-Za-z0-9+/]{32,}=*`), 0},
	{"supabase-key", "a Supabase key", []string{"sbp_"}, supabase.NewPATDetector(), 64},
	{"supabase-key", "a Supabase key", []string{"sb_secret_"}, supabase.NewProjectSecretKeyDetector(), 64},
	{"tailscale-key", "a Tailscale key", []string{"tskey-"}, shape(`\btskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]+-[A-Za-z0-9]{20,}`), 0},
	{"telegram-bot-token", "a Telegram bot token", []string{":AA"}, telegrambotapitoken.NewDetector(), 0},
	{"terraform-token", "a Terraform token", []string{".atlasv1."}, shape(`\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}`), 0},
	{"twilio-key", "a Twilio API key", []string{"SK"}, shape(`\bSK[0-9a-f]{32}\b`), 0},
	{"vault-token", "a Vault token", []string{"hvs.", "hvb.", "hvr."}, shape(`\bhv[sbr]\.[A-Za-z0-9_-]{24,}`), 0},
	{"wireguard-key", "a WireGuard private key", []string{"PrivateKey"}, shape(`\bPrivateKey\s*=\s*[A-Za-z0-9+/]{43}=`), 0},
	{"age-key", "an age private key", []string{"AGE-SECRET-KEY-"}, shape(`\bAGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{58,}`), 0},
}

// secretOf is the longest text in what a detector returned: each has a type of
// its own, which holds the secret beside names or addresses.
func secretOf(s veles.Secret) string {
	v := reflect.ValueOf(s)
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return secretOf(v.Elem().Interface())
		}
	case reflect.Struct:
		longest := ""
		for i := range v.NumField() {
			f := v.Field(i)
			if f.Kind() == reflect.String && len(f.String()) > len(longest) {
				longest = f.String()
			}
		}
		return longest
	}
	return ""
}
