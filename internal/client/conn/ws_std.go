//go:build !js

package conn

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"

	"github.com/coder/websocket"
)

// webSocketTrust is what a program can choose and a browser decides by itself.
type webSocketTrust struct {
	TLS *tls.Config // what to trust; nil trusts what the system does
}

// Dial connects. In clear it does to the own machine only.
func (d *WebSocket) Dial(ctx context.Context) (Transport, error) {
	u, err := url.Parse(d.URL)
	if err != nil || u.Scheme != "wss" && !(u.Scheme == "ws" && loopback(u.Hostname())) {
		return nil, &Refusal{Reason: Insecure, Words: "the WebSocket's address must begin with wss://", Err: err}
	}
	security := Security{Private: true}
	client := &http.Client{
		Transport:     &http.Transport{DialTLSContext: d.dialTLS(&security), Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ws, _, err := websocket.Dial(ctx, d.URL, &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"xmpp"}})
	if err != nil {
		if r := asRefusal(err); r != nil {
			return nil, r
		}
		return nil, &Refusal{Reason: Unreachable, Words: "the server cannot be reached", Err: err}
	}
	if ws.Subprotocol() != "xmpp" { // RFC 7395 §3.1
		ws.CloseNow()
		return nil, &Refusal{Reason: Misbehaved, Words: "at this address is no messaging server"}
	}
	ws.SetReadLimit(int64(bounds(true).Size))
	ctx, cancel := context.WithCancel(context.Background())
	return &framed{frames: &stdFrames{ws, ctx, cancel}, security: security, limits: bounds(false)}, nil
}

// dialTLS notes what the channel is bound to, which http does not tell.
func (d *WebSocket) dialTLS(security *Security) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		config := &tls.Config{MinVersion: tls.VersionTLS12}
		if d.TLS != nil {
			config = d.TLS.Clone()
		}
		config.NextProtos = []string{"http/1.1"}
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(addr)
		}
		nc, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		t := tls.Client(nc, config)
		if err := t.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, tlsRefusal(err)
		}
		st := t.ConnectionState()
		security.Binding = exporter(&st)
		return t, nil
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

type stdFrames struct {
	ws     *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
}

func (f *stdFrames) read() ([]byte, error) {
	kind, b, err := f.ws.Read(f.ctx)
	if err == nil && kind != websocket.MessageText { // RFC 7395 §3.2
		err = errFrame
	}
	return b, err
}

func (f *stdFrames) write(b []byte) error { return f.ws.Write(f.ctx, websocket.MessageText, b) }

func (f *stdFrames) close() error {
	f.cancel()
	return f.ws.CloseNow()
}
