// Package secrets holds the checks of the "Secrets" section.
package secrets

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
)

// Suite lists the checks of the section in the order of its items.
var Suite = []*check.Check{
	configMapData, // 6.1
	configMapLiterals,
	configMapAnnotations,
	externalControllers, // 6.3
	externalDrivers,
	externalClasses,
	externalProviders,
	externalStores,
	externalSynced,
	externalInjected,
	tokenMounts, // 6.4
	boundTokens, // 6.5
}
