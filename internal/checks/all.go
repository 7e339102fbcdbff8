// Package checks is the list of all checks, section by section.
package checks

import (
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/checks/images"
	"github.com/plimsoll-sec/plimsoll/internal/checks/network"
	"github.com/plimsoll-sec/plimsoll/internal/checks/pods"
	"github.com/plimsoll-sec/plimsoll/internal/checks/secrets"
)

// All lists every check in the order of the checklist.
var All = slices.Concat(
	network.Suite,
	pods.Suite,
	secrets.Suite,
	images.Suite,
)
