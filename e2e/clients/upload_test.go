package clients

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mirsal/e2e/terminal"
)

// web has the server listen for HTTPS, by which files come and go.
const web = "listen.http=127.0.0.1:0"

// aFile is a file to be sent, larger than what fits into one write.
func aFile(t *testing.T, name string) (path string, content []byte) {
	t.Helper()
	content = make([]byte, 300_000)
	rand.Read(content)
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

// fetches gets what is behind a link, as whoever trusts the server's CA can.
func (s *server) fetches(t *testing.T, link string) (*http.Response, []byte) {
	t.Helper()
	ca, err := os.ReadFile(s.ca)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(ca)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, got
}

// has checks that a link leads to a file as it was sent.
func (s *server) has(t *testing.T, link, media string, content []byte) {
	t.Helper()
	resp, got := s.fetches(t, link)
	if resp.StatusCode != http.StatusOK || string(got) != string(content) {
		t.Errorf("%s: %s, %d bytes of %d", link, resp.Status, len(got), len(content))
	}
	if is := resp.Header.Get("Content-Type"); is != media {
		t.Errorf("%s is said to be %s", link, is)
	}
}

func TestSlixmppUploadsAFile(t *testing.T) {
	t.Parallel()
	s := start(t, readable, web)
	s.accounts("alice")
	path, content := aFile(t, "a picture é.png")
	link, _ := online(t, s, "alice").do("upload", "path", path).(string)
	if !strings.HasPrefix(link, "https://") {
		t.Fatalf("no link: %q", link)
	}
	s.has(t, link, "image/png", content)
}

func TestGoSendxmppUploadsAFileAndSendsItsLink(t *testing.T) {
	t.Parallel()
	s := start(t, readable, plain, web)
	s.accounts("alice", "bob")
	bob := online(t, s, "bob")
	path, content := aFile(t, "noise.png") // go-sendxmpp looks into files for what they are
	if out, err := sends(sendxmpp(t, s.ca, "alice", "-j", s.named("c2s"), "-h", path, bob.account), ""); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	link, _ := bob.hears("message", "sender", "alice@localhost")["body"].(string)
	s.has(t, strings.TrimSpace(link), "application/octet-stream", content)
}

// Profanity trusts nobody's certificates over HTTP where it was told to trust the
// server's; the other side fetches the file with Profanity's own means.
func TestProfanitySendsAFileThatIsEncrypted(t *testing.T) {
	t.Parallel()
	s := start(t, web)
	s.accounts("alice", "bob")
	alice, bob := connected(t, s, "alice"), connected(t, s, "bob")
	alice.MakesKeys()
	bob.MakesKeys()
	terminal.Befriend(alice, bob)
	alice.Opens(bob.Account)
	alice.Encrypts(bob.Account)
	path, content := aFile(t, "letter.bin")
	alice.Enter("/sendfile " + path)
	bob.Enter("/msg " + alice.Account)
	bob.Sees(`aesgcm://localhost`)
	link := aesgcm.FindString(strings.Join(strings.Fields(bob.Screen()), "")) // over the ends of lines
	saved := filepath.Join(t.TempDir(), "saved")
	bob.Enter("/url save " + link + " " + saved)
	terminal.WaitFor(t, "bob to have the file", func() bool {
		got, err := os.ReadFile(saved)
		return err == nil && string(got) == string(content)
	})
	https, _, _ := strings.Cut(strings.Replace(link, "aesgcm://", "https://", 1), "#")
	if resp, got := s.fetches(t, https); resp.StatusCode != http.StatusOK || strings.Contains(string(got), string(content[:64])) {
		t.Errorf("%s: the server has it readable", resp.Status)
	}
}

// aesgcm is a link with the key and the initialisation vector behind it.
var aesgcm = regexp.MustCompile(`aesgcm://[^#]*#[0-9a-f]{88}`)
