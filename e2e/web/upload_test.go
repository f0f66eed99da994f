package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

const nsUpload = "urn:xmpp:http:upload:0"

// ask asks for a slot: its links, or the answer where there is none.
func ask(t *testing.T, c *xmppclient.Conn, attrs string) (put, get string, answer *xmppclient.Node) {
	t.Helper()
	send(t, c, "<iq type='get' id='slot' to='upload."+mirsal.Domain+"'><request xmlns='"+nsUpload+"' "+attrs+"/></iq>")
	answer = stanza(t, c)
	if s := answer.Child(nsUpload, "slot"); s != nil {
		put, get = s.Child(nsUpload, "put").Attr("url"), s.Child(nsUpload, "get").Attr("url")
	}
	return put, get, answer
}

func slot(t *testing.T, c *xmppclient.Conn, name string, size int, media string) (put, get string) {
	t.Helper()
	put, get, answer := ask(t, c, fmt.Sprintf("filename='%s' size='%d' content-type='%s'", name, size, media))
	if put == "" {
		t.Fatal(answer)
	}
	return put, get
}

// used is what the account is told of its quota: bytes and files.
func used(t *testing.T, c *xmppclient.Conn) string {
	t.Helper()
	const ns = "urn:mirsal:quota:0"
	send(t, c, "<iq type='get' id='quota' to='upload."+mirsal.Domain+"'><quota xmlns='"+ns+"'/></iq>")
	q := stanza(t, c).Child(ns, "quota")
	if q == nil {
		t.Fatal("no quota")
	}
	return q.Child(ns, "bytes").Attr("used") + " " + q.Child(ns, "files").Attr("used")
}

