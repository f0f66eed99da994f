package upload

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestNoFileIsAPage(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		h.u.cfg.Files = 100
		for media, want := range map[string][2]string{
			"image/png": {"image/png", "inline"}, "video/mp4": {"video/mp4", "inline"}, "audio/ogg": {"audio/ogg", "inline"},
			"IMAGE/JPEG": {"image/jpeg", "inline"}, "text/plain": {"text/plain; charset=utf-8", "attachment"}, "application/pdf": {"application/pdf", "attachment"},
			"text/html": {octets, "attachment"}, "image/svg+xml": {octets, "attachment"}, "text/xml": {octets, "attachment"}, "application/xhtml+xml": {octets, "attachment"},
			"text/javascript": {octets, "attachment"}, "text/css": {octets, "attachment"}, "multipart/x-mixed-replace": {octets, "attachment"}, "": {octets, "attachment"},
			"text/html; charset=utf-8": {octets, "attachment"},
		} {
			put, get := h.slot(alice, "x.html", 4, media)
			if status := h.put(put, "<p/>"); status != http.StatusCreated {
				t.Fatal(media, status)
			}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r := h.do(method, get, nil)
				hd := r.Header
				if got := hd.Get("Content-Type"); got != want[0] {
					t.Errorf("%s goes out as %s", media, got)
				}
				if got := hd.Get("Content-Disposition"); got != want[1]+"; filename*=UTF-8''x.html" {
					t.Errorf("%s goes out as %s", media, got)
				}
				harmless(t, hd)
				if r.ContentLength != 4 && hd.Get("Content-Length") != "4" {
					t.Errorf("%s: length %s", method, hd.Get("Content-Length"))
				}
			}
		}
		harmless(t, h.do(http.MethodGet, h.u.cfg.URL+"/upload/x/y", nil).Header)
		harmless(t, h.do(http.MethodPut, h.u.cfg.URL+"/upload/x/y", nil).Header)
	})
}

func harmless(t *testing.T, h http.Header) {
	t.Helper()
	if got := h.Get("Content-Security-Policy"); got != "default-src 'none'; frame-ancestors 'none'; sandbox" {
		t.Error("policy:", got)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a browser may guess")
	}
}

func TestPagesOfAnyOriginMayReadFiles(t *testing.T) {
	run(t, config(), func(h *house) {
		get := h.send(h.Login("alice@example.org/a"), "text")
		r := h.do(http.MethodOptions, get, nil, "Origin", "https://web.example", "Access-Control-Request-Method", "PUT")
		if r.StatusCode != http.StatusNoContent || r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Error(r.StatusCode, r.Header)
		}
		has(t, r.Header.Get("Access-Control-Allow-Methods"), "PUT", "GET", "HEAD")
		has(t, r.Header.Get("Access-Control-Allow-Headers"), "Content-Type")
		if r := h.do(http.MethodGet, get, nil); r.Header.Get("Access-Control-Allow-Origin") != "*" || r.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error(r.Header)
		}
	})
}

func TestPartsOfAFile(t *testing.T) {
	run(t, config(), func(h *house) {
		get := h.send(h.Login("alice@example.org/a"), "0123456789")
		whole := h.do(http.MethodGet, get, nil)
		etag := whole.Header.Get("ETag")
		for _, c := range []struct {
			header []string
			status int
			text   string
		}{
			{nil, 200, "0123456789"},
			{[]string{"Range", "bytes=2-4"}, 206, "234"},
			{[]string{"Range", "bytes=7-"}, 206, "789"},
			{[]string{"Range", "bytes=-2"}, 206, "89"},
			{[]string{"Range", "bytes=100-"}, 416, ""},
			{[]string{"Range", "bytes=9-2"}, 416, ""},
			{[]string{"Range", "lines=1-2"}, 416, ""},
			{[]string{"Range", "bytes=0-0,2-2"}, 200, "0123456789"},
			{[]string{"Range", "bytes=" + strings.Repeat("0-,", 1000) + "0-"}, 200, "0123456789"},
			{[]string{"If-None-Match", etag}, 304, ""},
			{[]string{"Range", "bytes=2-4", "If-Range", etag}, 206, "234"},
			{[]string{"Range", "bytes=2-4", "If-Range", `"other"`}, 200, "0123456789"},
		} {
			status, text := h.got(get, c.header...)
			if status != c.status || c.status < 300 && text != c.text {
				t.Errorf("%.60q: %d %q", c.header, status, text)
			}
		}
	})
}

func TestAFileThatIsGoneIsNoError(t *testing.T) {
	run(t, config(), func(h *house) {
		get := h.send(h.Login("alice@example.org/a"), "text")
		key := ""
		_ = h.blob.List(t.Context(), "", func(k string) error { key = k; return nil })
		if err := h.blob.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if status, _ := h.got(get); status != http.StatusNotFound {
			t.Error(status)
		}
	})
}

func TestAFileIsThereForItsTimeAndNoLonger(t *testing.T) {
	run(t, config(), func(h *house) {
		alice := h.Login("alice@example.org/a")
		get := h.send(alice, "text")
		time.Sleep(h.u.cfg.Keep - time.Minute)
		r := h.do(http.MethodGet, get, nil)
		if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != http.StatusOK {
			t.Error(r.StatusCode, err)
		}
		has(t, r.Header.Get("Cache-Control"), "private", "max-age=60")
		time.Sleep(time.Minute)
		if status, _ := h.got(get); status != http.StatusNotFound {
			t.Error(status)
		}
		time.Sleep(sweepEvery)
		if got := h.told(alice); got != "0 0" || h.left() > 0 || h.entries() > 0 {
			t.Error("left:", got, h.left(), h.entries())
		}
	})
}
