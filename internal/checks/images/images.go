// Package images holds the checks of the "Images" section.
package images

import "github.com/plimsoll-sec/plimsoll/internal/check"

// Suite lists the checks of the section in the order of its items.
var Suite = []*check.Check{
	unprivilegedUser, // 7.2
	digests,          // 7.3
	imagePolicies,
}
