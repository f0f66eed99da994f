package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

var long = strings.Repeat("p { margin: 0 }\n", 100)

const program = "the program, the program, the program"

func packed(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, program)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func folder(t *testing.T) fstest.MapFS {
	t.Helper()
	return fstest.MapFS{
		"index.html":            {Data: []byte("<!doctype html>")},
		"assets/app-B1.js":      {Data: []byte("app()")},
		"assets/app-B1.js.br":   {Data: []byte("BR")},
		"engine/engine.wasm.gz": {Data: packed(t)},
		"engine/engine.wasm.br": {Data: []byte("BROTLI")},
		".gitignore":            {Data: []byte("*")},
		".vite/manifest.json":   {Data: []byte("{}")},
		"manifest.json":         {Data: []byte("{}")},
		"long.css":              {Data: []byte(long)},
	}
}

func ask(t *testing.T, s *Set, name string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", "/"+name, nil)
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.Serve(w, r, name)
	return w
}

func newSet(t *testing.T) *Set {
	t.Helper()
	s, err := New(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheManifestIsOfUnpackedFilesAndAlwaysTheSame(t *testing.T) {
	const want = "{\n\t\"files\": {\n\t\t\"assets/app-B1.js\": \"sha256-" // and so on
	one, err := newSet(t).Manifest()
	if err != nil || !strings.HasPrefix(string(one), want) {
		t.Fatal(string(one), err)
	}
	two, _ := newSet(t).Manifest()
	if !bytes.Equal(one, two) || strings.Contains(string(one), "vite") || strings.Contains(string(one), ".br") {
		t.Error(string(one))
	}
	sum := sha256.Sum256([]byte(program))
	if !strings.Contains(string(one), `"engine/engine.wasm": "sha256-`+base64.StdEncoding.EncodeToString(sum[:])+`"`) {
		t.Error("the hash is not of what is unpacked")
	}
}

func TestWhoTakesItPackedGetsItPacked(t *testing.T) {
	s := newSet(t)
	for _, c := range []struct{ accept, coding, body string }{
		{"gzip, deflate, br", "br", "BROTLI"},
		{"gzip", "gzip", string(packed(t))},
		{"GZIP;q=0.5", "gzip", string(packed(t))},
		{"br;q=0, gzip;q=0.0", "", program},
		{"br;q=x", "", program},
		{"*", "", program},
		{"", "", program},
	} {
		w := ask(t, s, "engine/engine.wasm", "Accept-Encoding: "+c.accept)
		h := w.Header()
		if w.Code != 200 || h.Get("Content-Encoding") != c.coding || w.Body.String() != c.body || h.Get("Content-Type") != "application/wasm" {
			t.Errorf("%q: %d %v", c.accept, w.Code, h)
		}
		if h.Get("Vary") != "Accept-Encoding" || c.coding != "" && h.Get("X-Unpacked-Length") != strconv.Itoa(len(program)) {
			t.Errorf("%q: %v", c.accept, h)
		}
		if again := ask(t, s, "engine/engine.wasm", "Accept-Encoding: "+c.accept, "If-None-Match: "+h.Get("ETag")); again.Code != 304 {
			t.Errorf("%q: the same again: %d", c.accept, again.Code)
		}
	}
}

func TestTextThatWasNotPackedIsPackedHere(t *testing.T) {
	w := ask(t, newSet(t), "long.css", "Accept-Encoding: br, gzip")
	if h := w.Header(); h.Get("Content-Encoding") != "gzip" || h.Get("Vary") != "Accept-Encoding" || w.Body.Len() > 100 {
		t.Error(h, w.Body.Len())
	}
	r, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); string(b) != long || err != nil {
		t.Error(string(b), err)
	}
	if w := ask(t, newSet(t), "long.css"); w.Body.String() != long {
		t.Error(w.Body)
	}
}

func TestAPartOfAFileIsHandedOut(t *testing.T) {
	w := ask(t, newSet(t), "assets/app-B1.js", "Range: bytes=1-2")
	if w.Code != 206 || w.Body.String() != "pp" {
		t.Error(w.Code, w.Body)
	}
}

func TestOnlyWhatIsListedIsServed(t *testing.T) {
	s := newSet(t)
	for _, name := range []string{".gitignore", "assets", "", "engine/engine.wasm.gz", "../index.html", "assets/app-B1.js.br", ".vite/manifest.json", "manifest.json"} {
		if w := ask(t, s, name); w.Code != 404 {
			t.Errorf("%q: %d", name, w.Code)
		}
	}
}

func TestFoldersThatCannotBeServedAreRefused(t *testing.T) {
	for name, m := range map[string]fstest.MapFS{
		"Brotli only":   {"a.js.br": {}},
		"a pattern":     {"assets/{x}.js": {}},
		"a blank":       {"a b.js": {}},
		"packed twice":  {"a.js": {}, "a.js.gz.br": {}},
		"an escape":     {"a%2fb.js": {}},
		"Arabic":        {"ملف.js": {}},
		"only packages": {"a.gz.br": {}},
	} {
		if _, err := New(m); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestAnEmptyFolderIsNoScreen(t *testing.T) {
	s, err := New(fstest.MapFS{".gitignore": {Data: []byte("*")}})
	if err != nil || s.Built() || len(s.Names()) != 0 {
		t.Fatal(s, err)
	}
	if b, err := s.Manifest(); err != nil || string(b) != "{\n\t\"files\": {}\n}\n" {
		t.Error(string(b), err)
	}
}
