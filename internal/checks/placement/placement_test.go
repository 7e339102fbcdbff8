package placement

import (
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
)

func TestChecks(t *testing.T) { checktest.Run(t, Suite) }
