package access

import (
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
)

func TestSuite(t *testing.T) { checktest.Run(t, Suite) }
