package foreign

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWhatIsMissingFailsOnlyWhereEverythingIsRequired(t *testing.T) {
	for _, c := range []struct {
		require, ci string
		want        bool
	}{
		{"", "", false}, {"all", "", true}, {"", "true", true}, {"none", "true", false}, {"all", "true", true},
	} {
		if got := required(c.require, c.ci); got != c.want {
			t.Errorf("MIRSAL_REQUIRE=%q CI=%q: required %v, want %v", c.require, c.ci, got, c.want)
		}
	}
}

func TestAProgramThatIsThereIsFound(t *testing.T) {
	if _, err := os.Stat(Program(t, "go")); err != nil {
		t.Error(err)
	}
}

func TestAMissingProgramSkips(t *testing.T) {
	t.Setenv("MIRSAL_REQUIRE", "none")
	skipped := false
	t.Run("lacking", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		Program(t, "mirsal-no-such-program")
	})
	if !skipped {
		t.Error("the test went on without its program")
	}
}

func TestPackagesThatAreNotThoseOfTheLockFileAreMissing(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "node_modules"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("package-lock.json", "new")
	for text, want := range map[string]bool{"old": false, "new": true} {
		if write("node_modules/.installed", text); installed(dir) != want {
			t.Errorf("%s packages for a new lock file: installed %v", text, !want)
		}
	}
}
