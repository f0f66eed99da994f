// Package foreign lets a test use a program that is not ours: a client, an XML
// parser, a tracer. It is for tests only and installs nothing
// (scripts/install-test-deps.sh does). Its one rule: where MIRSAL_REQUIRE is
// "all", or CI is "true", a missing program fails the test; elsewhere the test
// is skipped and says what is lacking.
package foreign

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// python is Debian's interpreter, the one that Debian's Python packages are
// installed for; another python3 may stand before it in PATH.
const python = "/usr/bin/python3"

// Program returns the path of the named program, found in PATH.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		lack(t, "the program "+name)
	}
	return path
}

// Python returns the path of a Python 3 that can import the named modules.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	for _, m := range modules {
		if err := exec.Command(python, "-c", "import "+m).Run(); err != nil {
			lack(t, "the Python module "+m+" for "+python)
		}
	}
	if len(modules) == 0 {
		return Program(t, python)
	}
	return python
}

// Node returns the path of Node, for programs that use the packages of dir's
// package-lock.json. They must be installed below dir as that file has them.
func Node(t testing.TB, dir string) string {
	t.Helper()
	if !installed(dir) {
		lack(t, "the npm packages of "+filepath.Join(dir, "package-lock.json"))
	}
	return Program(t, "node")
}

// Folder requires that a folder is there, which made is to make.
func Folder(t testing.TB, dir, made string) {
	t.Helper()
	if _, err := os.Stat(dir); err != nil {
		lackMade(t, dir, made)
	}
}

// GoProgram builds the program in dir, a Go module of its own whose dependencies
// must be in the module cache or be had, and returns its path.
func GoProgram(t testing.TB, dir string) string {
	t.Helper()
	if out, err := goIn(dir, "mod", "download"); err != nil {
		lack(t, "the modules of "+filepath.Join(dir, "go.mod")+" ("+string(bytes.TrimSpace(out))+")")
	}
	program := filepath.Join(t.TempDir(), filepath.Base(dir))
	if out, err := goIn(dir, "build", "-trimpath", "-o", program, "."); err != nil {
		t.Fatalf("go build in %s: %v\n%s", dir, err, out)
	}
	return program
}

func goIn(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off")
	return cmd.CombinedOutput()
}

// installed compares the lock file with the copy that the script leaves beside
// the packages once all are there.
func installed(dir string) bool {
	return same(filepath.Join(dir, "package-lock.json"), filepath.Join(dir, "node_modules", ".installed"))
}

// same says whether two files are there and the same.
func same(a, b string) bool {
	want, err1 := os.ReadFile(a)
	got, err2 := os.ReadFile(b)
	return err1 == nil && err2 == nil && bytes.Equal(want, got)
}

// lack ends the test: as a failure where everything is required.
func lack(t testing.TB, what string) {
	t.Helper()
	lackMade(t, what, "scripts/install-test-deps.sh")
}

func lackMade(t testing.TB, what, made string) {
	t.Helper()
	if required(os.Getenv("MIRSAL_REQUIRE"), os.Getenv("CI")) {
		t.Fatalf("this test needs %s: run %s", what, made)
	}
	t.Skipf("this test needs %s, which is not here: run %s", what, made)
}

func required(mirsalRequire, ci string) bool {
	return mirsalRequire == "all" || ci == "true" && mirsalRequire == ""
}
