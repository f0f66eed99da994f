package upload

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mirsal/internal/core/coretest"
	"mirsal/internal/store"
	"mirsal/internal/store/folder"
	"mirsal/internal/store/memory"
	"mirsal/internal/xmpp/jid"
)

// house is the feature in a world, with its web side.
type house struct {
	*coretest.World
	u    *Upload
	kv   store.KV
	blob store.Blob
	mux  *http.ServeMux
}

func config() Config {
	return Config{
		Site: jid.MustParse("upload.example.org"), URL: "https://example.org:5443", MaxSize: 1000, Quota: 3000, Files: 10,
		Keep: 24 * time.Hour, Log: slog.New(slog.DiscardHandler),
	}
}

func run(t *testing.T, cfg Config, f func(h *house)) {
	t.Helper()
	blob, err := folder.Open(filepath.Join(t.TempDir(), "uploads"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{kv: memory.New(), blob: blob}
	coretest.Run(t, func(w *coretest.World) { h.attach(w, cfg) }, func(w *coretest.World) {
		defer h.u.Close()
		f(h)
	})
}

func (h *house) attach(w *coretest.World, cfg Config) {
	h.World, h.u, h.mux = w, New(w.Router, h.kv, h.blob, cfg), http.NewServeMux()
	h.u.Register(w.Host)
	for pattern, f := range w.Host.Handlers() {
		h.mux.Handle(pattern, f)
	}
}

var links = regexp.MustCompile(`<put url='([^']*)'/><get url='([^']*)'/>`)

// ask asks for a slot; the links are empty where it is refused.
func (h *house) ask(c *coretest.Client, attrs string, children ...string) (put, get, answer string) {
	c.Send("<iq type='get' id='s' to='upload.example.org'><request xmlns='" + ns + "' " + attrs + ">" + strings.Join(children, "") + "</request></iq>")
	answer = c.Got()
	if m := links.FindStringSubmatch(answer); m != nil {
		put, get = m[1], m[2]
	}
	return put, get, answer
}

// slot is ask where it has to be granted.
func (h *house) slot(c *coretest.Client, name string, size int, media string) (put, get string) {
	h.T.Helper()
	attrs := fmt.Sprintf("filename='%s' size='%d'", name, size)
	if media != "" {
		attrs += " content-type='" + media + "'"
	}
	put, get, answer := h.ask(c, attrs)
	if put == "" {
		h.T.Fatal(answer)
	}
	return put, get
}

// do sends a request; headers are pairs.
func (h *house) do(method, link string, body io.Reader, headers ...string) *http.Response {
	h.T.Helper()
	at, err := url.Parse(link)
	if err != nil {
		h.T.Fatal(err)
	}
	r := httptest.NewRequest(method, at.RequestURI(), body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, r)
	return w.Result()
}

// put puts a text and returns the status.
func (h *house) put(link, text string, headers ...string) int {
	h.T.Helper()
	return h.do(http.MethodPut, link, strings.NewReader(text), headers...).StatusCode
}

// got is what is at a link.
func (h *house) got(link string, headers ...string) (status int, text string) {
	h.T.Helper()
	r := h.do(http.MethodGet, link, nil, headers...)
	b, err := io.ReadAll(r.Body)
	if err != nil {
		h.T.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// send is slot and put, which have to go well.
func (h *house) send(c *coretest.Client, text string) (get string) {
	h.T.Helper()
	put, get := h.slot(c, "a.txt", len(text), "text/plain")
	if status := h.put(put, text, "Content-Type", "text/plain"); status != http.StatusCreated {
		h.T.Fatal(status)
	}
	return get
}

// left are the blobs that there are.
func (h *house) left() (n int) {
	h.T.Helper()
	if err := h.blob.List(h.T.Context(), "", func(string) error { n++; return nil }); err != nil {
		h.T.Fatal(err)
	}
	return n
}

// entries are what the index holds.
func (h *house) entries() int {
	h.T.Helper()
	items, err := h.u.index.Scan(h.T.Context(), "", store.Range{})
	if err != nil {
		h.T.Fatal(err)
	}
	return len(items)
}

// told are the bytes and files that an account is told it has.
func (h *house) told(c *coretest.Client) string {
	h.T.Helper()
	c.Send("<iq type='get' id='q' to='upload.example.org'><quota xmlns='" + nsQuota + "'/></iq>")
	m := regexp.MustCompile(`<bytes used='(\d+)' .*<files used='(\d+)'`).FindStringSubmatch(c.Got())
	if m == nil {
		h.T.Fatal("no quota is told")
	}
	return m[1] + " " + m[2]
}

func has(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %s in %s", p, text)
		}
	}
}
