package httpd

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"mirsal/internal/assets"
)

func newScreen(t *testing.T, m fstest.MapFS, change func(*Config)) *side {
	t.Helper()
	set, err := assets.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return newSide(t, func(c *Config) {
		c.Screen, c.Placeholder = set, []byte("<!doctype html>make build")
		if change != nil {
			change(c)
		}
	})
}

func built() fstest.MapFS {
	m := fstest.MapFS{}
	for _, name := range []string{"index.html", "sw.js", "assets/app-B1.js", "engine/engine.js", "engine/engine.wasm", "manifest.webmanifest", "manifest.json"} {
		m[name] = &fstest.MapFile{Data: []byte("the file " + name)}
	}
	return m
}

const browser = "203.0.113.7:4000"

func TestEveryFileOfTheScreenHasThePolicyThatItNeedsAndNoMore(t *testing.T) {
	s := newScreen(t, built(), func(c *Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "chat.example.org"} })
	const reach = "connect-src 'self' wss://chat.example.org;"
	for path, want := range map[string]struct{ cache, policy, kind string }{
		"/":                     {"no-cache", "script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; font-src 'self'; " + reach, "text/html; charset=utf-8"},
		"/index.html":           {"no-cache", "require-trusted-types-for 'script'; trusted-types svelte-trusted-html mirsal", "text/html; charset=utf-8"},
		"/sw.js":                {"no-cache", "script-src 'self'; " + reach, "text/javascript; charset=utf-8"},
		"/assets/app-B1.js":     {"public, max-age=31536000, immutable", "default-src 'none'; frame-ancestors", "text/javascript; charset=utf-8"},
		"/engine/engine.js":     {"no-cache", "script-src 'self' 'wasm-unsafe-eval'; " + reach, "text/javascript; charset=utf-8"},
		"/engine/engine.wasm":   {"no-cache", "default-src 'none'; frame-ancestors", "application/wasm"},
		"/manifest.webmanifest": {"no-cache", "default-src 'none'; frame-ancestors", "application/manifest+json"},
	} {
		w := s.askHost("https://chat.example.org", "chat.example.org", browser, nil, path)
		h := w.Header()
		if w.Code != 200 || h.Get("Cache-Control") != want.cache || !strings.Contains(h.Get("Content-Security-Policy"), want.policy) || h.Get("Content-Type") != want.kind {
			t.Errorf("%s: %d %v", path, w.Code, h)
		}
		if wasm := strings.Contains(h.Get("Content-Security-Policy"), "wasm-unsafe-eval"); wasm != (path == "/engine/engine.js") {
			t.Errorf("%s: programs may run: %v", path, wasm)
		}
		for _, never := range []string{"unsafe-inline", "'unsafe-eval'", "data:", "*", "http:"} {
			if strings.Contains(h.Get("Content-Security-Policy"), never) {
				t.Errorf("%s: %s", path, never)
			}
		}
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			if h.Get(name) != value {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
	page := s.askHost("https://chat.example.org", "https://", browser, nil, "/")
	if !strings.Contains(page.Header().Get("Permissions-Policy"), "camera=(self), microphone=(self)") {
		t.Error(page.Header())
	}
	if sw := s.askHost("https://chat.example.org", "https://", browser, nil, "/sw.js"); sw.Header().Get("Service-Worker-Allowed") != "/" {
		t.Error(sw.Header())
	}
}

func TestPagesConnectToTheSiteThatTheyAreFromAndToItsFiles(t *testing.T) {
	s := newScreen(t, built(), func(c *Config) { c.Files = "https://localhost:5443" })
	for at, want := range map[string]string{
		"http://localhost:5280":    "'self' ws://localhost:5280 https://localhost:5443",
		"https://localhost:5443":   "'self' wss://localhost:5443",
		"http://127.0.0.1:5280":    "'self' ws://127.0.0.1:5280 https://localhost:5443",
		"https://example.org:5443": "'self' wss://example.org:5443 https://localhost:5443",
		"https://evil.example":     "'self' wss://example.org:5443 https://localhost:5443",
	} {
		from := browser
		if strings.HasPrefix(at, "http:") {
			from = "127.0.0.1:9"
		}
		w := s.askHost(at, at, from, nil, "/")
		if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "connect-src "+want+";") {
			t.Errorf("%s: %s", at, p)
		}
	}
}

func TestAScreenIsFoundToComeWithItsHeaders(t *testing.T) {
	s := newScreen(t, built(), func(c *Config) { c.Files = "https://files.example.org" })
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	at, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	for files, good := range map[string]bool{"https://files.example.org/upload/": true, "": false} {
		headers := func(name string) http.Header { return ScreenHeaders(name, at, files) }
		if wrong, err := s.cfg.Screen.Check(t.Context(), srv.Client(), srv.URL, headers); err != nil || (len(wrong) == 0) != good {
			t.Error(files, wrong, err)
		}
	}
}

