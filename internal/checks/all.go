// Package checks is the list of all checks, section by section.
package checks

import (
	"slices"

	"github.com/plimsoll-sec/plimsoll/internal/checks/access"
	"github.com/plimsoll-sec/plimsoll/internal/checks/admission"
	"github.com/plimsoll-sec/plimsoll/internal/checks/application"
	"github.com/plimsoll-sec/plimsoll/internal/checks/images"
	"github.com/plimsoll-sec/plimsoll/internal/checks/network"
	"github.com/plimsoll-sec/plimsoll/internal/checks/placement"
	"github.com/plimsoll-sec/plimsoll/internal/checks/pods"
	"github.com/plimsoll-sec/plimsoll/internal/checks/secrets"
)

// All lists every check in the order of the checklist, and then those outside
// of it.
var All = slices.Concat(
	access.Suite,
	network.Suite,
	pods.Suite,
	placement.Suite,
	secrets.Suite,
	images.Suite,
	admission.Suite,
	application.Suite,
)
