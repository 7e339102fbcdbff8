package secrets_test

import (
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
	"github.com/plimsoll-sec/plimsoll/internal/checks/secrets"
)

func TestChecks(t *testing.T) { checktest.Run(t, secrets.Suite) }
