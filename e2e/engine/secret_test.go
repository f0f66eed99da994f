package engine

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"mirsal/e2e/device"
	"mirsal/internal/foreign"
)

// secret looks for the texts wherever the server and the network could have kept
// them (R1): its memory while it runs, its files and its log, what passed on the
// network, and what it was sent inside TLS. That it looks in the right places is
// shown by what must be there.
func (w *sea) secret() {
	w.t.Helper()
	core := w.dump()
	log := filepath.Join(w.t.TempDir(), "log")
	if err := os.WriteFile(log, []byte(w.server.Log()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	stop(w.t, w.server)
	for _, place := range []struct{ name, path, control string }{
		{"the server's memory", core, "alice@" + device.Domain},
		{"the server's data", w.server.Data, "alice@" + device.Domain},
		{"the server's log", log, "ready "},
		{"what the server was sent", w.between.wire.file.Name(), "eu.siacs.conversations.axolotl"},
		{"the network", w.between.packet.file.Name(), "http/1.1"}, // of TLS itself: what it is for
	} {
		if found := grep(w.t, place.path, marker); len(found) > 0 {
			w.t.Errorf("%s holds a text: %v", place.name, found)
		}
		if len(grep(w.t, place.path, place.control)) == 0 {
			w.t.Errorf("%s does not even hold %q: nothing was looked at", place.name, place.control)
		}
		w.t.Logf("%s: %d bytes without a text", place.name, size(place.path))
	}
}

// dump writes the memory of the running server down.
func (w *sea) dump() string {
	w.t.Helper()
	gcore := foreign.Program(w.t, "gcore")
	file := filepath.Join(w.t.TempDir(), "core")
	out, err := exec.Command(gcore, "-o", file, strconv.Itoa(w.server.Pid())).CombinedOutput()
	if err != nil {
		w.t.Fatalf("gcore: %v\n%s", err, bytes.TrimSpace(out))
	}
	return file + "." + strconv.Itoa(w.server.Pid())
}

// size is how much there is below a path, in bytes.
func size(path string) (n int64) {
	_ = filepath.WalkDir(path, func(_ string, d os.DirEntry, err error) error {
		if err != nil {
			return nil // a file that is gone has no size
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			n += info.Size()
		}
		return nil
	})
	return n
}
