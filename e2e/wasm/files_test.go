package wasm

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"mirsal/e2e/device"
	"mirsal/internal/client/port"
)

func TestFilesGoBothWaysEncrypted(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"})
	filesGoBothWays(t, s, browse(t, ""))
}

// As `make run` serves: links are https, by a certificate that the browser does not take.
func TestAPageOnTheServersMachineHasItsFilesFromItsOwnSite(t *testing.T) {
	t.Parallel()
	s := device.Serve(t, []string{"alice", "bob"}, "--http", device.FreePort(t), "--set", "upload.public_url=")
	b := browse(t, "")
	b.do("site", map[string]any{"server": "http://" + s.Web}, nil)
	filesGoBothWays(t, s, b)
}

func filesGoBothWays(t *testing.T, s *device.Server, b *browser) {
	t.Helper()
	alice, bob := b.open("1", "alice").signIn(s), elsewhere(t, s, "bob")
	meet(&alice.person, bob)

	var given struct{ Sum, Path string }
	alice.run(`async (size) => {
		const bytes = new Uint8Array(size);
		for (let i = 0; i < size; i += 65536) crypto.getRandomValues(bytes.subarray(i, i + 65536));
		const file = new Blob([bytes]);
		return { Sum: await seal(file), Path: await engine.put(file) };
	}`, 3<<20+17, &given)
	alice.Must(&port.SendFile{Chat: bob.Address, Path: given.Path, Name: "holiday picture.png", Type: "image/png"})
	alice.Message("the file being there", func(m port.Message) bool {
		if m.Delivery == port.Failed {
			t.Fatalf("the file was not sent: %+v", m)
		}
		return m.File != nil && m.Delivery == port.Delivered
	})
	got := bob.Message("the file", func(m port.Message) bool { return m.File != nil })
	to := filepath.Join(t.TempDir(), "got")
	bob.Must(&port.Fetch{Chat: alice.Address, Message: got.ID, Path: to})
	if b, err := os.ReadFile(to); err != nil || sum(b) != given.Sum {
		t.Errorf("bob got %d bytes that are others; %v", len(b), err)
	}

	content := make([]byte, 2<<20+5)
	rand.Read(content)
	from := filepath.Join(t.TempDir(), "plan.pdf")
	if err := os.WriteFile(from, content, 0o600); err != nil {
		t.Fatal(err)
	}
	bob.Must(&port.SendFile{Chat: alice.Address, Path: from})
	m := alice.Message("the file", func(m port.Message) bool { return m.File != nil && !m.Mine })
	alice.Must(&port.Fetch{Chat: bob.Address, Message: m.ID})
	m = alice.Message("the file being here", func(c port.Message) bool { return c.ID == m.ID && c.File.State == "here" })
	var came string
	alice.run("(path) => engine.file(path).then(seal)", m.File.Path, &came)
	if came != sum(content) {
		t.Error("alice got another file")
	}
	var none bool
	alice.run("(path) => engine.file(path).then((f) => f === null)", "../parts/x", &none)
	if !none {
		t.Error("a path that is none leads to a file")
	}
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
