package hostile

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
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

const (
	nsUpload = "urn:xmpp:http:upload:0"
	nsQuota  = "urn:mirsal:quota:0"
	// uploadQuota is that of an account under attack.
	uploadQuota = 2_000_000
)

// Attacks by files and on files.
func TestUploads(t *testing.T) {
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: []string{
		"--set", "c2s.require_tls=false", "--http-plain", "127.0.0.1:0", "--set", "public_url=https://files.example.org", "--set", "log.level=debug",
		"--set", fmt.Sprintf("upload.quota=%d", uploadQuota), "--set", "upload.max_size=1000000", "--set", "limits.sessions=30",
	}})
	s.Accounts(password, "alice", "bob", "carol", "dora", "erin", "mallory")
	v := &victim{Server: s, ctx: t.Context()}
	v.pair = v.chat(t)
	for _, a := range []struct {
		name string
		run  func(*testing.T, *victim)
	}{
		{"45 a slot in another's name", testSlotForAnother},
		{"45 file names", testFileNames},
		{"45 bodies that are not what was promised", testBrokenPromises},
		{"45 one slot, many PUTs at once", testPutAtOnce},
		{"45 pages, pictures that are programs", testNoPages},
		{"45 many ranges", testRangeBombs},
		{"45 links are guessed", testGuessedLinks},
		{"45 a race for the quota", testQuotaRace},
		{"45 halves that stay", testHalves},
		{"63 links and file names in the log", testUploadLog},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.run(t, v)
			v.undisturbed(t)
		})
	}
}

// askSlot asks for a slot: its links, or the error.
func askSlot(t *testing.T, c *xmppclient.Conn, attrs string) (put, get string, answer *xmppclient.Node) {
	t.Helper()
	if err := c.Send("<iq type='get' id='slot' to='upload." + mirsal.Domain + "'><request xmlns='" + nsUpload + "' " + attrs + "/></iq>"); err != nil {
		t.Fatal(err)
	}
	for answer = next(t, c); answer.Attr("id") != "slot"; answer = next(t, c) {
	}
	if s := answer.Child(nsUpload, "slot"); s != nil {
		put, get = s.Child(nsUpload, "put").Attr("url"), s.Child(nsUpload, "get").Attr("url")
	}
	return put, get, answer
}

func slot(t *testing.T, c *xmppclient.Conn, size int, media string) (put, get string) {
	t.Helper()
	put, get, answer := askSlot(t, c, fmt.Sprintf("filename='holiday.jpg' size='%d' content-type='%s'", size, media))
	if put == "" {
		t.Fatal(answer)
	}
	return put, get
}

// usedBy is what an account is told of its quota: bytes and files.
func usedBy(t *testing.T, c *xmppclient.Conn) string {
	t.Helper()
	if err := c.Send("<iq type='get' id='quota' to='upload." + mirsal.Domain + "'><quota xmlns='" + nsQuota + "'/></iq>"); err != nil {
		t.Fatal(err)
	}
	for {
		if q := next(t, c).Child(nsQuota, "quota"); q != nil {
			return q.Child(nsQuota, "bytes").Attr("used") + " " + q.Child(nsQuota, "files").Attr("used")
		}
	}
}

// files asks for a link, or puts something there.
func (v *victim) files(t *testing.T, method, link string, body io.Reader, headers ...string) (*http.Response, string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(v.ctx, method, "http://"+v.Addr("http-plain")+u.EscapedPath(), body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(b)
}

// putText puts a file of the holiday and returns its link.
func (v *victim) putText(t *testing.T, c *xmppclient.Conn, text, media string) (get string) {
	t.Helper()
	put, get := slot(t, c, len(text), media)
	if r, _ := v.files(t, http.MethodPut, put, strings.NewReader(text)); r.StatusCode != http.StatusCreated {
		t.Fatal(r.Status)
	}
	return get
}

// stored are the files of all accounts, half ones included.
func (v *victim) stored() (n int, size int64) {
	_ = filepath.WalkDir(filepath.Join(v.Data, "uploads"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			n, size = n+1, size+info.Size()
		}
		return nil
	})
	return n, size
}

