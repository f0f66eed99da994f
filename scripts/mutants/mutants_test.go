package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAListHasSubstitutionsAndPatches(t *testing.T) {
	list, err := parseList("# head\n\nlimit | a.go | n > max | false | go test -run Limit ./a\ncall | a.go | check() | - | go test ./a\nbig | big.patch | go test ./b\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || list[0].with != "false" || list[1].with != "" || list[2].patch != "big.patch" {
		t.Errorf("read %+v", list)
	}
}

func TestABadListIsRefused(t *testing.T) {
	for _, text := range []string{
		"limit | a.go | go test ./a\n",
		"limit | a.go | x | y | rm -rf /\n",
		"one | a.patch | go test ./a\none | b.patch | go test ./a\n",
	} {
		if _, err := parseList(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

// TestVerdicts runs mutants on a module of a few lines.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"a mutant that the test notices is caught", "m | m.go | n > 3 | false | go test -run Refused .", ""},
		{"a mutant that no test notices survives", "m | m.go | n < -3 | false | go test -run Refused .", "survived"},
		{"a defence that has moved no longer applies", "m | m.go | n > 4 | false | go test -run Refused .", "no longer applies"},
		{"a mutant must compile", "m | m.go | n > 3 | n > | go test -run Refused .", "does not compile"},
		{"a command that runs no test proves nothing", "m | m.go | n > 3 | false | go test -run Nothing .", "without running"},
		{"a test that is skipped proves nothing", "m | m.go | n > 3 | false | go test -run Skip .", "skips"},
		{"a patch can be a mutant", "m | m.patch | go test -run Refused .", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := parseList(c.line)
			if err != nil {
				t.Fatal(err)
			}
			l := lab{dir: smallModule(t), sound: map[string]error{}}
			err = l.try(list[0])
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("verdict %v, want %q", err, c.want)
			}
			if text, _ := os.ReadFile(filepath.Join(l.dir, "m.go")); string(text) != soundSource {
				t.Error("the defence was not put back")
			}
		})
	}
}

const soundSource = "package m\n\nfunc refused(n int) bool { return n > 3 || n < -3 }\n"

func smallModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.26\n",
		"m.go":   soundSource,
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc TestRefused(t *testing.T) {\n\tif !refused(4) {\n\t\tt.Fail()\n\t}\n}\n\n" +
			"func TestSkip(t *testing.T) { t.Run(\"x\", func(t *testing.T) { t.Skip() }) }\n",
		"e2e/mutants/m.patch": "--- a/m.go\n+++ b/m.go\n@@ -1,3 +1,3 @@\n package m\n \n-" +
			"func refused(n int) bool { return n > 3 || n < -3 }\n+func refused(n int) bool { return n < -3 }\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheCopyHoldsWhatGitWouldAdd(t *testing.T) {
	from, to := smallModule(t), t.TempDir()
	if out, err := exec.Command("git", "-C", from, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if err := copyTree(from, to); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(to, "m.go")); err != nil || string(text) != soundSource {
		t.Errorf("copied %q, %v", text, err)
	}
}
