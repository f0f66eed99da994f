package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
	"mirsal/internal/client/files"
	"mirsal/internal/client/keep"
	"mirsal/internal/client/keep/sqlite"
	"mirsal/internal/xmpp/stanza"
	"mirsal/internal/xmpp/xtok"
)

const (
	password = "secret"
	size     = 5 << 20
	half     = size / 2
)

// house is a server whose files go through a proxy, and somebody signed in to it.
type house struct {
	*mirsal.Server
	proxy *proxy
	alice *xmppclient.Conn
	files *files.Transfers
}

func start(t *testing.T, args ...string) *house {
	t.Helper()
	p := newProxy(t)
	s := mirsal.Start(t, mirsal.Options{Bin: mirsal.Build(t), Args: append([]string{
		"--http-plain", "127.0.0.1:0", "--set", "upload.public_url=http://" + p.addr(),
	}, args...)})
	p.to.Store(s.Addr("http-plain"))
	s.Accounts(password, "alice")
	c, err := xmppclient.Dial(soon(t), xmppclient.Options{Addr: s.Addr("c2s"), Domain: mirsal.Domain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	if err := errors.Join(c.Login(soon(t), "alice", password), c.Bind(soon(t), "phone")); err != nil {
		t.Fatal(err)
	}
	return &house{Server: s, proxy: p, alice: c, files: transfers(t)}
}

// transfers are those of one run of the client.
func transfers(t *testing.T) *files.Transfers {
	t.Helper()
	policy := files.Policy{PlainLoopback: true}
	doer := files.NewHTTP(policy, "mirsal-test", nil)
	t.Cleanup(doer.Close)
	return &files.Transfers{Doer: doer, Policy: policy, Rand: rand.Reader, Least: 10 * time.Millisecond}
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// ask asks the server for a slot, or for what it is.
func (h *house) ask(ctx context.Context, payload string) (xtok.Elem, error) {
	if err := h.alice.Send("<iq type='get' id='ask' to='upload." + mirsal.Domain + "'>" + payload + "</iq>"); err != nil {
		return xtok.Elem{}, err
	}
	for {
		n, err := h.alice.Next(ctx)
		if err != nil {
			return xtok.Elem{}, err
		}
		if !n.Is(xmppclient.NSClient, "iq") || n.Attr("id") != "ask" {
			continue
		}
		e, err := xtok.Parse([]byte(n.String()), xtok.Limits{})
		if err == nil && n.Attr("type") == "error" {
			err = stanza.ReadError(e)
		}
		return e.First(), err
	}
}

func (h *house) slot(ctx context.Context, r files.Request) (files.Slot, error) {
	e, err := h.ask(ctx, string(r.Append(nil)))
	if err != nil {
		return files.Slot{}, err
	}
	return files.ReadSlot(e, h.files.Policy)
}

// outgoing is a file on the disk.
func outgoing(t *testing.T, n int) (files.Outgoing, []byte) {
	t.Helper()
	plain := make([]byte, n)
	_, _ = rand.Read(plain)
	path := filepath.Join(t.TempDir(), "film.mp4")
	if err := os.WriteFile(path, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	return files.Outgoing{Name: path, Size: int64(n), Open: func() (io.ReadCloser, error) { return os.Open(path) }}, plain
}

func (h *house) send(t *testing.T, o files.Outgoing) files.Link {
	t.Helper()
	l, err := h.files.Upload(soon(t), o, h.slot, nil)
	if err != nil {
		t.Fatal(err)
	}
	read, ok := files.ReadLink(l.Text(), h.files.Policy)
	if !ok {
		t.Fatalf("%s is no link", l.Text())
	}
	return read
}

// fetch downloads into a profile, as one run of the client does.
func (h *house) fetch(ctx context.Context, profile string, d files.Download, note func(files.Download), tell files.Progress) (string, error) {
	var saved *files.Saved
	err := h.files.Download(ctx, d, files.Fetch{
		Part: files.Disk{Folder: filepath.Join(profile, "parts")}.Part(d.ID),
		Sink: func() (s files.Sink, err error) {
			saved, err = files.Save(filepath.Join(profile, "files"), d.Name)
			return saved, err
		},
		Note: note, Tell: tell,
	})
	if err != nil {
		return "", err
	}
	return saved.Path(), nil
}

func TestAFileGoesAndComesThoughTheConnectionBreaksInTheMiddleOfBoth(t *testing.T) {
	h := start(t)
	o, plain := outgoing(t, size)
	h.proxy.up.cut.Store(half)
	link := h.send(t, o)
	if h.proxy.up.cuts.Load() != 1 {
		t.Error("the upload was not interrupted")
	}
	h.nothingReadable(t, plain)

	h.proxy.down.cut.Store(half)
	before := h.proxy.down.passed.Load()
	path, err := h.fetch(soon(t), t.TempDir(), files.FromLink("m1", link), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d bytes came, %v", len(got), err)
	}
	if h.proxy.down.cuts.Load() != 1 {
		t.Error("the download was not interrupted")
	}
	if came := h.proxy.down.passed.Load() - before; came > size+size/4 {
		t.Errorf("%d bytes came for a file of %d: what was here came again", came, size)
	}
}

// nothingReadable checks that the server keeps one file, of which it can read nothing.
func (h *house) nothingReadable(t *testing.T, plain []byte) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(filepath.Join(h.Data, "uploads"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, plain[:64]) || bytes.Contains(b, plain[half:half+64]) {
			t.Errorf("%s is in the clear", path)
		}
		if len(b) == size+16 {
			found++
		}
		return err
	})
	if err != nil || found != 1 {
		t.Errorf("%d files of the right size, %v", found, err)
	}
}

func TestADownloadGoesOnAfterTheProgramWasClosed(t *testing.T) {
	h := start(t)
	o, plain := outgoing(t, size)
	link, profile := h.send(t, o), t.TempDir()

	h.proxy.down.cut.Store(half + half/2) // so that some of it is missing, however fast the rest came
	ctx, quit := context.WithCancel(soon(t))
	var last files.Download
	_, err := h.fetch(ctx, profile, files.FromLink("m1", link), func(d files.Download) { last = d }, func(done, _ int64) {
		if done > half {
			quit()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	store := open(t, profile)
	var b keep.Batch
	if err := errors.Join(files.PutDownload(&b, last), store.Apply(&b), store.Close()); err != nil {
		t.Fatal(err)
	}

	h.files = transfers(t)
	kept, err := files.Downloads(open(t, profile))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	first := int64(-1)
	path, err := h.fetch(soon(t), profile, kept[0], nil, func(done, _ int64) {
		if first < 0 {
			first = done
		}
	})
	if err != nil || first < half {
		t.Fatalf("it went on from %d: %v", first, err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d bytes came, %v", len(got), err)
	}
}

func open(t *testing.T, profile string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestTheServersLimitsAreToldInPlainWords(t *testing.T) {
	h := start(t, "--set", "upload.max_size=4096", "--set", "upload.quota=5000")
	info, err := h.ask(soon(t), "<query xmlns='http://jabber.org/protocol/disco#info'/>")
	if err != nil {
		t.Fatal(err)
	}
	most, ok := files.ReadService(info)
	if !ok || most != 4096 {
		t.Errorf("a file may have %d bytes, %v", most, ok)
	}
	small, _ := outgoing(t, 4096-16)
	h.send(t, small)
	large, _ := outgoing(t, 4096)
	for want, o := range map[files.Kind]files.Outgoing{files.TooLarge: large, files.Full: small} {
		_, err := h.files.Upload(soon(t), o, h.slot, nil)
		var f *files.Failure
		if !errors.As(err, &f) || f.Kind != want {
			t.Errorf("%v, want %s", err, want)
		} else {
			t.Logf("%s: %s", f.Kind, f.Text)
		}
	}
}
