// Package secrets holds the checks of the "Secrets" section.
package secrets

import (
	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
)

// Suite lists the checks of the section in the order of its items.
var Suite = []*check.Check{
	tokenMounts, // 6.4
	boundTokens, // 6.5
}

// optional turns needs into such that a check can pass without.
func optional(needs []inventory.Need) []inventory.Need {
	out := make([]inventory.Need, len(needs))
	for i, n := range needs {
		out[i] = inventory.Need{Kind: n.Kind, Optional: true}
	}
	return out
}
