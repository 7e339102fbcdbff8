package images_test

import (
	"testing"

	"github.com/plimsoll-sec/plimsoll/internal/check/checktest"
	"github.com/plimsoll-sec/plimsoll/internal/checks/images"
)

func TestChecks(t *testing.T) { checktest.Run(t, images.Suite) }
