package podpolicy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// kyverno reads ClusterPolicies and Policies: a claim for each rule that
// validates pods.
func kyverno(v inventory.View, version api.Version) []claim {
	exceptions := slices.Collect(inventory.All(v, inventory.KyvernoExceptions))
	missing := v.Missing(inventory.KyvernoExceptions.ID, "")
	hooks, leftOut := webhooksOf(v, "Kyverno", "kyverno-resource-validating-webhook-cfg"), filteredOut(v)
	var out []claim
	read := func(p inventory.Object[inventory.KyvernoPolicy]) {
		for _, rule := range p.Value.Spec.Rules {
			if rule.Validate == nil {
				continue
			}
			held, unread := ruleParts(rule.Validate, version)
			if len(held) == 0 && unread == "" {
				continue
			}
			r := kyvernoRule{policy: p, rule: rule, missing: missing, hooks: hooks, leftOut: leftOut}
			r.conditional = !onCreate(rule.Preconditions) || len(rule.CELPreconditions)+len(p.Value.Spec.Webhook.MatchConditions) > 0
			for _, x := range exceptions {
				if r.namedBy(x) {
					r.exceptions = append(r.exceptions, x)
				}
			}
			c := claim{name: r.String(), parts: held, unread: unread, in: r.in}
			if notOnUpdate(&rule) {
				c.blind("match or exclude leaves out updates")
			}
			hooks.limit(&c)
			out = append(out, c)
		}
	}
	for p := range inventory.All(v, inventory.KyvernoClusterPolicies) {
		read(p)
	}
	for p := range inventory.All(v, inventory.KyvernoPolicies) {
		read(p)
	}
	return out
}

// kyvernoRule is one rule with what decides where it holds.
type kyvernoRule struct {
	policy      inventory.Object[inventory.KyvernoPolicy]
	rule        inventory.KyvernoRule
	conditional bool                                           // it, or its policy, has conditions
	exceptions  []inventory.Object[inventory.KyvernoException] // that name it
	missing     []report.Gap                                   // of the exceptions
	hooks       webhooks
	leftOut     resourceFilters
}

func (r kyvernoRule) String() string {
	text := fmt.Sprintf("Kyverno %s %q", r.policy.Kind, r.policyName())
	spec := &r.policy.Value.Spec
	if spec.Webhook.FailurePolicy == "Ignore" || spec.Webhook.FailurePolicy == "" && spec.FailurePolicy == "Ignore" {
		text += " (failurePolicy Ignore)"
	}
	return text
}

// policyName is how exceptions call the policy.
func (r kyvernoRule) policyName() string {
	return strings.TrimPrefix(r.policy.Namespace+"/"+r.policy.Name, "/")
}

// in says whether the rule holds all pods of a namespace.
func (r kyvernoRule) in(ns namespace) (reach, string) {
	spec := &r.policy.Value.Spec
	place := around(r.policy.Subject, r.policy.Kind != "Policy", ns)
	if place == none {
		return none, ""
	}
	matched := min(filters(&r.rule.Match, ns, true), opposite(filters(&r.rule.Exclude, ns, false)))
	if matched == none {
		return none, ""
	}
	if action := r.action(ns); !strings.EqualFold(action, "Enforce") {
		return idle, "only audits"
	}
	if spec.Admission != nil && !*spec.Admission {
		return idle, "does not run at admission"
	}
	if reach, why := r.hooks.take(ns, r.policy.Value.UID != ""); reach != whole {
		return reach, why
	}
	switch {
	case matched == some:
		return some, "is not about all pods (match, exclude)"
	case place == unsure:
		return unsure, noNamespace
	case matched == unsure:
		return unsure, "has a match or exclude that is not understood"
	case r.conditional:
		return unsure, "has preconditions or matchConditions, which are not evaluated"
	case spec.ApplyRules == "One" && len(spec.Rules) > 1:
		return unsure, "applies only one of its rules (applyRules)"
	case r.leftOut.why(ns.name) != "":
		return unsure, r.leftOut.why(ns.name)
	case len(r.missing) > 0:
		return unsure, "may have exceptions, and " + r.missing[0].String()
	}
	for _, x := range r.exceptions {
		if filters(&x.Value.Spec.Match, ns, true) != none {
			return unsure, fmt.Sprintf("may leave out pods that PolicyException %q names", x.Namespace+"/"+x.Name)
		}
	}
	return whole, ""
}

