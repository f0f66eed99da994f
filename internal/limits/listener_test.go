package limits

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// watching is a listener of connections that tell when they are given a file to send.
type watching struct {
	net.Listener
	files *atomic.Int32
}

func (w *watching) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	return &watched{c, w.files}, err
}

type watched struct {
	net.Conn
	files *atomic.Int32
}

func (w *watched) ReadFrom(r io.Reader) (int64, error) {
	part, _ := r.(*io.LimitedReader)
	if part != nil {
		if _, ok := part.R.(*os.File); ok {
			w.files.Add(1)
		}
	}
	return io.Copy(w.Conn, r)
}

func TestTheSystemSendsFilesByItselfWithoutTLS(t *testing.T) {
	name, text := filepath.Join(t.TempDir(), "file"), strings.Repeat("0123456789abcdef", 10_000)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, enabled := range []bool{true, false} {
		cfg := Default()
		cfg.Enabled = enabled
		l := New(cfg, NewMetrics(nil), slog.New(slog.DiscardHandler))
		defer l.Close()
		var files atomic.Int32
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }))
		srv.Listener = l.Listener(&watching{srv.Listener, &files}, Proxied)
		srv.Start()
		defer srv.Close()
		resp, err := http.Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != text {
			t.Errorf("%d bytes came, %v", len(got), err)
		}
		if files.Load() == 0 {
			t.Errorf("enabled %v: it was copied through our memory", enabled)
		}
	}
}
