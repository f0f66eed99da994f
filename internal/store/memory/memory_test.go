package memory_test

import (
	"testing"

	"mirsal/internal/store"
	"mirsal/internal/store/memory"
	"mirsal/internal/store/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}
