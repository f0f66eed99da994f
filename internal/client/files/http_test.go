//go:build !js

package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// house is a file service over TLS, and what speaks to it.
func house(t *testing.T, h http.HandlerFunc) (base string, doer *HTTP) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	doer = NewHTTP(Policy{}, "mirsal-test", &tls.Config{RootCAs: roots})
	t.Cleanup(doer.Close)
	return s.URL, doer
}

// fetch downloads into a folder and returns where the file is.
func fetch(t *testing.T, doer Doer, d Download, folder string) (string, error) {
	t.Helper()
	tr := &Transfers{Doer: doer, Rand: rand.Reader, Least: time.Millisecond, Most: time.Millisecond}
	var saved *Saved
	err := tr.Download(t.Context(), d, Fetch{
		Part: Disk{filepath.Join(folder, "parts")}.Part(d.ID),
		Sink: func() (s Sink, err error) { saved, err = Save(folder, d.Name); return saved, err },
	})
	if saved == nil {
		return "", err
	}
	return saved.Path(), err
}

func TestADownloadOverTheNetworkIsResumed(t *testing.T) {
	plain, k, iv := random(1, 300_000), random(2, 32), random(3, 12)
	file := reference(t, k, iv, plain)
	var ranges []string
	base, doer := house(t, func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
		w.Header().Set("ETag", `"x"`)
		if len(ranges) == 1 {
			w.Header().Set("Content-Length", "300016")
			_, _ = w.Write(file[:100_000])
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file))
	})
	d := Download{ID: "m", Source: Source{URL: base + "/f", Cipher: AES256, Key: k, IV: iv}, Name: "../evil/photo.jpg", Size: 300_000}
	folder := t.TempDir()
	path, err := fetch(t, doer, d, folder)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, plain) || path != filepath.Join(folder, "photo.jpg") {
		t.Errorf("%s has %d bytes, %v", path, len(got), err)
	}
	if len(ranges) != 2 || !strings.HasPrefix(ranges[1], "bytes=") || !strings.HasSuffix(ranges[1], `- "x"`) {
		t.Errorf("asked for %q", ranges)
	}
	if left := names(t, folder); left != "parts photo.jpg" || names(t, filepath.Join(folder, "parts")) != "" {
		t.Errorf("the folder has %s", left)
	}
	if i, _ := os.Stat(path); i.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", i.Mode())
	}
}

func names(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestAFileThatIsTamperedWithLeavesNothingOnTheDisk(t *testing.T) {
	file := reference(t, random(2, 32), random(3, 12), random(1, 200_000))
	file[150_000] ^= 1
	base, doer := house(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(file) })
	folder := t.TempDir()
	_, err := fetch(t, doer, Download{ID: "m", Source: Source{URL: base + "/f", Cipher: AES256, Key: random(2, 32), IV: random(3, 12)}, Size: -1}, folder)
	if kindOf(err) != Tampered {
		t.Error(err)
	}
	if left := names(t, folder); left != "parts" || names(t, filepath.Join(folder, "parts")) != "" {
		t.Errorf("the folder has %s", left)
	}
}

func always(s Slot) AskSlot {
	return func(context.Context, Request) (Slot, error) { return s, nil }
}

func TestAnUploadOverTheNetworkSendsItsHeadersAndItsLength(t *testing.T) {
	var got *http.Request
	var body []byte
	base, doer := house(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
	})
	plain := random(1, 200_000)
	out := Outgoing{Name: "x.pdf", Size: int64(len(plain)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(plain)), nil }}
	slot := Slot{Put: base + "/put", Get: base + "/get", Headers: []Header{{"Authorization", "Basic x"}, {"Cookie", "a=b"}, {"Cookie", "c=d"}}}
	tr := &Transfers{Doer: doer, Rand: rand.Reader}
	l, err := tr.Upload(t.Context(), out, always(slot), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.ContentLength != 200_016 || len(got.TransferEncoding) > 0 || got.Header.Get("Authorization") != "Basic x" || len(got.Header["Cookie"]) != 2 ||
		got.Header.Get("Content-Type") != Octets || got.UserAgent() != "mirsal-test" {
		t.Errorf("%d %v", got.ContentLength, got.Header)
	}
	if !bytes.Equal(body, reference(t, l.Source.Key, l.Source.IV, plain)) {
		t.Error("the body is another")
	}
}

