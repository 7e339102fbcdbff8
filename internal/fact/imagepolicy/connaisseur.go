package imagepolicy

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// connaisseurConfig is the part of Connaisseur's configuration that is read.
//
// https://sse-secure-systems.github.io/connaisseur/latest/basics/
type connaisseurConfig struct {
	Validators []struct {
		Name, Type string
		Approve    bool
	}
	Policy []connaisseurRule
}

type connaisseurRule struct {
	Pattern, Validator string
	With               struct{ Mode string }
}

// connaisseur reads the ConfigMaps of Connaisseur. It has one policy, whose
// most specific pattern counts.
func (p *Policies) connaisseur(v inventory.View) []verdicts {
	var config *connaisseurConfig
	found, detects := false, false
	for c := range inventory.All(v, inventory.ConfigMaps) {
		switch c.Name {
		case "connaisseur-app-config":
			var read connaisseurConfig
			found = true
			if yaml.Unmarshal([]byte(c.Value.Data["config.yaml"]), &read) == nil && len(read.Policy) > 0 {
				config = &read
			}
		case "connaisseur-env":
			detects = slices.Contains([]string{"true", "1"}, strings.ToLower(c.Value.Data["DETECTION_MODE"]))
		}
	}
	hooked := len(p.hooks[connaisseurEngine]) > 0
	if !found && !hooked {
		return nil
	}
	return []verdicts{func(im *Image, ns namespace, say func(opinion)) {
		o := opinion{policy: "Connaisseur"}
		switch {
		case config == nil:
			o.answer, o.why = maybe, "may verify it, but its policy (ConfigMap connaisseur-app-config) was not read"
		case detects:
			o.why = "only warns (DETECTION_MODE)"
		default:
			o = config.judge(im)
		}
		say(p.gate(o, connaisseurEngine, true, im, ns))
	}}
}

func (c *connaisseurConfig) judge(im *Image) opinion {
	o := opinion{policy: "Connaisseur"}
	var rule *connaisseurRule
	for i := range c.Policy {
		r := &c.Policy[i]
		if strings.ContainsAny(r.Pattern, `?[]{}\`) {
			o.answer, o.why = maybe, fmt.Sprintf("may verify it: its pattern %q is not understood", r.Pattern)
			return o
		}
		if inventory.Glob("*"+r.Pattern+"*", im.full) && (rule == nil || moreSpecific(r.Pattern, rule.Pattern, im.full)) {
			rule = r
		}
	}
	if rule == nil {
		o.why = "has no pattern for it, and refuses it"
		return o
	}
	validator := rule.Validator
	if validator == "" {
		validator = "default"
	}
	o.policy = fmt.Sprintf("Connaisseur pattern %q", rule.Pattern)
	for _, v := range c.Validators {
		switch {
		case v.Name != validator:
		case v.Type == "static" && v.Approve:
			o.why = "matches it, and lets it pass unverified (static validator)"
			return o
		case v.Type == "static":
			o.why = "matches it, and refuses it (static validator)"
			return o
		case rule.With.Mode == "insecureValidateOnly":
			o.why = "verifies it, but leaves the tag (insecureValidateOnly): what is pulled later may be another image"
			return o
		default:
			o.answer = yes
			return o
		}
	}
	o.answer, o.why = maybe, fmt.Sprintf("matches it, but the validator %q is not in its configuration", validator)
	return o
}

// moreSpecific reports whether pattern a counts before b for an image: it has
// more parts between slashes, else shares more with the image from the left,
// else is longer from the left.
//
// https://github.com/sse-secure-systems/connaisseur/blob/master/internal/policy/match.go
func moreSpecific(a, b, image string) bool {
	as, bs, parts := strings.Split(a, "/"), strings.Split(b, "/"), strings.Split(image, "/")
	if len(as) != len(bs) {
		return len(as) > len(bs)
	}
	shared := func(pattern []string) []int {
		out := make([]int, len(pattern))
		for i := range pattern {
			for i < len(parts) && out[i] < min(len(pattern[i]), len(parts[i])) && pattern[i][out[i]] == parts[i][out[i]] {
				out[i]++
			}
		}
		return out
	}
	lengths := func(pattern []string) (out []int) {
		for _, s := range pattern {
			out = append(out, len(s))
		}
		return out
	}
	if c := slices.Compare(shared(as), shared(bs)); c != 0 {
		return c > 0
	}
	return slices.Compare(lengths(as), lengths(bs)) > 0
}