// action is what happens on a violation: the rule's word counts before the
// policy's, and of either an override for the namespace first.
func (r kyvernoRule) action(ns namespace) string {
	overrides, action := r.rule.Validate.Overrides, r.rule.Validate.Action
	if len(overrides) == 0 {
		overrides = r.policy.Value.Spec.Overrides
	}
	if action == "" {
		action = r.policy.Value.Spec.Action
	}
	for _, o := range overrides {
		named := len(o.Namespaces) == 0 || inventory.Globs(o.Namespaces, ns.name)
		if match, ok := ns.selected(o.NamespaceSelector); named && match && ok {
			return o.Action
		}
	}
	return action
}

// namedBy reports whether an exception is one to the rule.
func (r kyvernoRule) namedBy(x inventory.Object[inventory.KyvernoException]) bool {
	for _, e := range x.Value.Spec.Exceptions {
		if inventory.Glob(e.PolicyName, r.policyName()) && inventory.Globs(e.RuleNames, r.rule.Name) {
			return true
		}
	}
	return false
}

// bears finds the fields that the controls of the standards are about. A
// policy whose text names none of them does not enforce any.
var bears = regexp.MustCompile(`(?i)securityContext|\bhost(Network|PID|IPC|Ports?|Path|Process|Users)?\b|privilege|capabilit|sysctl|seccomp|apparmor|seLinux|procMount|runAs|volumes|windowsOptions`)

// ruleParts are what a rule holds pods to. unread says why it may be more.
func ruleParts(r *inventory.KyvernoValidation, version api.Version) (held parts, unread string) {
	if s := r.PodSecurity; s != nil {
		return standard(s)
	}
	understood := true
	switch {
	case len(r.AnyPattern) > 0: // what follows from each of them
		for i, p := range r.AnyPattern {
			d := demands{}
			understood = d.pattern(p) && understood
			if follows := d.parts(version); i == 0 {
				held = follows
			} else {
				for part := range held {
					if !follows[part] {
						delete(held, part)
					}
				}
			}
		}
	default:
		d := demands{}
		if r.Pattern != nil {
			understood = d.pattern(r.Pattern)
		}
		if r.Deny != nil {
			understood = d.deny(r.Deny, everyContainer) && understood
		}
		for _, each := range r.ForEach {
			understood = d.forEach(each) && understood
		}
		understood = understood && len(r.Assert) == 0
		if r.CEL != nil {
			understood = d.cel(r.CEL.Expressions, r.CEL.Variables, version) && understood
		}
		held = d.parts(version)
	}
	text, err := json.Marshal(r)
	if !understood && (err != nil || bears.Match(text)) {
		return held, "asks for something that is not understood"
	}
	return held, ""
}

// standard are the parts of podSecurity: a level, less what it excludes, if
// only for some images. A version before today's counts as the level.
//
// https://github.com/kyverno/kyverno/blob/main/pkg/pss/utils/mapping.go
func standard(s *inventory.KyvernoPodSecurity) (held parts, unread string) {
	controls := map[string][]string{
		"Capabilities": {"capabilities_baseline", "capabilities_restricted"}, "Seccomp": {"seccompProfile_baseline", "seccompProfile_restricted"},
		"Privileged Containers": {"privileged"}, "Host Ports": {"hostPorts"}, "/proc Mount Type": {"procMount", "procMount_restricted"},
		"Host Probes / Lifecycle Hooks": {"hostProbesAndHostLifecycle"}, "HostProcess": {"windowsHostProcess"}, "SELinux": {"seLinuxOptions"},
		"Host Namespaces": {"hostNamespaces"}, "HostPath Volumes": {"hostPathVolumes"}, "Sysctls": {"sysctls"}, "AppArmor": {"appArmorProfile"},
		"Privilege Escalation": {"allowPrivilegeEscalation"}, "Running as Non-root": {"runAsNonRoot"}, "Running as Non-root user": {"runAsUser"},
		"Volume Types": {"restrictedVolumes"},
	}
	l, err := api.ParseLevel(s.Level)
	if err != nil || l == api.LevelPrivileged {
		return nil, ""
	}
	var without []string
	for _, x := range s.Exclude {
		ids, ok := controls[x.ControlName]
		if !ok {
			return nil, fmt.Sprintf("excludes %q, which is not understood", x.ControlName)
		}
		without = append(without, ids...)
	}
	if l == api.LevelRestricted && slices.Contains(without, "hostPathVolumes") {
		without = append(without, "restrictedVolumes")
	}
	return level(l, without...), ""
}
