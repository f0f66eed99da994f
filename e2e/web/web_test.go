package web

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"mirsal/e2e/mirsal"
	"mirsal/e2e/xmppclient"
)

// RFC 9266: where TLS ends here, a native client can bind to it; a browser, which
// cannot, logs in all the same.
func TestChannelsAreBoundWhereTLSEndsHere(t *testing.T) {
	h := start(t)
	wss := dial(t, h.ways()["websocket"])
	if !strings.Contains(mechanisms(wss), "SCRAM-SHA-256-PLUS") {
		t.Error("over wss:", mechanisms(wss))
	}
	if err := wss.LoginBy(soon(t), "SCRAM-SHA-256-PLUS", "alice", password); err != nil {
		t.Error("bound:", err)
	}
	for name, o := range map[string]xmppclient.Options{
		"wss": h.ways()["websocket"], "ws on this machine": {WebSocket: "ws://" + h.Addr("http-plain") + "/ws", Domain: mirsal.Domain},
		"bosh": h.ways()["bosh"], "bosh on this machine": {BOSH: "http://" + h.Addr("http-plain") + "/bosh", Domain: mirsal.Domain},
	} {
		c := dial(t, o)
		if plus := strings.Contains(mechanisms(c), "-PLUS"); plus != (name == "wss") {
			t.Errorf("%s offers %s", name, mechanisms(c))
		}
		if c.Features.Child(xmppclient.NSStartTL, "starttls") != nil {
			t.Errorf("%s offers STARTTLS", name) // RFC 7395 §3.9
		}
		if err := c.LoginBy(soon(t), "SCRAM-SHA-256", "alice", password); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// proxy is a reverse proxy with TLS before the plain listener.
func proxy(t *testing.T, h house) *httptest.Server {
	to := &url.URL{Scheme: "http", Host: h.Addr("http-plain")}
	p := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
		r.Out.Header.Set("X-Forwarded-For", "192.0.2.77")
	}})
	t.Cleanup(p.Close)
	return p
}

func TestATrustedProxyBringsPeople(t *testing.T) {
	h := start(t, "--set", "http.trusted_proxies=127.0.0.1", "--set", "log.format=json")
	at := strings.TrimPrefix(proxy(t, h).URL, "https")
	for _, o := range []xmppclient.Options{{WebSocket: "wss" + at + "/ws"}, {BOSH: "https" + at + "/bosh"}} {
		o.Domain = mirsal.Domain
		c := dial(t, o)
		if strings.Contains(mechanisms(c), "-PLUS") {
			t.Error("the proxy's TLS is bound to, which the server does not know")
		}
		if err := c.Login(soon(t), "alice", password); err != nil {
			t.Error(err)
		}
		if err := c.Close(soon(t)); err != nil {
			t.Error(err)
		}
	}
}

func TestAProxyThatIsNotNamedBringsNobody(t *testing.T) {
	h := start(t)
	at := strings.TrimPrefix(proxy(t, h).URL, "https")
	for _, o := range []xmppclient.Options{{WebSocket: "wss" + at + "/ws"}, {BOSH: "https" + at + "/bosh"}} {
		o.Domain = mirsal.Domain
		if c, err := xmppclient.Dial(soon(t), o); err == nil {
			c.Kill()
			t.Error("let in")
		}
	}
}

// HTTP/2 would bring frames that no budget counts: who prefers it gets HTTP/1.1.
func TestHTTP2IsNotOffered(t *testing.T) {
	h := start(t)
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := client.Post("https://"+h.Addr("http")+"/bosh", "text/xml", strings.NewReader("<body xmlns='"+xmppclient.NSBOSH+"' rid='7' to='"+mirsal.Domain+"'/>"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if b, _ := io.ReadAll(answer.Body); answer.ProtoMajor != 1 || !strings.Contains(string(b), "<mechanisms") {
		t.Errorf("%s %s", answer.Proto, b)
	}
}

// What an operator's restart is to those who came over HTTP.
func TestPeopleHearThatTheServerStops(t *testing.T) {
	h := start(t)
	conns := map[string]*xmppclient.Conn{}
	for name, o := range h.ways() {
		conns[name] = login(t, o, "alice", name)
	}
	if err := h.Stop(); err != nil {
		t.Error(err)
	}
	for name, c := range conns {
		if n := next(t, c); n.Child(xmppclient.NSStreams, "system-shutdown") == nil {
			t.Errorf("%s: %s", name, n)
		}
	}
}

func TestHostMetaLeadsToStreams(t *testing.T) {
	h := start(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for _, at := range []string{"https://" + h.Addr("http"), "http://" + h.Addr("http-plain")} {
		answer, err := client.Get(at + "/.well-known/host-meta.json")
		if err != nil {
			t.Fatal(err)
		}
		var jrd struct{ Links []struct{ Rel, Href string } }
		if err := json.NewDecoder(answer.Body).Decode(&jrd); err != nil || len(jrd.Links) != 2 || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Fatal(jrd, err)
		}
		answer.Body.Close()
		for _, l := range jrd.Links {
			o := xmppclient.Options{Domain: mirsal.Domain, WebSocket: l.Href}
			if l.Rel == "urn:xmpp:alt-connections:xbosh" {
				o.WebSocket, o.BOSH = "", l.Href
			}
			login(t, o, "alice", fmt.Sprint(len(l.Href))).Kill()
		}
	}
}
