package network_test

import (
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
	"github.com/plimsoll-sec/plimsoll/internal/checks/network"
)

func TestChecks(t *testing.T) { checktest.Run(t, network.Suite) }
