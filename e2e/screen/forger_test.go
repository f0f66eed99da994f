package screen

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
)

// A forger is a way to the server on which somebody changes a byte of a file.
type forger struct {
	at string

	mu     sync.Mutex // all below
	change func(path string, body []byte) []byte
}

func newForger(t *testing.T, to string) *forger {
	t.Helper()
	f := &forger{}
	way := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: to})
			r.Out.Host = r.In.Host
			r.Out.Header.Set("Accept-Encoding", "identity")
			r.Out.Header.Del("If-None-Match")
		},
		ModifyResponse: f.forge,
	}
	site := httptest.NewServer(way)
	t.Cleanup(func() {
		site.CloseClientConnections()
		site.Close()
	})
	f.at = site.Listener.Addr().String()
	return f
}

func (f *forger) forge(r *http.Response) error {
	f.mu.Lock()
	change := f.change
	f.mu.Unlock()
	if change == nil || r.StatusCode != http.StatusOK || r.Request.Method != http.MethodGet {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	name := path.Clean(r.Request.URL.Path)
	if name == "/" {
		name = "/index.html"
	}
	body = change(name, body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", fmt.Sprint(len(body)))
	r.Header.Del("ETag")
	return nil
}

// wishes are what it changes from now on.
func (f *forger) wishes() map[string]func() error {
	all := map[string]func() error{}
	for wish, change := range map[string]func(string, []byte) []byte{
		"forge nothing": nil,
		// it would be seen if it ran
		"forge the script":         forged(func(n string) bool { return strings.HasPrefix(n, "/assets/index-") && strings.HasSuffix(n, ".js") }, behind("\nglobalThis.forged=1;")),
		"forge a part":             forged(preloaded, behind("\nglobalThis.forged=1;")),
		"forge the engine":         forged(func(n string) bool { return n == "/engine/engine.wasm" }, flipped),
		"forge the page":           forged(func(n string) bool { return n == "/index.html" }, func(b []byte) []byte { return bytes.Replace(b, []byte("<body>"), []byte("<body><h1>forged</h1>"), 1) }),
		"forge the list":           forged(func(n string) bool { return n == "/manifest.json" }, flipped),
		"forge the service worker": forged(func(n string) bool { return n == "/sw.js" }, wrongHash),
		"forge a release":          forged(func(n string) bool { return n == "/sw.js" }, behind("\n// another release")),
	} {
		all[wish] = func() error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.change = change
			return nil
		}
	}
	return all
}

func forged(which func(string) bool, how func([]byte) []byte) func(string, []byte) []byte {
	return func(name string, body []byte) []byte {
		if which(name) {
			return how(body)
		}
		return body
	}
}

// preloaded tells the parts that the page names beside its script.
func preloaded(name string) bool {
	page, err := os.ReadFile("../../web/dist/index.html")
	return err == nil && strings.Contains(string(page), `modulepreload" crossorigin href="`+name+`"`)
}

func behind(more string) func([]byte) []byte {
	return func(b []byte) []byte { return append(b, more...) }
}

// flipped has one bit changed in its midst.
func flipped(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

// wrongHash has one letter of a hash changed: the release has a file that nobody has.
func wrongHash(b []byte) []byte {
	i := bytes.Index(b, []byte("sha256-")) + len("sha256-") + 5
	b[i] = map[bool]byte{true: 'B', false: 'A'}[b[i] == 'A']
	return b
}

func sha1Hex(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestOnlyTheReleaseThatIsKeptIsUsedUntilAnotherIsWhole(t *testing.T) {
	newHouse(t, "alice").tell("pinned", nil)
}