// browser follows links to the server, wherever its name leads; no certificate is checked.
func (h house) browser() *http.Client {
	to := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, mirsal.Domain) {
			addr = h.Addr("http")
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	return &http.Client{Transport: &http.Transport{DialContext: to, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

// plain is a link by way of the listener for proxies.
func (h house) plain(link string) string {
	u, _ := url.Parse(link)
	return "http://" + h.Addr("http-plain") + u.EscapedPath()
}

func do(t *testing.T, c *http.Client, method, link string, body io.Reader, headers ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(soon(t), method, link, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, b
}

func status(t *testing.T, c *http.Client, method, link string, body io.Reader, headers ...string) int {
	t.Helper()
	r, _ := do(t, c, method, link, body, headers...)
	return r.StatusCode
}

// stored are the sizes of the files below the uploads folder, half ones included.
func (h house) stored(t *testing.T) (n int, bytes int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(h.Data, "uploads"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n, bytes = n+1, bytes+info.Size()
		}
		return nil // it may be gone again
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, bytes
}

func TestAFileGoesInAndOutByEveryListener(t *testing.T) {
	h := start(t)
	alice, web := login(t, h.ways()["tcp"], "alice", "phone"), h.browser()
	file := make([]byte, 3<<20)
	_, _ = rand.Read(file)
	for _, way := range []func(string) string{func(link string) string { return link }, h.plain} {
		put, get := slot(t, alice, "a picture.jpg", len(file), "image/jpeg")
		if !strings.HasPrefix(put, "https://"+mirsal.Domain+":") || !strings.HasSuffix(get, "/a%20picture.jpg") {
			t.Error(put, get)
		}
		if got := status(t, web, http.MethodPut, way(put), bytes.NewReader(file), "Content-Type", "image/jpeg", "Expect", "100-continue"); got != http.StatusCreated {
			t.Fatal(got)
		}
		r, got := do(t, web, http.MethodGet, way(get), nil, "Origin", "https://elsewhere.example")
		if r.StatusCode != http.StatusOK || !bytes.Equal(got, file) || r.Header.Get("Content-Type") != "image/jpeg" {
			t.Error(r.Status, len(got), r.Header)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox", "X-Content-Type-Options": "nosniff",
			"Access-Control-Allow-Origin": "*", "Accept-Ranges": "bytes",
		} {
			if r.Header.Get(name) != want {
				t.Errorf("%s: %q", name, r.Header.Get(name))
			}
		}
		r, got = do(t, web, http.MethodGet, way(get), nil, "Range", "bytes=1000000-1999999")
		if r.StatusCode != http.StatusPartialContent || !bytes.Equal(got, file[1_000_000:2_000_000]) {
			t.Error(r.Status, len(got))
		}
		if r, got = do(t, web, http.MethodHead, way(get), nil); r.ContentLength != int64(len(file)) || len(got) > 0 {
			t.Error(r.ContentLength, len(got))
		}
	}
}

func TestThereIsNoPlaceForFilesWithoutTLS(t *testing.T) {
	for http, want := range map[string]bool{"off": false, "127.0.0.1:0": true} {
		s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
			"--domain", "localhost", "--http", http, "--http-plain", "127.0.0.1:0",
		}})
		s.Accounts(password, "alice")
		c := login(t, xmppclient.Options{Addr: s.Addr("c2s"), Domain: "localhost"}, "alice", "a")
		send(t, c, "<iq type='get' id='items' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
		if got := stanza(t, c).String(); strings.Contains(got, "upload.localhost") != want {
			t.Errorf("http %s: %s", http, got)
		}
	}
}

func TestAHundredUploadsAtOnceStayWithinTheQuota(t *testing.T) {
	const size, fit = 40_000, 30
	h := start(t, "--set", fmt.Sprintf("upload.quota=%d", fit*size+size/2), "--set", "upload.max_size=100000")
	web := h.browser()
	var kept, refused atomic.Int32
	var run sync.WaitGroup
	for i := range 10 {
		c := login(t, h.ways()["tcp"], "alice", fmt.Sprint("device", i))
		run.Go(func() {
			for range 10 {
				put, _, _ := ask(t, c, fmt.Sprintf("filename='a.bin' size='%d'", size))
				if put == "" {
					refused.Add(1)
					continue
				}
				run.Go(func() {
					if status(t, web, http.MethodPut, put, bytes.NewReader(make([]byte, size))) == http.StatusCreated {
						kept.Add(1)
					}
				})
			}
		})
	}
	run.Wait()
	n, total := h.stored(t)
	if kept.Load() != fit || refused.Load() != 100-fit || n != fit || total != fit*size {
		t.Errorf("%d kept and %d refused; %d files of %d bytes", kept.Load(), refused.Load(), n, total)
	}
}

// half begins a PUT on a connection of its own and sends half of it.
func (h house) half(t *testing.T, link string, size int) net.Conn {
	t.Helper()
	u, _ := url.Parse(link)
	c, err := net.DialTimeout("tcp", h.Addr("http-plain"), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", u.EscapedPath(), u.Host, size)
	if _, err := c.Write(make([]byte, size/2)); err != nil {
		t.Fatal(err)
	}
	return c
}

// waitFor polls until something is so.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestAConnectionThatBreaksLeavesNothing(t *testing.T) {
	h := start(t)
	alice := login(t, h.ways()["tcp"], "alice", "phone")
	put, get := slot(t, alice, "a", 1<<20, "")
	c := h.half(t, put, 1<<20)
	waitFor(t, "half a file", func() bool { n, _ := h.stored(t); return n == 1 })
	c.Close()
	waitFor(t, "no file", func() bool { n, _ := h.stored(t); return n == 0 })
	waitFor(t, "the quota to be free", func() bool { return used(t, alice) == "0 0" })
	if got := status(t, h.browser(), http.MethodGet, get, nil); got != http.StatusNotFound {
		t.Error(got)
	}
	if got := status(t, h.browser(), http.MethodPut, put, bytes.NewReader(make([]byte, 1<<20))); got != http.StatusConflict {
		t.Error(got)
	}
}

func TestAKillInTheMiddleLeavesWhatWasWhole(t *testing.T) {
	h := start(t)
	alice, web := login(t, h.ways()["tcp"], "alice", "phone"), h.browser()
	var gets []string
	for i := range 3 {
		put, get := slot(t, alice, "whole.txt", 5, "text/plain")
		if got := status(t, web, http.MethodPut, put, strings.NewReader(fmt.Sprint("text", i))); got != http.StatusCreated {
			t.Fatal(got)
		}
		gets = append(gets, get)
	}
	var halves []string
	for range 5 {
		put, get := slot(t, alice, "half.bin", 1<<20, "")
		h.half(t, put, 1<<20)
		halves = append(halves, put, get)
	}
	waitFor(t, "halves", func() bool { n, _ := h.stored(t); return n == 8 })
	h.Kill()
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	if n, total := h.stored(t); n != 3 || total != 15 {
		t.Error(n, "files of", total, "bytes")
	}
	web = h.browser()
	for i, get := range gets {
		if r, got := do(t, web, http.MethodGet, get, nil); r.StatusCode != http.StatusOK || string(got) != fmt.Sprint("text", i) {
			t.Error(r.Status, got)
		}
	}
	for _, link := range halves {
		if got := status(t, web, http.MethodGet, link, nil); got != http.StatusNotFound {
			t.Error(got)
		}
	}
	if got := used(t, login(t, h.ways()["tcp"], "alice", "phone")); got != "15 3" {
		t.Error(got)
	}
}

func TestTheFilesOfARemovedAccountAreGone(t *testing.T) {
	h := start(t)
	alice, web := login(t, h.ways()["tcp"], "alice", "phone"), h.browser()
	put, get := slot(t, alice, "a.txt", 4, "text/plain")
	if got := status(t, web, http.MethodPut, put, strings.NewReader("text")); got != http.StatusCreated {
		t.Fatal(got)
	}
	// XEP-0077 §3.2
	send(t, alice, "<iq type='set' id='end' to='"+mirsal.Domain+"'><query xmlns='jabber:iq:register'><remove/></query></iq>")
	waitFor(t, "the file to go", func() bool { n, _ := h.stored(t); return n == 0 })
	if got := status(t, web, http.MethodGet, get, nil); got != http.StatusNotFound {
		t.Error(got)
	}
}

// bucket is as much of a server of Amazon S3's protocol as keeps files; the engine's own
// test (internal/store/s3) is strict.
func bucket(t *testing.T) (at string, count func() int) {
	var mu sync.Mutex
	objects := map[string][]byte{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		object, there := objects[r.URL.Path]
		switch {
		case r.Method == http.MethodPut:
			objects[r.URL.Path], _ = io.ReadAll(r.Body)
		case r.Method == http.MethodDelete:
			delete(objects, r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Query().Has("list-type"):
			fmt.Fprint(w, "<ListBucketResult>")
			for path := range objects {
				fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", strings.TrimPrefix(path, "/files/"))
			}
			fmt.Fprint(w, "</ListBucketResult>")
		case !there:
			w.WriteHeader(http.StatusNotFound)
		default:
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(object))
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() int { mu.Lock(); defer mu.Unlock(); return len(objects) }
}

func TestFilesAreKeptInABucket(t *testing.T) {
	at, count := bucket(t)
	h := start(t, "--set", "upload.store=s3", "--set", "upload.s3.endpoint="+at, "--set", "upload.s3.bucket=files",
		"--set", "upload.s3.access_key=AK", "--set", "upload.s3.secret_key=unspeakable", "--set", "upload.s3.prefix=mirsal/", "--set", "log.level=debug")
	alice, web := login(t, h.ways()["tcp"], "alice", "phone"), h.browser()
	file := make([]byte, 1<<20)
	_, _ = rand.Read(file)
	put, get := slot(t, alice, "a.bin", len(file), "")
	if got := status(t, web, http.MethodPut, put, bytes.NewReader(file)); got != http.StatusCreated || count() != 1 {
		t.Fatal(got, count())
	}
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	if _, got := do(t, web, http.MethodGet, get, nil); !bytes.Equal(got, file) {
		t.Error(len(got))
	}
	if r, got := do(t, web, http.MethodGet, get, nil, "Range", "bytes=1000-1999"); r.StatusCode != http.StatusPartialContent || !bytes.Equal(got, file[1000:2000]) {
		t.Error(r.Status, len(got))
	}
	alice = login(t, h.ways()["tcp"], "alice", "phone")
	send(t, alice, "<iq type='set' id='end' to='"+mirsal.Domain+"'><query xmlns='jabber:iq:register'><remove/></query></iq>")
	waitFor(t, "the object to go", func() bool { return count() == 0 })
	if strings.Contains(h.Log(), "unspeakable") {
		t.Error("the secret key is in the log")
	}
}

func TestABucketThatDoesNotAnswerStopsNobody(t *testing.T) {
	h := start(t, "--set", "upload.store=s3", "--set", "upload.s3.endpoint=http://127.0.0.1:1", "--set", "upload.s3.bucket=files",
		"--set", "upload.s3.access_key=AK", "--set", "upload.s3.secret_key=unspeakable")
	alice := login(t, h.ways()["tcp"], "alice", "phone")
	put, _ := slot(t, alice, "a.bin", 4, "")
	if got := status(t, h.browser(), http.MethodPut, put, strings.NewReader("text")); got != http.StatusInternalServerError {
		t.Error(got)
	}
	if got := used(t, alice); got != "0 0" {
		t.Error(got)
	}
	if log := h.Log(); !strings.Contains(log, "a file cannot be kept") || strings.Contains(log, "unspeakable") {
		t.Error(log)
	}
}