func TestTheScreenIsTriedUnderTheSamePolicies(t *testing.T) {
	b, err := os.ReadFile("../../web/build/policy.ts")
	if err != nil {
		t.Fatal(err)
	}
	const reach = "${reach}"
	for _, want := range []string{pagePolicy(reach), enginePolicy(reach), workerPolicy(reach), permissions} {
		if !strings.Contains(string(b), want) {
			t.Errorf("web/build/policy.ts lacks %s", want)
		}
	}
	h := http.Header{}
	basics(h)
	for name := range h {
		if !strings.Contains(string(b), "'"+name+"': '"+h.Get(name)+"'") && name != "Content-Security-Policy" {
			t.Errorf("web/build/policy.ts lacks %s: %s", name, h.Get(name))
		}
	}
}

func TestNothingOfARequestComesBack(t *testing.T) {
	s := newScreen(t, built(), nil)
	for _, path := range []string{"/MARK", "/assets/MARK.js", "/engine/MARK", "/?MARK", "/invite?MARK=1", "/chat/MARK", "/site.json?MARK", "/index.html/MARK"} {
		w := s.askHost("https://MARK.example", "https://", browser, []string{"Referer: https://MARK", "X-Mark: MARK"}, path)
		if strings.Contains(w.Body.String(), "MARK") || strings.Contains(strings.ToLower(headers(w.Header())), "mark") {
			t.Errorf("%s: %v %s", path, w.Header(), w.Body)
		}
		if known := strings.HasPrefix(path, "/?") || strings.HasPrefix(path, "/site"); known != (w.Code == 200) {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func headers(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}

func TestFilesAreReadAndNothingElse(t *testing.T) {
	s := newScreen(t, built(), nil)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		for _, path := range []string{"/", "/sw.js", "/manifest.json"} {
			if w := s.ask(method, path, browser, ""); w.Code != http.StatusMethodNotAllowed {
				t.Error(method, path, w.Code)
			}
		}
	}
	if w := s.ask("HEAD", "/engine/engine.wasm", browser, ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("ETag") == "" {
		t.Error(w.Code, w.Header())
	}
}

func TestTheManifestIsTheServersOwn(t *testing.T) {
	s := newScreen(t, built(), nil)
	w := s.ask("GET", "/manifest.json", browser, "")
	want, err := s.cfg.Screen.Manifest()
	if err != nil || w.Body.String() != string(want) || !strings.Contains(w.Body.String(), `"engine/engine.wasm": "sha256-`) {
		t.Error(w.Body, err)
	}
}

func TestWithoutTheScreenThereIsAPageThatSaysHowToBuildIt(t *testing.T) {
	s := newScreen(t, fstest.MapFS{}, nil)
	if w := s.ask("GET", "/", browser, ""); w.Code != 200 || !strings.Contains(w.Body.String(), "make build") || w.Header().Get("Cache-Control") != "no-cache" {
		t.Error(w.Code, w.Body)
	}
	s = newSide(t, nil)
	if w := s.ask("GET", "/", browser, ""); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Error(w.Code, w.Body)
	}
	if w := s.ask("GET", "/manifest.json", browser, ""); w.Code != 404 {
		t.Error(w.Code)
	}
}

func TestAPageIsToldWhereItIs(t *testing.T) {
	s := newScreen(t, built(), func(c *Config) { c.Files, c.Passkeys = "https://localhost:5443", true })
	w := s.askHost("http://localhost:5280", "http://", "127.0.0.1:9", nil, "/site.json")
	const want = `{"domain":"example.org","websocket":"ws://localhost:5280/ws","files":"https://localhost:5443/upload/","passkeys":true}` + "\n"
	if w.Body.String() != want || w.Header().Get("Cache-Control") != "no-store" {
		t.Error(w.Body, w.Header())
	}
}

func TestWhoIsOfTheSameSite(t *testing.T) {
	s := newScreen(t, built(), func(c *Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "chat.example.org"} })
	for _, c := range []struct {
		headers []string
		want    bool
	}{
		{nil, true},
		{[]string{"Origin: https://chat.example.org"}, true},
		{[]string{"Sec-Fetch-Site: same-origin", "Origin: null"}, true},
		{[]string{"Origin: null"}, false},
		{[]string{"Origin: https://evil.example"}, false},
		{[]string{"Origin: https://chat.example.org", "Sec-Fetch-Site: same-site"}, false},
		{[]string{"Sec-Fetch-Site: none"}, false},
		{[]string{"Sec-Fetch-Site: cross-site"}, false},
	} {
		var got bool
		h := s.Guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = s.SameOrigin(r) }))
		side := &side{Server: s.Server, h: h}
		if side.ask("POST", "/", browser, "", c.headers...); got != c.want {
			t.Error(c.headers, got)
		}
	}
}
