package upload

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mirsal/internal/store"
)

// route is that of all links.
const route = "/upload/{token}/{name}"

// guard puts on every answer what keeps a file from being more than a file:
// whatever a browser makes of it, it is in a sandbox and loads nothing. Pages of any
// origin may read it, as nothing depends on who asks.
// XEP-0363#server
func guard(f http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Accept-Ranges, Content-Length, Content-Range, ETag")
		f(w, r)
	})
}

// preflight answers browsers that ask first.
// XEP-0363#impl
func preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "OPTIONS, HEAD, GET, PUT")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Range")
	h.Set("Access-Control-Max-Age", "7200")
	w.WriteHeader(http.StatusNoContent)
}

var notThere = refusal{http.StatusNotFound, "There is no such file, or not any more.", "unknown"}

// get sends a file to whoever has its link.
func (u *Upload) get(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	key := keyOf(r.PathValue("token"), name)
	rec, err := u.lookUp(r.Context(), key)
	var f store.BlobReader
	if err == nil {
		f, err = u.blob.Open(r.Context(), key)
	}
	if err != nil {
		u.refuse(w, r, err)
		return
	}
	defer f.Close()
	u.metrics.gets.WithLabelValues("sent").Inc()
	describe(w.Header(), &rec, name)
	// RFC 9110 §14.2: many ranges may be ignored, and what they add up to is more
	// than the file
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range")
	}
	http.ServeContent(&steady{ResponseWriter: w, conn: http.NewResponseController(w), out: u.metrics.out}, r, "", time.Unix(rec.since, 0), f)
}

func (u *Upload) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrNotFound) || r.Context().Err() != nil {
		u.metrics.gets.WithLabelValues("unknown").Inc()
		notThere.send(w)
		return
	}
	u.metrics.gets.WithLabelValues("failed").Inc()
	u.cfg.Log.Error("a file cannot be read", "err", err)
	refusal{status: http.StatusInternalServerError, text: "The file cannot be read now."}.send(w)
}

// describe says what a file is, as far as that is safe.
func describe(h http.Header, rec *record, name string) {
	t, inline := served(rec.media)
	how := "attachment"
	if inline {
		how = "inline"
	}
	h.Set("Content-Type", t)
	// RFC 6266 §4.3, RFC 8187 §3.2
	h.Set("Content-Disposition", how+"; filename*=UTF-8''"+escapeName(name))
	h.Set("ETag", `"`+rec.key[:32]+`"`)
	h.Set("Cache-Control", "private, immutable, max-age="+strconv.FormatInt(freshFor(rec), 10))
}

// freshFor is how many seconds a browser may keep a file: never longer than we do.
func freshFor(rec *record) int64 {
	const day = 24 * 60 * 60
	if rec.until == 0 {
		return day
	}
	return max(0, min(day, rec.until-time.Now().Unix()))
}

// steady sends a body of which every step has to be taken in time.
type steady struct {
	http.ResponseWriter
	conn *http.ResponseController
	out  counter
}

// stride is how much has to be taken within patience.
const stride = 256 << 10

func (s *steady) Write(b []byte) (int, error) {
	_ = s.conn.SetWriteDeadline(time.Now().Add(patience))
	n, err := s.ResponseWriter.Write(b)
	s.out.Add(float64(n))
	return n, err
}

// ReadFrom leaves the copying to net/http, which knows how to have the system do it,
// a stride at a time.
func (s *steady) ReadFrom(src io.Reader) (total int64, err error) {
	limit, ok := src.(*io.LimitedReader)
	if !ok {
		return io.Copy(onlyWriter{s}, src)
	}
	for limit.N > 0 && err == nil {
		part := &io.LimitedReader{R: limit.R, N: min(stride, limit.N)}
		_ = s.conn.SetWriteDeadline(time.Now().Add(patience))
		var n int64
		n, err = io.Copy(s.ResponseWriter, part)
		s.out.Add(float64(n))
		total, limit.N = total+n, limit.N-n
		if n == 0 {
			break // the file is shorter than it was
		}
	}
	return total, err
}

// onlyWriter hides ReadFrom.
type onlyWriter struct{ io.Writer }
