package assets

import (
	"bytes"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// kind is the type of a file by the end of its name. The machine's own table
// would make a server's answers depend on what else is installed.
func kind(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".wasm":
		return "application/wasm"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".webp":
		return "image/webp"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// Serve answers a request for a file by its name: packed if there is a packed one that
// the browser takes; with an ETag, for which it is told that nothing has changed; whole or in part. A
// packed answer says in X-Unpacked-Length how long it is unpacked. The method is GET or HEAD.
func (s *Set) Serve(w http.ResponseWriter, r *http.Request, name string) {
	f := s.files[name]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if s.sums() != nil {
		http.Error(w, "The program is damaged.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind(name))
	if f.br || f.gz || f.packed != nil {
		h.Add("Vary", "Accept-Encoding")
	}
	switch coding := f.choose(r); {
	case coding != "":
		h.Set("Content-Encoding", coding)
		h.Set("X-Unpacked-Length", strconv.FormatInt(f.size, 10))
		h.Set("ETag", `"`+f.sum+"-"+coding+`"`)
		if coding == "gzip" && f.packed != nil {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.packed))
			return
		}
		s.content(w, r, name+map[string]string{"br": ".br", "gzip": ".gz"}[coding])
	case f.plain:
		h.Set("ETag", `"`+f.sum+`"`)
		s.content(w, r, name)
	default:
		s.unpack(w, r, f)
	}
}

// content hands out a file as it lies there.
func (s *Set) content(w http.ResponseWriter, r *http.Request, path string) {
	file, err := s.fsys.Open(path)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	in, ok := file.(io.ReadSeeker)
	if !ok {
		http.Error(w, "The program is damaged.", http.StatusInternalServerError)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, in)
}

// unpack is for whoever takes nothing packed; it is whole, always.
func (s *Set) unpack(w http.ResponseWriter, r *http.Request, f *file) {
	tag := `"` + f.sum + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(f.size, 10))
	if r.Method == http.MethodHead {
		return
	}
	in, err := s.unpacked(f)
	if err != nil {
		http.Error(w, "The program is damaged.", http.StatusInternalServerError)
		return
	}
	defer in.Close()
	_, _ = io.Copy(w, in) // the asker went away
}

// choose is how a file is packed for who asks, "" for not at all.
// RFC 9110 §12.5.3
func (f *file) choose(r *http.Request) string {
	switch accept := r.Header.Get("Accept-Encoding"); {
	case f.br && accepts(accept, "br"):
		return "br"
	case (f.gz || f.packed != nil) && accepts(accept, "gzip"):
		return "gzip"
	}
	return ""
}

// accepts tells whether a list names a coding and does not refuse it. Who takes
// everything (*) takes also what is not packed.
func accepts(list, coding string) bool {
	for part := range strings.SplitSeq(list, ",") {
		name, q, weighed := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		_, value, _ := strings.Cut(q, "=")
		weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return !weighed || err == nil && weight > 0
	}
	return false
}
