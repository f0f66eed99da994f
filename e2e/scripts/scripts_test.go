package scripts

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// Every text file here is a conversation that must go as it says.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".txt"), func(t *testing.T) {
			t.Parallel()
			s, err := Read(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := start(context.Background(), t.TempDir(), s.Settings)
			if err != nil {
				t.Fatal(err)
			}
			if err := newWorld(s, m).run(t.Context()); err != nil {
				t.Error(err)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
