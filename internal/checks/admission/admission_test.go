package admission_test

import (
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
	"github.com/plimsoll-sec/plimsoll/internal/checks/admission"
)

func TestChecks(t *testing.T) { checktest.Run(t, admission.Suite) }
