// Package admission holds the checks of the section "Admission control".
package admission

import "github.com/plimsoll-sec/plimsoll/internal/check"

// Suite lists the checks of the section, item by item.
var Suite = []*check.Check{
	// 8.2
	podPolicyEnforced,
	podPolicyThirdParty,
	// 8.3
	failurePolicy,
	failurePolicyOther,
	caBundle,
	caExpiry,
	caStrength,
	webhookService,
	webhookScope,
	objectSelector,
	namespaceSelector,
	matchPolicy,
	matchConditions,
	webhookTimeout,
	webhookSideEffects,
	webhookReinvocation,
	urlPlain,
	urlExternal,
	protectionNetwork,
	protectionPrivileges,
	protectionReplicas,
	policyBound,
	policyActions,
	policyFailure,
	policyParams,
	policyParamsAllow,
	psaExemptions,
}