func testSlotForAnother(t *testing.T, v *victim) {
	carol, mallory := v.connect(t, "carol"), v.connect(t, "mallory")
	// the sender is who is logged in, and nobody else
	if err := mallory.Send("<iq type='get' id='slot' from='carol@" + mirsal.Domain + "' to='upload." + mirsal.Domain +
		"'><request xmlns='" + nsUpload + "' filename='a' size='1000'/></iq>"); err != nil {
		t.Fatal(err)
	}
	if n := next(t, mallory); n.Child(nsUpload, "slot") != nil {
		t.Error("a slot for carol:", n)
	}
	if got := usedBy(t, carol); got != "0 0" {
		t.Error("taken from carol's quota:", got)
	}
	// a message or presence to the service harms nobody
	for _, text := range []string{"<message to='upload." + mirsal.Domain + "'><body>x</body></message>", "<presence to='upload." + mirsal.Domain + "/x'/>",
		"<iq type='get' id='x' to='carol@upload." + mirsal.Domain + "'><request xmlns='" + nsUpload + "' filename='a' size='1'/></iq>"} {
		if err := carol.Send(text); err != nil {
			t.Fatal(err)
		}
	}
	if got := usedBy(t, carol); got != "0 0" {
		t.Error(got)
	}
}

func testFileNames(t *testing.T, v *victim) {
	carol := v.connect(t, "carol")
	for _, name := range []string{
		"../../../etc/passwd", "..\\..\\boot.ini", "%2e%2e/%2e%2e/x", "%2e%2e%2f", "/etc/passwd", "a&#x9;b&#xA;c", "x&#x202E;gpj.exe", "&#x2066;a&#x2069;",
		"x?y#z&amp;w=1", "&lt;script&gt;", "con", ".", "..", ".htaccess", strings.Repeat("a", 1000), strings.Repeat("ü", 500),
	} {
		put, get, answer := askSlot(t, carol, "filename='"+name+"' size='1'")
		if put == "" {
			t.Errorf("%s: %s", name, answer)
			continue
		}
		u, err := url.Parse(get)
		last := u.Path[strings.LastIndex(u.Path, "/")+1:]
		if err != nil || strings.Count(u.EscapedPath(), "/") != 3 || u.RawQuery+u.Fragment != "" || strings.Trim(last, ".") == "" ||
			len(last) > 200 || strings.ContainsAny(last, "\\\t\n\u202e\u2066\u2069\x00") {
			t.Errorf("%s became %s", name, get)
		}
		if r, _ := v.files(t, http.MethodPut, put, strings.NewReader("x")); r.StatusCode != http.StatusCreated {
			t.Errorf("%s: %s", name, r.Status)
		}
		if r, _ := v.files(t, http.MethodGet, get, nil); r.StatusCode != http.StatusOK || strings.ContainsAny(r.Header.Get("Content-Disposition"), "<>\"\\\r\n/") {
			t.Errorf("%s: %s %q", name, r.Status, r.Header.Get("Content-Disposition"))
		}
	}
	for _, name := range []string{"", strings.Repeat("a", 1025), strings.Repeat("ü", 50_000)} {
		if put, _, answer := askSlot(t, carol, "filename='"+name+"' size='1'"); put != "" || answer.Attr("type") != "error" {
			t.Errorf("%d characters: %s", len(name), put)
		}
	}
	// nothing but files of ours came into being
	err := filepath.WalkDir(filepath.Join(v.Data, "uploads"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && len(d.Name()) != 64 {
			t.Error("on the disk:", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/upload/../../etc/passwd", "/upload/%2e%2e/%2e%2e/etc/passwd", "/upload/x/..%2f..%2fetc%2fpasswd", "/upload/x/%00", "/upload//", "/upload/tmp/", "/upload/x/" + strings.Repeat("a", 10_000)} {
		if got := v.rawHTTP(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); strings.HasPrefix(got, "HTTP/1.1 200") || strings.Contains(got, "root:") {
			t.Errorf("%.40s: %.100s", path, got)
		}
	}
}

// rawHTTP sends what no HTTP client would.
func (v *victim) rawHTTP(t *testing.T, text string) string {
	t.Helper()
	c, err := net.DialTimeout("tcp", v.Addr("http-plain"), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	write(c, text)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	b, _ := io.ReadAll(io.LimitReader(c, 1<<20))
	return string(b)
}

func testBrokenPromises(t *testing.T, v *victim) {
	dora := v.connect(t, "dora")
	put, get := slot(t, dora, 100, "image/jpeg")
	at, _ := url.Parse(put)
	head := "PUT " + at.EscapedPath() + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	body := strings.Repeat("x", 100)
	for what, request := range map[string]string{
		"shorter":            head + "Content-Length: 99\r\n\r\n" + body[1:],
		"longer":             head + "Content-Length: 1000000\r\n\r\n" + body,
		"of no length":       head + "Transfer-Encoding: chunked\r\n\r\n64\r\n" + body + "\r\n0\r\n\r\n",
		"of two lengths":     head + "Content-Length: 100\r\nContent-Length: 1000000\r\n\r\n" + body,
		"of two framings":    head + "Content-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + body + "\r\n0\r\n\r\n",
		"of a signed length": head + "Content-Length: +100\r\n\r\n" + body,
		"of another type":    head + "Content-Type: text/html\r\nContent-Length: 100\r\n\r\n" + body,
		"a part":             head + "Content-Range: bytes 0-99/1000\r\nContent-Length: 100\r\n\r\n" + body,
		"to the other link":  strings.Replace(head, at.EscapedPath(), strings.TrimPrefix(get, "https://files.example.org"), 1) + "Content-Length: 100\r\n\r\n" + body,
	} {
		if got := v.rawHTTP(t, request); !strings.HasPrefix(got, "HTTP/1.1 4") {
			t.Errorf("%s: %.60q", what, got)
		}
	}
	if r, _ := v.files(t, http.MethodGet, get, nil); r.StatusCode != http.StatusNotFound {
		t.Error(r.Status)
	}
	// what comes behind the body is another request, if anything
	got := v.rawHTTP(t, head+"Content-Type: image/jpeg\r\nContent-Length: 100\r\n\r\n"+body+"more")
	if r, text := v.files(t, http.MethodGet, get, nil); !strings.HasPrefix(got, "HTTP/1.1 201") || text != body {
		t.Errorf("%.40q, %s %d bytes", got, r.Status, len(text))
	}
}

func testPutAtOnce(t *testing.T, v *victim) {
	dora := v.connect(t, "dora")
	before := usedBy(t, dora)
	var first string
	for range 10 {
		put, get := slot(t, dora, 1000, "")
		var run sync.WaitGroup
		var kept, refused atomic.Int32
		for i := range 20 {
			run.Go(func() {
				r, _ := v.files(t, http.MethodPut, put, bytes.NewReader(bytes.Repeat([]byte{'a' + byte(i)}, 1000)))
				switch r.StatusCode {
				case http.StatusCreated:
					kept.Add(1)
				case http.StatusConflict:
					refused.Add(1)
				}
			})
		}
		run.Wait()
		_, text := v.files(t, http.MethodGet, get, nil)
		if kept.Load() != 1 || refused.Load() != 19 || len(text) != 1000 || strings.Trim(text, text[:1]) != "" {
			t.Errorf("%d kept, %d refused, %.20q", kept.Load(), refused.Load(), text)
		}
		first = get
	}
	if r, _ := v.files(t, http.MethodPut, first, strings.NewReader("evil")); r.StatusCode != http.StatusNotFound {
		t.Error("who knows a link puts another file there:", r.Status)
	}
	if after := usedBy(t, dora); after == before {
		t.Error("not counted")
	}
}

func testNoPages(t *testing.T, v *victim) {
	carol := v.connect(t, "carol")
	const page = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(document.domain)</script></svg>"
	for _, media := range []string{
		"text/html", "image/svg+xml", "text/xml", "application/xml", "application/xhtml+xml", "application/javascript", "text/css", "text/html;x=image/png",
		"multipart/x-mixed-replace", "application/x-shockwave-flash", "message/rfc822", "text/cache-manifest", "image/png, text/html", "",
	} {
		put, get, answer := askSlot(t, carol, fmt.Sprintf("filename='x.html' size='%d' content-type='%s'", len(page), media))
		if put == "" {
			if !strings.Contains(media, ",") {
				t.Errorf("%s: %s", media, answer)
			}
			continue
		}
		v.files(t, http.MethodPut, put, strings.NewReader(page))
		r, text := v.files(t, http.MethodGet, get, nil)
		h := r.Header
		if text != page || h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s goes out as %v", media, h)
		}
		v.sandboxed(t, h)
	}
	// what is shown is in the sandbox, too, whatever it really is
	r, _ := v.files(t, http.MethodGet, v.putText(t, carol, page, "image/png"), nil)
	if r.Header.Get("Content-Type") != "image/png" {
		t.Error(r.Header)
	}
	v.sandboxed(t, r.Header)
}

// sandboxed checks that a browser runs nothing of an answer and guesses nothing.
func (v *victim) sandboxed(t *testing.T, h http.Header) {
	t.Helper()
	policy := h.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "; sandbox") || strings.Contains(policy, "allow") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", h)
	}
}

func testRangeBombs(t *testing.T, v *victim) {
	carol := v.connect(t, "carol")
	text := strings.Repeat("0123456789", 50_000)
	get := v.putText(t, carol, text, "")
	for _, ranges := range []string{
		"bytes=" + strings.Repeat("0-,", 1500) + "0-", "bytes=0-,0-,0-,0-,0-", "bytes=" + strings.Repeat("1-2,", 1000) + "1-2",
		"bytes=0-0,-1", "bytes=,,,,,", "bytes=99999999999999999999-", "bytes=-99999999999999999999", "bytes=5-4", "bytes=--1", strings.Repeat("x", 4000),
	} {
		r, got := v.files(t, http.MethodGet, get, nil, "Range", ranges)
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") || len(got) > len(text) {
			t.Errorf("%.30s: %s, %d bytes", ranges, r.Status, len(got))
		}
	}
	if r, got := v.files(t, http.MethodGet, get, nil, "Range", "bytes=10-19"); r.StatusCode != http.StatusPartialContent || got != text[:10] {
		t.Error("one range:", r.Status, len(got))
	}
}

