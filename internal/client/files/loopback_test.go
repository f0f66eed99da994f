//go:build !js

package files

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestALinkToThisMachineIsFetchedFromAServerWithTLSToo(t *testing.T) {
	base, doer := house(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "the file") })
	plain := strings.Replace(base, "https://", "http://", 1)
	a, err := doer.Get(t.Context(), GetRequest{URL: plain + "/a"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if raw, err := io.ReadAll(a.Body); err != nil || string(raw) != "the file" || a.Status != 200 {
		t.Errorf("%d %q %v", a.Status, raw, err)
	}
}

func TestNoRedirectLeadsFromElsewhereToThisMachine(t *testing.T) {
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"https://example.org/f", "http://127.0.0.1:8080/f", false},
		{"https://example.org/f", "https://localhost/f", false},
		{"https://example.org/f", "https://LOCALHOST./f", false},
		{"https://example.org/f", "https://[::1]:5280/f", false},
		{"https://example.org/f", "https://[::ffff:127.0.0.1]/f", false},
		{"https://example.org/f", "https://0.0.0.0/f", false},
		{"https://example.org/f", "https://a.localhost/f", false},
		{"https://127.0.0.1/f", "http://127.0.0.1/f", false},
		{"https://example.org/f", "https://example.net/f", true},
		{"http://127.0.0.1:5280/f", "http://localhost:9000/f", true},
		{"http://127.0.0.1:5280/f", "https://example.net/f", true},
		{"https://127.0.0.1/f", "https://127.0.0.1/g", true},
	} {
		from, err := url.Parse(c.from)
		to, err2 := url.Parse(c.to)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if err := (Policy{PlainLoopback: true}).follows(from, to); (err == nil) != c.allowed {
			t.Errorf("%s to %s: %v", c.from, c.to, err)
		}
	}
}

func TestAFileServiceElsewhereCannotHaveThisMachineAsked(t *testing.T) {
	target := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	defer target.Close()
	base, doer := house(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, http.StatusFound) })
	// the test's service has a name that is not this machine's, and lives here all the same
	transport := doer.client.Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.Replace(address, "example.com", "127.0.0.1", 1))
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	_, err = doer.Get(t.Context(), GetRequest{URL: "https://example.com:" + u.Port() + "/f"})
	if kindOf(err) != Insecure {
		t.Error(err)
	}
}
