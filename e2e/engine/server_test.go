package engine

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
)

// domain is one whose links lead to this machine.
const domain = "localhost"

// server is one that keeps its ports when it starts again, as servers do.
type server struct {
	*mirsal.Server
	addr, web, bin string
}

// newServer starts a server with accounts of these names.
func newServer(t *testing.T, names ...string) *server {
	t.Helper()
	s := &server{addr: freePort(t), web: freePort(t), bin: mirsal.Build(t)}
	s.Server = mirsal.Start(t, mirsal.Options{Bin: s.bin, Args: []string{"--domain", domain, "--c2s", s.addr,
		"--http-plain", s.web, "--set", "upload.public_url=http://" + s.web}})
	for _, n := range names {
		add := exec.Command(s.bin, "account", "add", n+"@"+domain, "--password-stdin", "--data", s.Data)
		add.Stdin = strings.NewReader(password(n) + "\n")
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return s
}

// ca is what signs the server's certificates.
func (s *server) ca() string { return filepath.Join(s.Data, "tls", "ca.pem") }

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func stop(t *testing.T, s *server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

func restart(t *testing.T, s *server) {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
}

func password(name string) string { return "correct horse " + name + " battery" }

// grep names the files below a folder that hold a text, or the file itself.
func grep(t *testing.T, folder, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		has, err := holds(path, []byte(text))
		if has {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// holds looks for a text in a file of any size.
func holds(path string, text []byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const piece = 1 << 20
	for buf := make([]byte, 0, piece); ; {
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if bytes.Contains(buf, text) {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		tail := min(len(buf), len(text)-1) // it may begin here and go on in the next piece
		buf = buf[:copy(buf, buf[len(buf)-tail:])]
	}
}