func testGuessedLinks(t *testing.T, v *victim) {
	carol := v.connect(t, "carol")
	get := v.putText(t, carol, "secret", "")
	put, other := slot(t, carol, 6, "")
	if shared(get, other) > len("https://files.example.org/upload/")+6 || shared(put, other) > len("https://files.example.org/upload/")+6 {
		t.Error("one link tells of another:", get, other)
	}
	refused, _ := v.files(t, http.MethodGet, "https://files.example.org/upload/AAAAAAAAAAAAAAAAAAAAAAAAAA/holiday.jpg", nil)
	for _, link := range []string{
		get[:len(get)-1], get + "x", strings.Replace(get, "holiday", "Holiday", 1), strings.ToLower(get), other, put, strings.Replace(get, "holiday.jpg", "", 1) + "x",
	} {
		r, text := v.files(t, http.MethodGet, link, nil)
		if r.StatusCode != http.StatusNotFound || strings.Contains(text, "secret") || len(r.Header) != len(refused.Header) {
			t.Errorf("%s: %s", link, r.Status)
		}
	}
}

// shared is how much two texts have in common at their beginning.
func shared(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func testQuotaRace(t *testing.T, v *victim) {
	const size, fit = 90_000, uploadQuota / 90_000
	nBefore, before := v.stored()
	var run sync.WaitGroup
	var kept atomic.Int32
	for range 10 {
		c := v.connect(t, "erin")
		run.Go(func() {
			for range 10 {
				put, _, _ := askSlot(t, c, fmt.Sprintf("filename='a' size='%d'", size))
				if put == "" {
					continue
				}
				run.Go(func() {
					if r, _ := v.files(t, http.MethodPut, put, bytes.NewReader(make([]byte, size))); r.StatusCode == http.StatusCreated {
						kept.Add(1)
					}
				})
			}
		})
	}
	run.Wait()
	n, total := v.stored()
	if kept.Load() != fit || n-nBefore != fit || total-before != fit*size {
		t.Errorf("%d kept, %d files of %d bytes; the quota is %d", kept.Load(), n-nBefore, total-before, uploadQuota)
	}
}

// testHalves begins uploads on many connections, sends a byte now and then, and goes.
func testHalves(t *testing.T, v *victim) {
	mallory, dora := v.connect(t, "mallory"), v.connect(t, "dora")
	nBefore, before := v.stored()
	was := usedBy(t, mallory)
	var held []net.Conn
	for range 100 {
		put, _ := slot(t, mallory, 10_000, "")
		at, _ := url.Parse(put)
		c, err := net.DialTimeout("tcp", v.Addr("http-plain"), patience)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		held = append(held, c)
		write(c, "PUT "+at.EscapedPath()+" HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\nhalf")
	}
	within(t, "uploads that run", func() bool { n, _ := v.stored(); return n > nBefore })
	// others upload meanwhile
	v.putText(t, dora, "quick", "")
	for _, c := range held {
		write(c, "x")
		c.Close()
	}
	within(t, "the halves to go", func() bool { n, size := v.stored(); return n == nBefore+1 && size == before+5 })
	within(t, "the quota to be free", func() bool { return usedBy(t, mallory) == was })
}

func testUploadLog(t *testing.T, v *victim) {
	carol := v.connect(t, "carol")
	put, get, _ := askSlot(t, carol, "filename='unmistakable.pdf' size='4'")
	v.files(t, http.MethodPut, put, strings.NewReader("no"))
	v.files(t, http.MethodPut, put, strings.NewReader("text"))
	v.files(t, http.MethodPut, put, strings.NewReader("text"))
	v.files(t, http.MethodGet, get, nil)
	log := v.Log()
	for _, secret := range []string{"unmistakable", token(put), token(get), "/upload/"} {
		if strings.Contains(log, secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
}

// token is what makes a link unguessable.
func token(link string) string { return strings.Split(link, "/")[4] }
