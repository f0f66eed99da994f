package foreign

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAProgramInPlaceSeesOtherFilesAndNobodyElseDoes(t *testing.T) {
	dir := t.TempDir()
	system, other := filepath.Join(dir, "system"), filepath.Join(dir, "other")
	for _, f := range []string{system, other} {
		if err := os.WriteFile(f, []byte(filepath.Base(f)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := append(InPlace(t, map[string]string{system: other}), "cat", system)
	if out, err := exec.Command(command[0], command[1:]...).Output(); err != nil || string(out) != "other" {
		t.Errorf("the program saw %q, %v", out, err)
	}
	if mine, err := os.ReadFile(system); err != nil || string(mine) != "system" {
		t.Errorf("the test itself saw %q, %v", mine, err)
	}
}

func TestAnAddressIsOfThisMachineAndFree(t *testing.T) {
	ip := Loopback(t, 5222)
	if !strings.HasPrefix(ip, "127.") || !free(ip, []int{5222}) {
		t.Errorf("%s is no free address of this machine", ip)
	}
}
