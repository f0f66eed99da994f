package httpd

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"
)

// subprotocol must be asked for. RFC 7395 §3.1
const subprotocol = "xmpp"

// websocket takes a stream over a WebSocket. Any Origin may: a page gets no
// right from a browser that it does not bring itself.
func (s *Server) websocket(w http.ResponseWriter, r *http.Request) {
	if !offers(r.Header.Values("Sec-WebSocket-Protocol"), subprotocol) {
		http.Error(w, "This address is for XMPP over WebSocket (RFC 7395): ask for the subprotocol xmpp.", http.StatusBadRequest)
		return
	}
	if !s.mayStream(w, r) || !s.mayBegin(w) {
		return
	}
	c := &wsConn{limits: s.cfg.Before, meter: meter{pace: s.cfg.Limits.Raw(false)}, out: newCutter(), remote: net.TCPAddrFromAddrPort(originOf(r).addr)}
	ws, err := websocket.Accept(&lean{ResponseWriter: w, conn: c}, r, &websocket.AcceptOptions{
		Subprotocols: []string{subprotocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return // Accept has answered
	}
	via, conn := s.via(r, "websocket"), connOf(r)
	via.Counted = conn.Place != nil && !originOf(r).proxied
	if r.TLS != nil {
		via.Bindings = s.cfg.Bindings(r.TLS, conn.endPoint(r.TLS))
	}
	c.start(ws)
	via.Bound = func() { c.bound(s.cfg.After, s.cfg.Limits.Raw(true)) }
	conn.Place.Close() // from now on it is a stream, which c2s counts
	s.cfg.Accept(c, via)
}

// offers tells whether a list header names what is wanted.
func offers(values []string, want string) bool {
	return slices.ContainsFunc(list(values), func(v string) bool { return strings.EqualFold(v, want) })
}
