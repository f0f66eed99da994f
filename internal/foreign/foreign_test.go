package foreign

import (
	"os"
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
