package application_test

import (
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
	"github.com/plimsoll-sec/plimsoll/internal/checks/application"
)

func TestChecks(t *testing.T) { checktest.Run(t, application.Suite) }
