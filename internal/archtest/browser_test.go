package archtest

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// heavy are packages that must not be in what a browser downloads: it has its own, or
// nothing that they could work on.
var heavy = []string{"net", "net/http", "crypto/tls", "crypto/x509", "database/sql", "os/exec"}

// elsewhere are the client's packages that no browser is given.
const elsewhere = "client/terminal/* client/keep/sqlite client/keep/keeptest"

// TestWhatTheBrowserIsGivenIsSmall builds the list of everything that the client's
// packages reach for js/wasm, build tags applied.
func TestWhatTheBrowserIsGivenIsSmall(t *testing.T) {
	for _, p := range clientPackages(t) {
		deps := goList(t, "-e", "-deps", p) // -e: some have no file for the browser
		for _, h := range heavy {
			if slices.Contains(deps, h) {
				t.Errorf("%s brings %s into the browser's program: put what needs it behind the tag !js", p, h)
			}
		}
	}
}

func clientPackages(t *testing.T) (out []string) {
	for _, p := range loadModule(t).sorted() {
		if n := short(p.dir); is(n, "client/*") && !is(n, elsewhere) && slices.ContainsFunc(p.files, func(f *file) bool { return !f.test }) {
			out = append(out, "./"+p.dir)
		}
	}
	if len(out) == 0 {
		t.Fatal("there are no packages of the client's")
	}
	return out
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOTOOLCHAIN=local")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}
