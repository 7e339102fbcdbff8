// Package pods holds the checks of the section "Pod security".
package pods

import "github.com/plimsoll-sec/plimsoll/internal/check"

// Suite lists the checks of the section, item by item.
var Suite = []*check.Check{
	// 3.1
	broadWorkloadRights,
	clusterWideWorkloadRights,
	// 3.2
	enforcement,
	violations,
	restrictedViolations,
	baseline,
	systemNamespaces,
	systemWorkloads,
	restricted,
	privilegedLevel,
	modes,
	pinnedVersion,
	// 3.3
	memoryLimit,
	memoryRequest,
	// 3.4
	cpuLimit,
	// 3.5
	seccompProfile,
	seccompLocalhost,
	// 3.6
	lsmProfile,
	lsmLocalhost,
}