func TestRedirectsAreFollowedWhereThatIsSafe(t *testing.T) {
	var base string
	asked := map[string]int{}
	base, doer := house(t, func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		switch r.URL.Path {
		case "/plain":
			http.Redirect(w, r, strings.Replace(base, "https:", "http:", 1)+"/file", http.StatusFound)
		case "/local":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/moved":
			http.Redirect(w, r, "/file", http.StatusFound)
		default:
			_, _ = w.Write([]byte("hello"))
		}
	})
	for path, want := range map[string]Kind{"/moved": "", "/plain": Insecure, "/local": Unreadable, "/circle": Refused} {
		_, err := fetch(t, doer, Download{ID: "m", Source: Source{URL: base + path}, Name: "x", Size: -1}, t.TempDir())
		if kindOf(err) != want || want == "" && err != nil {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if want != "" && asked[path] > maxRedirects+1 {
			t.Errorf("%s: asked %d times", path, asked[path])
		}
	}
	out := Outgoing{Size: 1, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }}
	tr := &Transfers{Doer: doer, Rand: rand.Reader, Least: time.Millisecond}
	_, err := tr.Upload(t.Context(), out, always(Slot{Put: base + "/moved", Get: base + "/x"}), nil)
	if kindOf(err) != Refused {
		t.Errorf("a PUT was redirected: %v", err)
	}
}

func TestHostileAnswersAreNotBelieved(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   Kind
	}{
		"packed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("bomb"))
		}, Refused},
		"huge by its own words": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9000000000000000000") }, TooLarge},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, TooLarge},
		"endless headers": {func(w http.ResponseWriter, _ *http.Request) {
			for range 100 {
				w.Header().Add("X", strings.Repeat("x", 10_000))
			}
		}, Unreachable},
		"a range of nonsense": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 18446744073709551615-5/-3")
			w.WriteHeader(http.StatusPartialContent)
		}, Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			base, doer := house(t, c.answer)
			d := Download{ID: "m", Source: Source{URL: base + "/f", Cipher: AES256, Key: random(2, 32), IV: random(3, 12)}, Name: "x", Size: -1, Most: 1 << 20}
			if _, err := fetch(t, doer, d, t.TempDir()); kindOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestAServiceWithoutAGoodCertificateIsRefusedAtOnce(t *testing.T) {
	base, _ := house(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	stranger := NewHTTP(Policy{}, "x", nil)
	if _, err := fetch(t, stranger, Download{ID: "m", Source: Source{URL: base + "/f"}, Name: "x", Size: -1}, t.TempDir()); kindOf(err) != Insecure {
		t.Error(err)
	}
}

func TestNoFileIsEverReplaced(t *testing.T) {
	folder := t.TempDir()
	var paths []string
	for _, text := range []string{"one", "two", "three"} {
		s, err := Save(folder, "a.tar.gz")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write([]byte(text))
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
		s.Abort()
		got, err := os.ReadFile(s.Path())
		if err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
		paths = append(paths, filepath.Base(s.Path()))
	}
	if got := strings.Join(paths, ","); got != "a.tar.gz,a.tar (2).gz,a.tar (3).gz" {
		t.Error(got)
	}
}

func TestPartsOfDownloadsThatWereGivenUpAreRemoved(t *testing.T) {
	d := Disk{filepath.Join(t.TempDir(), "parts")}
	if err := d.Keep(nil); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b/../c"} {
		if err := d.Part(id).Append([]byte(id)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Keep([]string{"b/../c"}); err != nil {
		t.Fatal(err)
	}
	a, _ := d.Part("a").Size()
	c, _ := d.Part("b/../c").Size()
	if a != 0 || c != 6 {
		t.Errorf("sizes %d and %d", a, c)
	}
}
