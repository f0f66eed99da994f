package keep_test

import (
	"testing"

	"mirsal/internal/client/keep"
	"mirsal/internal/client/keep/keeptest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	keeptest.Run(t, func(*testing.T) keeptest.Opener {
		return func(*testing.T) keep.Store { return keep.NewMemory() }
	}, true)
}
