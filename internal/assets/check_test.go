package assets

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// serve serves m as a site does, and tells what Check finds there.
func serve(t *testing.T, m fstest.MapFS) []string {
	t.Helper()
	return serveWith(t, m, want(index))
}

func want(string) http.Header { return http.Header{"X-Policy": {"of the screen"}} }

func serveWith(t *testing.T, m fstest.MapFS, headers http.Header) []string {
	t.Helper()
	theirs, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), headers)
		switch r.URL.Path {
		case "/":
			theirs.Serve(w, r, index)
		case "/manifest.json":
			b, _ := theirs.Manifest()
			w.Write(b)
		default:
			theirs.Serve(w, r, strings.TrimPrefix(r.URL.Path, "/"))
		}
	}))
	defer srv.Close()
	wrong, err := newSet(t).Check(t.Context(), srv.Client(), srv.URL, want)
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

func TestASiteThatServesTheSameIsFoundSo(t *testing.T) {
	if wrong := serve(t, folder(t)); len(wrong) != 0 {
		t.Error(wrong)
	}
}

func TestWhatDiffersIsFoundInWhicheverShape(t *testing.T) {
	for name, change := range map[string]func(m fstest.MapFS){
		"index.html: differs":                              func(m fstest.MapFS) { m["index.html"].Data = []byte("<!DOCTYPE html>") },
		"assets/app-B1.js: differs":                        func(m fstest.MapFS) { m["assets/app-B1.js.br"].Data = []byte("EVIL") },
		"engine/engine.wasm: differs":                      func(m fstest.MapFS) { m["engine/engine.wasm.br"].Data = []byte("EVIL") },
		"index.html: longer than the 15 bytes that it has": func(m fstest.MapFS) { m["index.html"].Data = []byte("<!doctype html><script>") },
		"assets/app-B1.js: HTTP status 404":                func(m fstest.MapFS) { delete(m, "assets/app-B1.js"); delete(m, "assets/app-B1.js.br") },
		"manifest.json: another list of files":             func(m fstest.MapFS) { m["more.js"] = &fstest.MapFile{} },
		"engine/engine.wasm: longer than the 37 bytes that it has": func(m fstest.MapFS) {
			delete(m, "engine/engine.wasm.gz")
			m["engine/engine.wasm"] = &fstest.MapFile{Data: []byte(program + "!")}
		},
	} {
		m := folder(t)
		change(m)
		if wrong := serve(t, m); !slices.Contains(wrong, name) {
			t.Errorf("%s: %q", name, wrong)
		}
	}
}

func TestHeadersThatAreOthersAreFound(t *testing.T) {
	for _, headers := range []http.Header{nil, {"X-Policy": {""}}, {"X-Policy": {"of the screen", "and another"}}, {"X-Policy": {"of the screen, and more"}}} {
		wrong := serveWith(t, folder(t), headers)
		if len(wrong) != len(newSet(t).Names()) || !strings.HasPrefix(wrong[0], "assets/app-B1.js: X-Policy is ") {
			t.Errorf("%q: %q", headers, wrong)
		}
	}
}

func TestASiteThatDoesNotAnswerIsAnError(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	if _, err := newSet(t).Check(t.Context(), srv.Client(), srv.URL, want); err == nil {
		t.Error("no error")
	}
}
