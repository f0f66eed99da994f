package scripts

import (
	"context"
	"os"
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

// Every protocol that the server has is in a script, or README says where it is proved.
// clientsOwn tells whether the packages of a row are all the client's.
func clientsOwn(packages string) bool {
	for p := range strings.SplitSeq(packages, ",") {
		if !strings.HasPrefix(p, "internal/client") && p != "internal/omemo" {
			return false
		}
	}
	return true
}

func TestEveryXEPIsInAConversation(t *testing.T) {
	index, err := os.ReadFile("../../spec/index.txt")
	if err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var scripts strings.Builder
	for _, file := range files {
		s, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		scripts.WriteString(strings.ToUpper(file) + " " + s.About + "\n")
	}
	for line := range strings.Lines(string(index)) {
		f := strings.Fields(line)
		if len(f) < 3 || !strings.HasPrefix(f[0], "XEP-") || f[2] != "done" && f[2] != "partial" {
			continue
		}
		if len(f) > 3 && clientsOwn(f[3]) {
			continue // spoken by the client alone: e2e/engine and its packages' tests
		}
		if all := scripts.String() + string(told); !strings.Contains(all, f[0]) && !strings.Contains(all, strings.Replace(f[0], "-", "", 1)+"-") {
			t.Error(f[0], "is in no conversation")
		}
	}
}
